"""Stimuli as lists of a grid simulator."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from v2glab.instruments import GridStep

if TYPE_CHECKING:
    from v2glab.gridcodes.conformity import Stimulus, Stretch
    from v2glab.station import Site

Three = tuple[float, float, float]
_BRIEF_S = 1e-3
_LEAST = 1e-9


def grid_steps(stimulus: Stimulus, site: Site) -> list[GridStep]:
    """Return the timeline as steps of the grid simulator; what runs evenly becomes a slew."""
    out: list[GridStep] = []
    for stretch in stimulus.stretches:
        if _runs(stretch):
            rest = stretch
            # A slew begins where the step before has ended, so the beginning needs a step of its own.
            if not out or not _ends_at_beginning(out[-1], stretch, site):
                first = replace(stretch, duration_s=_BRIEF_S)
                out.append(_step(first, stretch.voltage_pu, stretch.frequency_hz, site))
                rest = replace(stretch, duration_s=stretch.duration_s - _BRIEF_S)
            out.append(_slewing(rest, site))
        else:
            out.append(_step(stretch, stretch.voltage_pu, stretch.frequency_hz, site))
    return out


def _runs(stretch: Stretch) -> bool:
    rise_pu, rise_hz = _rises(stretch)
    return rise_pu > 0.0 or rise_hz > 0.0


def _rises(stretch: Stretch) -> tuple[float, float]:
    """Return how far voltage and frequency run; a rounding is no way to go."""
    to_pu = stretch.voltage_to_pu or stretch.voltage_pu
    to_hz = stretch.frequency_hz if stretch.frequency_to_hz is None else stretch.frequency_to_hz
    rise_pu = max(abs(b - a) for a, b in zip(stretch.voltage_pu, to_pu, strict=True))
    rise_hz = abs(to_hz - stretch.frequency_hz)
    return rise_pu if rise_pu > _LEAST else 0.0, rise_hz if rise_hz > _LEAST else 0.0


def _step(stretch: Stretch, volts: Three, hertz: float, site: Site) -> GridStep:
    a, b, c = (v * site.nominal_voltage_v for v in volts)
    alike = a == b == c
    return GridStep(stretch.duration_s, a, hertz, None if alike else (a, b, c), stretch.angle_deg)


def _slewing(stretch: Stretch, site: Site) -> GridStep:
    to_pu = stretch.voltage_to_pu or stretch.voltage_pu
    to_hz = stretch.frequency_hz if stretch.frequency_to_hz is None else stretch.frequency_to_hz
    rise_pu, rise_hz = _rises(stretch)
    slew_v_s = rise_pu * site.nominal_voltage_v / stretch.duration_s
    return replace(
        _step(stretch, to_pu, to_hz, site),
        voltage_slew_v_s=slew_v_s if rise_pu else None,
        frequency_slew_hz_s=rise_hz / stretch.duration_s if rise_hz else None,
    )


def _ends_at_beginning(before: GridStep, stretch: Stretch, site: Site) -> bool:
    volts = tuple(v * site.nominal_voltage_v for v in stretch.voltage_pu)
    apart = max(abs(a - b) for a, b in zip(before.phases_v, volts, strict=True))
    return apart < 1e-6 and abs(before.frequency_hz - stretch.frequency_hz) < 1e-9
