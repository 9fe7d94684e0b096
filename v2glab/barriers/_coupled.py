"""What couples steps or vehicles, by HiGHS: demand charges, and bids of a fleet.

A demand charge bills the highest power of each month, so all its steps hang together. A bid is one number for
a block of hours, in whole units, that all vehicles have to be able to deliver together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from v2glab.barriers._dispatch_problem import DispatchProblem, no_plan
from v2glab.barriers._products import DemandCharge, ReserveProduct
from v2glab.barriers._segments import Floats
from v2glab.evidence import InputError

if TYPE_CHECKING:
    from v2glab.barriers._rows import Rows

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Member:
    """One vehicle of a fleet: its problem, and what ties it to the meter and the clock.

    Parameters
    ----------
    problem
        Over M plugged steps.
    at
        Shape (M,): number of each of these in the window.
    meter_in, meter_out
        Battery-side kWh per kWh at the meter: what charging yields, and what discharging takes.
    """

    problem: DispatchProblem
    at: Integers
    meter_in: float
    meter_out: float


@dataclass(frozen=True)
class CoupledPlan:
    """Optimum of what is coupled: money, the change of each battery (M,), bids in kW, peaks in kWh.

    ``gap`` is the most that a better plan could save.
    """

    cost: float
    change_kwh: tuple[Floats, ...]
    bid_kw: Floats
    peak_kwh: Floats
    method: str
    gap: float


def dispatch_coupled(
    members: Sequence[Member],
    step_h: float,
    *,
    demand: DemandCharge | None = None,
    reserve: ReserveProduct | None = None,
    relative_gap: float = 1e-6,
) -> CoupledPlan:
    """Return the cheapest joint plan, by HiGHS.

    Charging and discharging at once, where that would earn, and bids in whole units make it a mixed-integer
    program; else it is a linear one. Reserve is paid for standing ready; what is called of it moves energy,
    bought and sold at the problem's prices, and counts against power, energy and room.

    Raises
    ------
    InputError
        There is no feasible plan, no member, or a member asks for what this solver does not hold.
    """
    from v2glab.barriers._rows import Rows

    _check(members)
    rows = Rows()
    columns = [vehicle_rows(rows, member) for member in members]
    peaks = _peaks(rows, members, columns, demand) if demand is not None else None
    bids = _bids(rows, members, columns, step_h, reserve) if reserve is not None else None
    answer = rows.solve(relative_gap)
    if answer is None:
        raise no_plan(members[0].problem)
    x, cost, bound = answer
    return CoupledPlan(
        cost,
        tuple(x[c.into] - x[c.out] for c in columns),
        np.zeros(0) if bids is None else x[bids],
        np.zeros(0) if peaks is None else x[peaks],
        "HiGHS, mixed-integer" if rows.whole.any() else "HiGHS, linear",
        max(cost - bound, 0.0),
    )


def _check(members: Sequence[Member]) -> None:
    if not members:
        raise InputError("no vehicle", "at least one", "choose vehicles that can be priced")
    for member in members:
        problem = member.problem
        if problem.active_cost is not None or problem.wear_curve:
            raise InputError(
                f"coupled dispatch with {problem.needs_states}",
                "prices and least powers only",
                "price wear by throughput",
            )


@dataclass(frozen=True)
class Columns:
    """Numbers of a vehicle's columns: energy in, out, held after each step; and of the rows of balance."""

    into: Integers
    out: Integers
    held: Integers
    balance: Integers


def vehicle_rows(rows: Rows, member: Member) -> Columns:
    problem, steps = member.problem, member.problem.drive_kwh.size
    into = rows.columns(np.zeros(steps), problem.charge_kwh, problem.buy)
    out = rows.columns(np.zeros(steps), problem.discharge_kwh, -problem.sell)
    floor = np.full(steps, problem.low_kwh)
    floor[:-1] += problem.drive_kwh[1:]
    floor[-1] = max(problem.end_kwh, problem.low_kwh)
    if (
        problem.start_kwh - problem.drive_kwh[0] < problem.low_kwh - 1e-9
        or (floor > problem.high_kwh + 1e-9).any()
    ):
        raise no_plan(problem)
    held = rows.columns(
        np.minimum(floor, problem.high_kwh), np.full(steps, problem.high_kwh), np.zeros(steps)
    )
    right = -problem.drive_kwh.copy()
    right[0] += problem.start_kwh
    each = rows.new(right, right)
    rows.put(each, held, 1.0)
    rows.put(each[1:], held[:-1], -1.0)
    rows.put(each, into, -1.0)
    rows.put(each, out, 1.0)
    if np.isfinite(problem.discharge_cap_kwh):
        cap = rows.new(np.array([-np.inf]), np.array([problem.discharge_cap_kwh]))
        rows.put(np.repeat(cap, steps), out, 1.0)
    _one_way(rows, problem, into, out)
    return Columns(into, out, held, each)


def _one_way(rows: Rows, problem: DispatchProblem, into: Integers, out: Integers) -> None:
    """Forbid charging and discharging at once where that would pay, and powers below the least."""
    least = problem.charge_least_kwh is not None or problem.discharge_least_kwh is not None
    which = np.arange(into.size) if least else np.flatnonzero(problem.simultaneous_pays())
    if not which.size:
        return
    none = np.zeros(which.size)
    ways = []
    for columns, most, least_kwh in (
        (into, problem.charge_kwh, problem.charge_least_kwh),
        (out, problem.discharge_kwh, problem.discharge_least_kwh),
    ):
        way = rows.columns(none, np.ones(which.size), none, whole=True)
        top = rows.new(np.full(which.size, -np.inf), none)
        rows.put(top, columns[which], 1.0)
        rows.put(top, way, -most[which])
        if least_kwh is not None:
            bottom = rows.new(none, np.full(which.size, np.inf))
            rows.put(bottom, columns[which], 1.0)
            rows.put(bottom, way, -least_kwh[which])
        ways.append(way)
    one = rows.new(np.full(which.size, -np.inf), np.ones(which.size))
    rows.put(one, ways[0], 1.0)
    rows.put(one, ways[1], 1.0)


def _peaks(rows: Rows, members: Sequence[Member], columns: list[Columns], demand: DemandCharge) -> Integers:
    """Return the columns of the highest import of each period; each step's import stays below its own."""
    count = demand.price.size
    lowest = np.zeros(count)
    used = np.zeros(demand.period.size, np.bool_)
    for member in members:
        used[member.at] = True
    idle = ~used
    np.maximum.at(lowest, demand.period[idle], demand.base_kwh[idle])
    peaks = rows.columns(lowest, np.full(count, np.inf), demand.price)
    steps = np.flatnonzero(used)
    place = np.full(demand.period.size, -1)
    # Import of a step: the building, what charging takes, less what discharging gives.
    each = rows.new(demand.base_kwh[steps], np.full(steps.size, np.inf))
    place[steps] = each
    rows.put(each, peaks[demand.period[steps]], 1.0)
    for member, own in zip(members, columns, strict=True):
        rows.put(place[member.at], own.into, -1.0 / member.meter_in)
        rows.put(place[member.at], own.out, 1.0 / member.meter_out)
    return peaks


def _bids(
    rows: Rows,
    members: Sequence[Member],
    columns: list[Columns],
    step_h: float,
    reserve: ReserveProduct,
) -> Integers:
    """Return the columns of the bids. Each vehicle's part of a bid has power, energy and room to spare."""
    count, none = reserve.price.size, np.zeros(reserve.price.size)
    bids = rows.columns(none, np.full(count, np.inf), -reserve.price)
    if reserve.unit_kw:
        units = rows.columns(none, np.full(count, 1e6), none, whole=True)
        same = rows.new(none, none)
        rows.put(same, bids, 1.0)
        rows.put(same, units, -reserve.unit_kw)
    if reserve.least_kw:
        taken = rows.columns(none, np.ones(count), none, whole=True)
        most = sum(float(m.problem.discharge_kwh.max()) / m.meter_out / step_h for m in members)
        top, bottom = rows.new(np.full(count, -np.inf), none), rows.new(none, np.full(count, np.inf))
        for side, size in ((top, max(most, reserve.least_kw)), (bottom, reserve.least_kw)):
            rows.put(side, bids, 1.0)
            rows.put(side, taken, -size)
    # In every step of a block the vehicles' parts reach the bid; a step without a vehicle allows none.
    steps = np.flatnonzero(reserve.block >= 0)
    place = np.full(reserve.block.size, -1)
    cover = rows.new(np.zeros(steps.size), np.full(steps.size, np.inf))
    place[steps] = cover
    rows.put(cover, bids[reserve.block[steps]], -1.0)
    for member, own in zip(members, columns, strict=True):
        _stand_ready(rows, member, own, step_h, reserve, place)
    return bids


def _stand_ready(
    rows: Rows, member: Member, own: Columns, step_h: float, reserve: ReserveProduct, place: Integers
) -> None:
    problem = member.problem
    which = np.flatnonzero(reserve.block[member.at] >= 0)
    if not which.size:
        return
    inf = np.full(which.size, np.inf)
    given, taken = (
        np.zeros(which.size) if called is None else called[member.at[which]] * factor
        for called, factor in (
            (reserve.called_out, member.meter_out),
            (reserve.called_in, member.meter_in),
        )
    )
    cost = taken * problem.buy[which] - given * problem.sell[which]
    part = rows.columns(np.zeros(which.size), inf, cost)
    rows.put(own.balance[which], part, given - taken)
    rows.put(place[member.at[which]], part, 1.0)
    out_kwh = member.meter_out * step_h  # battery-side energy of one kW over a step
    power = rows.new(-inf, problem.discharge_kwh[which])
    rows.put(power, part, out_kwh)
    rows.put(power, own.out[which], 1.0)
    rows.put(power, own.into[which], -member.meter_out / member.meter_in)
    energy = rows.new(np.full(which.size, problem.low_kwh), inf)
    rows.put(energy, own.held[which], 1.0)
    rows.put(energy, part, -member.meter_out * reserve.duration_h)
    if reserve.symmetric:
        power = rows.new(-inf, problem.charge_kwh[which])
        rows.put(power, part, member.meter_in * step_h)
        rows.put(power, own.into[which], 1.0)
        rows.put(power, own.out[which], -member.meter_in / member.meter_out)
        room = rows.new(-inf, np.full(which.size, problem.high_kwh))
        rows.put(room, own.held[which], 1.0)
        rows.put(room, part, member.meter_in * reserve.duration_h)
