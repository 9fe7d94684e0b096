"""One vehicle-year whose steps hang together: tiers, demand charges, net metering, services that stack.

Solved by HiGHS over blocks of alike steps. What may not happen at once (charging and discharging, import and
export) is forbidden where a plan did it, and solved again, until no plan does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2glab.barriers._dispatch_problem import no_plan
from v2glab.barriers._joint_bill import Pair
from v2glab.barriers._joint_problem import JointProblem, booked
from v2glab.barriers._joint_rows import Program
from v2glab.barriers._rows import Rows
from v2glab.barriers._segments import Floats
from v2glab.evidence import InputError

#: Both at once above this is not rounding, kWh.
_AT_ONCE_KWH = 1e-6
#: Rounds in which what happened at once is forbidden, and nodes of each search.
_MOST_ROUNDS, _MOST_NODES = 12, 200
#: So few pairs are all forbidden once one is at fault: what is barred in one month comes up in the next.
_FEW_PAIRS = 100
#: Gap with which a search may end that found nothing within its nodes.
_COARSE_GAP = 0.01
#: A gap below this share of the cost is rounding.
_ROUNDING = 1e-8


@dataclass(frozen=True)
class JointPlan:
    """The best plan found: money, change of the battery and power that stands ready in each block (B,).

    ``cost`` is booked on the schedule itself, by the true bill; ``gap`` is the most that a better plan could
    save. ``given_kwh`` is what the vehicle delivers at the meter, called energy included.
    """

    cost: float
    change_kwh: Floats
    standing_kw: Floats
    given_kwh: float
    method: str
    gap: float


def solve_joint(joint: JointProblem, relative_gap: float = 2e-4) -> JointPlan:
    """Return the cheapest plan.

    Raises
    ------
    InputError
        There is no feasible plan, the vehicle's wear depends on its state of charge, or the rate ties steps
        together in a way that has no rows.
    """
    if joint.problem.wear_curve:
        raise InputError(
            "wear by state of charge beside terms or services that tie steps together",
            "wear by throughput",
            "leave the wear curve out, or take prices that stand alone in each step",
        )
    program = Program(joint)
    pairs = [pair for pair in program.pairs if not pair.pays]
    for pair in program.pairs:
        if pair.pays:
            _forbid(program.rows, pair, np.ones(pair.first.size, np.bool_))
    for round_number in range(_MOST_ROUNDS):
        answer = program.rows.solve(relative_gap, _MOST_NODES)
        if answer is None:  # perhaps none was found in so few nodes
            answer = program.rows.solve(_COARSE_GAP, 100 * _MOST_NODES)
        if answer is None:
            raise no_plan(joint.problem)
        x, _, bound = answer
        wrong = [_at_once(pair, x) for pair in pairs]
        if not any(which.any() for which in wrong):
            return _plan(joint, program, x, bound)
        last = round_number >= _MOST_ROUNDS - 2  # the last round forbids it everywhere
        for number, found in enumerate(wrong):
            whole = last or (found.any() and found.size <= _FEW_PAIRS)
            which = np.ones(found.size, np.bool_) if whole else found
            if which.any():
                _forbid(program.rows, pairs[number], which)
                pairs[number] = _kept(pairs[number], ~which)
    raise InputError(
        f"charging and discharging at once in every plan of {_MOST_ROUNDS}",
        "a plan that does one at a time",
        "report this rate: the search should have ended",
    )


def _at_once(pair: Pair, x: Floats) -> NDArray[np.bool_]:
    return np.asarray((x[pair.first] > _AT_ONCE_KWH) & (x[pair.second] > _AT_ONCE_KWH))


def _kept(pair: Pair, which: NDArray[np.bool_]) -> Pair:
    return Pair(pair.first[which], pair.second[which], pair.first_most[which], pair.second_most[which])


def _forbid(rows: Rows, pair: Pair, which: NDArray[np.bool_]) -> None:
    """Allow only one of the two columns of each chosen pair."""
    some = _kept(pair, which)
    none = np.zeros(some.first.size)
    one = rows.columns(none, np.ones(none.size), none, whole=True)
    first = rows.new(np.full(none.size, -np.inf), none)
    rows.put(first, some.first, 1.0)
    rows.put(first, one, -some.first_most)
    second = rows.new(np.full(none.size, -np.inf), some.second_most)
    rows.put(second, some.second, 1.0)
    rows.put(second, one, some.second_most)


def _plan(joint: JointProblem, program: Program, x: Floats, bound: float) -> JointPlan:
    """Book the plan on its schedule: the true bill, whatever the program's rows left to bounds."""
    into, out = x[program.own.into], x[program.own.out]
    into, out = np.where(into > out, into, 0.0), np.where(out >= into, out, 0.0)
    standing = np.zeros(into.size) if program.part is None else x[program.part]
    cost, given_kwh = booked(joint, into, out, standing)
    whole = bool(program.rows.whole.any())
    method = "HiGHS, mixed-integer" if whole else "HiGHS, linear"
    gap = cost - bound - program.constant
    if gap <= _ROUNDING * max(1.0, abs(cost)):
        gap = 0.0
    return JointPlan(cost, into - out, standing, given_kwh, method, gap)
