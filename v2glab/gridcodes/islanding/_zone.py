"""Closed forms of what cannot be detected in an island."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from v2glab.evidence import InputError

Array = NDArray[np.float64]


def passive_power_boundary(voltage_pu: ArrayLike) -> Array:
    """Return the mismatch ΔP = (P_load − P)/P at which the island of a plant of constant power settles at a
    voltage: 1/V² − 1 (Ye, Kolwalkar, Zhang, Du, Walling, IEEE Trans. Power Electron. 19(5), 2004).

    Between the values at the voltage trips nothing trips by voltage.
    """
    return np.asarray(1.0 / np.asarray(voltage_pu, dtype=np.float64) ** 2 - 1.0)


def passive_reactive_boundary(
    frequency_hz: ArrayLike, nominal_hz: float, quality_factor: float, vary: Literal["L", "C"]
) -> Array:
    """Return the mismatch ΔQ = Q_load/P at which the island of a plant at unity power factor settles at a
    frequency: Qf((f/f₀)² − 1) when the inductor was varied, Qf(1 − (f₀/f)²) when the capacitor was.
    """
    ratio = np.asarray(frequency_hz, dtype=np.float64) / nominal_hz
    if vary not in ("L", "C"):
        raise InputError(f"vary = {vary!r}", "'L' or 'C'", "say which part is varied")
    return np.asarray(quality_factor * (ratio**2 - 1 if vary == "L" else 1 - ratio**-2))


def critical_frequency_shift_gain(quality_factor: float, nominal_hz: float) -> float:
    """Return the gain of the Sandia frequency shift (1/Hz) above which its non-detection zone vanishes:
    K = 4·Qf/(π·f₀) (Lopes and Sun, IEEE Trans. Energy Convers. 21(1), 2006).

    There the current's angle, π/2·K·Δf, turns faster with frequency than the load's, 2·Qf·Δf/f₀.
    """
    return 4 * quality_factor / (math.pi * nominal_hz)


def critical_voltage_shift_gain(*, constant_current: bool = False) -> float:
    """Return the gain of the Sandia voltage shift (share of power per p.u. of voltage) above which no voltage
    is stable near nominal.

    The load's power rises by 2·P per p.u. of voltage. A plant of constant power needs all of that, one of
    constant current has P·V already.
    """
    return 1.0 if constant_current else 2.0
