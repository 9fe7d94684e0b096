"""A controller without foresight: never better than one with it, exact when it sees everything."""

from dataclasses import replace

import numpy as np
import pytest

from v2glab.barriers import DispatchProblem, Outlook, dispatch, rolling
from v2glab.barriers._rolling import published
from v2glab.evidence import InputError

DAYS = 12
STEPS = 96 * DAYS


def year(seed: int = 1) -> DispatchProblem:
    rng = np.random.default_rng(seed)
    hour = np.arange(STEPS) // 4 % 24
    price = 0.2 + 0.1 * np.sin(hour / 24 * 2 * np.pi) + rng.normal(0, 0.03, STEPS)
    home = (hour < 7) | (hour >= 18)
    drive = np.zeros(STEPS)
    drive[np.flatnonzero(home & ~np.roll(home, 1))[1:]] = 12.0
    return DispatchProblem(
        drive_kwh=drive,
        charge_kwh=2.5 * home,
        discharge_kwh=2.9 * home,
        buy=(price + 0.03) / 0.93,
        sell=price * 0.93,
        low_kwh=6.0,
        high_kwh=60.0,
        start_kwh=60.0,
        end_kwh=60.0,
    )


def outlook(problem: DispatchProblem, known: np.ndarray) -> Outlook:
    return Outlook(np.arange(STEPS), problem.buy, problem.sell, known)


def test_with_all_prices_known_and_an_endless_horizon_it_is_the_optimum() -> None:
    problem = year()
    plan = rolling(problem, outlook(problem, np.full(STEPS, STEPS)), horizon_steps=STEPS)
    assert plan.cost == pytest.approx(dispatch(problem).cost, rel=1e-9)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_without_foresight_it_costs_more_yet_less_than_charging_at_once(seed: int) -> None:
    problem = year(seed)
    seen = outlook(problem, published(np.arange(STEPS), 0, 900, STEPS))
    plan = rolling(problem, seen, horizon_steps=40)
    best = dispatch(problem).cost
    at_once = _charge_at_once(problem)
    assert best < plan.cost < at_once
    after = problem.start_kwh + np.cumsum(plan.change_kwh - problem.drive_kwh)
    assert after.min() >= problem.low_kwh - 1e-9 and after.max() <= problem.high_kwh + 1e-9
    assert after[-1] >= problem.end_kwh - 1e-9
    assert plan.method == "rolling horizon of 10 h"
    assert np.isnan(plan.gap)


def _charge_at_once(problem: DispatchProblem) -> float:
    energy, cost = problem.start_kwh, 0.0
    for drive, charge, buy in zip(problem.drive_kwh, problem.charge_kwh, problem.buy, strict=True):
        energy -= drive
        taken = min(charge, problem.high_kwh - energy)
        energy, cost = energy + taken, cost + buy * taken
    return cost


def test_prices_that_are_not_published_are_not_seen() -> None:
    problem = year()
    known = published(np.arange(STEPS), 0, 900, STEPS)
    plan = rolling(problem, outlook(problem, known))
    # Whatever happens from day 6 on cannot be seen before noon of day 5, when its prices are published.
    later = np.arange(STEPS) >= 6 * 96
    other = replace(problem, buy=problem.buy + 0.2 * later, sell=problem.sell + 0.2 * later)
    changed = rolling(other, outlook(other, known))
    until = 5 * 96 + 48
    assert np.array_equal(plan.change_kwh[:until], changed.change_kwh[:until])
    assert not np.array_equal(plan.change_kwh[until:], changed.change_kwh[until:])


def test_prices_are_known_to_midnight_and_from_noon_on_a_day_farther() -> None:
    known = published(np.array([0, 47, 48, 95, 96]), 0, 900, 960)
    assert known.tolist() == [96, 96, 192, 192, 192]


def test_what_it_cannot_do_is_refused() -> None:
    problem = year()
    seen = outlook(problem, np.full(STEPS, STEPS))
    with pytest.raises(InputError, match="cap"):
        rolling(replace(problem, discharge_cap_kwh=5.0), seen)
    with pytest.raises(InputError, match="horizon"):
        rolling(problem, seen, horizon_steps=0)
    with pytest.raises(InputError, match="no plan"):
        rolling(replace(problem, charge_kwh=problem.charge_kwh / 100), seen)


@pytest.mark.parametrize("kind", ["least power", "wear by state of charge", "cost of being active"])
def test_where_steps_are_not_convex_it_plans_on_states_and_is_never_better_than_foresight(kind: str) -> None:
    plain = year()
    most_in, most_out = plain.charge_kwh, plain.discharge_kwh
    changes = {
        "least power": {
            "charge_least_kwh": most_in * 0.4,
            "discharge_least_kwh": most_out * 0.4,
            "end_kwh": 58.9,
        },
        "wear by state of charge": {"wear_curve": ((0.0, 0.05), (20.0, 0.01))},
        "cost of being active": {"active_cost": np.full(STEPS, 0.02)},
    }
    problem = replace(plain, **changes[kind])
    best = dispatch(problem)
    seen = outlook(problem, published(np.arange(STEPS), 0, 900, STEPS))
    plan = rolling(problem, seen, horizon_steps=96)
    assert kind in plan.method and "grid of 241 states" in plan.method
    assert plan.cost >= best.cost - best.gap - 1e-6
    assert plan.cost < _charge_at_once(plain) + (0.02 * 400 if kind.startswith("cost") else 0.0)
    after = problem.start_kwh + np.cumsum(plan.change_kwh - problem.drive_kwh)
    assert after.min() >= problem.low_kwh - 1e-9 and after.max() <= problem.high_kwh + 1e-9
    assert after[-1] >= problem.end_kwh - 1e-6
    if problem.charge_least_kwh is not None and problem.discharge_least_kwh is not None:
        up, down = plan.change_kwh > 0, plan.change_kwh < 0
        assert (plan.change_kwh[up] >= problem.charge_least_kwh[up] - 1e-9).all()
        assert (-plan.change_kwh[down] >= problem.discharge_least_kwh[down] - 1e-9).all()


def test_on_states_with_all_prices_known_it_comes_close_to_the_optimum() -> None:
    problem = replace(year(), wear_curve=((0.0, 0.0), (30.0, 0.0)))  # a curve that costs nothing
    plan = rolling(problem, outlook(problem, np.full(STEPS, STEPS)), horizon_steps=STEPS)
    convex = dispatch(year()).cost
    assert convex - 1e-9 <= plan.cost <= convex + 0.01 * abs(convex)


def test_prices_that_stand_in_on_states_are_those_of_the_convex_plan() -> None:
    from v2glab.barriers._rolling import _forecast
    from v2glab.barriers._rolling_states import _seen

    at = np.arange(0, 500, 7)
    for known in (1, 50, 96, 192, 400):
        assert _seen(at, known, 96).tolist() == [_forecast(known, int(step), 96) for step in at]
