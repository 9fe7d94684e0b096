"""What couples steps or vehicles, and what several services earn together."""

from dataclasses import replace

import numpy as np
import pytest

from v2glab.barriers import (
    DemandCharge,
    DispatchProblem,
    Member,
    ReserveProduct,
    behind_meter,
    called_energy,
    dispatch,
    dispatch_coupled,
    infeasible_step,
    joined,
)
from v2glab.evidence import InputError
from v2glab.gridcodes import droop_power_pu


def car(
    price: np.ndarray, *, kw: float = 10.0, drive: np.ndarray | None = None, **more: object
) -> DispatchProblem:
    steps = price.size
    values: dict[str, object] = {
        "drive_kwh": np.zeros(steps) if drive is None else drive,
        "charge_kwh": np.full(steps, kw / 4),
        "discharge_kwh": np.full(steps, kw / 4),
        "buy": price,
        "sell": price - 0.02,
        "low_kwh": 0.0,
        "high_kwh": 40.0,
        "start_kwh": 20.0,
        "end_kwh": 20.0,
    }
    return DispatchProblem(**(values | more))  # type: ignore[arg-type]


def member(problem: DispatchProblem) -> Member:
    return Member(problem, np.arange(problem.drive_kwh.size), 1.0, 1.0)


def no_charge(steps: int) -> DemandCharge:
    return DemandCharge(np.zeros(steps, np.int64), np.zeros(1), np.zeros(steps))


@pytest.mark.parametrize("seed", range(12))
def test_without_coupling_it_is_the_dispatch(seed: int) -> None:
    rng = np.random.default_rng(seed)
    price = rng.normal(0.2, 0.15, 40)  # negative ones among them, where both ways at once would pay
    problem = car(price, drive=np.where(rng.random(40) < 0.1, 6.0, 0.0), charge_kwh=np.full(40, 2.5))
    problem = replace(problem, sell=price * 0.9, buy=price / 0.9)
    if infeasible_step(problem) is not None:
        with pytest.raises(InputError, match="no plan"):
            dispatch_coupled([member(problem)], 0.25)
        return
    plan = dispatch_coupled([member(problem)], 0.25, relative_gap=1e-9)
    assert plan.cost == pytest.approx(dispatch(problem).cost, abs=1e-6)
    assert plan.method == ("HiGHS, mixed-integer" if (price < 0).any() else "HiGHS, linear")
    assert (np.abs(plan.change_kwh[0]) <= 2.5 + 1e-7).all()


def test_a_demand_charge_is_the_best_peak_of_all() -> None:
    rng = np.random.default_rng(4)
    price = np.round(rng.uniform(0.1, 0.4, 48), 2)
    problem = car(price, drive=np.where(np.arange(48) == 20, 15.0, 0.0))
    demand = DemandCharge(np.zeros(48, np.int64), np.array([0.9]), np.zeros(48))
    plan = dispatch_coupled([member(problem)], 0.25, demand=demand)
    # Independent: bound the power of charging, dispatch exactly, add the charge; the best bound wins.
    costs = [
        dispatch(replace(problem, charge_kwh=np.full(48, peak))).cost + 0.9 * peak
        for peak in np.linspace(0.05, 2.5, 2451)
        if infeasible_step(replace(problem, charge_kwh=np.full(48, peak))) is None
    ]
    assert plan.cost == pytest.approx(min(costs), abs=2e-3)
    assert plan.cost <= min(costs) + 1e-9
    assert plan.peak_kwh[0] == pytest.approx(plan.change_kwh[0].max(), abs=1e-7)
    free = dispatch_coupled([member(problem)], 0.25, demand=no_charge(48))
    assert free.cost == pytest.approx(dispatch(problem).cost)


def test_discharging_shaves_the_peak_of_a_building() -> None:
    # The building takes 5 kWh in one step; the car shaves 2.5 of them, and recharges where nothing is taken.
    base = np.array([0.0, 5.0, 0.0, 0.0])
    problem = replace(car(np.full(4, 0.2)), sell=np.full(4, 0.2))
    plan = dispatch_coupled(
        [member(problem)], 0.25, demand=DemandCharge(np.zeros(4, np.int64), np.array([3.0]), base)
    )
    assert plan.peak_kwh[0] == pytest.approx(2.5)
    assert plan.cost == pytest.approx(2.5 * 3.0)
    two = DemandCharge(np.array([0, 0, 1, 1]), np.array([3.0, 3.0]), base)
    assert dispatch_coupled([member(problem)], 0.25, demand=two).peak_kwh[0] == pytest.approx(2.5)


def test_a_least_bid_needs_enough_vehicles() -> None:
    steps = 16
    fleet = [member(car(np.full(steps, 0.2), charge_kwh=np.zeros(steps))) for _ in range(3)]
    block = np.zeros(steps, np.int64)
    # 3 cars of 10 kW, each 20 kWh full: 30 kW can stand ready for an hour. Energy may flow, at a loss.
    product = ReserveProduct(block, np.array([1.0]), unit_kw=25.0, least_kw=25.0, duration_h=1.0)
    assert dispatch_coupled(fleet, 0.25, reserve=product).bid_kw[0] == pytest.approx(25.0)
    assert dispatch_coupled(fleet[:2], 0.25, reserve=product).bid_kw[0] == 0.0
    free = replace(product, unit_kw=0.0, least_kw=0.0)
    assert dispatch_coupled(fleet[:2], 0.25, reserve=free).bid_kw[0] == pytest.approx(20.0)


def test_a_symmetric_bid_needs_room_as_well_as_energy() -> None:
    steps = 4
    steady = {"start_kwh": 38.0, "end_kwh": 38.0, "buy": np.full(steps, 10.0), "sell": np.zeros(steps)}
    nearly_full = car(np.full(steps, 0.2), **steady)
    one_way = ReserveProduct(np.zeros(steps, np.int64), np.array([1.0]), duration_h=1.0)
    both = replace(one_way, symmetric=True)
    assert dispatch_coupled([member(nearly_full)], 0.25, reserve=one_way).bid_kw[0] == pytest.approx(10.0)
    # At the end 38 kWh must be there: 2 kWh of room for an hour are 2 kW.
    assert dispatch_coupled([member(nearly_full)], 0.25, reserve=both).bid_kw[0] == pytest.approx(2.0)


def test_called_energy_follows_the_droop_of_the_grid_code() -> None:
    rng = np.random.default_rng(2)
    frequency = 50.0 + np.cumsum(rng.normal(0, 0.003, 3600))
    frequency = 50.0 + (frequency - frequency.mean()) * 0.05 / frequency.std()
    given, taken = called_energy(frequency, 1.0, 900, deadband_hz=0.0, full_at_hz=0.2)
    droop = [
        droop_power_pu(
            f,
            0.0,
            nominal_hz=50.0,
            deadband_over_hz=0.0,
            deadband_under_hz=0.0,
            droop_over=0.004,
            droop_under=0.004,
            minimum_pu=-1.0,
        )
        for f in frequency
    ]
    energy = np.array(droop).reshape(4, 900) / 3600
    assert given == pytest.approx(np.clip(energy, 0, None).sum(axis=1))
    assert taken == pytest.approx(np.clip(-energy, 0, None).sum(axis=1))
    quiet = called_energy(np.full(900, 50.009), 1.0, 900)
    assert quiet[0].tolist() == quiet[1].tolist() == [0.0]
    for wrong in (np.full(900, 60.0), np.full(900, np.nan), np.zeros(3)):
        with pytest.raises(InputError, match="samples"):
            called_energy(wrong, 1.0, 900)


def test_services_stack_and_never_count_energy_twice() -> None:
    rng = np.random.default_rng(6)
    steps = 96
    price = np.round(0.2 + 0.1 * np.sin(np.arange(steps) / 8), 3)
    problem = car(price)
    given, taken = called_energy(50 + rng.normal(0, 0.04, 900 * steps), 1.0, 900)
    product = ReserveProduct(
        np.arange(steps, dtype=np.int64) // 16,
        np.full(6, 0.02),
        symmetric=True,
        called_out=given,
        called_in=taken,
    )
    alone = dispatch(problem).cost
    stacked = dispatch_coupled([member(problem)], 0.25, reserve=product)
    assert stacked.cost < alone  # both together earn more than trading alone
    reserve_only = dispatch_coupled(
        [member(replace(problem, sell=np.zeros(steps), buy=np.full(steps, 10.0)))], 0.25, reserve=product
    )
    assert stacked.bid_kw.sum() <= reserve_only.bid_kw.sum() + 1e-6
    part = np.repeat(stacked.bid_kw, 16)
    drift = part * (taken - given)
    energy = problem.start_kwh + np.cumsum(stacked.change_kwh[0] + drift)
    assert energy.min() >= -1e-6 and energy.max() <= 40 + 1e-6
    assert energy[-1] >= 20 - 1e-6
    assert (np.abs(stacked.change_kwh[0]) + part / 4 <= 2.5 + 1e-6).all()


@pytest.mark.parametrize("seed", range(8))
def test_own_use_equals_a_meter_that_nets(seed: int) -> None:
    """Independent: HiGHS with import and export at the meter as columns of their own."""
    from scipy.optimize import linprog

    rng = np.random.default_rng(seed)
    steps, eta = 48, 0.93
    buy, sell = rng.uniform(0.2, 0.4, steps), rng.uniform(0.0, 0.2, steps)
    load = rng.normal(0.0, 2.0, steps)
    problem = DispatchProblem(
        drive_kwh=np.zeros(steps),
        charge_kwh=np.full(steps, 2.5 * eta),
        discharge_kwh=np.full(steps, 2.5 / eta),
        buy=buy / eta,
        sell=sell * eta,
        low_kwh=0.0,
        high_kwh=20.0,
        start_kwh=10.0,
        end_kwh=10.0,
    )
    plan = dispatch(behind_meter(problem, load, eta, 1 / eta))
    eye, none, sums = np.eye(steps), np.zeros((steps, steps)), np.tril(np.ones((steps, steps)))
    answer = linprog(
        np.concatenate([np.zeros(2 * steps), buy, -sell]),
        A_eq=np.hstack([-eye / eta, eye * eta, eye, -eye]),
        b_eq=load,
        A_ub=np.vstack(
            [
                np.hstack([sums, -sums, none, none]),
                np.hstack([-sums, sums, none, none]),
                np.concatenate([-np.ones(steps), np.ones(steps), np.zeros(2 * steps)])[None],
            ]
        ),
        b_ub=np.concatenate([np.full(steps, 10.0), np.full(steps, 10.0), [0.0]]),
        bounds=[(0, 2.5 * eta)] * steps + [(0, 2.5 / eta)] * steps + [(0, None)] * 2 * steps,
    )
    alone = float(np.where(load > 0, buy * load, sell * load).sum())
    assert plan.cost == pytest.approx(answer.fun - alone, abs=1e-7)
    change = joined(plan.change_kwh)
    assert change.size == steps and (np.abs(change) <= 2.5 / eta + 1e-9).all()


def test_absurd_products_are_refused() -> None:
    problem = car(np.full(4, 0.2))
    with pytest.raises(InputError, match="demand charge"):
        DemandCharge(np.array([0, 2]), np.array([1.0, 1.0]), np.zeros(2))
    with pytest.raises(InputError, match="demand charge"):
        DemandCharge(np.zeros(2, np.int64), np.array([-1.0]), np.zeros(2))
    with pytest.raises(InputError, match="reserve"):
        ReserveProduct(np.zeros(2, np.int64), np.array([1.0]), duration_h=0.0)
    with pytest.raises(InputError, match="no vehicle"):
        dispatch_coupled([], 0.25)
    with pytest.raises(InputError, match="wear"):
        dispatch_coupled([member(replace(problem, wear_curve=((0.0, 0.1),)))], 0.25)
    with pytest.raises(InputError, match="net load"):
        behind_meter(problem, np.zeros(3), 1.0, 1.0)
    with pytest.raises(InputError, match="negative"):
        behind_meter(replace(problem, sell=np.full(4, -0.1)), np.ones(4), 1.0, 1.0)
