"""Dynamic programming on a grid of states, for steps that are not convex: a least power, a cost of being
active, wear that depends on the state of charge.

Costs to go are interpolated between states, but the plan is followed without any rounding of the energy: its
cost is that of a plan that exists.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from v2glab.barriers._jit import jit
from v2glab.barriers._segments import TOLERANCE_KWH, Floats


@jit
def _at(values: Floats, low_kwh: float, pitch_kwh: float, energy: float) -> float:
    """Interpolate the cost to go; infinity outside the grid or next to an infeasible point."""
    place = (energy - low_kwh) / pitch_kwh
    last = values.size - 1
    if place < -TOLERANCE_KWH or place > last + TOLERANCE_KWH:
        return np.inf
    left = min(max(int(place), 0), last - 1)
    share = min(max(place - left, 0.0), 1.0)
    if share < TOLERANCE_KWH:
        return float(values[left])
    if share > 1.0 - TOLERANCE_KWH:
        return float(values[left + 1])
    return float(values[left] * (1.0 - share) + values[left + 1] * share)


@jit
def _slide_up(line: Floats, first: int, last: int, queue: NDArray[np.int64], best: Floats) -> None:
    """Lower ``best[k]`` to the least of ``line[k + first … k + last]``: a window minimum with a queue of
    candidates (Lemire, Nordic Journal of Computing 13(4), 2006).
    """
    points = line.size
    head, tail = points, points
    for k in range(points - 1 - first, -1, -1):
        new = line[k + first]
        while tail > head and line[queue[head]] >= new:
            head += 1
        head -= 1
        queue[head] = k + first
        while queue[tail - 1] > k + last:
            tail -= 1
        best[k] = min(best[k], line[queue[tail - 1]])


@jit
def _slide_down(line: Floats, first: int, last: int, queue: NDArray[np.int64], best: Floats) -> None:
    """Lower ``best[k]`` to the least of ``line[k - last … k - first]``; see :func:`_slide_up`."""
    head, tail = 0, 0
    for k in range(first, line.size):
        new = line[k - first]
        while tail > head and line[queue[tail - 1]] >= new:
            tail -= 1
        queue[tail] = k - first
        tail += 1
        while queue[head] < k - last:
            head += 1
        best[k] = min(best[k], line[queue[head]])


@jit
def _ends(line: Floats, out: Floats, places: float, sign: int) -> None:
    """Lower ``out[k]`` to the cost at ``k + sign * places``, between states by interpolation."""
    points = line.size
    whole = int(places)
    share = places - whole
    count = points - whole - 1
    if count <= 0:
        return
    if sign > 0:
        near, far, target = line[whole : whole + count], line[whole + 1 :], out[:count]
    else:
        near, far, target = line[1 : count + 1], line[:count], out[whole + 1 :]
    for k in range(count):
        cost = near[k] * (1.0 - share) + far[k] * share
        target[k] = cost if cost < target[k] else target[k]


@jit
def _move(
    line: Floats,
    pitch: float,
    least: float,
    most: float,
    sign: int,
    queue: NDArray[np.int64],
    best: Floats,
) -> None:
    """Fill ``best`` (points,) with the least of ``line`` that a move up (sign 1) or down (-1) reaches.

    The move is of ``least`` … ``most``; it ends on a state of the grid, or is exactly the least or the most.
    """
    first, last = int(np.ceil(least / pitch - TOLERANCE_KWH)), int(np.floor(most / pitch + TOLERANCE_KWH))
    best[:] = np.inf
    _ends(line, best, least / pitch, sign)
    _ends(line, best, most / pitch, sign)
    if last < first or first >= line.size:
        return
    if sign > 0:
        _slide_up(line, first, last, queue, best)
    else:
        _slide_down(line, first, last, queue, best)


@jit
def grid_backward(
    drive: Floats,
    charge: Floats,
    discharge: Floats,
    charge_least: Floats,
    discharge_least: Floats,
    buy: Floats,
    sell: Floats,
    active: Floats,
    wear: Floats,
    low_kwh: float,
    high_kwh: float,
    end_kwh: float,
    left_price: float,
) -> Floats:
    """Return the cost to go after each step, shape (M, points), and before the first drive as a last row.

    Parameters are those of :func:`v2glab.barriers._kernel.backward`, with the least amounts beside the most,
    the cost ``active`` (M,) of a step that is not idle, ``wear`` (points,): the cost of taking out all energy
    up to each state, and ``left_price``: what each kWh left at the end is worth.
    """
    points, steps = wear.size, drive.size
    pitch = (high_kwh - low_kwh) / (points - 1)
    values = np.empty((steps + 1, points))
    now, line, best = np.empty(points), np.empty(points), np.empty(points)
    queue = np.empty(points, np.int64)
    for k in range(points):
        now[k] = -left_price * pitch * k if low_kwh + k * pitch >= end_kwh - TOLERANCE_KWH else np.inf
    for i in range(steps - 1, -1, -1):
        values[i] = now
        after = values[i]
        # What a move costs is a difference of what its two states are worth at the step's price.
        if charge[i] > 0.0 and charge[i] >= charge_least[i]:
            price = buy[i] * pitch
            for k in range(points):
                line[k] = after[k] + price * k
            _move(line, pitch, charge_least[i], charge[i], 1, queue, best)
            for k in range(points):
                now[k] = min(now[k], best[k] - price * k + active[i])
        if discharge[i] > 0.0 and discharge[i] >= discharge_least[i]:
            price = sell[i] * pitch
            for k in range(points):
                line[k] = after[k] + price * k - wear[k]
            _move(line, pitch, discharge_least[i], discharge[i], -1, queue, best)
            for k in range(points):
                now[k] = min(now[k], best[k] - price * k + wear[k] + active[i])
        if drive[i] > 0.0:
            for k in range(points):
                line[k] = _at(now, low_kwh, pitch, low_kwh + k * pitch - drive[i])
            now[:] = line
    values[steps] = now
    return values


@jit
def _choose(
    after: Floats,
    low: float,
    pitch: float,
    energy: float,
    least: float,
    most: float,
    sign: int,
    price: float,
    active: float,
    wear: Floats,
) -> tuple[float, float]:
    """Return cost to go and energy of the best move one way."""
    best, size = np.inf, 0.0
    base = 0.0 if sign > 0 else _at(wear, low, pitch, energy)
    first = int(np.ceil((least / pitch) - TOLERANCE_KWH))
    last = int(np.floor(most / pitch))
    offset = (energy - low) / pitch
    offset = np.ceil(offset) - offset if sign > 0 else offset - np.floor(offset)
    for number in range(first - 1, last + 3):
        move = least if number == first - 1 else most if number == last + 2 else (number - 1 + offset) * pitch
        if move < least or move > most:
            continue
        to = energy + sign * move
        cost = _at(after, low, pitch, to) + price * sign * move + active
        if sign < 0 and cost < np.inf:
            cost += base - _at(wear, low, pitch, to)
        if cost < best:
            best, size = cost, move
    return best, sign * size


@jit
def grid_forward(
    values: Floats,
    drive: Floats,
    charge: Floats,
    discharge: Floats,
    charge_least: Floats,
    discharge_least: Floats,
    buy: Floats,
    sell: Floats,
    active: Floats,
    wear: Floats,
    low_kwh: float,
    high_kwh: float,
    start_kwh: float,
    change: Floats,
) -> float:
    """Follow the costs to go; fill ``change`` and return the cost of that plan, infinity when it is stuck."""
    pitch = (high_kwh - low_kwh) / (wear.size - 1)
    energy, cost = start_kwh, 0.0
    for i in range(drive.size):
        energy -= drive[i]
        best, move = _at(values[i], low_kwh, pitch, energy), 0.0
        if charge[i] > 0.0 and charge[i] >= charge_least[i]:
            found, size = _choose(
                values[i], low_kwh, pitch, energy, charge_least[i], charge[i], 1, buy[i], active[i], wear
            )
            if found < best:
                best, move = found, size
        if discharge[i] > 0.0 and discharge[i] >= discharge_least[i]:
            found, size = _choose(
                values[i],
                low_kwh,
                pitch,
                energy,
                discharge_least[i],
                discharge[i],
                -1,
                sell[i],
                active[i],
                wear,
            )
            if found < best:
                best, move = found, size
        if best == np.inf:
            return np.inf
        change[i] = move
        if move > 0.0:
            cost += buy[i] * move + active[i]
        elif move < 0.0:
            cost += sell[i] * move + active[i]
            cost += _at(wear, low_kwh, pitch, energy) - _at(wear, low_kwh, pitch, energy + move)
        energy = min(max(energy + move, low_kwh), high_kwh)
    return cost
