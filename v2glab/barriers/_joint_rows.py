"""Columns and rows of a joint problem: the vehicle, what stands ready, the meter, peaks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from v2glab.barriers._coupled import Columns, Member, vehicle_rows
from v2glab.barriers._joint_bill import BillRows, Metered, Pair, fixed_charges
from v2glab.barriers._joint_problem import BILLING_PERIODS, HOURS, JointProblem, Standing, steps_of
from v2glab.barriers._rows import Rows
from v2glab.barriers._segments import Floats
from v2glab.barriers._sessions import STEP_S
from v2glab.barriers.tariffs._contract import Contract

Integers = NDArray[np.int64]


class Program:
    """Columns and rows of a joint problem."""

    def __init__(self, joint: JointProblem) -> None:
        self.joint, self.rows = joint, Rows()
        self.pairs: list[Pair] = []
        problem, rows = joint.problem, self.rows
        self.constant = 0.0
        self.own: Columns = vehicle_rows(rows, self._member())
        self.pairs.append(Pair(self.own.into, self.own.out, problem.charge_kwh, problem.discharge_kwh))
        self.part = None if joint.standing is None else self._stand_ready(joint.standing)
        self._limit_export()
        self._meter()
        if joint.demand_price:
            period = np.arange(joint.load_kwh.size) * BILLING_PERIODS // joint.load_kwh.size
            peaks = self._peaks(period, np.ones(BILLING_PERIODS, np.bool_), 1)
            rows.charge(peaks, joint.demand_price)

    def _member(self) -> Member:
        joint, problem = self.joint, self.joint.problem
        free = problem.discharge_kwh
        if not joint.way.export:  # only what the building itself takes
            load = np.clip(joint.load_kwh[joint.at], 0, None) * joint.count if joint.way.own else 0.0
            free = np.minimum(free, load * joint.meter_out)
        none = np.zeros_like(free)
        wear = np.full(free.size, -joint.wear_per_kwh / joint.meter_out)
        changed = replace(problem, discharge_kwh=free, buy=none, sell=wear)
        return Member(changed, joint.at, joint.meter_in, joint.meter_out)

    def _stand_ready(self, standing: Standing) -> Integers:
        """Return the columns of what stands ready, kW: it has power, energy and room to spare."""
        joint, rows, own = self.joint, self.rows, self.own
        problem, hours = joint.problem, joint.hours
        size, drive = hours.size, problem.drive_kwh
        inf = np.full(size, np.inf)
        out_kwh = joint.meter_out * hours
        most = standing.placeable * problem.discharge_kwh / out_kwh
        taken = standing.called_in if standing.symmetric else np.zeros(size)
        given = standing.called_out
        cost = given * joint.wear_per_kwh - standing.worth * hours
        part = rows.columns(np.zeros(size), most, cost)
        rows.put(own.balance, part, given * joint.meter_out - taken * joint.meter_in)
        power = rows.new(-inf, problem.discharge_kwh)
        rows.put(power, part, out_kwh)
        rows.put(power, own.out, 1.0)
        rows.put(power, own.into, -joint.meter_out / joint.meter_in)
        # Energy, and room, have to be there when a block begins as well as when it ends.
        first = problem.start_kwh - drive[0]
        sides = [(joint.meter_out, -1.0, problem.low_kwh)]
        if standing.symmetric:
            power = rows.new(-inf, problem.charge_kwh)
            rows.put(power, part, joint.meter_in * hours)
            rows.put(power, own.into, 1.0)
            rows.put(power, own.out, -joint.meter_in / joint.meter_out)
            sides.append((joint.meter_in, 1.0, problem.high_kwh))
        for factor, sign, bound in sides:
            before = drive + bound
            before[0] = bound - first
            lower, upper = (before, inf) if sign < 0 else (-inf, before)
            begin = rows.new(lower, upper)
            rows.put(begin[1:], own.held[:-1], 1.0)
            rows.put(begin, part, sign * factor * standing.duration_h)
            edge = np.full(size, bound)
            end = rows.new(*((edge, inf) if sign < 0 else (-inf, edge)))
            rows.put(end, own.held, 1.0)
            rows.put(end, part, sign * factor * standing.duration_h)
        return part

    def _limit_export(self) -> None:
        """No more leaves the vehicle for the grid than the site's own surplus brought in, over the year."""
        joint, rows = self.joint, self.rows
        if not joint.way.surplus_only:
            return
        load = joint.load_kwh[joint.at] * joint.count
        none, inf = np.zeros(load.size), np.full(load.size, np.inf)
        exported = rows.columns(none, inf, none)
        stored = rows.columns(none, np.clip(-load, 0, None), none)
        beyond = rows.new(-np.clip(load, 0, None), inf)
        rows.put(beyond, exported, 1.0)
        rows.put(beyond, self.own.out, -1.0 / joint.meter_out)
        bought = rows.new(none, inf)
        rows.put(bought, self.own.into, 1.0 / joint.meter_in)
        rows.put(bought, stored, -1.0)
        total = np.repeat(rows.new(np.zeros(1), np.full(1, np.inf)), load.size)
        rows.put(total, stored, joint.meter_in / joint.meter_out)
        rows.put(total, exported, -1.0)

    def _flows(self, each: Integers, share: Floats | float, ways: str = "both") -> None:
        """Put what the vehicle adds to the meter's import (less export) into one row for each block."""
        joint, rows = self.joint, self.rows
        if ways in ("both", "in"):
            rows.put(each, self.own.into, share / joint.meter_in)
        sign = -1.0 if ways == "both" else 1.0
        if ways in ("both", "out"):
            rows.put(each, self.own.out, sign * share / joint.meter_out)
        if self.part is not None and joint.standing is not None:
            taken = joint.standing.called_in if joint.standing.symmetric else np.zeros(joint.count.size)
            given = joint.standing.called_out
            net = {"both": taken - given, "in": taken, "out": given}[ways]
            rows.put(each, self.part, share * net)

    def _meter(self) -> None:
        joint, rows = self.joint, self.rows
        contract, steps = joint.contract, joint.load_kwh.size
        hourly = contract is not None and contract.metering.rule == "net_billing_hourly"
        size = 3600 // STEP_S if hourly else 1
        group, first = _grouped(joint.at, size)
        covered = np.zeros(steps, np.bool_)
        inside = np.repeat(np.arange(joint.at.size), joint.count)
        covered[steps_of(joint.at, joint.count)] = True
        load = np.zeros(first.size)
        np.add.at(load, group[inside], joint.load_kwh[steps_of(joint.at, joint.count)])
        if hourly:  # steps of the hour in which the car is away are netted with the rest
            place = np.full(steps // size + 1, -1)
            place[first // size] = np.arange(first.size)
            away = np.flatnonzero(~covered & (place[np.arange(steps) // size] >= 0))
            np.add.at(load, place[away // size], joint.load_kwh[away])
            covered[away] = True
        idle = np.where(covered, 0.0, joint.load_kwh)
        none, inf = np.zeros(first.size), np.full(first.size, np.inf)
        most_in, most_out = self._most(group, first.size, load)
        priced = contract is None
        imports = rows.columns(none, inf, joint.buy[first] if priced else none)
        exports = rows.columns(none, inf, -joint.sell[first] if priced else none)
        if joint.two_meters:
            for columns, base, way in (
                (imports, np.clip(load, 0, None), "in"),
                (exports, np.clip(-load, 0, None), "out"),
            ):
                row = rows.new(-base, -base)
                rows.put(row, columns, -1.0)
                self._flows(row[group], 1.0, way)
        else:
            row = rows.new(-load, -load)
            rows.put(row, imports, -1.0)
            rows.put(row, exports, 1.0)
            self._flows(row[group], 1.0)
            if contract is None or contract.metering.rule != "net_metering":  # there only the sums are netted
                self.pairs.append(Pair(imports, exports, most_in, most_out))
        if contract is None:
            taken, given = np.clip(idle, 0, None), np.clip(-idle, 0, None)
            self.constant += float(joint.buy @ taken - joint.sell @ given)
        else:
            self._bill(contract, first, imports, exports, idle, size, (most_in, most_out))

    def _most(self, group: Integers, count: int, load: Floats) -> tuple[Floats, Floats]:
        """Return the most that the meter can take and give in each netted interval, (G,) each."""
        joint, problem = self.joint, self.joint.problem
        most_in, most_out = np.abs(load), np.abs(load)
        np.add.at(most_in, group, problem.charge_kwh / joint.meter_in)
        np.add.at(most_out, group, problem.discharge_kwh / joint.meter_out)
        if joint.standing is not None:
            power = problem.discharge_kwh / joint.meter_out
            np.add.at(most_in, group, power)
            np.add.at(most_out, group, power)
        return most_in + 1e-9, most_out + 1e-9

    def _bill(
        self,
        contract: Contract,
        first: Integers,
        imports: Integers,
        exports: Integers,
        idle: Floats,
        size: int,
        most: tuple[Floats, Floats],
    ) -> None:
        calendar, tables = contract.calendar, contract.rate.tables
        month = np.repeat(np.arange(len(calendar.names)), np.diff(calendar.edge))
        period = tables.energy_period[calendar.cell]
        periods, months = tables.energy.upper.shape[0], len(calendar.names)
        cell = month * periods + period
        taken = _settled(np.clip(idle, 0, None), np.clip(-idle, 0, None), size)
        base = [
            np.asarray(np.bincount(cell, weights=part, minlength=months * periods), np.float64).reshape(
                months, periods
            )
            for part in taken
        ]
        by_month = np.bincount(month[first], weights=most[0] + most[1], minlength=months)
        joint = self.joint
        problem, load_of = joint.problem, joint.load_kwh[joint.at] * joint.count
        gives = bool(problem.discharge_kwh.any() or (joint.load_kwh < 0).any())
        # More than what the road and the grid can take back, and the battery holds, never flows in a month.
        use = problem.drive_kwh + 2 * problem.discharge_kwh
        need = np.bincount(month[joint.at], weights=use / joint.meter_in + np.abs(load_of), minlength=months)
        by_month = np.minimum(by_month, need + (problem.high_kwh - problem.low_kwh) / joint.meter_in)
        size_kwh = by_month + base[0].sum(axis=1) + base[1].sum(axis=1)
        power = (problem.charge_kwh / joint.meter_in + problem.discharge_kwh / joint.meter_out) / joint.hours
        most_kw = float(power.max()) + float(np.abs(joint.load_kwh).max()) / HOURS + 1e-6
        metered = Metered(cell[first], imports, exports, base[0], base[1], size_kwh, most_kw, gives)
        bill = BillRows(self.rows, contract, metered)
        steps, window = np.arange(month.size), contract.demand_window_steps
        own = per = None
        if bill.needs_flat:
            own = self._peaks(month, np.ones(months, np.bool_), window)
        if bill.needs_periods and tables.demand is not None:
            count = tables.demand.upper.shape[0]
            priced = np.tile(tables.demand.price.any(axis=1), months)
            per = self._peaks(month * count + tables.demand_period[calendar.cell[steps]], priced, window)
        bill.demand(own, per)
        bill.energy_charges()
        bill.close(fixed_charges(contract))
        self.pairs += bill.pairs

    def _peaks(self, cell: Integers, wanted: NDArray[np.bool_], window: int) -> Integers:
        """Return columns of the highest import, kW, among steps (T,) of each cell; averaged over windows.

        Import is what the meter takes less what it gives, or nothing; two meters have only what one takes.
        """
        joint, rows = self.joint, self.rows
        inside = steps_of(joint.at, joint.count)
        load = np.clip(joint.load_kwh, 0, None) if joint.two_meters else joint.load_kwh
        idle = load.copy()
        idle[inside] = 0.0
        lowest = np.zeros(wanted.size)
        whole = np.add.reduceat(idle, np.arange(0, idle.size, window)) / (window * HOURS)
        apart = np.ones(whole.size, np.bool_)
        apart[inside // window] = False
        np.maximum.at(lowest, cell[::window][apart], whole[apart])
        peaks = rows.columns(lowest, np.full(wanted.size, np.inf), np.zeros(wanted.size))
        group, first = _grouped(joint.at, window)
        base = np.zeros(first.size)
        ways = "in" if joint.two_meters else "both"
        if window == 1:
            share: Floats | float = 1.0 / joint.hours
            base += load[joint.at] / HOURS
        else:
            share = 1.0 / (window * HOURS)
            place = np.full(whole.size, -1)
            place[first // window] = np.arange(first.size)
            within = np.flatnonzero(place[np.arange(load.size) // window] >= 0)
            np.add.at(base, place[within // window], load[within] / (window * HOURS))
        each = rows.new(np.full(first.size, -np.inf), -base)
        rows.put(each, peaks[cell[first]], -1.0)
        self._flows(each[group], share, ways)
        return peaks


def _grouped(at: Integers, size: int) -> tuple[Integers, Integers]:
    """Return the interval of ``size`` steps of each block (B,), counted from 0, and their first steps."""
    if size == 1:
        return np.arange(at.size), at
    _, first, group = np.unique(at // size, return_index=True, return_inverse=True)
    return group.astype(np.int64), at[first]


def _settled(taken: Floats, given: Floats, size: int) -> tuple[Floats, Floats]:
    """Return import and export (T,) each netted over intervals of ``size`` steps, at their first step."""
    if size == 1:
        return taken, given
    net = (taken - given).reshape(-1, size).sum(axis=1)
    out = np.zeros((2, taken.size))
    out[0, ::size], out[1, ::size] = np.clip(net, 0, None), np.clip(-net, 0, None)
    return out[0], out[1]
