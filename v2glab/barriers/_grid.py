"""The fallback where the problem is not convex throughout: dynamic programming on a grid of states."""

from __future__ import annotations

import numpy as np
from numba import njit

from v2glab.barriers._kernel import TOLERANCE_KWH, Floats


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _at(values: Floats, low_kwh: float, pitch_kwh: float, energy: float) -> float:
    """Interpolate the cost to go; infinity outside the grid or next to an infeasible point."""
    place = (energy - low_kwh) / pitch_kwh
    if place < -TOLERANCE_KWH or place > values.size - 1 + TOLERANCE_KWH:
        return np.inf
    left = min(max(int(np.floor(place)), 0), values.size - 2)
    share = min(max(place - left, 0.0), 1.0)
    if share < TOLERANCE_KWH:
        return float(values[left])
    if share > 1.0 - TOLERANCE_KWH:
        return float(values[left + 1])
    return float(values[left] * (1.0 - share) + values[left + 1] * share)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _best(
    after: Floats, low: float, pitch: float, energy: float, least: float, most: float, price: float
) -> float:
    """Return the best of idling and of moving by ``least`` … ``most`` (signed the same way)."""
    if most == 0.0:
        return np.inf
    best = min(
        price * least + _at(after, low, pitch, energy + least),
        price * most + _at(after, low, pitch, energy + most),
    )
    bottom, top = min(energy + least, energy + most), max(energy + least, energy + most)
    first = max(int(np.ceil((bottom - low) / pitch)), 0)
    last = min(int(np.floor((top - low) / pitch)), after.size - 1)
    for k in range(first, last + 1):
        best = min(best, price * (low + k * pitch - energy) + after[k])
    return float(best)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def solve_grid(
    drive: Floats,
    charge: Floats,
    discharge: Floats,
    charge_least: Floats,
    discharge_least: Floats,
    buy: Floats,
    sell: Floats,
    low_kwh: float,
    high_kwh: float,
    end_kwh: float,
    start_kwh: float,
    points: int,
) -> float:
    """Return the least cost with the cost to go interpolated on ``points`` states; infinity if infeasible.

    A step idles, charges between its least and most, or discharges between its least and most: never both.
    Arguments as in :func:`v2glab.barriers._kernel.backward`, with the least amounts beside the most.
    """
    pitch = (high_kwh - low_kwh) / (points - 1)
    after = np.empty(points)
    now = np.empty(points)
    for k in range(points):
        after[k] = 0.0 if low_kwh + k * pitch >= end_kwh - TOLERANCE_KWH else np.inf
    for i in range(drive.size - 1, -1, -1):
        for k in range(points):
            energy = low_kwh + k * pitch - drive[i]
            if energy < low_kwh - TOLERANCE_KWH:
                now[k] = np.inf
                continue
            best = _at(after, low_kwh, pitch, energy)
            if charge[i] > 0.0 and charge[i] >= charge_least[i]:
                best = min(best, _best(after, low_kwh, pitch, energy, charge_least[i], charge[i], buy[i]))
            if discharge[i] > 0.0 and discharge[i] >= discharge_least[i]:
                best = min(
                    best, _best(after, low_kwh, pitch, energy, -discharge_least[i], -discharge[i], sell[i])
                )
            now[k] = best
        after, now = now, after
    return float(_at(after, low_kwh, pitch, start_kwh))
