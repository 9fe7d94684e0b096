"""Limits of energy tiers in kWh of each month, and the split of demand over its tiers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from v2glab.barriers.tariffs._jit import jit
from v2glab.barriers.tariffs._rate_tables import TierTable

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def ladders(table: TierTable, demand_kw: Floats, days: Ints) -> Floats:
    """Return the tiers' limits in kWh, shape (M, P, K).

    A limit per day counts the days of the month. A limit in kWh/kW counts the month's billing demand; when a
    tier in kWh follows it, it opens a block instead of being a tier: the tiers in kWh after it are cut where
    the block ends (block and step rates; as in NREL's Utilityrate5).

    Parameters
    ----------
    demand_kw
        Shape (M,): billing demand of each month.
    days
        Shape (M,): days of each month.
    """
    months = (demand_kw.size, *table.upper.shape)
    if not table.unit.any():
        return np.broadcast_to(table.upper, months)
    out = np.empty(months)
    _fill(table.upper, table.unit, demand_kw, days, out)
    return out


@jit
def _fill(upper: Floats, unit: Ints, demand_kw: Floats, days: Ints, out: Floats) -> None:
    months, periods, tiers = out.shape
    for m in range(months):
        for p in range(periods):
            block = np.inf
            below = 0.0
            for k in range(tiers):
                limit = upper[p, k]
                if limit < np.inf and unit[p, k] & 2:
                    limit *= days[m]
                if unit[p, k] & 1:
                    if limit < np.inf:
                        limit *= demand_kw[m]
                    block = limit
                    opens = k + 1 < tiers and not unit[p, k + 1] & 1
                    limit = below if opens else block
                below = max(below, min(limit, block))
                out[m, p, k] = below


@jit
def split_demand(peak_kw: Floats, period: Ints, upper: Floats, out: Floats) -> None:
    """Split each peak over its tiers; what lies beyond the last limit lands in ``out[:, -1]`` as negative.

    Parameters
    ----------
    peak_kw, period
        Shape (N,): demand, and the row of ``upper`` that it is billed by.
    upper
        Shape (P, K): limits, kW.
    out
        Output, shape (N, K + 1): kW in each tier, and the excess.
    """
    for n in range(peak_kw.size):
        level = 0.0
        for k in range(upper.shape[1]):
            top = min(peak_kw[n], upper[period[n], k])
            if top > level:
                out[n, k] = top - level
                level = top
        out[n, upper.shape[1]] = peak_kw[n] - level


def billing_demand(
    peak_kw: Floats,
    months: tuple[int, ...],
    percent: float,
    reach: int,
    counted: tuple[bool, ...],
    before_kw: Floats,
) -> Floats:
    """Return what a ratchet bills: a month's own peak, or a share of an earlier one where that is more.

    Parameters
    ----------
    peak_kw, months
        Shape (M,): highest demand of each month, and year * 12 + month.
    percent, reach
        Share of an earlier peak, 0 to 1, and how many months back it counts.
    counted
        For each calendar month, whether its peak counts in later months.
    before_kw
        Shape (12,): peaks of the 12 months before the first, in order; the last is the month right before.
    """
    known = np.concatenate([before_kw, peak_kw])
    flags = np.array([counted[(months[0] - 12 + n) % 12] for n in range(known.size)])
    earlier = np.where(flags, known, 0.0)
    out = peak_kw.copy()
    for m in range(peak_kw.size):
        out[m] = max(out[m], percent * earlier[m + 12 - reach : m + 12].max())
    return out
