"""Choose the solver, certify feasibility first, and never book charge and discharge at once."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from v2glab.barriers import _kernel as kernel
from v2glab.barriers._grid import solve_grid
from v2glab.barriers._kernel import Floats, Modes
from v2glab.evidence import InputError

#: Nodes of the search over non-convex steps before the grid of states takes over.
MOST_NODES = 200
#: States of the fallback grid.
GRID_POINTS = 601
#: A change this close to a bound stands on it, kWh.
_ON_BOUND_KWH = 1e-7


@dataclass(frozen=True)
class DispatchProblem:
    """One vehicle over its plugged steps; energies battery-side in kWh, prices per battery-side kWh.

    Parameters
    ----------
    drive_kwh
        Shape (M,): energy that the road takes right before each step.
    charge_kwh, discharge_kwh
        Shape (M,): most energy into and out of the battery in each step.
    buy, sell
        Shape (M,): cost of one kWh into, revenue of one kWh out of the battery (wear already taken off).
    low_kwh, high_kwh, start_kwh, end_kwh
        Bounds of the energy, at the first arrival, and at least left at the end.
    discharge_cap_kwh
        Most energy out of the battery over all steps.
    charge_least_kwh, discharge_least_kwh
        Least energy of a step that is not idle (shape (M,)), or ``None``.
    """

    drive_kwh: Floats
    charge_kwh: Floats
    discharge_kwh: Floats
    buy: Floats
    sell: Floats
    low_kwh: float
    high_kwh: float
    start_kwh: float
    end_kwh: float
    discharge_cap_kwh: float = float("inf")
    charge_least_kwh: Floats | None = None
    discharge_least_kwh: Floats | None = None

    def __post_init__(self) -> None:
        arrays = (self.drive_kwh, self.charge_kwh, self.discharge_kwh, self.buy, self.sell)
        sizes = {a.shape for a in arrays}
        finite = all(bool(np.isfinite(a).all()) for a in arrays)
        positive = all(bool((a >= 0).all()) for a in arrays[:3])
        bounds = 0 <= self.low_kwh < self.high_kwh and self.end_kwh <= self.high_kwh
        if (
            len(sizes) != 1
            or not finite
            or not positive
            or not bounds
            or self.start_kwh > self.high_kwh + 1e-9
        ):
            raise InputError(
                f"dispatch problem with shapes {sorted(sizes)}, energy {self.low_kwh} … {self.high_kwh} kWh",
                "arrays of one length, finite, energies >= 0, start and end inside the bounds",
                "check vehicle, sessions and prices",
            )

    def without_discharge(self) -> DispatchProblem:
        """Return the same problem with charging only."""
        return replace(self, discharge_kwh=np.zeros_like(self.drive_kwh), discharge_cap_kwh=float("inf"))

    def simultaneous_pays(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Return the steps (M,) in which charging and discharging at once would earn: where convexity
        fails.
        """
        both = (self.charge_kwh > 0) & (self.discharge_kwh > 0)
        return np.asarray(both & (self.sell > self.buy))


@dataclass(frozen=True)
class Plan:
    """An optimum: cost in money, change of the battery per step (M,) in kWh, method, bound on the gap."""

    cost: float
    change_kwh: Floats
    discharged_kwh: float
    method: str
    gap: float = 0.0


def infeasible_step(problem: DispatchProblem) -> int | None:
    """Return the step before which the battery cannot hold enough, or ``None`` when a plan exists."""
    step = int(
        kernel.certificate(
            problem.drive_kwh,
            problem.charge_kwh,
            problem.low_kwh,
            problem.high_kwh,
            problem.end_kwh,
            problem.start_kwh,
        )
    )
    return None if step < 0 else step


def dispatch(problem: DispatchProblem) -> Plan:
    """Return the cheapest plan, exact wherever the problem can be split into convex ones.

    Raises
    ------
    InputError
        There is no feasible plan.
    """
    step = infeasible_step(problem)
    if step is not None:
        raise InputError(
            f"no plan: before plugged step {step} the battery cannot hold what the next drive needs",
            f"at most {problem.high_kwh - problem.low_kwh:g} kWh a drive, and time to charge it",
            "list the vehicle as infeasible, or give it a larger battery or charger",
        )
    if problem.charge_least_kwh is not None or problem.discharge_least_kwh is not None:
        return _on_grid(problem)
    plan = _split(problem)
    if plan is None:
        return _on_grid(problem)
    if plan.discharged_kwh <= problem.discharge_cap_kwh + _ON_BOUND_KWH:
        return plan
    return _capped(problem, plan)


def _convex(problem: DispatchProblem, mode: Modes) -> tuple[float, Floats]:
    """Solve with every step's cost convex or replaced by its envelope; NaN when a branch is infeasible."""
    steps = problem.drive_kwh.size
    charge_to, discharge_to, change = np.empty(steps), np.empty(steps), np.zeros(steps)
    cost = kernel.backward(
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
        charge_to,
        discharge_to,
    )
    if not np.isnan(cost):
        kernel.forward(
            problem.drive_kwh,
            problem.charge_kwh,
            problem.discharge_kwh,
            mode,
            problem.low_kwh,
            problem.high_kwh,
            problem.start_kwh,
            charge_to,
            discharge_to,
            change,
        )
    return float(cost), change


def _split(problem: DispatchProblem) -> Plan | None:
    """Branch on steps whose envelope was used inside; ``None`` when that takes too many nodes."""
    root = np.where(problem.simultaneous_pays(), kernel.RELAXED, kernel.NORMAL).astype(np.int8)
    best_cost, best_change, nodes = float("inf"), None, 0
    stack = [root]
    while stack:
        mode = stack.pop()
        nodes += 1
        if nodes > MOST_NODES:
            return None
        cost, change = _convex(problem, mode)
        if np.isnan(cost) or cost >= best_cost - 1e-12:
            continue
        inside = (
            (mode == kernel.RELAXED)
            & (change < problem.charge_kwh - _ON_BOUND_KWH)
            & (change > -problem.discharge_kwh + _ON_BOUND_KWH)
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
        return None
    method = "convex, exact" if nodes == 1 else f"split at non-convex steps, exact ({nodes} problems)"
    return Plan(best_cost, best_change, float(-best_change[best_change < 0].sum()), method)


def _capped(problem: DispatchProblem, free: Plan) -> Plan:
    """Price the cap on discharged energy by its multiplier: a one-dimensional dual, exact where convex.

    Each plan gives a line cost + λ·(discharged − cap) that bounds the dual from above; the next multiplier
    is where the two active lines cross (Kelley's cutting planes), which ends after finitely many plans.
    """
    cap = problem.discharge_cap_kwh
    idle = _split(problem.without_discharge())
    if idle is None:
        return _on_grid(problem)
    over, under = free, idle
    dual = under.cost
    for _ in range(100):
        spread = over.discharged_kwh - under.discharged_kwh
        if spread <= _ON_BOUND_KWH:
            break
        multiplier = (under.cost - over.cost) / spread
        dual = over.cost + multiplier * (over.discharged_kwh - cap)
        trial = _split(replace(problem, sell=problem.sell - multiplier, discharge_cap_kwh=float("inf")))
        if trial is None:
            return _on_grid(problem)
        true_cost = trial.cost - multiplier * trial.discharged_kwh
        # The line through both plans already touches the dual: their mix is the optimum.
        if trial.cost - multiplier * cap >= dual - 1e-9 * max(1.0, abs(dual)):
            break
        found = replace(trial, cost=true_cost)
        if trial.discharged_kwh > cap:
            over = found
        else:
            under = found
    share = 0.0
    if over.discharged_kwh > under.discharged_kwh:
        share = (cap - under.discharged_kwh) / (over.discharged_kwh - under.discharged_kwh)
    change = share * over.change_kwh + (1 - share) * under.change_kwh
    convex = not bool(problem.simultaneous_pays().any())
    # Where a step is not convex the mix need not be feasible: the better plan below the cap is booked
    # instead.
    if convex:
        return Plan(dual, change, cap, "convex with a multiplier on discharged energy, exact")
    return replace(under, method="multiplier on discharged energy, bound", gap=max(under.cost - dual, 0.0))


def _on_grid(problem: DispatchProblem) -> Plan:
    if np.isfinite(problem.discharge_cap_kwh):
        raise InputError(
            "a cap on discharged energy together with a problem that only a grid of states can solve",
            "one or the other",
            "leave out the cap or the minimum power",
        )
    zero = np.zeros_like(problem.drive_kwh)
    cost = float(
        solve_grid(
            problem.drive_kwh,
            problem.charge_kwh,
            problem.discharge_kwh,
            zero if problem.charge_least_kwh is None else problem.charge_least_kwh,
            zero if problem.discharge_least_kwh is None else problem.discharge_least_kwh,
            problem.buy,
            problem.sell,
            problem.low_kwh,
            problem.high_kwh,
            problem.end_kwh,
            problem.start_kwh,
            GRID_POINTS,
        )
    )
    if not np.isfinite(cost):
        raise InputError(
            "no plan on the grid of states",
            "a feasible problem",
            "list the vehicle as infeasible, or lower the minimum power",
        )
    return Plan(cost, zero, float("nan"), f"grid of {GRID_POINTS} states, not exact", float("nan"))
