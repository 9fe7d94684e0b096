"""What a recording demanded of each category of a grid code."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from v2glab.gridcodes import Demand, GridCode, demand
from v2glab.procedures._judge_recording_measure import Measured


def demands(measured: Measured, code: GridCode, categories: Iterable[str]) -> tuple[Demand, ...]:
    """Hold one recording against several categories.

    Frequency is left out, and nothing is concluded, when code and recording are for different nominal
    frequencies.

    Raises
    ------
    UsageError
        The code has no such category.
    """
    return tuple(_demand(measured, code, category) for category in categories)


def same_frequency(measured: Measured, code: GridCode) -> bool:
    """Whether recording and code are for the same nominal frequency."""
    return abs(measured.nominal_hz - code.nominal_frequency_hz) < 0.5


def frequency_doubt(measured: Measured, code: GridCode) -> str:
    """Say why a code for another nominal frequency decides nothing; empty when it is the same."""
    if same_frequency(measured, code):
        return ""
    return f"the code is for {code.nominal_frequency_hz:g} Hz, the recording of {measured.nominal_hz:g} Hz"


def _demand(measured: Measured, code: GridCode, category: str) -> Demand:
    other = frequency_doubt(measured, code)
    shown = measured.frequency_hz.size and not other
    found = demand(
        code,
        category,
        measured.time_s,
        measured.rms_pu,
        measured.frequency_hz if shown else None,
        u_voltage_pu=measured.u_voltage_pu,
        u_frequency_hz=measured.u_frequency_hz,
        gap_s=measured.gap_s,
    )
    dead = "the voltage channels carry next to nothing: a dead line or a wrong unit" if measured.dead else ""
    return replace(found, reasons=tuple(r for r in (dead, other, *found.reasons) if r))
