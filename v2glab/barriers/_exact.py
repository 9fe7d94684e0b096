"""The exact optimum where a problem is convex, or can be split into convex ones."""

from __future__ import annotations

import numpy as np

from v2glab.barriers import _kernel as kernel
from v2glab.barriers._dispatch_problem import DispatchProblem, Plan, no_plan
from v2glab.barriers._kernel import Modes
from v2glab.barriers._segments import Floats

#: Nodes of the search over non-convex steps before the grid of states takes over.
MOST_NODES = 200
#: A change this close to a bound stands on it, kWh.
ON_BOUND_KWH = 1e-7


def relaxed(problem: DispatchProblem) -> Plan:
    """Return the optimum of the convex envelope: a bound from below, and no plan where steps are not convex.

    Raises
    ------
    InputError
        There is no feasible plan.
    """
    mode = np.where(problem.simultaneous_pays(), kernel.RELAXED, kernel.NORMAL).astype(np.int8)
    cost, discharged, change = _convex(problem, mode)
    if np.isnan(cost):
        raise no_plan(problem)
    return Plan(cost, change, discharged, "convex envelope, bound")


def _convex(problem: DispatchProblem, mode: Modes) -> tuple[float, float, Floats]:
    """Return cost, energy discharged and change, with every step's cost convex or replaced by its envelope;
    the cost is NaN when a branch is infeasible.
    """
    change = np.zeros(problem.drive_kwh.size)
    cost, discharged = kernel.optimum(
        problem.drive_kwh,
        problem.charge_kwh,
        problem.discharge_kwh,
        problem.buy,
        problem.sell,
        mode,
        problem.low_kwh,
        problem.high_kwh,
        problem.end_kwh,
        problem.start_kwh,
        change,
    )
    return float(cost), float(discharged), change


def split(problem: DispatchProblem) -> Plan | None:
    """Return the optimum, branching on steps whose envelope was used inside; ``None`` when that takes too
    many nodes.

    Raises
    ------
    InputError
        There is no feasible plan.
    """
    pays = problem.simultaneous_pays()
    root = np.where(pays, kernel.RELAXED, kernel.NORMAL).astype(np.int8)
    best_cost, best_change, nodes = float("inf"), None, 0
    stack = [root]
    while stack:
        mode = stack.pop()
        nodes += 1
        if nodes > MOST_NODES:
            return None
        cost, discharged, change = _convex(problem, mode)
        if np.isnan(cost) or cost >= best_cost - 1e-12:
            continue
        if not pays.any():
            return Plan(cost, change, discharged, "convex, exact")
        inside = (
            (mode == kernel.RELAXED)
            & (change < problem.charge_kwh - ON_BOUND_KWH)
            & (change > -problem.discharge_kwh + ON_BOUND_KWH)
        )
        if not inside.any():
            best_cost, best_change = cost, change
            continue
        step = int(np.flatnonzero(inside)[0])
        for choice in (kernel.DISCHARGE_ONLY, kernel.CHARGE_ONLY):
            branch = mode.copy()
            branch[step] = choice
            stack.append(branch)
    if best_change is None:
        raise no_plan(problem)
    method = "convex, exact" if nodes == 1 else f"split at non-convex steps, exact ({nodes} problems)"
    return Plan(best_cost, best_change, float(-best_change[best_change < 0].sum()), method)
