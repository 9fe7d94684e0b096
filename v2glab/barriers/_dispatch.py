"""Choose the solver, and never book charge and discharge at once."""

from __future__ import annotations

from dataclasses import replace

from v2glab.barriers._dispatch_problem import DispatchProblem, Plan, infeasible_step
from v2glab.barriers._exact import ON_BOUND_KWH, split
from v2glab.barriers._states import on_states

__all__ = ["DispatchProblem", "Plan", "dispatch", "infeasible_step"]

#: Plans that the search for the multiplier of a cap may take.
_MOST_PLANS = 100


def dispatch(problem: DispatchProblem) -> Plan:
    """Return the cheapest plan; its method says how it was found, and its gap how far from the optimum.

    Exact where the problem is convex or can be split into convex ones; on a grid of states elsewhere. A cap
    on discharged energy is priced by a multiplier.

    Raises
    ------
    InputError
        There is no feasible plan.
    """
    plan = _uncapped(problem)
    if plan.discharged_kwh <= problem.discharge_cap_kwh + ON_BOUND_KWH:
        return plan
    return _capped(problem, plan)


def _uncapped(problem: DispatchProblem) -> Plan:
    reason = problem.needs_states
    if not reason:
        plan = split(problem)
        if plan is not None:
            return plan
        reason = "charging and discharging at once would pay"
    plan = on_states(problem)
    return replace(plan, method=f"{plan.method} ({reason})")


def _capped(problem: DispatchProblem, free: Plan) -> Plan:
    """Price the cap on discharged energy by its multiplier: a one-dimensional dual, exact where convex.

    Each plan gives a line cost + λ·(discharged − cap) that bounds the dual from above; the next multiplier
    is where the two active lines cross (Kelley's cutting planes), which ends after finitely many plans.
    """
    cap = problem.discharge_cap_kwh
    over, under = free, _uncapped(problem.without_discharge())
    dual, slack = under.cost, 0.0
    for _ in range(_MOST_PLANS):
        spread = over.discharged_kwh - under.discharged_kwh
        if spread <= ON_BOUND_KWH:
            break
        multiplier = (under.cost - over.cost) / spread
        dual = over.cost + multiplier * (over.discharged_kwh - cap)
        trial = _uncapped(replace(problem, sell=problem.sell - multiplier, discharge_cap_kwh=float("inf")))
        slack = trial.gap
        # The line through both plans already touches the dual: their mix is the optimum.
        if trial.cost - multiplier * cap >= dual - 1e-9 * max(1.0, abs(dual)):
            break
        found = replace(trial, cost=trial.cost - multiplier * trial.discharged_kwh)
        if trial.discharged_kwh > cap:
            over = found
        else:
            under = found
    if not problem.needs_states and not bool(problem.simultaneous_pays().any()):
        spread = over.discharged_kwh - under.discharged_kwh
        share = (cap - under.discharged_kwh) / spread if spread > 0 else 0.0
        change = share * over.change_kwh + (1 - share) * under.change_kwh
        return Plan(dual, change, cap, "convex with a multiplier on discharged energy, exact")
    # Where a step is not convex the mix need not be feasible: the better plan below the cap is booked.
    return replace(
        under,
        method=f"{under.method}, multiplier on discharged energy",
        gap=max(under.cost - dual, 0.0) + slack,
    )
