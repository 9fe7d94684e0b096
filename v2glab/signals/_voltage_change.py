"""Rapid voltage changes in a series of RMS values (IEEE 1547-2018, 7.2.2)."""

from __future__ import annotations

import math

import numpy as np

from v2glab.evidence import InputError, Quantity
from v2glab.signals._rms import extreme_spread
from v2glab.signals._waveform import Array

#: Time over which the steady voltage before a change, and the rate of change, are taken, s.
AVERAGE_S = 1.0


def rapid_voltage_change(
    time_s: Array, rms: Array, nominal_rms: float, *, u_rms: float | None = None
) -> tuple[Quantity, Quantity]:
    """Return the greatest step and the greatest rate of change of any phase, in percent of nominal.

    ``voltage_step`` (%) is the greatest distance of one RMS value from the mean of the second before it (as
    ΔUmax of IEC 61000-4-30:2015, 5.11, but without a search for steady states, so a slow ramp counts too);
    ``voltage_step_rate`` (%/s) the greatest change between two values one second apart.

    Parameters
    ----------
    time_s
        Shape (K,), rising, over more than one second, such as from :func:`rms_per_cycle`.
    rms
        Shape (P, K) or (K,), in the unit of ``nominal_rms``.
    u_rms
        Standard uncertainty of one RMS value, independent from value to value; what all values share hardly
        touches a difference.

    Raises
    ------
    InputError
        Shapes disagree, values are not finite, time does not rise, has gaps over 0.1 s, or is too short.
    """
    volts = np.atleast_2d(np.asarray(rms, dtype=np.float64))
    time = np.asarray(time_s, dtype=np.float64)
    _check(time, volts, nominal_rms)
    later = np.flatnonzero(time >= time[0] + AVERAGE_S - 1e-9)
    first = np.searchsorted(time, time[later] - AVERAGE_S - 1e-9)
    total = np.concatenate([np.zeros((volts.shape[0], 1)), np.cumsum(volts, axis=1)], axis=1)
    count = later - first
    before = (total[:, later] - total[:, first]) / count
    share = 100 / nominal_rms
    step = share * float(np.abs(volts[:, later] - before).max())
    past = np.stack([np.interp(time[later] - AVERAGE_S, time, row) for row in volts])
    rate = share / AVERAGE_S * float(np.abs(volts[:, later] - past).max())
    if u_rms is None:
        reason = "the instrument states no uncertainty"
        return (
            Quantity("voltage_step", step, "%", no_uncertainty=reason),
            Quantity("voltage_step_rate", rate, "%/s", no_uncertainty=reason),
        )
    looks = float(volts.shape[0] * later.size)
    single = share * u_rms
    u_step = extreme_spread(single * math.sqrt(1 + 1 / float(count.min())), looks)
    u_rate = extreme_spread(single * math.sqrt(2) / AVERAGE_S, looks)
    return Quantity("voltage_step", step, "%", u_step), Quantity("voltage_step_rate", rate, "%/s", u_rate)


def _check(time: Array, volts: Array, nominal_rms: float) -> None:
    if not (math.isfinite(nominal_rms) and nominal_rms > 0):
        raise InputError(f"nominal voltage {nominal_rms:g}", "a number above zero", "correct it")
    if volts.ndim != 2 or volts.shape[1:] != time.shape or time.size < 2:
        raise InputError(f"{time.shape} times, {volts.shape} voltages", "the same length", "cut the longer")
    if not (np.isfinite(volts).all() and np.isfinite(time).all()):
        raise InputError("values that are not finite", "finite times and voltages", "repair the recording")
    spacing = np.diff(time)
    if float(spacing.min()) <= 0 or float(spacing.max()) > AVERAGE_S / 10:
        found = f"steps of time from {spacing.min():g} to {spacing.max():g} s"
        raise InputError(found, f"rising time without gaps over {AVERAGE_S / 10:g} s", "cut at the gap")
    if time[-1] - time[0] <= AVERAGE_S:
        raise InputError(f"{time[-1] - time[0]:g} s", f"more than {AVERAGE_S:g} s", "record longer")
