"""The dispatch against HiGHS, and its own rules."""

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

from v2glab.barriers import DispatchProblem, dispatch, infeasible_step
from v2glab.evidence import InputError


def random_problem(seed: int, *, negative: bool = False, capped: bool = False) -> DispatchProblem:
    rng = np.random.default_rng(seed)
    steps = int(rng.integers(3, 90))
    # A small battery is often full or empty inside a step: there the envelope of a non-convex step is no
    # plan.
    high = float(rng.uniform(4, 15) if negative else rng.uniform(20, 90))
    low = float(rng.uniform(0, 0.3)) * high
    plugged = rng.random(steps)
    drive = np.where(
        rng.random(steps) < (0.04 if negative or capped else 0.12),
        rng.uniform(0, 0.6 * (high - low), steps),
        0.0,
    )
    price = np.round(rng.normal(0.05 if negative else 0.3, 0.1, steps), 3)
    if not negative:
        price = np.maximum(price, 0.01)
    efficiency_in, efficiency_out = rng.uniform(0.8, 1.0, 2)
    export = rng.choice([1.0, 0.9, 0.4])
    return DispatchProblem(
        drive_kwh=drive,
        charge_kwh=2.75 * plugged * efficiency_in,
        discharge_kwh=2.75 * plugged / efficiency_out * rng.choice([0.0, 0.5, 1.0]),
        buy=price / efficiency_in,
        sell=(price * export - 0.01) * efficiency_out,
        low_kwh=low,
        high_kwh=high,
        start_kwh=float(rng.uniform(low, high)),
        end_kwh=float(rng.uniform(low, high)),
        discharge_cap_kwh=float(rng.uniform(0, 4)) if capped else float("inf"),
    )


def highs(problem: DispatchProblem, *, exclusive: bool = False) -> float | None:
    """Cost by HiGHS: columns are charge (M) and discharge (M), and with ``exclusive`` a direction (M)."""
    steps = problem.drive_kwh.size
    lower = np.tril(np.ones((steps, steps)))
    driven = np.cumsum(problem.drive_kwh)
    floor = np.full(steps, problem.low_kwh)
    # The energy right after a drive must hold the floor too.
    before = lower - np.eye(steps)
    rows = [np.hstack([lower, -lower]), np.hstack([before, -before])]
    least = [floor - problem.start_kwh + driven, floor - problem.start_kwh + driven]
    most = [np.full(steps, problem.high_kwh) - problem.start_kwh + driven, np.full(steps, np.inf)]
    least[0][-1] = max(problem.end_kwh, problem.low_kwh) - problem.start_kwh + driven[-1]
    matrix, least_all, most_all = np.vstack(rows), np.concatenate(least), np.concatenate(most)
    cost = np.concatenate([problem.buy, -problem.sell])
    top = np.concatenate([problem.charge_kwh, problem.discharge_kwh])
    if np.isfinite(problem.discharge_cap_kwh):
        matrix = np.vstack([matrix, np.concatenate([np.zeros(steps), np.ones(steps)])])
        least_all = np.append(least_all, -np.inf)
        most_all = np.append(most_all, problem.discharge_cap_kwh)
    if not exclusive:
        finite = np.isfinite(most_all)
        answer = linprog(
            cost,
            A_ub=np.vstack([matrix[finite], -matrix[np.isfinite(least_all)]]),
            b_ub=np.concatenate([most_all[finite], -least_all[np.isfinite(least_all)]]),
            bounds=np.column_stack([np.zeros(2 * steps), top]),
            method="highs-ds",
            options={"dual_feasibility_tolerance": 1e-10, "primal_feasibility_tolerance": 1e-10},
        )
        return None if answer.status == 2 else float(answer.fun)
    wide = np.hstack([matrix, np.zeros((len(matrix), steps))])
    eye, zero = np.eye(steps), np.zeros((steps, steps))
    constraints = [
        LinearConstraint(wide, least_all, most_all),
        LinearConstraint(np.hstack([eye, zero, -np.diag(problem.charge_kwh)]), -np.inf, 0),
        LinearConstraint(
            np.hstack([zero, eye, np.diag(problem.discharge_kwh)]), -np.inf, problem.discharge_kwh
        ),
    ]
    answer = milp(
        np.concatenate([cost, np.zeros(steps)]),
        constraints=constraints,
        bounds=Bounds(np.zeros(3 * steps), np.concatenate([top, np.ones(steps)])),
        integrality=np.concatenate([np.zeros(2 * steps), np.ones(steps)]),
        options={"mip_rel_gap": 0.0},
    )
    return None if answer.status == 2 else float(answer.fun)


def booked(problem: DispatchProblem, change: np.ndarray) -> float:
    return float(np.where(change > 0, problem.buy * change, problem.sell * change).sum())


def test_equals_highs_on_random_instances_and_finds_every_infeasible_one() -> None:
    infeasible = 0
    for seed in range(300):
        problem = random_problem(seed)
        assert not problem.simultaneous_pays().any()
        peer = highs(problem)
        if peer is None:
            infeasible += 1
            assert infeasible_step(problem) is not None
            with pytest.raises(InputError, match="no plan"):
                dispatch(problem)
            continue
        plan = dispatch(problem)
        assert plan.method == "convex, exact"
        assert plan.cost == pytest.approx(peer, rel=1e-9, abs=1e-9)
        assert booked(problem, plan.change_kwh) == pytest.approx(plan.cost, rel=1e-9, abs=1e-9)
    assert 20 < infeasible < 280


@pytest.mark.parametrize("seed", range(60))
def test_plan_keeps_every_bound(seed: int) -> None:
    problem = random_problem(seed)
    if infeasible_step(problem) is not None:
        return
    change = dispatch(problem).change_kwh
    after = problem.start_kwh + np.cumsum(change - problem.drive_kwh)
    assert after.max() <= problem.high_kwh + 1e-7
    assert (after - change).min() >= problem.low_kwh - 1e-7 or problem.start_kwh < problem.low_kwh
    assert after.min() >= problem.low_kwh - 1e-7
    assert after[-1] >= problem.end_kwh - 1e-7
    assert (change <= problem.charge_kwh + 1e-9).all()
    assert (-change <= problem.discharge_kwh + 1e-9).all()


def test_negative_prices_are_never_earned_by_charging_and_discharging_at_once() -> None:
    split = 0
    for seed in range(60):
        problem = random_problem(seed, negative=True)
        peer = highs(problem, exclusive=True)
        if peer is None:
            assert infeasible_step(problem) is not None
            continue
        plan = dispatch(problem)
        split += plan.method.startswith("split")
        if "grid" not in plan.method:
            assert plan.cost == pytest.approx(peer, rel=1e-6, abs=1e-6)
            assert booked(problem, plan.change_kwh) == pytest.approx(plan.cost, rel=1e-9, abs=1e-7)
        else:
            assert plan.cost == pytest.approx(peer, rel=5e-2, abs=5e-2)
    assert split > 5


def test_cap_on_discharged_energy_equals_highs() -> None:
    bound = 0
    for seed in range(150):
        problem = random_problem(seed, capped=True)
        peer = highs(problem)
        if peer is None:
            continue
        plan = dispatch(problem)
        bound += "multiplier" in plan.method
        assert plan.cost == pytest.approx(peer, rel=1e-9, abs=1e-8)
        assert plan.discharged_kwh <= problem.discharge_cap_kwh + 1e-6
        assert booked(problem, plan.change_kwh) == pytest.approx(plan.cost, rel=1e-8, abs=1e-7)
    assert bound > 20


def test_hand_solved_two_prices() -> None:
    # Ten kWh bought at 0.1, sold at 0.3; the last step refills the 5 kWh that must be left, at 0.2.
    problem = DispatchProblem(
        drive_kwh=np.zeros(3),
        charge_kwh=np.full(3, 10.0),
        discharge_kwh=np.full(3, 10.0),
        buy=np.array([0.1, 0.3, 0.2]),
        sell=np.array([0.1, 0.3, 0.2]),
        low_kwh=0.0,
        high_kwh=10.0,
        start_kwh=0.0,
        end_kwh=5.0,
    )
    plan = dispatch(problem)
    assert plan.cost == pytest.approx(10 * 0.1 - 10 * 0.3 + 5 * 0.2)
    assert plan.change_kwh.tolist() == [10.0, -10.0, 5.0]


def test_minimum_power_leaves_a_small_need_no_choice_but_the_minimum() -> None:
    # 1 kWh is missing; a step that is not idle charges at least 2 kWh: it costs twice as much.
    problem = DispatchProblem(
        drive_kwh=np.zeros(1),
        charge_kwh=np.array([4.0]),
        discharge_kwh=np.zeros(1),
        buy=np.array([0.5]),
        sell=np.zeros(1),
        low_kwh=0.0,
        high_kwh=6.0,
        start_kwh=3.0,
        end_kwh=4.0,
        charge_least_kwh=np.array([2.0]),
    )
    plan = dispatch(problem)
    assert plan.cost == pytest.approx(1.0)
    assert "not exact" in plan.method


def test_grid_of_states_comes_close_to_the_exact_optimum() -> None:
    for seed in (1, 4, 9, 12):
        problem = random_problem(seed)
        if infeasible_step(problem) is not None:
            continue
        zero = np.zeros_like(problem.drive_kwh)
        from dataclasses import replace

        exact = dispatch(problem).cost
        grid = dispatch(replace(problem, charge_least_kwh=zero)).cost
        assert grid == pytest.approx(exact, rel=1e-2, abs=2e-2)


def test_absurd_problems_are_refused() -> None:
    good = random_problem(1)
    for wrong in ({"high_kwh": -1.0}, {"buy": good.buy * np.nan}, {"drive_kwh": good.drive_kwh[:-1]}):
        with pytest.raises(InputError):
            DispatchProblem(**{**good.__dict__, **wrong})
