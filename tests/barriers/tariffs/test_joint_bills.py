"""Rates that tie steps together, dispatched: brute force, and NREL's bill of the schedules found."""

from itertools import product

import numpy as np
import pytest
from joint_cases import contract_frame, rate, two_tiers
from pysam_peer import peer_months

from v2glab.barriers import CHARGING_ONLY, Terms, Vehicle, Way, solve_way
from v2glab.barriers._joint import solve_joint
from v2glab.barriers._joint_build import joint_problem
from v2glab.barriers._joint_problem import JointProblem, booked
from v2glab.barriers.tariffs import Metering
from v2glab.evidence import InputError

FULL = Way(True, True, False)
#: Sessions on two weekdays of January, over the end of the peak hours; both in one month.
TWO_DAYS = [(24 + 16, 24 + 22, 6.0), (48 + 17, 48 + 21, 9.0)]
RATES = {
    "rising tiers": rate(energyratestructure=two_tiers(12.0, 0.10, 0.25)),
    "falling tiers": rate(energyratestructure=two_tiers(12.0, 0.30, 0.12)),
    "demand": rate(flatdemandstructure=[[{"rate": 3.0}]], flatdemandmonths=[0] * 12),
    "falling demand tiers": rate(
        demandratestructure=[[{"rate": 0.0}], [{"max": 2.0, "rate": 5.0}, {"rate": 1.0}]],
        demandweekdayschedule=[[0] * 17 + [1] * 7] * 12,
        demandweekendschedule=[[0] * 24] * 12,
    ),
    "hours of use": rate(
        energyratestructure=two_tiers(2.0, 0.30, 0.10, "kWh/kW"),
        flatdemandstructure=[[{"rate": 1.0}]],
        flatdemandmonths=[0] * 12,
    ),
    "months of use": rate(  # the first tier is wider than all energy: it bounds no peak
        energyratestructure=two_tiers(700.0, 0.30, 0.10, "kWh/kW"),
        flatdemandstructure=[[{"rate": 0.01}]],
        flatdemandmonths=[0] * 12,
    ),
    "minimum": rate(mincharge=4.0),
    "net metering": rate(dgrules="Net Metering"),
    "net metering, falling, minimum": rate(
        dgrules="Net Metering", energyratestructure=two_tiers(12.0, 0.30, 0.12), mincharge=2.0
    ),
    "half-hour demand": rate(
        flatdemandstructure=[[{"rate": 3.0}]], flatdemandmonths=[0] * 12, demandwindow=30.0
    ),
    "hourly netting": rate(dgrules="Net Billing Hourly"),
    "two meters": rate(dgrules="Buy All Sell All"),
}


def building(days: int, seed: int = 3) -> np.ndarray:
    """Return an hourly load with a surplus at noon, kWh a step."""
    rng = np.random.default_rng(seed)
    hour = np.arange(days * 24) % 24
    return np.repeat(rng.uniform(0.1, 0.5, days * 24) - 0.6 * (abs(hour - 13) < 3), 4)


def schedules(joint: JointProblem, levels: int) -> list[tuple[np.ndarray, np.ndarray, float]]:
    """Return every feasible schedule on a grid of moves, with its cost."""
    problem = joint.problem
    movable = np.flatnonzero((problem.charge_kwh > 0) | (problem.discharge_kwh > 0))
    moves = [
        np.concatenate(
            [
                -problem.discharge_kwh[b] * np.linspace(1, 0, levels)[:-1],
                problem.charge_kwh[b] * np.linspace(0, 1, levels),
            ]
        )
        for b in movable[:-1]
    ]
    out, last = [], movable[-1]
    for chosen in product(*moves):
        change = np.zeros(problem.drive_kwh.size)
        change[movable[:-1]] = chosen
        # The last move ends with what is asked for.
        change[last] = problem.end_kwh - problem.start_kwh + problem.drive_kwh.sum() - change.sum()
        if not -problem.discharge_kwh[last] <= change[last] <= problem.charge_kwh[last]:
            continue
        after = problem.start_kwh + np.cumsum(change - problem.drive_kwh)
        low = min(after.min(), (after - change).min())
        if low < problem.low_kwh - 1e-9 or after.max() > problem.high_kwh + 1e-9:
            continue
        into, back = np.clip(change, 0, None), np.clip(-change, 0, None)
        out.append((into, back, booked(joint, into, back, np.zeros(change.size))[0]))
    return out


@pytest.mark.parametrize("name", RATES)
@pytest.mark.parametrize("with_load", [False, True])
def test_no_schedule_of_a_grid_beats_the_plan_and_the_true_bill_is_booked(name: str, with_load: bool) -> None:
    load = building(31) if with_load else None
    frame = contract_frame(RATES[name], TWO_DAYS, days=31, load_kwh=load)
    joint = joint_problem(frame, Terms(), FULL)
    plan = solve_joint(joint, 1e-7)
    if joint.at.size <= 5:
        found = schedules(joint, 11 if joint.at.size == 4 else 5)
        best = min(cost for *_, cost in found)
        assert len(found) > 80
        assert best - 2.5 <= plan.cost <= best + 1e-6  # a grid comes close, and is never better
    # Whatever was left to a bound is in the gap, and the gap is small: a cent at most.
    assert plan.gap <= 0.01
    # Random feasible schedules around the plan cost no less than its bound.
    into, out = np.clip(plan.change_kwh, 0, None), np.clip(-plan.change_kwh, 0, None)
    assert plan.cost == pytest.approx(booked(joint, into, out, plan.standing_kw)[0], abs=1e-9)
    alone = solve_joint(joint.without_discharge(), 1e-7)
    assert plan.cost <= alone.cost + 1e-6


@pytest.mark.parametrize("name", ["rising tiers", "falling tiers", "demand", "net metering", "minimum"])
def test_the_objective_is_the_difference_of_two_bills_of_utilityrate5(name: str) -> None:
    hours = [(24 * day + 16, 24 * day + 31, 9.0) for day in range(3, 360, 24)]
    load = building(365)
    rated = RATES[name]
    if rated.mincharge:  # the peer holds minimum charges against export credits in its own way
        rated = rate(mincharge=4.0, dgrules="Net Metering")
    frame = contract_frame(rated, hours, days=365, load_kwh=load)
    costs, bills = [], []
    for way in (CHARGING_ONLY, FULL):
        outcome = solve_way(frame, Terms(), way)
        net = load - outcome.power_kw(365 * 96) / 4
        costs.append(outcome.cost)
        months = peer_months(rated, np.clip(net, 0, None) * 4, np.clip(-net, 0, None) * 4, rated.metering)
        bills.append(float(months.sum()))
        assert outcome.method.startswith("HiGHS")
    assert costs[0] - costs[1] == pytest.approx(bills[0] - bills[1], abs=0.01)
    assert costs[0] - costs[1] > 0.5


def test_what_has_no_rows_is_refused_with_a_remedy() -> None:
    curve = Vehicle(battery_kwh=40.0, wear_curve=((0.0, 0.1), (0.5, 0.02)))
    frame = contract_frame(RATES["demand"], TWO_DAYS, days=31, vehicle=curve)
    with pytest.raises(InputError, match="wear by state of charge"):
        solve_way(frame, Terms(), FULL)
    unlike = rate(
        energyratestructure=[
            [{"max": 10.0, "rate": 0.1, "sell": 0.0}, {"rate": 0.2, "sell": 0.0}],
            [{"max": 20.0, "rate": 0.1, "sell": 0.0}, {"rate": 0.2, "sell": 0.0}],
        ]
    )
    with pytest.raises(InputError, match="unlike limits"):
        solve_way(contract_frame(unlike, TWO_DAYS, days=31), Terms(), FULL)
    with pytest.raises(InputError, match="ladders of their own"):
        solve_way(contract_frame(unlike, TWO_DAYS, days=31), Terms(flat_price=1.0), FULL)


def test_half_of_what_is_exported_counts_and_a_flat_rate_has_one_price() -> None:
    frame = contract_frame(rate(mincharge=0.5), TWO_DAYS, days=31)
    full, half, none = (
        solve_way(frame, Terms(export_price_ratio=share), FULL).cost for share in (1.0, 0.5, 0.0)
    )
    assert full < half <= none == pytest.approx(solve_way(frame, Terms(), CHARGING_ONLY).cost, abs=1e-6)
    flat = joint_problem(frame, Terms(flat_price=1.0), FULL).contract
    assert flat is not None
    first, second = (period[0].rate for period in flat.rate.energyratestructure)
    # 23 weekdays of twelve peak hours in January 2018, among 744 hours; the schedule is that of all months.
    assert first == second == pytest.approx((0.30 * 23 * 12 + 0.10 * (744 - 23 * 12)) / 744)


def test_credits_in_money_and_meterings_by_name() -> None:
    for metering in (
        Metering(rule="net_metering", credit="money"),
        Metering(rule="net_billing", credit="carried"),
        Metering(rule="net_billing", credit="carried", true_up="expires"),
    ):
        frame = contract_frame(rate(), TWO_DAYS, days=31, metering=metering, load_kwh=building(31))
        joint = joint_problem(frame, Terms(), FULL)
        plan = solve_joint(joint, 1e-7)
        assert plan.gap <= 0.01
        assert plan.cost <= solve_joint(joint.without_discharge(), 1e-7).cost + 1e-6
