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
_MOST_SECANTS = 5


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
    plan = _uncapped(problem)
    if plan.discharged_kwh <= problem.discharge_cap_kwh + ON_BOUND_KWH:
        return plan
    return _capped(problem, plan, multiplier)


def _uncapped(problem: DispatchProblem) -> Plan:
    reason = problem.needs_states
    if not reason:
        plan = split(problem)
        if plan is not None:
            return plan
        reason = "charging and discharging at once would pay"
    plan = on_states(problem)
    return replace(plan, method=f"{plan.method} ({reason})")


def _capped(problem: DispatchProblem, free: Plan, multiplier: float) -> Plan:
    """Price the cap on discharged energy by its multiplier: a one-dimensional dual, exact where convex.

    Each plan gives a line cost + λ·(discharged − cap) that bounds the dual from above; the next multiplier
    is where the two active lines cross (Kelley's cutting planes), which ends after finitely many plans.
    """
    cap = problem.discharge_cap_kwh
    over, under = free, _uncapped(problem.without_discharge())
    dual, slack = under.cost, 0.0
    guesses = _guesses(multiplier)
    for attempt in range(_MOST_PLANS):
        spread = over.discharged_kwh - under.discharged_kwh
        if spread <= ON_BOUND_KWH:
            break
        crossing = (under.cost - over.cost) / spread
        dual = over.cost + crossing * (over.discharged_kwh - cap)
        # Near the optimum the energy falls about evenly as the multiplier rises.
        guess = guesses.pop(0) if guesses else _secant(over, under, cap, attempt)
        multiplier = guess or crossing
        trial = _uncapped(problem.repriced(multiplier))
        slack = trial.gap
        # The line through both plans already touches the dual: their mix is the optimum.
        if not guess and trial.cost - multiplier * cap >= dual - 1e-9 * max(1.0, abs(dual)):
            break
        found = replace(trial, cost=trial.cost - multiplier * trial.discharged_kwh, multiplier=multiplier)
        if trial.discharged_kwh > cap:
            over = found
            guesses = [g for g in guesses if g > multiplier]
        else:
            under = found
            guesses = [g for g in guesses if 0 < g < multiplier]
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


def _guesses(multiplier: float) -> list[float]:
    """Return multipliers around an earlier one, nearest first: they bracket one that is close to it."""
    return [multiplier * factor for factor in (1.0, 1.03, 0.97, 1.2, 0.8)] if multiplier > 0 else []


def _secant(over: Plan, under: Plan, cap: float, attempt: int) -> float:
    """Return a multiplier between those of two plans, by their energies; 0 where that is no help any more."""
    if attempt > _MOST_SECANTS or under.multiplier == 0.0:
        return 0.0
    share = (over.discharged_kwh - cap) / (over.discharged_kwh - under.discharged_kwh)
    return over.multiplier + share * (under.multiplier - over.multiplier)
