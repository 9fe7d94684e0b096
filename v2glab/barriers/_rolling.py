"""Dispatch as a real controller does it: a plan over the next hours, again and again, without foresight.

Trips are known (the driver says when and how far), prices only once they are published. What lies beyond is
forecast by the last known day's price at the same time of day, and a kWh left at the end of the horizon is
worth what buying one is expected to cost on average.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2glab.barriers._dispatch_problem import DispatchProblem, Plan, no_plan
from v2glab.barriers._jit import jit
from v2glab.barriers._kernel import NORMAL, RELAXED, Modes, backward, energy_needed, room_for
from v2glab.barriers._rolling_states import POINTS, roll_on_states
from v2glab.barriers._segments import TOLERANCE_KWH, Floats
from v2glab.barriers._states import wear_of_states
from v2glab.evidence import InputError

Integers = NDArray[np.int64]
_DAY_S = 86_400
#: Day-ahead prices of a day (UTC) are known from this hour of the day before on.
PUBLISHED_HOUR_UTC = 12


@dataclass(frozen=True)
class Outlook:
    """What prices a controller sees.

    Parameters
    ----------
    at
        Shape (M,): number of each plugged step among all steps of the window.
    buy, sell
        Shape (T,): price per battery-side kWh in each step of the window.
    known
        Shape (M,): in each plugged step, the first step of the window whose price is not published yet.
    day_steps
        Steps of a day.
    """

    at: Integers
    buy: Floats
    sell: Floats
    known: Integers
    day_steps: int = 96


def published(at: Integers, start_s: int, step_s: int, steps: int) -> Integers:
    """Return the first step without a published price, seen from each step ``at``, shape (M,).

    Until :data:`PUBLISHED_HOUR_UTC` prices reach to the next midnight (UTC), from then on a day farther.
    """
    now = start_s + at * step_s
    midnight = now - now % _DAY_S
    days = np.where(now - midnight >= PUBLISHED_HOUR_UTC * 3600, 2, 1)
    return np.asarray(np.minimum((midnight + days * _DAY_S - start_s) // step_s, steps))


def rolling(problem: DispatchProblem, outlook: Outlook, *, horizon_steps: int = 192) -> Plan:
    """Return the plan of a controller that plans anew in every step over the next ``horizon_steps``.

    Only the first step of each plan is carried out. Cost is booked at the true prices. Where steps are not
    convex (a least power, a cost of being active, wear by state of charge) plans are made on a grid of
    states, anew every hour; the method says so.

    Raises
    ------
    InputError
        There is no feasible plan, the horizon is shorter than a step, or discharged energy is capped over
        the year, which no plan over some hours can hold to.
    """
    steps = problem.drive_kwh.size
    if np.isfinite(problem.discharge_cap_kwh):
        raise InputError(
            "a rolling horizon with a cap on discharged energy",
            "a problem whose steps are not tied together over the year",
            "leave out what couples steps, or take perfect foresight",
        )
    if horizon_steps < 1 or outlook.at.shape != (steps,) or outlook.known.shape != (steps,):
        raise InputError(
            f"horizon of {horizon_steps} steps, outlook of {outlook.at.size} steps",
            f"at least 1 step, and an outlook of {steps}",
            "mend the horizon or the outlook",
        )
    hours = f"{horizon_steps * 24 / outlook.day_steps:g} h"
    if problem.needs_states:
        return _on_states(problem, outlook, horizon_steps, hours)
    need = np.empty(steps + 1)
    energy_needed(problem.drive_kwh, problem.charge_kwh, problem.low_kwh, problem.end_kwh, need)
    change = np.zeros(steps)
    done = _roll(
        problem.drive_kwh,
        problem.charge_kwh,
        problem.discharge_kwh,
        outlook.at,
        outlook.buy,
        outlook.sell,
        outlook.known,
        need,
        outlook.day_steps,
        horizon_steps,
        problem.low_kwh,
        problem.high_kwh,
        problem.start_kwh,
        change,
    )
    if not done:
        raise no_plan(problem)
    cost = float(np.where(change > 0, problem.buy, problem.sell) @ change)
    return Plan(cost, change, float(-change[change < 0].sum()), f"rolling horizon of {hours}", float("nan"))


def _on_states(problem: DispatchProblem, outlook: Outlook, horizon_steps: int, hours: str) -> Plan:
    wear = wear_of_states(problem, POINTS)
    change = roll_on_states(
        problem,
        outlook.at,
        outlook.buy,
        outlook.sell,
        outlook.known,
        outlook.day_steps,
        horizon_steps,
        wear,
    )
    if change is None:
        raise no_plan(problem)
    cost = float(np.where(change > 0, problem.buy, problem.sell) @ change)
    if problem.active_cost is not None:
        cost += float(problem.active_cost[change != 0].sum())
    after = problem.start_kwh + np.cumsum(change - problem.drive_kwh)
    states = np.linspace(problem.low_kwh, problem.high_kwh, POINTS)
    out = change < 0
    cost += float((np.interp(after - change, states, wear) - np.interp(after, states, wear))[out].sum())
    method = f"rolling horizon of {hours}, grid of {POINTS} states ({problem.needs_states})"
    return Plan(cost, change, float(-change[out].sum()), method, float("nan"))


@jit
def _forecast(known: int, step: int, day: int) -> int:
    """Return the last step before ``known`` at the same time of day as ``step``."""
    while step >= known:  # a horizon is a few days long
        step -= day
    return step if step >= 0 else max(known - 1, 0)


@jit
def _roll(
    drive: Floats,
    charge: Floats,
    discharge: Floats,
    at: Integers,
    buy: Floats,
    sell: Floats,
    known: Integers,
    need: Floats,
    day: int,
    horizon: int,
    low_kwh: float,
    high_kwh: float,
    start_kwh: float,
    change: Floats,
) -> bool:
    """Fill ``change``; return whether every plan existed. ``need`` (M + 1,) is the least energy that suffices
    before each drive, and at the end.
    """
    steps = drive.size
    room = min(horizon, steps)
    buys, sells = np.empty(room), np.empty(room)
    charge_to, discharge_to = np.empty(room), np.empty(room)
    mode: Modes = np.empty(room, np.int8)
    segments = room_for(room)
    energy, last = start_kwh, 0
    for i in range(steps):
        if charge[i] == 0.0 and discharge[i] == 0.0:
            energy -= drive[i]
            if energy < low_kwh - TOLERANCE_KWH:
                return False
            continue
        last = max(last, i)
        while last < steps and at[last] < at[i] + horizon:
            last += 1
        count = last - i
        mean = 0.0
        for j in range(count):
            seen = _forecast(known[i], at[i + j], day)
            buys[j], sells[j] = buy[seen], sell[seen]
            both = charge[i + j] > 0.0 and discharge[i + j] > 0.0 and sells[j] > buys[j]
            mode[j] = RELAXED if both else NORMAL
            mean += buys[j]
        cost = backward(
            drive[i:last],
            charge[i:last],
            discharge[i:last],
            buys[:count],
            sells[:count],
            mode[:count],
            low_kwh,
            high_kwh,
            max(need[last], low_kwh),
            0.0 if last == steps else max(mean / count, 0.0),
            energy,
            charge_to[:count],
            discharge_to[:count],
            segments,
        )
        if np.isnan(cost):
            return False
        energy -= drive[i]
        if energy < charge_to[0]:
            change[i] = min(charge[i], charge_to[0] - energy)
        elif energy > discharge_to[0]:
            change[i] = -min(discharge[i], energy - discharge_to[0])
        energy = min(max(energy + change[i], low_kwh), high_kwh)
    return True
