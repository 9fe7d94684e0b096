"""The same dispatch problem for HiGHS, stated with the energy after each step as variables of its own."""

import numpy as np
import scipy.sparse as sp
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

from v2glab.barriers import DispatchProblem


class Peer:
    """Columns: energy in (M), energy out (M), energy held after each step (M)."""

    def __init__(self, problem: DispatchProblem) -> None:
        self.problem, steps = problem, problem.drive_kwh.size
        self.steps, self.bound = steps, float("nan")
        eye = sp.identity(steps, format="csr")
        self.balance = sp.hstack([-eye, eye, eye - sp.eye(steps, k=-1)], format="csc")
        self.right = -problem.drive_kwh.copy()
        self.right[0] += problem.start_kwh
        floor = np.full(steps, problem.low_kwh)
        # The battery holds the floor right after a drive too.
        floor[:-1] += problem.drive_kwh[1:]
        floor[-1] = max(problem.end_kwh, problem.low_kwh)
        self.lower = np.concatenate([np.zeros(2 * steps), floor])
        self.upper = np.concatenate(
            [problem.charge_kwh, problem.discharge_kwh, np.full(steps, problem.high_kwh)]
        )
        self.cost = np.concatenate([problem.buy, -problem.sell, np.zeros(steps)])
        # Nothing may flow in before the first drive, so the start has to bear it alone.
        self.possible = problem.start_kwh - problem.drive_kwh[0] >= problem.low_kwh - 1e-9 and bool(
            (self.lower <= self.upper + 1e-9).all()
        )
        self.cap = sp.csr_matrix(np.repeat([0.0, 1.0, 0.0], steps))

    def linear(self) -> float | None:
        """Least cost by the dual simplex, ``None`` when there is no plan."""
        if not self.possible:
            return None
        capped = np.isfinite(self.problem.discharge_cap_kwh)
        answer = linprog(
            self.cost,
            A_eq=self.balance,
            b_eq=self.right,
            A_ub=self.cap if capped else None,
            b_ub=[self.problem.discharge_cap_kwh] if capped else None,
            bounds=np.column_stack([self.lower, np.maximum(self.lower, self.upper)]),
            method="highs-ds",
            options={"dual_feasibility_tolerance": 1e-10, "primal_feasibility_tolerance": 1e-10},
        )
        return None if answer.status == 2 else float(answer.fun)

    def integer(self, gap: float = 0.0) -> float | None:
        """Least cost when each step charges, discharges or idles, between its least and its most."""
        if not self.possible:
            return None
        problem, steps = self.problem, self.steps
        eye, none = sp.identity(steps, format="csr"), sp.csr_matrix((steps, steps))
        zero, one = np.zeros(steps), np.ones(steps)
        least = [zero if a is None else a for a in (problem.charge_least_kwh, problem.discharge_least_kwh)]
        rows = [
            ([self.balance, none, none], self.right, self.right),
            ([eye, none, none, sp.diags(-problem.charge_kwh), none], -np.inf, zero),
            ([eye, none, none, sp.diags(-least[0]), none], zero, np.inf),
            ([none, eye, none, none, sp.diags(-problem.discharge_kwh)], -np.inf, zero),
            ([none, eye, none, none, sp.diags(-least[1])], zero, np.inf),
            ([none, none, none, eye, eye], -np.inf, one),
        ]
        constraints = [LinearConstraint(sp.hstack(row, format="csc"), low, top) for row, low, top in rows]
        if np.isfinite(problem.discharge_cap_kwh):
            cap = sp.hstack([self.cap, sp.csr_matrix((1, 2 * steps))], format="csc")
            constraints.append(LinearConstraint(cap, -np.inf, problem.discharge_cap_kwh))
        active = zero if problem.active_cost is None else problem.active_cost
        answer = milp(
            np.concatenate([self.cost, active, active]),
            constraints=constraints,
            bounds=Bounds(np.append(self.lower, [0.0] * 2 * steps), np.append(self.upper, [1.0] * 2 * steps)),
            integrality=np.concatenate([np.zeros(3 * steps), np.ones(2 * steps)]),
            options={"mip_rel_gap": gap},
        )
        self.bound = float(answer.mip_dual_bound) if answer.status == 0 else float("nan")
        return None if answer.status == 2 else float(answer.fun)
