"""What a site's grid code asks of a procedure: limits and windows, read from the rules."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from v2glab.control import SyncLimits
from v2glab.evidence import UsageError
from v2glab.gridcodes import GridCode, Region, load_code

if TYPE_CHECKING:
    from v2glab.evidence import Criterion
    from v2glab.station import Site

#: How much longer than required a window is held, so that its uncertainty does not eat the margin.
EXTRA_S = 0.3
#: How far beyond an open end of a region its window lies.
DEPTH_PU = 0.2


@dataclass(frozen=True)
class Window:
    """One abnormal voltage that must be ridden through.

    ``duration_s`` is a little longer than what ``criterion`` asks for.
    """

    name: str
    voltage_pu: float
    duration_s: float
    mode: str
    criterion: Criterion


def sync_criteria(site: Site) -> dict[str, Criterion]:
    """Return the synchronisation criteria of the site's size: ``frequency``, ``voltage``, ``phase``.

    Raises
    ------
    UsageError
        The site's grid code has none that is known.
    """
    code, rated_kva = load_code(site.grid_code), site.rated_apparent_power_va / 1000
    size = "500kva" if rated_kva <= 500 else "1500kva" if rated_kva <= 1500 else "over1500kva"
    return {
        quantity: _criterion(code, f"sync.{quantity}.{size}")
        for quantity in ("frequency", "voltage", "phase")
    }


def sync_limits(site: Site, threshold_rad: float | None) -> SyncLimits:
    """Return the limits of the grid code, the phase tightened to ``threshold_rad`` when that is smaller."""
    criteria = sync_criteria(site)
    phase_rad = math.radians(_upper(criteria["phase"]))
    return SyncLimits(
        frequency_hz=_upper(criteria["frequency"]),
        voltage_pu=_upper(criteria["voltage"]) / 100,
        phase_rad=phase_rad if threshold_rad is None else min(phase_rad, threshold_rad),
    )


def continuous_voltage(site: Site) -> Criterion:
    """Return the criterion for voltage within continuous operation, in p.u.; errors as `sync_criteria`."""
    return _criterion(load_code(site.grid_code), f"continuous.voltage.{site.category}")


def ride_through_windows(site: Site) -> tuple[Window, ...]:
    """Return one window for each voltage region of the site's category that must be ridden through."""
    code = load_code(site.grid_code)
    regions = code.category(site.category).ride_through_voltage
    return tuple(_window(code, site, r) for r in regions if r.minimum_s is not None)


def restore_criterion(site: Site) -> Criterion | None:
    """Return the criterion for the time to restore output after a disturbance, if the code has one."""
    code = load_code(site.grid_code)
    return code.criteria.get(f"{code.id}.restore.time.{site.category}".lower())


def _window(code: GridCode, site: Site, region: Region) -> Window:
    low = region.lower if region.lower is not None else (region.upper or 0.0) - 2 * DEPTH_PU
    high = region.upper if region.upper is not None else low + 2 * DEPTH_PU
    voltage_pu = (low + high) / 2
    required_s = (region.minimum_s or 0.0) + region.slope_s_per_unit * (voltage_pu - low)
    criterion = code.criteria[f"{code.id}.ride-through.{region.name}.{site.category}".lower()]
    return Window(
        name=region.name,
        voltage_pu=voltage_pu,
        duration_s=required_s + EXTRA_S,
        mode=region.mode,
        criterion=criterion.model_copy(update={"lower": required_s}),
    )


def _criterion(code: GridCode, key: str) -> Criterion:
    """Return one criterion; a code of which no source gives it cannot be followed there."""
    name = f"{code.id}.{key}".lower()
    if name not in code.criteria:
        raise UsageError(
            f"no limit {name!r}: no source gives it",
            "a grid code that names it",
            "transcribe it from the text, or name another grid code for the site",
        )
    return code.criteria[name]


def _upper(criterion: Criterion) -> float:
    if criterion.upper is None:
        raise AssertionError(f"{criterion.id} has no upper bound")
    return criterion.upper
