"""Frequency droop."""

from __future__ import annotations

import math

from v2glab.evidence import LimitError


def droop_power_pu(
    frequency_hz: float,
    before_pu: float,
    *,
    nominal_hz: float,
    deadband_over_hz: float,
    deadband_under_hz: float,
    droop_over: float,
    droop_under: float,
    minimum_pu: float = 0.0,
    available_pu: float = 1.0,
) -> float:
    """Active power that frequency droop asks for (IEEE 1547-2018, 6.5.2.7, Table 23, for any nominal
    frequency).

    Parameters
    ----------
    frequency_hz
        Measured frequency.
    before_pu
        Active power before the disturbance, export positive.
    deadband_over_hz, deadband_under_hz, droop_over, droop_under
        Settings of Table 24.
    minimum_pu, available_pu
        Least power (below zero for a storage that can charge) and greatest power at hand.

    Raises
    ------
    LimitError
        A setting or value is not finite, a droop or the nominal frequency is not positive, or a dead band is
        negative.
    """
    numbers = (frequency_hz, before_pu, minimum_pu, available_pu)
    bands = (deadband_over_hz, deadband_under_hz)
    good = all(math.isfinite(x) for x in (*numbers, *bands, nominal_hz, droop_over, droop_under))
    if not good or min(nominal_hz, droop_over, droop_under) <= 0 or min(bands) < 0:
        raise LimitError(
            f"droops {droop_over}, {droop_under}, dead bands {bands}, nominal {nominal_hz} Hz, {numbers}",
            "finite numbers, droops and nominal frequency above 0, dead bands from 0",
            "take the settings from the grid code",
        )
    if frequency_hz > nominal_hz + deadband_over_hz:
        excess = frequency_hz - nominal_hz - deadband_over_hz
        return max(before_pu - excess / (nominal_hz * droop_over), minimum_pu)
    if frequency_hz < nominal_hz - deadband_under_hz:
        lack = nominal_hz - deadband_under_hz - frequency_hz
        return min(before_pu + lack / (nominal_hz * droop_under), available_pu)
    return before_pu
