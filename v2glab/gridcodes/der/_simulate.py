"""Many plants over a whole timeline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from v2glab.evidence import InputError
from v2glab.gridcodes.der._fleet import Fleet, build
from v2glab.gridcodes.der._places import G
from v2glab.gridcodes.der._segment import GridSegment, SettingsChange
from v2glab.gridcodes.der._settings import DerSettings
from v2glab.gridcodes.der._status import Status

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = {"v_a_pu": G.VA, "v_b_pu": G.VB, "v_c_pu": G.VC, "f_hz": G.HZ, "p_demand_pu": G.DEMAND}


def simulate(
    settings: DerSettings | Sequence[DerSettings],
    events: pd.DataFrame | Sequence[GridSegment],
    *,
    duration_s: float,
    step_s: float | Sequence[float],
    seed: int = 0,
    initial: Literal["running", "off"] = "running",
    compatibility: Literal["opender"] | None = None,
    changes: Sequence[SettingsChange] = (),
) -> pd.DataFrame:
    """Return what each plant does, one row a device and step, device by device.

    Columns: ``device``, ``time_s``, ``v_a_pu``, ``v_b_pu``, ``v_c_pu``, ``f_hz``, ``p_demand_pu``, ``p_pu``,
    ``q_pu`` (both per unit of rated apparent power), ``status`` (:class:`Status`), ``connected``,
    ``trip_time_s`` (exact time of the latest trip, between steps too; NaN before the first), ``soc``.

    Parameters
    ----------
    settings
        Of one plant, or of several.
    events
        Segments, or a table that has ``time_s`` and any of ``v_pu`` or ``v_a_pu``, ``v_b_pu``, ``v_c_pu``;
        ``angle_a_deg``, ``angle_b_deg``, ``angle_c_deg``; ``f_hz``; ``p_demand_pu``; ``p_limit_pu``;
        ``permit_service``; ``v2g_authorised``; ``device``. Voltages, frequency and demand run straight from
        row to row; two rows of one time are a step at exactly that time. The rest holds from its row on.
    duration_s, step_s
        Seconds; a step of its own for each plant where there are several numbers.
    seed
        Of the randomised delays; the same seed gives the same rows.
    initial
        In service, or off and waiting for the criteria of enter service.
    compatibility
        ``"opender"`` takes the discretisation of OpenDER 2.2.0: timers counted in samples, trapezoidal lags,
        and no function that it lacks. For comparison only.
    changes
        Settings that are sent later.

    Raises
    ------
    InputError
        A setting or an event is not possible.
    """
    import pandas as pd

    arguments = _arguments(settings, events, duration_s, step_s, seed, initial, compatibility, changes)
    fleet = build(**arguments)
    parts = list(_frames(fleet, int(fleet.samples.sum())))
    return parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)


def simulate_columns(
    settings: DerSettings,
    events: Sequence[GridSegment],
    *,
    duration_s: float,
    step_s: float,
    seed: int,
    initial: Literal["running", "off"],
    changes: Sequence[SettingsChange],
) -> dict[str, NDArray[Any]]:
    """Return the columns of :func:`simulate` for one plant as arrays: a suite of short runs needs no table.

    Raises
    ------
    InputError
        A setting or an event is not possible.
    """
    fleet = build(**_arguments(settings, events, duration_s, step_s, seed, initial, None, changes))
    ((part, first, count),) = fleet.chunks(int(fleet.samples.sum()))
    return _columns(fleet, part, first, count)


def stream(
    settings: DerSettings | Sequence[DerSettings],
    events: pd.DataFrame | Sequence[GridSegment],
    *,
    duration_s: float,
    step_s: float | Sequence[float],
    seed: int = 0,
    initial: Literal["running", "off"] = "running",
    compatibility: Literal["opender"] | None = None,
    changes: Sequence[SettingsChange] = (),
    rows: int = 1_000_000,
) -> Iterator[pd.DataFrame]:
    """Yield the rows of :func:`simulate` in chunks of at most ``rows``, in bounded memory.

    Raises
    ------
    InputError
        A setting or an event is not possible, before the first chunk.
    """
    if rows < 1:
        raise InputError(f"rows = {rows}", "at least 1", "ask for larger chunks")
    fleet = build(**_arguments(settings, events, duration_s, step_s, seed, initial, compatibility, changes))
    return _frames(fleet, rows)


def _arguments(
    settings: object,
    events: object,
    duration_s: float,
    step_s: object,
    seed: int,
    initial: str,
    compatibility: str | None,
    changes: object,
) -> dict[str, Any]:
    if initial not in ("running", "off"):
        raise InputError(f"initial = {initial!r}", "'running' or 'off'", "choose one of those")
    if compatibility not in (None, "opender"):
        raise InputError(f"compatibility = {compatibility!r}", "None or 'opender'", "choose one of those")
    return {
        "settings": settings,
        "events": events,
        "duration_s": duration_s,
        "step_s": step_s,
        "seed": seed,
        "running": initial == "running",
        "compatible": compatibility is not None,
        "changes": changes,
    }


def _frames(fleet: Fleet, rows: int) -> Iterator[pd.DataFrame]:
    for part, first, count in fleet.chunks(rows):
        yield _frame(fleet, part, first, count)


def _frame(fleet: Fleet, part: slice, first: NDArray[np.int64], count: NDArray[np.int64]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(_columns(fleet, part, first, count), copy=False)


def _columns(
    fleet: Fleet, part: slice, first: NDArray[np.int64], count: NDArray[np.int64]
) -> dict[str, NDArray[Any]]:
    out, status = fleet.run(part, first, count)
    size = len(status)
    device, time = np.empty(size, np.int64), np.empty(size)
    shown = {name: np.empty(size) for name in _SHOWN}
    known: dict[tuple[object, ...], slice] = {}
    place = 0
    for d in range(part.start, part.stop):
        n, begin = int(count[d - part.start]), int(first[d - part.start])
        here = slice(place, place + n)
        device[here] = d
        key = (*fleet.spans[d], fleet.step_s[d], begin, n)
        same = known.setdefault(key, here)
        if same == here:
            time[here] = np.arange(begin, begin + n) * fleet.step_s[d]
            _inputs(fleet, d, time[here], {name: values[here] for name, values in shown.items()})
        else:
            for values in (time, *shown.values()):
                values[here] = values[same]
        place += n
    columns: dict[str, NDArray[Any]]
    columns = {"device": device, "time_s": time, **shown, "p_pu": out[0], "q_pu": out[1], "status": status}
    return columns | {"connected": status != Status.TRIP, "trip_time_s": out[3], "soc": out[2]}


def _inputs(fleet: Fleet, d: int, time: NDArray[np.float64], shown: dict[str, NDArray[np.float64]]) -> None:
    """Write the inputs that one plant saw at each sample."""
    low, high = fleet.spans[d]
    grid = fleet.grid[low : high + 1]
    at = np.searchsorted(grid[:, G.START], time + 1e-9 * fleet.step_s[d], side="right") - 1
    since = time - grid[:, G.START][at]
    for name, place in _SHOWN.items():
        slope = grid[:, int(G.VA_SLOPE) + (int(place) - int(G.VA))][at]
        shown[name][:] = grid[:, place][at] + since * slope
