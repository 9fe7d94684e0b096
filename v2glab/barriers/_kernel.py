"""The exact optimum of one vehicle, by dynamic programming on a convex piecewise-linear value function.

All energies are battery-side, in kWh; all prices are per battery-side kWh. One plugged step is the infimal
convolution of the cost to go with the step's own cost, that is, a sorted insert of two segments and a trim at
both ends; a drive is a shift and a clip (Rockafellar, Convex Analysis, section 16: the epigraph of an infimal
convolution is the sum of epigraphs).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from v2glab.barriers._jit import jit, jit_lean
from v2glab.barriers._segments import (
    TOLERANCE_KWH,
    Floats,
    evaluate,
    put_above,
    put_below,
    rank,
    recentre,
    trim_high,
    trim_low,
)

Modes = NDArray[np.int8]

#: What a step may do. In ``RELAXED`` steps the non-convex cost is replaced by its convex envelope.
NORMAL, RELAXED, CHARGE_ONLY, DISCHARGE_ONLY = 0, 1, 2, 3


@jit
def room_for(steps: int) -> Floats:
    """Return room for the segments of a plan over that many steps, shape (2, room): edges and slopes."""
    return np.empty((2, 4 * steps + 64))


@jit_lean
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
    end_price: float,
    start_kwh: float,
    charge_to: Floats,
    discharge_to: Floats,
    room: Floats,
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
    end_price
        What each kWh above ``end_kwh`` is worth at the end.
    charge_to, discharge_to
        Shape (M,), filled: charge up to the first, discharge down to the second.
    room
        From :func:`room_for`; overwritten.
    """
    edge, slope = room[0], room[1]
    start = end = edge.size // 2
    low, value = end_kwh, 0.0
    if high_kwh > low:
        edge[start], slope[start] = high_kwh, -end_price
        end = start + 1
    for i in range(drive.size - 1, -1, -1):
        if end + 4 > edge.size or start < 4:
            start, end = recentre(edge, slope, start, end)
        up = 0.0 if mode[i] == DISCHARGE_ONLY else charge[i]
        down = 0.0 if mode[i] == CHARGE_ONLY else discharge[i]
        if up == 0.0 and down == 0.0 and drive[i] == 0.0:
            charge_to[i], discharge_to[i] = -np.inf, np.inf
            continue
        into, out = -buy[i], -sell[i]
        if mode[i] == RELAXED:
            into = out = (out * down + into * up) / (up + down)
        below_into, below_out = rank(slope, start, end, into), rank(slope, start, end, out)
        at_out = low if below_out == 0 else edge[start + below_out - 1]
        at_into = low if below_into == 0 else edge[start + below_into - 1]
        charge_to[i] = at_into if up > 0.0 else -np.inf
        discharge_to[i] = at_out if down > 0.0 else np.inf
        if down > 0.0:
            place = start + below_out
            joins = below_out > 0 and slope[place - 1] == out
            end = put_above(edge, slope, end, place, joins, at_out, down, out)
        if up > 0.0:
            place = start + below_into
            joins = below_into > 0 and slope[place - 1] == into
            start = put_below(edge, slope, start, place, joins, at_into, up, into)
            low -= up
            value += buy[i] * up
        start, low, value = trim_low(edge, slope, start, end, low, value, low_kwh)
        if drive[i] > 0.0:
            low += drive[i]
            if low > high_kwh + TOLERANCE_KWH:
                return np.nan
            shifted = edge[start:end]
            for k in range(shifted.size):
                shifted[k] += drive[i]
        end = trim_high(edge, start, end, low, high_kwh)
    return float(evaluate(edge, slope, start, end, low, value, start_kwh))


@jit
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
        up = 0.0 if mode[i] == DISCHARGE_ONLY else charge[i]
        down = 0.0 if mode[i] == CHARGE_ONLY else discharge[i]
        step = 0.0
        if energy < charge_to[i]:
            step = min(up, charge_to[i] - energy)
        elif energy > discharge_to[i]:
            step = -min(down, energy - discharge_to[i])
        change[i] = step
        energy = min(max(energy + step, low_kwh), high_kwh)


@jit
def blocks(
    drive: Floats, charge: Floats, discharge: Floats, buy: Floats, sell: Floats, mode: Modes, alike: bool
) -> NDArray[np.int64]:
    """Return where blocks begin, and M at the end: steps in a row at one price with no drive between.

    Inside a block with buy >= sell nothing is gained by turning round, and whatever goes one way all along
    keeps the bounds when its end does: so a block is one step of the sum of their energies. With ``alike``
    all steps of a block have the same power.
    """
    first = np.empty(drive.size + 1, np.int64)
    count = last = 0
    for i in range(drive.size):
        if i > 0 and drive[i] == charge[i] == discharge[i] == 0.0:
            continue  # nothing can be done in it, whatever the price
        same = i > 0 and drive[i] == 0.0 and buy[i] == buy[last] and sell[i] == sell[last]
        same = same and mode[i] == NORMAL and mode[last] == NORMAL and buy[i] >= sell[i]
        if alike:
            same = same and charge[i] == charge[last] and discharge[i] == discharge[last]
        if not same:
            first[count] = i
            count += 1
        last = i
    first[count] = drive.size
    return first[: count + 1]


@jit
def share_out(
    first: NDArray[np.int64], block: Floats, charge: Floats, discharge: Floats, out: Floats
) -> None:
    """Hand the change of each block to its steps, the earliest first."""
    for j in range(block.size):
        left = block[j]
        for i in range(first[j], first[j + 1]):
            out[i] = min(left, charge[i]) if left > 0.0 else max(left, -discharge[i])
            left -= out[i]


@jit
def optimum(
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
    change: Floats,
) -> tuple[float, float]:
    """Return least cost (NaN: no plan) and energy discharged; fill ``change``. See :func:`backward`."""
    first = blocks(drive, charge, discharge, buy, sell, mode, False)
    count = first.size - 1
    begin = first[:-1]
    ups, downs = np.zeros(count), np.zeros(count)
    for j in range(count):
        for i in range(first[j], first[j + 1]):
            ups[j] += charge[i]
            downs[j] += discharge[i]
    charge_to, discharge_to, block = np.empty(count), np.empty(count), np.empty(count)
    drives, modes = drive[begin], mode[begin]
    cost = backward(
        drives,
        ups,
        downs,
        buy[begin],
        sell[begin],
        modes,
        low_kwh,
        high_kwh,
        end_kwh,
        0.0,
        start_kwh,
        charge_to,
        discharge_to,
        room_for(count),
    )
    if np.isnan(cost):
        return cost, 0.0
    forward(drives, ups, downs, modes, low_kwh, high_kwh, start_kwh, charge_to, discharge_to, block)
    share_out(first, block, charge, discharge, change)
    discharged = 0.0
    for j in range(count):
        discharged -= min(block[j], 0.0)
    return cost, discharged


@jit
def all_within(values: Floats, least: float, most: float) -> bool:
    """Return whether every value is a number from ``least`` to ``most``."""
    good = True
    for k in range(values.size):
        good &= (values[k] >= least) & (values[k] <= most)
    return good


@jit
def energy_needed(drive: Floats, charge: Floats, low_kwh: float, end_kwh: float, need: Floats) -> None:
    """Fill ``need`` (M + 1,) with the least energy that suffices before each drive, and at the end."""
    need[drive.size] = end_kwh
    for i in range(drive.size - 1, -1, -1):
        need[i] = max(need[i + 1] - charge[i], low_kwh) + drive[i]


@jit
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
