"""Choose the solver, and never book charge and discharge at once."""

from __future__ import annotations

from dataclasses import replace

from v2glab.barriers._dispatch_problem import DispatchProblem, Plan, infeasible_step
from v2glab.barriers._exact import ON_BOUND_KWH, split
from v2glab.barriers._states import on_states

__all__ = ["DispatchProblem", "Plan", "dispatch", "infeasible_step"]

#: Plans that the search for the multiplier of a cap may take.
_MOST_PLANS = 100
#: Of these, how many may follow the energies before the lines decide.
_MOST_SECANTS = 4
#: Multipliers to try around one that a similar problem had.
_AROUND = (1.0, 1.004, 0.996, 1.04, 0.96)


def dispatch(problem: DispatchProblem, multiplier: float = 0.0) -> Plan:
    """Return the cheapest plan; its method says how it was found, and its gap how far from the optimum.

    Exact where the problem is convex or can be split into convex ones; on a grid of states elsewhere. A cap
    on discharged energy is priced by a multiplier.

    Parameters
    ----------
    multiplier
        Where to begin the search for that, such as the one that a similar problem had.

    Raises
    ------
    InputError
        There is no feasible plan.
    """
    cap = problem.discharge_cap_kwh
    if multiplier > 0 and cap < float("inf"):
        pair = _around(problem, multiplier)
        if pair is not None:
            return _capped(problem, *pair, _MOST_SECANTS)
    plan = _uncapped(problem)
    if plan.discharged_kwh <= cap + ON_BOUND_KWH:
        return plan
    return _capped(problem, plan, _uncapped(problem.without_discharge()), 0)


def _uncapped(problem: DispatchProblem) -> Plan:
    reason = problem.needs_states
    if not reason:
        plan = split(problem)
        if plan is not None:
            return plan
        reason = "charging and discharging at once would pay"
    plan = on_states(problem)
    return replace(plan, method=f"{plan.method} ({reason})")


def _priced(problem: DispatchProblem, multiplier: float) -> Plan:
    """Return the plan with each kWh out of the battery dearer by ``multiplier``, at its own cost."""
    plan = _uncapped(problem.repriced(multiplier))
    return replace(plan, cost=plan.cost - multiplier * plan.discharged_kwh, multiplier=multiplier)


def _around(problem: DispatchProblem, multiplier: float) -> tuple[Plan, Plan] | None:
    """Return plans above and below the cap with multipliers close to the given one, or ``None``."""
    over = under = None
    for factor in _AROUND:
        if (factor > 1 and over is None) or (factor < 1 and under is None):
            continue
        plan = _priced(problem, multiplier * factor)
        if plan.discharged_kwh > problem.discharge_cap_kwh:
            over = plan
        else:
            under = plan
        if over is not None and under is not None:
            return over, under
    return None


def _capped(problem: DispatchProblem, over: Plan, under: Plan, attempt: int) -> Plan:
    """Price the cap on discharged energy by its multiplier: a one-dimensional dual, exact where convex.

    Each plan gives a line cost + λ·(discharged − cap) that bounds the dual from above; the next multiplier
    is where the lines of two plans, over and under the cap, cross (Kelley's cutting planes), which ends after
    finitely many plans.
    """
    cap = problem.discharge_cap_kwh
    dual, slack = under.cost, 0.0
    multiplier = under.multiplier
    for number in range(attempt, attempt + _MOST_PLANS):
        spread = over.discharged_kwh - under.discharged_kwh
        if spread <= ON_BOUND_KWH:
            break
        crossing = (under.cost - over.cost) / spread
        dual = over.cost + crossing * (over.discharged_kwh - cap)
        # While plans are far apart the energy falls about evenly as the multiplier rises.
        guess = _secant(over, under, cap) if number < _MOST_SECANTS else 0.0
        multiplier = guess or crossing
        found = _priced(problem, multiplier)
        slack = found.gap
        # The line through both plans already touches the dual: their mix is the optimum.
        reached = found.cost + multiplier * (found.discharged_kwh - cap)
        if not guess and reached >= dual - 1e-9 * max(1.0, abs(dual)):
            break
        if found.discharged_kwh > cap:
            over = found
        else:
            under = found
    if not problem.needs_states and not bool(problem.simultaneous_pays().any()):
        spread = over.discharged_kwh - under.discharged_kwh
        share = (cap - under.discharged_kwh) / spread if spread > 0 else 0.0
        change = share * over.change_kwh + (1 - share) * under.change_kwh
        method = "convex with a multiplier on discharged energy, exact"
        return Plan(dual, change, cap, method, multiplier=multiplier)
    # Where a step is not convex the mix need not be feasible: the better plan below the cap is booked.
    return replace(
        under,
        method=f"{under.method}, multiplier on discharged energy",
        gap=max(under.cost - dual, 0.0) + slack,
        multiplier=multiplier,
    )


def _secant(over: Plan, under: Plan, cap: float) -> float:
    """Return a multiplier between those of two plans, by their energies; 0 where one has none."""
    if under.multiplier == 0.0:
        return 0.0
    share = (over.discharged_kwh - cap) / (over.discharged_kwh - under.discharged_kwh)
    return over.multiplier + share * (under.multiplier - over.multiplier)
