"""The plan on a grid of states, with a bound on what a better one could save."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from v2glab.barriers import _grid as grid
from v2glab.barriers._dispatch_problem import DispatchProblem, Plan, no_plan
from v2glab.barriers._exact import relaxed
from v2glab.barriers._kernel import NORMAL, blocks, share_out
from v2glab.barriers._segments import Floats

#: States of the grid, and how many values a plan may hold: long plans are given fewer states.
MOST_POINTS, MOST_VALUES = 2401, 24_000_000


def on_states(problem: DispatchProblem) -> Plan:
    """Return the best plan found by dynamic programming on a grid of states.

    Its cost is booked on the energies that really flow. The gap is counted from the optimum of the same
    problem without what makes it non-convex, which costs less than any plan.

    Raises
    ------
    InputError
        There is no feasible plan.
    """
    first = _blocks(problem)
    begin = first[:-1]
    ups = np.add.reduceat(problem.charge_kwh, begin)
    downs = np.add.reduceat(problem.discharge_kwh, begin)
    charge_least, discharge_least = (
        _least(least, most, begin)
        for least, most in (
            (problem.charge_least_kwh, problem.charge_kwh),
            (problem.discharge_least_kwh, problem.discharge_kwh),
        )
    )
    active = np.zeros(begin.size) if problem.active_cost is None else problem.active_cost[begin]
    points = min(MOST_POINTS, max(MOST_VALUES // (begin.size + 1), 101))
    wear = wear_of_states(problem, points)
    buy, sell = problem.buy[begin], problem.sell[begin]
    steps = (ups, downs, charge_least, discharge_least, buy, sell, active, wear)
    drive, change = problem.drive_kwh[begin], np.zeros(begin.size)
    values = grid.grid_backward(drive, *steps, problem.low_kwh, problem.high_kwh, problem.end_kwh, 0.0)
    cost = float(
        grid.grid_forward(values, drive, *steps, problem.low_kwh, problem.high_kwh, problem.start_kwh, change)
    )
    if not np.isfinite(cost):
        raise no_plan(problem)
    out = np.zeros(problem.drive_kwh.size)
    _share_out(first, change, problem, out)
    bound = relaxed(_convex_part(problem)).cost
    discharged = float(-out[out < 0].sum())
    return Plan(cost, out, discharged, f"grid of {points} states", max(cost - bound, 0.0))


def _blocks(problem: DispatchProblem) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return where blocks begin; steps stand alone where a sum of them could do what no single ones can.

    From twice the least power on, any energy of at least the least power can be split into steps that each
    keep it. Steps of unlike power, and those that cost something by the step, stay as they are.
    """
    steps = problem.drive_kwh.size
    alone = np.arange(steps + 1, dtype=np.int64)
    if problem.active_cost is not None:
        return alone
    for most, least in (
        (problem.charge_kwh, problem.charge_least_kwh),
        (problem.discharge_kwh, problem.discharge_least_kwh),
    ):
        if least is not None and bool((most < 2 * least).any()):
            return alone
    mode = np.full(steps, NORMAL, dtype=np.int8)
    found: np.ndarray[tuple[int], np.dtype[np.int64]] = blocks(
        problem.drive_kwh, problem.charge_kwh, problem.discharge_kwh, problem.buy, problem.sell, mode, True
    )
    return found


def _share_out(
    first: np.ndarray[tuple[int], np.dtype[np.int64]], change: Floats, problem: DispatchProblem, out: Floats
) -> None:
    """Hand the change of each block to its steps so that none that acts stays below its least power.

    Where full steps would leave less than that for the last, the one before gives it up: it has at least
    twice the least power.
    """
    share_out(first, change, problem.charge_kwh, problem.discharge_kwh, out)
    for least, sign in ((problem.charge_least_kwh, 1.0), (problem.discharge_least_kwh, -1.0)):
        if least is None:
            continue
        for step in np.flatnonzero((sign * out > 0) & (sign * out < least - 1e-12)):
            before = int(np.flatnonzero(out[:step])[-1])
            moved = sign * least[step] - out[step]
            out[step] += moved
            out[before] -= moved


def _least(least: Floats | None, most: Floats, begin: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Floats:
    """Return the least power of each block: that of its weakest step in which anything can be done."""
    if least is None:
        return np.zeros(begin.size)
    weakest = np.minimum.reduceat(np.where(most > 0, least, np.inf), begin)
    return np.where(np.isfinite(weakest), weakest, 0.0)


def wear_of_states(problem: DispatchProblem, points: int) -> Floats:
    """Return the cost of taking out all energy up to each state, shape (points,)."""
    states = np.linspace(problem.low_kwh, problem.high_kwh, points)
    if not problem.wear_curve:
        return np.zeros(points)
    energy, price = np.array(problem.wear_curve, dtype=np.float64).T
    tops = np.append(energy[1:], problem.high_kwh)
    parts = np.clip(states[:, None] - np.maximum(energy, problem.low_kwh), 0, None)
    return np.asarray(
        (np.minimum(parts, np.clip(tops - np.maximum(energy, problem.low_kwh), 0, None)) * price).sum(axis=1)
    )


def _convex_part(problem: DispatchProblem) -> DispatchProblem:
    """Return the problem without what makes it non-convex; wear at its cheapest state."""
    cheapest = min((price for _, price in problem.wear_curve), default=0.0)
    return replace(
        problem,
        charge_least_kwh=None,
        discharge_least_kwh=None,
        active_cost=None,
        wear_curve=(),
        sell=problem.sell - cheapest,
        discharge_cap_kwh=float("inf"),
    )
