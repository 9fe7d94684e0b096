"""Choose how one vehicle-year is dispatched under given terms: by its steps, or by all of them together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2glab.barriers._dispatch import dispatch
from v2glab.barriers._dispatch_problem import DispatchProblem, Plan
from v2glab.barriers._joint import solve_joint
from v2glab.barriers._joint_build import joint_problem
from v2glab.barriers._own_use import behind_meter, joined, stands_apart
from v2glab.barriers._problem import Frame
from v2glab.barriers._segments import Floats
from v2glab.barriers._services import Way
from v2glab.barriers._sessions import STEP_S
from v2glab.barriers._terms import Terms

Integers = NDArray[np.int64]
#: Smart charging alone: what every value is counted from.
CHARGING_ONLY = Way(export=False, own=False, response=False)


@dataclass(frozen=True)
class Outcome:
    """The best plan in one way of taking part.

    Parameters
    ----------
    cost
        Money over the window; of a vehicle behind a building's meter relative to the building alone, where
        prices stand alone.
    at, count
        Shape (N,): first step in the window, and steps, of each entry of the plan.
    taken_kwh, given_kwh
        Shape (N,): energy at the meter into and out of the vehicle, called energy included.
    method, gap, multiplier
        As in :class:`Plan`.
    """

    cost: float
    at: Integers
    count: Integers
    taken_kwh: Floats
    given_kwh: Floats
    method: str
    gap: float
    multiplier: float = 0.0

    def power_kw(self, steps: int) -> Floats:
        """Return the mean power in each step of the window, shape (steps,), positive out of the vehicle."""
        out = np.zeros(steps)
        where = np.repeat(self.at - np.cumsum(self.count) + self.count, self.count)
        each = (self.given_kwh - self.taken_kwh) / self.count * 3600 / STEP_S
        out[where + np.arange(where.size)] = np.repeat(each, self.count)
        return out


def solve_way(frame: Frame, terms: Terms, way: Way, multiplier: float = 0.0) -> Outcome:
    """Return the best plan in one way of taking part; the method says how it was found.

    Parameters
    ----------
    multiplier
        Where to begin the search for that of a cap on discharged energy.

    Raises
    ------
    InputError
        There is no feasible plan, or no solver for this mix of terms.
    """
    if hangs_together(frame, terms, way):
        return _together(frame, terms, way)
    if frame.market.services.net_load_kwh is not None:
        return _behind_meter(frame, terms, way, multiplier)
    problem = frame.in_blocks(terms)
    if not way.export:
        problem = problem.without_discharge()
    return _outcome(frame, terms, dispatch(problem, multiplier), frame.rows_of(problem.drive_kwh.size))


def hangs_together(frame: Frame, terms: Terms, way: Way) -> bool:
    """Whether steps are tied to each other by tariff, rule or service, or by prices behind a meter."""
    market = frame.market
    if (
        market.contract is not None
        or terms.demand_charge_eur_per_kw_month
        or way.response
        or way.surplus_only
    ):
        return True
    if market.services.net_load_kwh is None:
        return False
    return not stands_apart(frame.problem(terms), *_behind(frame, terms))


def _behind(frame: Frame, terms: Terms) -> tuple[Floats, float, float, float]:
    load = frame.market.services.net_load_kwh
    load = np.zeros(frame.market.window.steps) if load is None else load
    vehicle = frame.vehicle
    efficiency = vehicle.discharge_efficiency * terms.discharge_efficiency
    return load[frame.active], vehicle.charge_efficiency, 1 / efficiency, vehicle.wear_eur_per_kwh


def _behind_meter(frame: Frame, terms: Terms, way: Way, multiplier: float) -> Outcome:
    problem: DispatchProblem = frame.problem(terms)
    load, meter_in, meter_out, wear = _behind(frame, terms)
    if not (way.export or way.own):
        problem = problem.without_discharge()
    doubled = behind_meter(problem, load, meter_in, meter_out, wear_per_kwh=wear, export=way.export)
    plan = dispatch(doubled, multiplier)
    change = joined(plan.change_kwh)
    whole = Plan(plan.cost, change, plan.discharged_kwh, plan.method, plan.gap, plan.multiplier)
    return _outcome(frame, terms, whole, None)


def _outcome(frame: Frame, terms: Terms, plan: Plan, first: Integers | None) -> Outcome:
    vehicle, change = frame.vehicle, plan.change_kwh
    efficiency = vehicle.discharge_efficiency * terms.discharge_efficiency
    at = frame.active if first is None else frame.active[first]
    count = np.ones(at.size, np.int64) if first is None else np.diff(np.append(first, frame.active.size))
    return Outcome(
        plan.cost,
        at,
        count,
        np.clip(change, 0, None) / vehicle.charge_efficiency,
        np.clip(-change, 0, None) * efficiency,
        plan.method,
        plan.gap,
        plan.multiplier,
    )


def _together(frame: Frame, terms: Terms, way: Way) -> Outcome:
    joint = joint_problem(frame, terms, way)
    if way == CHARGING_ONLY:
        joint = joint.without_discharge()
    plan = solve_joint(joint)
    taken = np.clip(plan.change_kwh, 0, None) / joint.meter_in
    given = np.clip(-plan.change_kwh, 0, None) / joint.meter_out
    if joint.standing is not None:
        called_in = joint.standing.called_in if joint.standing.symmetric else 0.0
        taken, given = (
            taken + plan.standing_kw * called_in,
            given + plan.standing_kw * joint.standing.called_out,
        )
    cost = plan.cost
    if joint.contract is None and not joint.demand_price:
        # What the building alone would cost, as behind_meter leaves it out, too.
        load = joint.load_kwh
        cost -= float(joint.buy @ np.clip(load, 0, None) - joint.sell @ np.clip(-load, 0, None))
    return Outcome(cost, joint.at, joint.count, taken, given, plan.method, plan.gap)
