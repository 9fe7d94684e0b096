"""Services that stack, and rules on them: dense linear programs, hand counts, the exact dispatch."""

from dataclasses import replace

import numpy as np
import pytest

from v2glab.barriers import (
    CHARGING_ONLY,
    DispatchProblem,
    Frame,
    Market,
    Response,
    Services,
    Terms,
    Vehicle,
    VehicleValuer,
    VehicleYear,
    Way,
    Window,
    dispatch,
    solve_way,
    ways,
)
from v2glab.barriers._joint import solve_joint
from v2glab.barriers._joint_build import joint_problem
from v2glab.barriers._joint_problem import JointProblem, Standing
from v2glab.evidence import InputError

START_S, ZONE = 1_514_764_800, "UTC"


def year_of(hours: list[tuple[int, int, float]]) -> VehicleYear:
    """Return sessions from hour to hour of the window, each with its energy at the meter."""
    starts, ends, energy = zip(*hours, strict=True)
    return VehicleYear(
        "car",
        tuple(range(len(hours))),
        START_S + 3600 * np.array(starts, dtype=np.int64),
        START_S + 3600 * np.array(ends, dtype=np.int64),
        np.array(energy, dtype=np.float64),
        365.0,
    )


def building(days: int, seed: int = 3) -> np.ndarray:
    """Return an hourly load with a surplus at noon, kWh a step."""
    rng = np.random.default_rng(seed)
    hour = np.arange(days * 24) % 24
    return np.repeat(rng.uniform(0.1, 0.5, days * 24) - 0.6 * (abs(hour - 13) < 3), 4)


def plain_frame(
    price: np.ndarray, hours: list[tuple[int, int, float]], services: Services, wear: float = 0.0
) -> Frame:
    from v2glab.barriers import parse_tariff

    tariff = parse_tariff(
        {
            "id": "t",
            "name": "t",
            "currency": "EUR",
            "jurisdiction": "x",
            "timezone": ZONE,
            "source": "test",
            "imports": {
                "kind": "day_ahead",
                "markup": 0.0,
                "grid_fee": 0.02,
                "levies": 0.0,
                "vat_percent": 0.0,
            },
            "exports": {"kind": "energy_price", "fee": 0.01},
        },
        "t",
    )
    market = Market(tariff, price, Window(START_S, price.size), services=services)
    return Frame(year_of(hours), Vehicle(battery_kwh=40.0, wear_eur_per_kwh=wear), market)


NIGHTS = [(24 * day + 17, 24 * day + 30, 8.0) for day in range(9)]


def prices(seed: int, *, negative: bool = False) -> np.ndarray:
    rng = np.random.default_rng(seed)
    hour = np.arange(240)
    level = 0.2 + 0.1 * np.sin((hour % 24 - 10) / 24 * 2 * np.pi) + rng.normal(0, 0.03, 240)
    if negative:
        level[rng.random(240) < 0.15] = -0.15
    return np.repeat(level, 4)


@pytest.mark.parametrize("seed", range(4))
def test_without_a_tie_it_is_the_dispatch_even_where_both_at_once_would_pay(seed: int) -> None:
    frame = plain_frame(prices(seed, negative=seed % 2 == 1), NIGHTS, Services())
    joint = joint_problem(frame, Terms(), Way(True, False, False))
    plan = solve_joint(joint, 1e-9)
    assert plan.cost == pytest.approx(dispatch(frame.problem(Terms())).cost, abs=1e-6)
    # Negative prices: both at once would earn by its losses. It is detected, and not in the plan.
    power = np.abs(plan.change_kwh)
    assert (power <= np.maximum(joint.problem.charge_kwh, joint.problem.discharge_kwh) + 1e-6).all()


@pytest.mark.parametrize("negative", [False, True])
def test_self_consumption_by_splitting_steps_equals_the_meter_in_highs(negative: bool) -> None:
    load = building(10) * 3
    frame = plain_frame(prices(5, negative=negative), NIGHTS, Services(True, load), wear=0.03)
    for way in (CHARGING_ONLY, Way(True, True, False), Way(False, True, False)):
        quick = solve_way(frame, Terms(), way)
        joint = joint_problem(frame, Terms(), way)
        joint = joint.without_discharge() if way == CHARGING_ONLY else joint
        alone = float(joint.buy @ np.clip(load, 0, None) - joint.sell @ np.clip(-load, 0, None))
        assert quick.cost == pytest.approx(solve_joint(joint, 1e-9).cost - alone, abs=1e-6)
        assert quick.method.startswith("HiGHS" if negative else "convex")
        if not way.export:  # nothing but the building's own load is served
            assert (quick.given_kwh <= np.clip(load[quick.at], 0, None) * quick.count + 1e-6).all()


def response(steps: int, *, pool_kw: float = 1000.0, price: float = 0.012) -> Response:
    rng = np.random.default_rng(8)
    called = np.repeat(rng.uniform(0, 0.02, steps // 4), 4)
    return Response(np.full(steps, price), called, np.roll(called, 8), np.full(steps, pool_kw))


@pytest.mark.parametrize("symmetric", [False, True])
def test_stacked_response_equals_a_dense_linear_program(symmetric: bool) -> None:
    """Independent: one row a step, written out, with energy and room at both ends of each step."""
    from scipy.optimize import linprog

    steps, h, eta = 24, 0.25, 0.93
    rng = np.random.default_rng(1)
    price = np.repeat(rng.uniform(0.1, 0.4, steps // 4), 4)
    buy, sell = price + 0.02, price - 0.01
    out, back = rng.uniform(0, 0.03, steps), rng.uniform(0, 0.03, steps)
    none = np.zeros(steps)
    problem = DispatchProblem(
        none, np.full(steps, 2.5), np.full(steps, 2.6), none, none, 4.0, 40.0, 20.0, 22.0
    )
    worth = rng.uniform(0.0, 0.05, steps)
    standing = Standing(worth, np.full(steps, 0.8), out, back, 0.5, symmetric)
    one = np.ones(steps, np.int64)
    joint = JointProblem(
        problem,
        np.arange(steps),
        one,
        eta,
        1 / eta,
        0.01,
        buy,
        sell,
        none,
        None,
        0.0,
        Way(True, False, True),
        standing,
    )
    plan = solve_joint(joint, 1e-9)
    back = back * symmetric
    eye, low = np.eye(steps), np.tril(np.ones((steps, steps)))
    gain = back * eta - out / eta  # battery-side drift of each kW
    cost = np.concatenate([np.zeros(2 * steps), 0.01 * out - worth * h, buy, -sell]) + np.concatenate(
        [none, np.full(steps, 0.01 * eta), none, none, none]
    )
    zero = np.zeros((steps, steps))
    meter = np.hstack([eye / eta, -eye * eta, np.diag(back - out), -eye, eye])
    held = np.hstack([low, -low, low @ np.diag(gain), zero, zero])
    before = held - np.hstack([eye, -eye, np.diag(gain), zero, zero])
    part = np.hstack([zero, zero, eye, zero, zero])
    power = np.hstack([-eye / eta**2, eye, eye / eta * h, zero, zero])
    rows = [-held + part * 0.5 / eta, -before + part * 0.5 / eta, power]
    right = [np.full(steps, 16.0), np.full(steps, 16.0), np.full(steps, 2.6)]
    rows += [held, -held[-1:]]
    right += [np.full(steps, 20.0), np.array([-2.0])]
    if symmetric:
        rows += [
            held + part * 0.5 * eta,
            before + part * 0.5 * eta,
            np.hstack([eye, -eye * eta**2, eye * eta * h, zero, zero]),
        ]
        right += [np.full(steps, 20.0), np.full(steps, 20.0), np.full(steps, 2.5)]
    bounds = (
        [(0, 2.5)] * steps + [(0, 2.6)] * steps + [(0, 0.8 * 2.6 * eta / h)] * steps + [(0, None)] * 2 * steps
    )
    answer = linprog(
        cost, A_eq=meter, b_eq=none, A_ub=np.vstack(rows), b_ub=np.concatenate(right), bounds=bounds
    )
    assert plan.cost == pytest.approx(answer.fun, abs=1e-7)
    assert plan.standing_kw.max() > 1.0


def test_bids_leave_what_the_fleet_can_hold_in_whole_multiples() -> None:
    window = Window(START_S, 96)
    pool = np.repeat([120.0, 90.0, 250.0, 40.0], 24)
    made = replace(response(96), pool_kw=pool)
    assert (made.placeable(Terms(), window) == 1).all()
    share = made.placeable(Terms(bid_least_kw=100.0), window)
    assert share[[0, 24, 48, 72]] == pytest.approx([100 / 120, 0, 200 / 250, 0])
    # Blocks of twelve hours are as strong as their weaker half.
    share = made.placeable(Terms(bid_block_h=12.0), window)
    assert share[[0, 24, 48, 72]] == pytest.approx([90 / 120, 1, 40 / 250, 1])
    both = made.placeable(Terms(bid_block_h=12.0, bid_least_kw=100.0, reserve_share=0.5), window)
    assert (both == 0).all()
    assert made.worth(Terms(penalty_eur_per_mwh=40.0)) == pytest.approx(0.012 - 0.05 * 0.04)


def valuer(services: Services, seed: int = 2) -> VehicleValuer:
    frame = plain_frame(prices(seed), NIGHTS, services)
    return VehicleValuer(frame.year, frame.vehicle, frame.market)


def test_rules_on_services_take_value_away_and_barred_stacking_leaves_the_better_one() -> None:
    load = building(10) * 3
    every = valuer(Services(True, load, response(960)))
    free = every.value(Terms())
    apart = [
        valuer(Services(True, load)).value(Terms()),
        # Wholesale alone: nothing is served or exported but what is called.
        every.value(Terms(no_stacking=1.0)),
    ]
    assert free > max(apart) >= apart[1] - 1e-9 or free > apart[1]
    assert apart[1] >= apart[0] - 1e-6
    rules = {
        "bid_least_kw": 400.0,
        "bid_block_h": 4.0,
        "bid_symmetric": 1.0,
        "reserve_share": 0.3,
        "penalty_eur_per_mwh": 200.0,
        "grid_charge_or_export": 1.0,
    }
    for name, value in rules.items():
        found = every.value(Terms(**{name: value}))
        assert 0 <= found <= free + 1e-6, name
        if name not in ("bid_least_kw", "bid_block_h"):  # the pool is even here: neither binds by itself
            assert found < free - 1e-6, name
    assert every.value(Terms(bid_least_kw=1500.0)) == pytest.approx(apart[0], abs=1e-6)  # no bid is made


def test_rules_on_services_that_are_not_offered_change_nothing() -> None:
    plain = valuer(Services())
    free = plain.value(Terms())
    for name, value in (
        ("bid_least_kw", 400.0),
        ("bid_block_h", 4.0),
        ("bid_symmetric", 1.0),
        ("reserve_share", 0.0),
        ("penalty_eur_per_mwh", 900.0),
        ("no_stacking", 1.0),
    ):
        assert plain.value(Terms(**{name: value})) == free
    assert plain.solved == 2  # all the rest was seen to be the same problem
    assert plain.value(Terms(grid_charge_or_export=1.0)) == 0.0  # no site, no surplus


def test_grid_charge_or_export_exports_no_more_than_surplus_brought_in() -> None:
    load = building(10) * 3
    frame = plain_frame(prices(2), [(24 * d + 9, 24 * d + 30, 8.0) for d in range(9)], Services(True, load))
    chosen = ways(frame.market.services, Terms(grid_charge_or_export=1.0))
    assert chosen == (Way(False, True, False), Way(True, True, False, surplus_only=True))
    outcome = solve_way(frame, Terms(), chosen[1])
    assert outcome.method.startswith("HiGHS")
    own = np.clip(load[outcome.at], 0, None) * outcome.count
    surplus = np.clip(-load[outcome.at], 0, None) * outcome.count
    exported = np.clip(outcome.given_kwh - own, 0, None).sum()
    stored = np.minimum(outcome.taken_kwh, surplus).sum()
    assert 0.5 < exported <= stored * 0.93**2 + 1e-5


def test_a_demand_charge_as_a_rule_bounds_the_peak_of_each_twelfth() -> None:
    found = valuer(Services())
    terms = Terms(demand_charge_eur_per_kw_month=0.3)
    best = found.best(terms)
    assert best is not None
    power = np.clip(-best.power_kw(960), 0, None).reshape(12, 80)
    plan_cost = best.cost - 0.3 * power.max(axis=1).sum()
    # Independent: at its own prices the schedule costs what is left, and no cap on each twelfth does better.
    frame = found.frame(terms)
    joint = joint_problem(frame, Terms(), Way(True, False, False))
    meter = np.zeros(960)
    meter[:] = best.power_kw(960) / 4
    assert plan_cost == pytest.approx(
        float(joint.buy @ np.clip(-meter, 0, None) - joint.sell @ np.clip(meter, 0, None)), abs=1e-6
    )
    for cap in (0.5, 0.8, 1.2):
        limited = frame.problem(Terms())
        most = np.minimum(limited.charge_kwh, (power.max(axis=1)[frame.active // 80] * cap) * 0.25 * 0.93)
        try:
            other = dispatch(replace(limited, charge_kwh=most))
        except InputError:
            continue
        used = np.zeros(12)
        np.maximum.at(used, frame.active // 80, np.clip(other.change_kwh, 0, None) / 0.93 * 4)
        assert best.cost <= other.cost + 0.3 * used.sum() + 1e-6
    assert found.value(terms) <= found.value(Terms()) + 1e-6


def test_absurd_response_is_refused() -> None:
    with pytest.raises(InputError, match="frequency response"):
        replace(response(96), duration_h=0.0)
    with pytest.raises(InputError, match="frequency response"):
        replace(response(96), price=np.full(96, np.nan))
    with pytest.raises(InputError, match="net load"):
        Services(True, np.array([np.inf]))
