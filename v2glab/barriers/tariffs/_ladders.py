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
    out = np.empty(months)
    if not table.by_month:
        out[:] = table.upper
        return out
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
def split_demand(peaks: Floats, upper: Floats, out: Floats) -> int:
    """Split peaks (M, P) over their tiers, output (M, P, K); limits ``upper`` (P, K), all in kW.

    Returns the flat index of the first peak beyond its last limit, or -1.
    """
    months, periods, tiers = out.shape
    for m in range(months):
        for p in range(periods):
            level = 0.0
            for k in range(tiers):
                top = min(peaks[m, p], upper[p, k])
                if top > level:
                    out[m, p, k] = top - level
                    level = top
            if level < peaks[m, p]:
                return int(m * periods + p)
    return -1


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
