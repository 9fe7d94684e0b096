"""Tiers of energy and demand as rows of a program: each is used only when the one below is full."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from v2glab.barriers._rows import Rows
from v2glab.barriers._segments import Floats
from v2glab.barriers.tariffs._contract import Contract
from v2glab.barriers.tariffs._ladders import ladders
from v2glab.barriers.tariffs._rate_tables import TierTable
from v2glab.evidence import InputError

Integers = NDArray[np.int64]


class TierRows:
    """Tiers under one contract; ``most_kwh`` (M,) bounds the energy of each month, ``most_kw`` any peak."""

    def __init__(self, rows: Rows, contract: Contract, most_kwh: Floats, most_kw: float) -> None:
        self.rows, self.contract, self.most_kwh, self.most_kw = rows, contract, most_kwh, most_kw
        self.tables = contract.rate.tables
        self.months = len(contract.calendar.names)
        #: Column of each month's billing demand, kW, where something counts it.
        self.flat_peak: Integers | None = None

    def demand_tiers(self, into: Integers, table: TierTable, which: Integers, peak: Integers) -> None:
        """Split peaks over the tiers of entries ``which``, one for each; add them to rows ``into`` (M,)."""
        rows, count = self.rows, peak.size
        month = np.repeat(np.arange(self.months), count // self.months)
        price, width = table.price[which], widths(table.upper[which])
        if price.shape[1] == 1 or bool((np.ptp(price, axis=1) == 0).all()):
            rows.put(into[month], peak, price[:, 0])
            return
        tiers = rows.columns(np.zeros(price.size), width.ravel(), np.zeros(price.size)).reshape(price.shape)
        same = rows.new(np.zeros(count), np.zeros(count))
        rows.put(same, peak, -1.0)
        most = np.full(count, self.most_kw)
        for k in range(price.shape[1]):
            rows.put(same, tiers[:, k], 1.0)
            rows.put(into[month], tiers[:, k], price[:, k])
        self._in_order(tiers, width, price, most, None)

    def tiered(
        self, energy: Integers, price: Floats, into: Integers, sign: float, *, credit: bool = False
    ) -> None:
        """Split energy (M, P) over tiers and add it to rows ``into`` (M,) at ``sign`` times the price (P, K).

        With ``credit`` more money is better, as with a negative sign.
        """
        rows, table = self.rows, self.tables.energy
        months, periods = energy.shape
        month = np.repeat(np.arange(months), periods)
        if bool((np.ptp(price, axis=1) == 0).all()) and table.endless:
            rows.put(into[month], energy.ravel(), sign * np.tile(price[:, 0], months))
            return
        limits = self._limits()
        shape = (*energy.shape, price.shape[1])
        size = int(np.prod(shape))
        parts = rows.columns(np.zeros(size), np.full(size, np.inf), np.zeros(size)).reshape(shape)
        same = rows.new(np.zeros(energy.size), np.zeros(energy.size))
        rows.put(same, energy.ravel(), -1.0)
        totals = rows.columns(
            np.zeros(months * shape[2]), np.full(months * shape[2], np.inf), np.zeros(months * shape[2])
        )
        totals = totals.reshape(months, shape[2])
        sums = rows.new(np.zeros(totals.size), np.zeros(totals.size)).reshape(totals.shape)
        for k in range(shape[2]):
            rows.put(same, parts[:, :, k].ravel(), 1.0)
            rows.put(sums[month, k], parts[:, :, k].ravel(), 1.0)
            rows.put(sums[:, k], totals[:, k], -1.0)
            rows.put(into[month], parts[:, :, k].ravel(), sign * np.tile(price[:, k], months))
        width = widths(limits)
        peak = self.flat_peak if table.per_kw else None
        for k in range(shape[2]):
            finite = np.flatnonzero(np.isfinite(width[:, k]))
            if peak is None:
                top = rows.new(np.full(finite.size, -np.inf), width[finite, k])
            else:
                top = rows.new(np.full(finite.size, -np.inf), np.zeros(finite.size))
                rows.put(top, peak[finite], -width[finite, k])
            rows.put(top, totals[finite, k], 1.0)
        dearest = self._by_month(-price if sign < 0 or credit else price)
        self._in_order(totals, width, dearest, self.most_kwh, peak)

    def _used(self) -> list[Integers]:
        """Return the energy periods that hold in each month."""
        calendar = self.contract.calendar
        period = self.tables.energy_period[calendar.cell]
        return [np.unique(period[calendar.edge[m] : calendar.edge[m + 1]]) for m in range(self.months)]

    def _limits(self) -> Floats:
        """Return the limits of each month's tiers (M, K), in kWh, or kWh per kW of the month's peak.

        Raises
        ------
        InputError
            Limits of both kinds are mixed, or periods of one month have unlike limits.
        """
        table, rate = self.tables.energy, self.contract.rate
        per_kw = table.unit & 1
        upper = ladders(table, np.ones(self.months), self.contract.calendar.days)
        found = np.empty((self.months, upper.shape[2]))
        for m, used in enumerate(self._used()):
            alike = bool((upper[m, used] == upper[m, used[0]]).all())
            if not alike or np.ptp(per_kw[used]) != 0:
                raise InputError(
                    f"rate {rate.label or rate.name!r}: tiers of unlike limits in one month",
                    "the same limits in all periods of a month, all in kWh or all in kWh/kW",
                    "take a rate whose periods share their tiers; tariffs.bill bills this one",
                )
            found[m] = upper[m, used[0]]
        return found

    def _by_month(self, price: Floats) -> Floats:
        """Return a price of each tier in each month (M, K) that falls wherever that of a period in use
        does.
        """
        out = np.zeros((self.months, price.shape[1]))
        for m, used in enumerate(self._used()):
            steps = np.diff(price[used], axis=1)
            falls = np.zeros(price.shape[1] - 1, np.bool_)
            for p in range(used.size):
                later = np.minimum.accumulate(price[used[p]][::-1])[::-1]
                falls |= later[1:] < price[used[p], :-1] - 1e-12
            out[m, 1:] = np.cumsum(np.where(falls, -1.0, np.abs(steps).max(axis=0)))
        return out

    def _in_order(
        self, tiers: Integers, width: Floats, price: Floats, most: Floats, per: Integers | None
    ) -> None:
        """Fill tiers (N, K) in order: one is used only when the one below is full.

        Needed where a later tier is cheaper than the one below. ``most`` (N,) bounds what a tier can hold;
        with ``per`` (N,) widths count times that column.
        """
        rows = self.rows
        for k in range(tiers.shape[1] - 1):
            later = price[:, k + 1 :].min(axis=1)
            which = np.flatnonzero((later < price[:, k] - 1e-12) & np.isfinite(width[:, k]))
            if not which.size:
                continue
            none, inf = np.zeros(which.size), np.full(which.size, np.inf)
            full = rows.columns(none, np.ones(which.size), none, whole=True)
            top = rows.new(-inf, none)
            rows.put(top, tiers[which, k + 1], 1.0)
            rows.put(top, full, -most[which])
            if per is None:
                low = rows.new(none, inf)
                rows.put(low, full, -width[which, k])
            else:
                widest = width[which, k] * self.most_kw
                low = rows.new(-widest, inf)
                rows.put(low, per[which], -width[which, k])
                rows.put(low, full, -widest)
            rows.put(low, tiers[which, k], 1.0)


def widths(upper: Floats) -> Floats:
    """Return how much each tier holds, from limits (N, K); padding beyond the last holds nothing."""
    below = np.concatenate([np.zeros((upper.shape[0], 1)), upper[:, :-1]], axis=1)
    with np.errstate(invalid="ignore"):
        width = upper - below
    return np.asarray(np.where(np.isfinite(below), width, 0.0))
