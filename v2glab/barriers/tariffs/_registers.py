"""One pass over the meter's steps: energy per month and period, and peaks per month and demand period."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from v2glab.barriers.tariffs._jit import jit

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
#: Beyond this a value is no meter's, kW.
MOST_KW = 1e8


@jit
def registers(
    load_kw: Floats,
    export_kw: Floats,
    cell: NDArray[np.int16],
    edge: Ints,
    energy_period: Ints,
    demand_period: Ints,
    hours: float,
    block: int,
    settle: int,
    window: int,
    net_demand: bool,
    bought: Floats,
    sold: Floats,
    flat_peak: Floats,
    flat_at: Ints,
    period_peak: Floats,
    period_at: Ints,
) -> int:
    """Fill registers; return the first step whose value is refused, or -1.

    Parameters
    ----------
    load_kw, export_kw
        Shape (T,): mean power drawn from and given to the grid.
    cell, edge
        Of the calendar.
    energy_period, demand_period
        Shape (576,): period of each cell.
    hours
        Length of a step.
    block
        Steps that share a clock hour for certain: ``settle`` and ``window`` divide it.
    settle
        Steps whose import and export are netted before they are priced; 1 nets nothing.
    window
        Steps over which demand is averaged.
    net_demand
        Whether export lowers demand.
    bought, sold
        Output, shape (M, P), kWh.
    flat_peak, flat_at, period_peak, period_at
        Output, shapes (M,) and (M, Q): highest demand, kW, and the first step of its window.
    """
    for m in range(edge.size - 1):
        for number in range((edge[m + 1] - edge[m]) // block):
            first = edge[m] + number * block
            here = cell[first]
            load_kwh, export_kwh, net, demand, best = 0.0, 0.0, 0.0, 0.0, 0.0
            settled, averaged, at = 0, 0, first
            for i in range(first, first + block):
                load, export = load_kw[i], export_kw[i]
                if not (0.0 <= load <= MOST_KW and 0.0 <= export <= MOST_KW):
                    return i
                if settle == 1:
                    load_kwh += load
                    export_kwh += export
                else:
                    net += load - export
                    settled += 1
                    if settled == settle:
                        load_kwh += max(net, 0.0)
                        export_kwh += max(-net, 0.0)
                        net, settled = 0.0, 0
                demand += load - export if net_demand else load
                averaged += 1
                if averaged == window:
                    if demand > best:
                        best, at = demand, i - window + 1
                    demand, averaged = 0.0, 0
            p, q = energy_period[here], demand_period[here]
            bought[m, p] += load_kwh * hours
            sold[m, p] += export_kwh * hours
            peak = best / window
            if peak > flat_peak[m]:
                flat_peak[m], flat_at[m] = peak, at
            if peak > period_peak[m, q]:
                period_peak[m, q], period_at[m, q] = peak, at
    return -1


@jit
def fill_in_order(
    load_kw: Floats,
    export_kw: Floats,
    cell: NDArray[np.int16],
    edge: Ints,
    period: Ints,
    hours: float,
    settle: int,
    upper: Floats,
    bought: Floats,
    sold: Floats,
) -> None:
    """Sort energy into tiers in the order in which it flowed.

    A tier's limit counts all energy of the month, in whatever period; so import and export each climb their
    own ladder (as in NREL's Utilityrate5, net billing).

    Parameters
    ----------
    upper
        Shape (M, P, K): limits, kWh.
    bought, sold
        Output, shape (M, P, K), kWh.
    """
    for m in range(edge.size - 1):
        net = 0.0
        drawn = 0.0
        given = 0.0
        for i in range(edge[m], edge[m + 1]):
            p = period[cell[i]]
            if settle == 1:
                if load_kw[i] > 0.0:
                    drawn = _climb(drawn, load_kw[i] * hours, upper[m, p], bought[m, p])
                if export_kw[i] > 0.0:
                    given = _climb(given, export_kw[i] * hours, upper[m, p], sold[m, p])
                continue
            net += (load_kw[i] - export_kw[i]) * hours
            if (i - edge[m]) % settle == settle - 1:
                if net > 0.0:
                    drawn = _climb(drawn, net, upper[m, p], bought[m, p])
                elif net < 0.0:
                    given = _climb(given, -net, upper[m, p], sold[m, p])
                net = 0.0


@jit
def _climb(before: float, energy: float, upper: Floats, out: Floats) -> float:
    """Add ``energy`` on top of ``before`` to the tiers that it falls into; return the new level."""
    level = before
    after = before + energy
    for k in range(upper.size):
        if level < upper[k]:
            top = min(after, upper[k])
            out[k] += top - level
            level = top
            if level >= after:
                return after
    out[upper.size - 1] += after - level  # beyond the last limit; refused by the caller
    return after


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
