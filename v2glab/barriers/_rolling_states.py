"""A controller without foresight where steps are not convex: plans on a grid of states, again and again."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from v2glab.barriers import _grid as grid
from v2glab.barriers._dispatch_problem import DispatchProblem
from v2glab.barriers._kernel import energy_needed
from v2glab.barriers._segments import TOLERANCE_KWH, Floats

Integers = NDArray[np.int64]
#: States of each plan, and steps that are carried out of it before the next: an hour.
POINTS, CARRIED_OUT = 241, 4


def roll_on_states(
    problem: DispatchProblem,
    at: Integers,
    buy: Floats,
    sell: Floats,
    known: Integers,
    day_steps: int,
    horizon_steps: int,
    wear: Floats,
) -> Floats | None:
    """Return the change of each step (M,), or ``None`` where the battery cannot hold what a drive needs.

    Prices are those that a convex plan sees: see :func:`v2glab.barriers.rolling`. Where no plan on the grid
    exists, since a drive needs all that can be charged, it is charged at once.

    Parameters
    ----------
    at, buy, sell, known
        As in :class:`Outlook`.
    wear
        Shape (POINTS,): cost of taking out all energy up to each state.
    """
    steps = problem.drive_kwh.size
    need = np.empty(steps + 1)
    energy_needed(problem.drive_kwh, problem.charge_kwh, problem.low_kwh, problem.end_kwh, need)
    if problem.start_kwh < need[0] - TOLERANCE_KWH:
        return None
    none = np.zeros(steps)
    least_in = none if problem.charge_least_kwh is None else problem.charge_least_kwh
    least_out = none if problem.discharge_least_kwh is None else problem.discharge_least_kwh
    active = none if problem.active_cost is None else problem.active_cost
    change, energy, step = np.zeros(steps), problem.start_kwh, 0
    while step < steps:
        last = int(np.searchsorted(at, at[step] + horizon_steps, side="left"))
        last = max(last, step + 1)
        seen = _seen(at[step:last], int(known[step]), day_steps)
        buys, sells = buy[seen], sell[seen]
        part = slice(step, last)
        moves = (
            problem.drive_kwh[part],
            problem.charge_kwh[part],
            problem.discharge_kwh[part],
            least_in[part],
            least_out[part],
            buys,
            sells,
            active[part],
            wear,
        )
        left = 0.0 if last == steps else max(float(buys.mean()), 0.0)
        end = max(float(need[last]), problem.low_kwh)
        values = grid.grid_backward(*moves, problem.low_kwh, problem.high_kwh, end, left)
        plan = np.zeros(last - step)
        cost = grid.grid_forward(values, *moves, problem.low_kwh, problem.high_kwh, energy, plan)
        count = min(CARRIED_OUT, last - step)
        for i in range(count):
            number = step + i
            energy -= problem.drive_kwh[number]
            if energy < problem.low_kwh - TOLERANCE_KWH:
                return None
            move = float(plan[i]) if np.isfinite(cost) else _at_once(problem, least_in, number, energy)
            change[number] = move
            energy = min(max(energy + move, problem.low_kwh), problem.high_kwh)
        step += count
    return change if energy >= problem.end_kwh - 1e-6 else None


def _at_once(problem: DispatchProblem, least: Floats, step: int, energy: float) -> float:
    """Return all that can be charged in a step, or nothing where that is less than the least."""
    most = min(float(problem.charge_kwh[step]), problem.high_kwh - energy)
    return most if most >= least[step] else 0.0


def _seen(at: Integers, known: int, day_steps: int) -> Integers:
    """Return the step whose price stands for each: its own, or the last known one at that time of day."""
    late = np.maximum(-(-(at - known + 1) // day_steps), 0)
    seen = at - late * day_steps
    return np.asarray(np.where(seen >= 0, seen, max(known - 1, 0)))
