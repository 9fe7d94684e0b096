"""The pass over the meter's steps: energy and peak of each month and period, and the split into tiers.

A block is as many steps as share a clock hour for certain: whatever is netted or averaged stays within one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from v2glab.barriers.tariffs._jit import jit

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
#: Beyond this a value is no meter's, kW.
MOST_KW = 1e8
#: Cells of one month: 24 hours of weekdays, and of weekends.
_MONTH_CELLS = 48


@jit
def registers(
    load_kw: Floats,
    export_kw: Floats,
    cell: NDArray[np.int16],
    edge: Ints,
    energy_period: Ints,
    demand_period: Ints,
    hours: float,
    settle: int,
    window: int,
    net_demand: bool,
    drawn: Floats,
    given: Floats,
    bought: Floats,
    sold: Floats,
    period_peak: Floats,
) -> int:
    """Fill the registers; return the first step of a block that holds a refused value, or -1.

    Parameters
    ----------
    load_kw, export_kw
        Shape (N, block): mean power drawn from and given to the grid in each step of N blocks.
    cell, edge
        Of the calendar, by blocks: shapes (N,) and (M + 1,).
    energy_period, demand_period
        Shape (576,): period of each cell.
    hours
        Length of a step.
    settle, window
        Steps whose import and export are netted first, 1 netting nothing; and steps over which demand is
        averaged. Both divide a block.
    net_demand
        Whether export lowers demand.
    drawn, given
        Output, shape (N,): kWh of each block.
    bought, sold
        Output, shape (M, P), kWh.
    period_peak
        Output, shape (M, Q): highest demand, kW.
    """
    weight = 1.0 if net_demand else 0.0
    # Sums go by clock hour first, then by period: neighbours land in different places and need not wait.
    sums = np.zeros((3, _MONTH_CELLS))
    month = 0
    base = cell[0] // _MONTH_CELLS * _MONTH_CELLS
    for number in range(load_kw.shape[0]):
        load_sum, export_sum, peak, lowest = 0.0, 0.0, 0.0, 0.0
        for i in range(load_kw.shape[1]):
            load, export = load_kw[number, i], export_kw[number, i]
            load_sum += load
            export_sum += export
            lowest = min(lowest, load, export)
            peak = max(peak, load - weight * export)
        # Whatever is no number fails the comparison, too.
        if lowest < 0.0 or not load_sum + export_sum <= MOST_KW * load_kw.shape[1]:
            return int(number * load_kw.shape[1])
        if settle > 1:
            load_sum, export_sum = _netted(load_kw[number], export_kw[number], settle)
        if window > 1:
            peak = _averaged(load_kw[number], export_kw[number], window, weight)
        drawn[number], given[number] = load_sum * hours, export_sum * hours
        hour = cell[number] - base
        sums[0, hour] += load_sum * hours
        sums[1, hour] += export_sum * hours
        sums[2, hour] = max(sums[2, hour], peak)
        if number + 1 == edge[month + 1]:
            for hour in range(_MONTH_CELLS):
                p, q = energy_period[base + hour], demand_period[base + hour]
                bought[month, p] += sums[0, hour]
                sold[month, p] += sums[1, hour]
                period_peak[month, q] = max(period_peak[month, q], sums[2, hour])
            sums[:] = 0.0
            month += 1
            if number + 1 < cell.size:
                base = cell[number + 1] // _MONTH_CELLS * _MONTH_CELLS
    return -1


@jit
def _netted(load_kw: Floats, export_kw: Floats, settle: int) -> tuple[float, float]:
    """Return a block's import and export, netted over intervals of ``settle`` steps, kW times steps."""
    load_sum, export_sum = 0.0, 0.0
    for number in range(load_kw.size // settle):
        net = 0.0
        for i in range(number * settle, (number + 1) * settle):
            net += load_kw[i] - export_kw[i]
        load_sum += max(net, 0.0)
        export_sum += max(-net, 0.0)
    return load_sum, export_sum


@jit
def _averaged(load_kw: Floats, export_kw: Floats, window: int, weight: float) -> float:
    """Return a block's highest demand, averaged over intervals of ``window`` steps, kW."""
    best = 0.0
    for number in range(load_kw.size // window):
        demand = 0.0
        for i in range(number * window, (number + 1) * window):
            demand += load_kw[i] - weight * export_kw[i]
        best = max(best, demand)
    return best / window


@jit
def fill_in_order(
    drawn: Floats,
    given: Floats,
    cell: NDArray[np.int16],
    edge: Ints,
    period: Ints,
    upper: Floats,
    bought: Floats,
    sold: Floats,
) -> None:
    """Sort energy into tiers in the order in which it flowed.

    A tier's limit counts all energy of the month, in whatever period; so import and export each climb their
    own ladder (as in NREL's Utilityrate5, net billing). Within a block the period stays the same.

    Parameters
    ----------
    drawn, given
        Shape (N,): kWh of each block, from :func:`registers`; ``cell`` and ``edge`` as there.
    upper
        Shape (M, P, K): limits, kWh.
    bought, sold
        Output, shape (M, P, K), kWh; what lies beyond the last limit is added to the last tier.
    """
    for m in range(edge.size - 1):
        first, last = edge[m], edge[m + 1]
        _climb(drawn[first:last], cell[first:last], period, upper[m], bought[m])
        _climb(given[first:last], cell[first:last], period, upper[m], sold[m])


@jit
def _climb(energy: Floats, cell: NDArray[np.int16], period: Ints, upper: Floats, out: Floats) -> None:
    """Climb one ladder for a month; limits ``upper`` (P, K), output (P, K)."""
    tiers = upper.shape[1]
    base = cell[0] // _MONTH_CELLS * _MONTH_CELLS
    sums = np.zeros(_MONTH_CELLS)
    level, before = 0.0, 0.0  # energy so far, and where the sums began
    bound = _next_limit(upper, 0.0)
    for number in range(cell.size):
        after = level + energy[number]
        if after > bound:
            _sort_in(sums, period, base, upper, before, out)
            p = period[cell[number]]
            for k in range(tiers):
                top = after if k == tiers - 1 else min(after, upper[p, k])
                out[p, k] += max(top - level, 0.0)
                level = max(level, top)
            before, bound = after, _next_limit(upper, after)
        else:
            sums[cell[number] - base] += energy[number]
        level = after
    _sort_in(sums, period, base, upper, before, out)


@jit
def _next_limit(upper: Floats, level: float) -> float:
    """Return the lowest limit above ``level`` at which some period changes its tier."""
    bound = np.inf
    for p in range(upper.shape[0]):
        for k in range(upper.shape[1] - 1):
            if upper[p, k] > level:
                bound = min(bound, upper[p, k])
    return bound


@jit
def _sort_in(sums: Floats, period: Ints, base: int, upper: Floats, level: float, out: Floats) -> None:
    """Add sums by clock hour to the tier that each period has at ``level``; clear them."""
    last = upper.shape[1] - 1
    for hour in range(sums.size):
        if sums[hour] != 0.0:
            p, k = period[base + hour], 0
            while k < last and upper[p, k] <= level:
                k += 1
            out[p, k] += sums[hour]
            sums[hour] = 0.0


@jit
def fill_in_proportion(energy: Floats, upper: Floats, out: Floats) -> None:
    """Sort a month's energy (M, P) into tiers (M, P, K), each period in proportion to its share.

    The month's total climbs the ladder; each period has its share of every tier (as in NREL's Utilityrate5,
    net metering).
    """
    months, periods, tiers = upper.shape
    for m in range(months):
        total = 0.0
        for p in range(periods):
            total += energy[m, p]
        if total <= 0.0:
            continue
        for p in range(periods):
            share = energy[m, p] / total
            if share <= 0.0:
                continue
            level = 0.0
            for k in range(tiers):
                top = min(total, upper[m, p, k])
                if top > level:
                    out[m, p, k] = share * (top - level)
                    level = top
            if level < total:
                out[m, p, tiers - 1] += share * (total - level)  # refused by the caller
