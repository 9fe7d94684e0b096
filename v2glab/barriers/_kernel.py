"""The exact optimum of one vehicle, by dynamic programming on a convex piecewise-linear value function.

All energies are battery-side, in kWh; all prices are per battery-side kWh. The cost to go ``V(e)`` is kept
as its lowest point and a list of segments, sorted by slope. One plugged step is the infimal convolution of
``V`` with the step's own cost, that is, a sorted insert of two segments and a trim at both ends; a drive is
a shift and a clip (Rockafellar, Convex Analysis, section 16: the epigraph of an infimal convolution is the
sum of epigraphs).
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Modes = NDArray[np.int8]

#: What a step may do. In ``RELAXED`` steps the non-convex cost is replaced by its convex envelope.
NORMAL, RELAXED, CHARGE_ONLY, DISCHARGE_ONLY = 0, 1, 2, 3
#: Room for rounding when a state is compared with a bound, kWh.
TOLERANCE_KWH = 1e-9


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _position(length: Floats, slope: Floats, start: int, count: int, low: float, bound: float) -> float:
    """Return the energy at which the slopes of V rise above ``bound``."""
    energy = low
    for j in range(start, start + count):
        if slope[j] > bound:
            break
        energy += length[j]
    return energy


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _insert(length: Floats, slope: Floats, start: int, count: int, size: float, steepness: float) -> int:
    """Insert one segment in order; equal slopes melt together. Return the new count."""
    j = start + count
    while j > start and slope[j - 1] > steepness:
        j -= 1
    if j > start and slope[j - 1] == steepness:
        length[j - 1] += size
        return count
    for k in range(start + count, j, -1):
        length[k] = length[k - 1]
        slope[k] = slope[k - 1]
    length[j] = size
    slope[j] = steepness
    return count + 1


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _step(
    length: Floats,
    slope: Floats,
    start: int,
    count: int,
    low: float,
    up: float,
    down: float,
    buy: float,
    sell: float,
    relaxed: bool,
) -> tuple[float, float, int]:
    """Insert one step's segments; return where charging and discharging stop, and the new count."""
    if relaxed:
        chord = (-sell * down - buy * up) / (up + down)
        target = _position(length, slope, start, count, low, chord)
        return target, target, _insert(length, slope, start, count, up + down, chord)
    charge_to, discharge_to = -np.inf, np.inf
    if up > 0.0:
        charge_to = _position(length, slope, start, count, low, -buy)
    if down > 0.0:
        discharge_to = _position(length, slope, start, count, low, -sell)
    if up > 0.0:
        count = _insert(length, slope, start, count, up, -buy)
    if down > 0.0:
        count = _insert(length, slope, start, count, down, -sell)
    return charge_to, discharge_to, count


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _trim_low(
    length: Floats, slope: Floats, start: int, count: int, low: float, value: float, low_kwh: float
) -> tuple[int, int, float, float]:
    """Cut V off below ``low_kwh``; return the new start, count, lowest energy and value there."""
    while low < low_kwh and count > 0:
        if length[start] > low_kwh - low:
            length[start] -= low_kwh - low
            value += slope[start] * (low_kwh - low)
            low = low_kwh
        else:
            low += length[start]
            value += slope[start] * length[start]
            start += 1
            count -= 1
    return start, count, max(low, low_kwh), value


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _trim_high(length: Floats, start: int, count: int, excess: float) -> int:
    """Cut ``excess`` off the upper end of V, which always reaches up to the full battery."""
    while excess > 0.0 and count > 0:
        last = start + count - 1
        if length[last] > excess:
            length[last] -= excess
            break
        excess -= length[last]
        count -= 1
    return count


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _evaluate(
    length: Floats, slope: Floats, start: int, count: int, low: float, value: float, energy: float
) -> float:
    """Return V at one energy, NaN below its domain."""
    if energy < low - TOLERANCE_KWH:
        return np.nan
    left = max(energy - low, 0.0)
    for j in range(start, start + count):
        part = min(left, length[j])
        value += slope[j] * part
        left -= part
        if left <= 0.0:
            break
    return value


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def backward(
    drive: Floats,
    charge: Floats,
    discharge: Floats,
    buy: Floats,
    sell: Floats,
    mode: Modes,
    low_kwh: float,
    high_kwh: float,
    end_kwh: float,
    start_kwh: float,
    charge_to: Floats,
    discharge_to: Floats,
) -> float:
    """Return the least cost from ``start_kwh``, NaN when there is no feasible plan.

    Parameters
    ----------
    drive
        Shape (M,): energy that the road takes right before each step.
    charge, discharge
        Shape (M,): most energy into and out of the battery in each step.
    buy, sell
        Shape (M,): price per unit of energy into and out of the battery.
    mode
        Shape (M,): see ``NORMAL`` and its neighbours.
    low_kwh, high_kwh, end_kwh, start_kwh
        Bounds of the energy, what must be left at the end, what is there at the start.
    charge_to, discharge_to
        Shape (M,), filled: charge up to the first, discharge down to the second.
    """
    steps = drive.size
    room = 2 * steps + 8
    length = np.empty(room)
    slope = np.empty(room)
    start, count = 0, 0
    low, value = end_kwh, 0.0
    if high_kwh > low:
        length[0] = high_kwh - low
        slope[0] = 0.0
        count = 1
    for i in range(steps - 1, -1, -1):
        if start > 0 and start + count + 4 > room:
            for k in range(count):
                length[k] = length[start + k]
                slope[k] = slope[start + k]
            start = 0
        up = charge[i] if mode[i] != DISCHARGE_ONLY else 0.0
        down = discharge[i] if mode[i] != CHARGE_ONLY else 0.0
        charge_to[i], discharge_to[i], count = _step(
            length, slope, start, count, low, up, down, buy[i], sell[i], mode[i] == RELAXED
        )
        start, count, low, value = _trim_low(
            length, slope, start, count, low - up, value + buy[i] * up, low_kwh
        )
        low += drive[i]
        if low > high_kwh + TOLERANCE_KWH:
            return np.nan
        count = _trim_high(length, start, count, down + drive[i])
    return float(_evaluate(length, slope, start, count, low, value, start_kwh))


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def forward(
    drive: Floats,
    charge: Floats,
    discharge: Floats,
    mode: Modes,
    low_kwh: float,
    high_kwh: float,
    start_kwh: float,
    charge_to: Floats,
    discharge_to: Floats,
    change: Floats,
) -> None:
    """Fill ``change`` (M,) with the energy into (+) or out of (-) the battery that :func:`backward` chose."""
    energy = start_kwh
    for i in range(drive.size):
        energy -= drive[i]
        up = charge[i] if mode[i] != DISCHARGE_ONLY else 0.0
        down = discharge[i] if mode[i] != CHARGE_ONLY else 0.0
        step = 0.0
        if energy < charge_to[i]:
            step = min(up, charge_to[i] - energy)
        elif energy > discharge_to[i]:
            step = -min(down, energy - discharge_to[i])
        change[i] = step
        energy = min(max(energy + step, low_kwh), high_kwh)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def certificate(
    drive: Floats, charge: Floats, low_kwh: float, high_kwh: float, end_kwh: float, start_kwh: float
) -> int:
    """Return -1 when a plan exists, else the step before which the battery cannot hold enough.

    Charging at full power in every plugged step is the most that any plan can do; the least energy that still
    suffices is followed backwards. A shortfall at the start is reported as step 0.
    """
    need = end_kwh
    for i in range(drive.size - 1, -1, -1):
        need = max(need - charge[i], low_kwh) + drive[i]
        if need > high_kwh + TOLERANCE_KWH:
            return i
    return 0 if drive.size and start_kwh < need - TOLERANCE_KWH else -1
