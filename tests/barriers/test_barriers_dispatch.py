"""The dispatch against HiGHS, and its own rules."""

from dataclasses import replace

import numpy as np
import pytest
from highs_peer import Peer

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
    peer = Peer(problem)
    return peer.integer() if exclusive else peer.linear()


def booked(problem: DispatchProblem, change: np.ndarray) -> float:
    return float(np.where(change > 0, problem.buy * change, problem.sell * change).sum())


def test_equals_highs_on_random_instances_and_finds_every_infeasible_one() -> None:
    infeasible = 0
    for seed in range(1000):
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
    assert 100 < infeasible < 900


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
    assert plan.method == "grid of 2401 states (least power)"
    assert plan.cost - plan.gap <= 0.5  # the bound: half of that without the minimum


def least_power(seed: int, steps: int = 60) -> DispatchProblem:
    """11 kW chargers that give at least 6 A a phase, 4.14 kW, or nothing; a day of quarter-hours or less."""
    rng = np.random.default_rng(seed)
    plugged = np.where(rng.random(steps) < 0.8, 1.0, 0.0)
    charge, discharge = 2.75 * 0.93 * plugged, 2.75 / 0.93 * plugged
    price = np.round(rng.normal(0.25, 0.12, steps), 3)
    return DispatchProblem(
        drive_kwh=np.where(rng.random(steps) < 0.05, rng.uniform(1, 8, steps), 0.0),
        charge_kwh=charge,
        discharge_kwh=discharge,
        buy=(price + 0.02) / 0.93,
        sell=price * 0.93,
        low_kwh=3.0,
        high_kwh=25.0,
        start_kwh=20.0,
        end_kwh=20.0,
        charge_least_kwh=charge * 4.14 / 11,
        discharge_least_kwh=discharge * 4.14 / 11,
    )


def test_least_power_comes_close_to_the_integer_optimum_and_bounds_its_gap() -> None:
    compared = 0
    for seed in range(25):
        problem = least_power(seed)
        peer = highs(problem, exclusive=True)
        if peer is None:
            continue
        compared += 1
        plan = dispatch(problem)
        change = plan.change_kwh
        assert booked(problem, change) == pytest.approx(plan.cost, abs=1e-9)
        assert plan.cost >= peer - 1e-6  # a plan that exists costs at least the optimum
        assert plan.cost - plan.gap <= peer + 1e-6
        assert plan.cost == pytest.approx(peer, abs=2e-3 * (abs(problem.buy * problem.charge_kwh).sum()))
        for most, least, part in (
            (problem.charge_kwh, problem.charge_least_kwh, change),
            (problem.discharge_kwh, problem.discharge_least_kwh, -change),
        ):
            acts = part > 1e-9
            assert (part[acts] >= least[acts] - 1e-9).all()
            assert (part[acts] <= most[acts] + 1e-9).all()
    assert compared > 15


def test_a_cost_of_being_active_is_booked_by_the_step() -> None:
    compared = 0
    for seed in range(12):
        problem = replace(
            least_power(seed, 40),
            charge_least_kwh=None,
            discharge_least_kwh=None,
            active_cost=np.full(40, 0.08),
        )
        peer = highs(problem, exclusive=True)
        if peer is None:
            continue
        compared += 1
        plan = dispatch(problem)
        assert "cost of being active" in plan.method
        acts = np.count_nonzero(plan.change_kwh)
        assert booked(problem, plan.change_kwh) + 0.08 * acts == pytest.approx(plan.cost, abs=1e-9)
        assert peer - 1e-6 <= plan.cost <= peer + 0.02 * max(1.0, abs(peer))
    assert compared > 6


def test_wear_by_state_of_charge_solved_by_hand() -> None:
    # 10 kWh bought at 0.1 sell at 0.3. Below 5 kWh each kWh wears 0.35: only the upper half pays.
    problem = DispatchProblem(
        drive_kwh=np.zeros(2),
        charge_kwh=np.full(2, 10.0),
        discharge_kwh=np.full(2, 10.0),
        buy=np.array([0.1, 0.3]),
        sell=np.array([0.1, 0.3]),
        low_kwh=0.0,
        high_kwh=10.0,
        start_kwh=0.0,
        end_kwh=0.0,
        wear_curve=((0.0, 0.35), (5.0, 0.05)),
    )
    plan = dispatch(problem)
    # 10 kWh bought for 1.0, 5 of them sold for 1.5 and worn by 0.25; the others stay, bought in vain.
    assert plan.cost == pytest.approx(10 * 0.1 - 5 * 0.3 + 5 * 0.05)
    again = dispatch(replace(problem, wear_curve=((0.0, 0.05),)))
    assert again.cost == pytest.approx(-10 * 0.15)


def test_a_flat_wear_curve_is_throughput_wear() -> None:
    for seed in (1, 4, 9, 12):
        problem = random_problem(seed)
        if infeasible_step(problem) is not None:
            continue
        exact = dispatch(replace(problem, sell=problem.sell - 0.04))
        curve = dispatch(replace(problem, wear_curve=((0.0, 0.04),)))
        assert curve.cost >= exact.cost - 1e-9
        assert curve.cost == pytest.approx(exact.cost, rel=2e-3, abs=5e-3)


def test_absurd_problems_are_refused() -> None:
    good = random_problem(1)
    for wrong in ({"high_kwh": -1.0}, {"buy": good.buy * np.nan}, {"drive_kwh": good.drive_kwh[:-1]}):
        with pytest.raises(InputError):
            DispatchProblem(**{**good.__dict__, **wrong})
