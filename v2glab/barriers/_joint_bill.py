"""The bill of a rate whose terms tie steps together, as columns and rows of a mixed-integer program.

Each term is stated exactly where that is linear, or linear with whole numbers, and else by a bound from
below: which kWh of a month falls into which tier depends on their order where periods differ by more than a
constant. Whoever uses this books the true bill of the plan, and counts the gap from the bound.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2glab.barriers._joint_tiers import TierRows
from v2glab.barriers._rows import Rows
from v2glab.barriers._segments import Floats
from v2glab.barriers.tariffs._contract import Contract
from v2glab.evidence import InputError

Integers = NDArray[np.int64]
_YEAR = 12


@dataclass(frozen=True)
class Pair:
    """Columns of which one at least is zero, and the most that each can be, all (N,).

    ``pays`` says that both at once would earn for certain, so that it is forbidden from the start.
    """

    first: Integers
    second: Integers
    first_most: Floats
    second_most: Floats
    pays: bool = False


@dataclass(frozen=True)
class Metered:
    """What the meter hands to billing.

    Parameters
    ----------
    month_period
        Shape (G,): month * periods + energy period of each interval that is netted.
    imports, exports
        Shape (G,): columns of kWh taken and given in each.
    base_import, base_export
        Shape (M, P): kWh taken and given outside of these intervals.
    most_kwh
        Shape (M,): most energy that the meter can take or give in a month.
    most_kw
        Highest power that the meter can take.
    gives
        Whether anything can ever be given to the grid.
    """

    month_period: Integers
    imports: Integers
    exports: Integers
    base_import: Floats
    base_export: Floats
    most_kwh: Floats
    most_kw: float
    gives: bool


class BillRows(TierRows):
    """Builds the rows of all bills. ``pairs`` are columns of which at most one may be positive."""

    def __init__(self, rows: Rows, contract: Contract, metered: Metered) -> None:
        super().__init__(rows, contract, metered.most_kwh, metered.most_kw)
        self.metered = metered
        self.pairs: list[Pair] = []
        calendar = contract.calendar
        self.number = calendar.number
        self.periods = self.tables.energy.upper.shape[0]
        count = self.months
        none, free = np.zeros(count), np.full(count, np.inf)
        #: What minimum charges look at, and its energy part: free columns, each equal to its terms.
        self.charge, self.energy = (self.rows.columns(-free, free, none) for _ in range(2))
        self._charge_row, self._energy_row = (self.rows.new(none, none) for _ in range(2))
        self.rows.put(self._charge_row, self.charge, -1.0)
        self.rows.put(self._energy_row, self.energy, -1.0)
        self.rows.put(self._charge_row, self.energy, 1.0)

    # -- demand -------------------------------------------------------------------------------------------

    @property
    def needs_flat(self) -> bool:
        """Whether a month's highest demand is billed or counts in a limit."""
        flat = self.tables.flat
        return self.tables.energy.per_kw or (flat is not None and bool(flat.price.any()))

    @property
    def needs_periods(self) -> bool:
        """Whether demand by time of use is billed."""
        return self.tables.demand is not None and bool(self.tables.demand.price.any())

    def demand(self, own_peak: Integers | None, period_peak: Integers | None) -> None:
        """Price demand, given columns of each month's peak (M,), and by period (M * Q,), in kW."""
        if own_peak is not None:
            self.flat_peak = self._ratcheted(own_peak)
            if self.tables.flat is not None:
                self.demand_tiers(
                    self._charge_row, self.tables.flat, self.tables.flat_period[self.number], self.flat_peak
                )
        if period_peak is not None and self.tables.demand is not None:
            periods = self.tables.demand.upper.shape[0]
            self.demand_tiers(
                self._charge_row, self.tables.demand, np.tile(np.arange(periods), self.months), period_peak
            )

    def _ratcheted(self, own: Integers) -> Integers:
        rate = self.contract.rate
        if not rate.lookbackpercent:
            return own
        rows, counted = self.rows, rate.lookbackmonths or (True,) * _YEAR
        billed = rows.columns(np.zeros(own.size), np.full(own.size, np.inf), np.zeros(own.size))
        floor = rows.new(np.zeros(own.size), np.full(own.size, np.inf))
        rows.put(floor, billed, 1.0)
        rows.put(floor, own, -1.0)
        pairs = [
            (m, e)
            for m in range(own.size)
            for e in range(max(m - rate.lookbackrange, 0), m)
            if counted[self.number[e]]
        ]
        if pairs:
            later, earlier = np.array(pairs).T
            held = rows.new(np.zeros(later.size), np.full(later.size, np.inf))
            rows.put(held, billed[later], 1.0)
            rows.put(held, own[earlier], -rate.lookbackpercent)
        return billed

    # -- energy -------------------------------------------------------------------------------------------

    def energy_charges(self) -> None:
        """Price energy under the metering rule; what is settled late goes straight into the cost."""
        rule = self.contract.metering
        drawn = self._registers(self.metered.imports, self.metered.base_import, 1.0)
        share = self.contract.export_share
        given = self._registers(self.metered.exports, share * self.metered.base_export, share)
        if not self.metered.gives:
            self.tiered(drawn, self.tables.energy.price, self._energy_row, 1.0)
            self._fuel(drawn)
            return
        if rule.rule == "net_metering":
            used, left = self._netted(drawn, given, carried=rule.credit == "kwh")
            self.tiered(used, self.tables.energy.price, self._energy_row, 1.0)
            self._fuel(used)
            if rule.credit == "money":
                self._credit(left, same_month=True)
            return
        self.tiered(drawn, self.tables.energy.price, self._energy_row, 1.0)
        self._fuel(drawn)
        if rule.credit == "paid":
            self.tiered(given, self.tables.energy.earned, self._charge_row, -1.0)
        else:
            self._credit(given, same_month=False)

    def _registers(self, columns: Integers, base: Floats, share: float) -> Integers:
        rows = self.rows
        out = rows.columns(np.zeros(base.size), np.full(base.size, np.inf), np.zeros(base.size))
        same = rows.new(base.ravel(), base.ravel())
        rows.put(same, out, 1.0)
        rows.put(same[self.metered.month_period], columns, -share)
        return out.reshape(base.shape)

    def _netted(self, drawn: Integers, given: Integers, *, carried: bool) -> tuple[Integers, Integers]:
        """Return what each month draws beyond what it gives, by period, and what it gives beyond."""
        rows, size = self.rows, drawn.size
        used, left = (
            rows.columns(np.zeros(size), np.full(size, np.inf), np.zeros(size)).reshape(drawn.shape)
            for _ in range(2)
        )
        same = rows.new(np.zeros(size), np.zeros(size)).reshape(drawn.shape)
        for columns, factor in ((used, 1.0), (left, -1.0), (drawn, -1.0), (given, 1.0)):
            rows.put(same.ravel(), columns.ravel(), factor)
        most = np.repeat(self.metered.most_kwh, drawn.shape[1]) * (_YEAR if carried else 1)
        # Buying more for a credit pays where more is cheaper: in tiers that fall, or below a minimum.
        pays = bool((np.diff(self.tables.energy.price, axis=1) < 0).any()) or self._any_minimum()
        self.pairs.append(Pair(used.ravel(), left.ravel(), most, most, pays=carried and pays))
        if carried:
            self._carried_kwh(same, left)
        return used, left

    def _carried_kwh(self, same: Integers, left: Integers) -> None:
        rule, anchors = self.contract.metering, self.tables.anchors
        for m in range(self.months):
            if self.number[m] == rule.true_up_month - 1:
                self.rows.charge(left[m], -rule.year_end_per_kwh)
            elif m + 1 < self.months:
                for p in range(left.shape[1]):
                    at = np.flatnonzero(anchors[self.number[m]] == p)
                    if at.size:  # else the credit cannot be placed, and lapses
                        target = anchors[self.number[m + 1], at[0]]
                        self.rows.put(same[m + 1, target : target + 1], left[m, p : p + 1], 1.0)

    def _fuel(self, energy: Integers) -> None:
        fuel = self.tables.fuel[self.number]
        if fuel.any():
            month = np.repeat(np.arange(self.months), energy.shape[1])
            self.rows.put(self._energy_row[month], energy.ravel(), fuel[month])

    def _credit(self, sold: Integers, *, same_month: bool) -> None:
        """Take credits in money off energy charges; what is left at the true-up is paid, or expires."""
        rule, rows, count = self.contract.metering, self.rows, self.months
        if (self.tables.energy.price < 0).any():
            raise InputError(
                "credits in money beside negative prices of energy",
                "prices from 0 on where credits are carried",
                "name another metering rule",
            )
        none, free = np.zeros(count), np.full(count, np.inf)
        earned = rows.columns(none, free, none)
        row = rows.new(none, none)
        rows.put(row, earned, -1.0)
        self.tiered(sold, self.tables.energy.earned, row, 1.0, credit=True)
        taken, left = rows.columns(none, free, none), rows.columns(none, free, none)
        most = rows.new(none, free)
        rows.put(most, self.energy, 1.0)
        rows.put(most, taken, -1.0)
        balance, ready = rows.new(none, none), rows.new(none, free)
        for target, terms in (
            (balance, ((left, -1.0), (taken, -1.0), (earned, 1.0))),
            (ready, ((taken, -1.0),)),
        ):
            for columns, factor in terms:
                rows.put(target, columns, factor)
            after = np.flatnonzero(self.number[:-1] != rule.true_up_month - 1) + 1
            rows.put(target[after], left[after - 1], 1.0)
        if same_month:
            rows.put(ready, earned, 1.0)
        rows.put(self._charge_row, taken, -1.0)
        due = self.number == rule.true_up_month - 1
        if rule.true_up == "paid":
            rows.charge(left[due], -1.0)

    # -- minimum ------------------------------------------------------------------------------------------

    def close(self, fixed: Floats) -> None:
        """Add fixed charges (M,) and minimum charges, and put every month's charge into the cost."""
        rows, count = self.rows, self.months
        none, free = np.zeros(count), np.full(count, np.inf)
        constant = rows.columns(fixed, fixed, none)
        rows.put(self._charge_row, constant, 1.0)
        rows.charge(self.charge, 1.0)
        monthly, yearly = self._minima()
        if not self._any_minimum():
            return
        above = self.charge
        if self._may_owe_less_than_nothing():
            # Charges above and below zero stand apart: credits do not count against a minimum.
            above, below = rows.columns(none, free, none), rows.columns(none, free, none)
            same = rows.new(none, none)
            for columns, factor in ((above, 1.0), (below, -1.0), (self.charge, -1.0)):
                rows.put(same, columns, factor)
            most = np.full(count, 1e6)
            self.pairs.append(Pair(above, below, most, most))
        short = rows.columns(none, free, np.ones(count))
        floor = rows.new(monthly, free)
        rows.put(floor, short, 1.0)
        rows.put(floor, above, 1.0)
        for last in range(_YEAR - 1, count, _YEAR) if yearly else ():
            gap = rows.columns(np.zeros(1), np.full(1, np.inf), np.ones(1))
            year = rows.new(np.array([yearly]), np.full(1, np.inf))
            rows.put(year, gap, 1.0)
            for columns in (short, above):
                own = columns[last - _YEAR + 1 : last + 1]
                rows.put(np.repeat(year, own.size), own, 1.0)

    def _may_owe_less_than_nothing(self) -> bool:
        paid = self.contract.metering.credit == "paid"
        return paid or bool((self.tables.energy.price < 0).any() or (self.tables.fuel < 0).any())

    def _any_minimum(self) -> bool:
        monthly, yearly = self._minima()
        return bool(monthly.any()) or yearly > 0

    def _minima(self) -> tuple[Floats, float]:
        rate, days = self.contract.rate, self.contract.calendar.days
        by_year = rate.minchargeunits == "$/year"
        monthly = np.full(self.months, rate.minmonthlycharge)
        if rate.mincharge and not by_year:
            monthly = rate.mincharge * (days if rate.minchargeunits == "$/day" else np.ones(self.months))
        yearly = rate.mincharge if rate.mincharge and by_year else rate.annualmincharge
        return np.asarray(monthly, np.float64), float(yearly)


def fixed_charges(contract: Contract) -> Floats:
    """Return the fixed charges of each month, shape (M,)."""
    rate, days = contract.rate, contract.calendar.days.astype(np.float64)
    factor = {"$/day": days, "$/year": np.full(days.size, 1 / _YEAR)}.get(
        rate.fixedchargeunits, np.ones(days.size)
    )
    return np.asarray(rate.fixedchargefirstmeter * factor + rate.fixedmonthlycharge)
