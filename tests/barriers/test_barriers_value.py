"""From sessions, prices and tariff to value: mobility, calendar, feasibility."""

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from v2glab.barriers import (
    STEP_S,
    Market,
    PriceYear,
    Session,
    Tariff,
    Terms,
    Valuation,
    Vehicle,
    Window,
    certify,
    energy_price,
    infeasible_step,
    lay_over,
    parse_tariff,
    select_vehicles,
    settle,
    vehicle_year_problem,
)
from v2glab.evidence import InputError

DAY = 86_400
START = int(dt.datetime(2025, 1, 1, tzinfo=dt.UTC).timestamp())
WINDOW = Window(START, 365 * 96)
FREE = {
    "id": "t",
    "name": "t",
    "currency": "EUR",
    "jurisdiction": "t",
    "timezone": "Europe/Oslo",
    "source": "test",
    "imports": {"kind": "day_ahead", "markup": 0.0, "grid_fee": 0.0, "levies": 0.1, "vat_percent": 25.0},
    "exports": {"kind": "energy_price", "fee": 0.0},
    "refundable": ["levies", "energy_vat"],
}
TARIFF = parse_tariff(FREE, "test")


def nights(user: str = "u", energy: float = 10.0, count: int = 364) -> list[Session]:
    """Plugged in from 18:00 to 06:00 UTC each night."""
    return [
        Session(i + 2, user, START + i * DAY + 18 * 3600, START + (i + 1) * DAY + 6 * 3600, energy)
        for i in range(count)
    ]


def market(tariff: Tariff = TARIFF) -> Market:
    hour = np.arange(WINDOW.steps) // 4 % 24
    return Market(tariff, np.where(hour < 6, 0.05, np.where(hour == 18, 0.40, 0.20)), WINDOW)


def valuation(vehicle: Vehicle, sessions: list[Session] | None = None) -> Valuation:
    years, issues = select_vehicles(sessions or nights(), WINDOW, vehicle)
    assert not issues
    return Valuation(vehicle, market(), years)


def test_value_by_hand_for_a_lossless_car() -> None:
    # Of 60 kWh, 6 are kept and 10 driven: 44 go out each night, 11 of them in the hour that pays 0.40, the
    # others at 0.20; all are bought back at 0.05. VAT comes on both sides, and the levy is refunded.
    found = valuation(Vehicle(charge_efficiency=1.0, discharge_efficiency=1.0))
    expected = 364 * 1.25 * (11 * (0.40 - 0.05) + 33 * (0.20 - 0.05))
    saved = found.value(Terms())[0] * found.years[0].days / 365
    assert saved == pytest.approx(expected, rel=1e-9)


def test_each_rule_only_ever_takes_value_away() -> None:
    found = valuation(Vehicle())
    best = found.value(Terms())[0]
    assert best > 100
    for changes in (
        {"levy_refund_share": 0.0},
        {"export_price_ratio": 0.5},
        {"export_cap_kw": 3.0},
        {"discharge_share": 0.9},
        {"discharge_efficiency": 0.9},
        {"start_delay_s": 3600.0},
        {"settlement_minutes": 1440.0},
        {"discharge_cap_kwh_per_year": 500.0},
        {"session_share": 0.5},
        {"fixed_cost_eur_per_year": 30.0},
        {"eligible_share": 0.9},
        {"flat_price": 1.0},
        {"trips_per_year": 20_000.0},
    ):
        assert 0 <= found.value(Terms(**changes))[0] < best, changes
    assert found.value(Terms(flat_price=1.0))[0] == 0.0
    assert found.value(Terms(fixed_cost_eur_per_year=1e5))[0] == 0.0
    assert found.value(Terms(eligible_share=0.25))[0] == pytest.approx(0.25 * best)


@pytest.mark.parametrize(
    "changes",
    [{"discharge_share": 0.0}, {"export_cap_kw": 1.0}, {"start_delay_s": 900.0}, {"session_share": 0.3}],
)
def test_rules_leave_the_mobility_baseline_alone(changes: dict[str, float]) -> None:
    years, _ = select_vehicles(nights(), WINDOW, Vehicle())
    free = vehicle_year_problem(years[0], Vehicle(), market(), Terms()).without_discharge()
    bound = vehicle_year_problem(years[0], Vehicle(), market(), Terms(**changes)).without_discharge()
    for name in ("drive_kwh", "charge_kwh", "buy"):
        assert np.array_equal(getattr(free, name), getattr(bound, name))
    assert (free.start_kwh, free.end_kwh) == (bound.start_kwh, bound.end_kwh)


def test_fewer_plug_ins_keep_the_energy_of_the_road() -> None:
    years, _ = select_vehicles(nights(energy=5.0), WINDOW, Vehicle())
    full = vehicle_year_problem(years[0], Vehicle(), market(), Terms())
    fewer = vehicle_year_problem(years[0], Vehicle(), market(), Terms(plug_in_share=0.6))
    assert fewer.drive_kwh.sum() == pytest.approx(full.drive_kwh.sum())
    assert np.count_nonzero(fewer.drive_kwh) == pytest.approx(0.6 * 364, abs=3)


def test_identical_problems_are_solved_once() -> None:
    found = valuation(Vehicle())
    first = found.value(Terms(export_cap_kw=5.0))
    solved = found.solved
    assert np.array_equal(found.value(Terms(export_cap_kw=5.0, discharge_share=0.9)), first)
    assert np.array_equal(found.value(Terms(export_cap_kw=5.0, settlement_minutes=60.0)), first)
    assert (found.solved, found.repeated) == (solved, 2)


def test_who_cannot_be_priced_is_listed_with_row_and_remedy() -> None:
    overlap = [
        Session(2, "overlap", START, START + DAY, 5.0),
        Session(3, "overlap", START + 60, START + DAY, 5.0),
    ]
    strong = [Session(4, "strong", START, START + 600, 5.0)]
    large = [Session(5, "large", START, START + DAY, 75.0)]
    short = [Session(6, "short", START, START + DAY, 5.0)]
    kept, issues = select_vehicles([*nights(), *overlap, *strong, *large, *short], WINDOW, Vehicle())
    assert [year.user for year in kept] == ["u"]
    assert [(i.user, i.row, i.kind) for i in issues] == [
        ("large", 5, "infeasible"),
        ("overlap", 3, "overlap"),
        ("short", 0, "short record"),
        ("strong", 4, "infeasible"),
    ]
    assert all(issue.remedy for issue in issues)


def test_certificate_finds_a_vehicle_that_single_sessions_do_not_show() -> None:
    # Each drive alone fits; but the two-hour nights recharge less than each day takes.
    sessions = [Session(i + 2, "u", START + i * DAY, START + i * DAY + 2 * 3600, 21.0) for i in range(300)]
    weak = Vehicle(charge_kw=10.6, battery_kwh=40.0)
    years, issues = select_vehicles(sessions, WINDOW, weak)
    assert not issues
    kept, none = certify(years, weak, market(), [Terms()])
    assert kept and not none
    kept, issues = certify(years, weak, market(), [Terms(), Terms(plug_in_share=0.5)])
    assert not kept
    assert issues[0].kind == "infeasible"
    assert "50%" in issues[0].found


def test_prices_lie_by_month_day_and_hour_whatever_the_leap_years() -> None:
    def year_of(year: int) -> PriceYear:
        hours = (dt.date(year + 1, 1, 1) - dt.date(year, 1, 1)).days * 24
        return PriceYear(year, 3600, np.arange(hours) / 1000)

    def price_at(prices: PriceYear, month: int, day: int, hour: int) -> float:
        at = dt.datetime(prices.year, month, day, hour) - dt.datetime(prices.year, 1, 1)
        return float(prices.per_kwh[int(at.total_seconds()) // 3600])

    start = int(dt.datetime(2024, 2, 1, tzinfo=dt.UTC).timestamp())
    window = Window(start, 365 * 96)
    for prices in (year_of(2023), year_of(2024), year_of(2022)):
        laid = lay_over(prices, window)
        for step in (0, 27 * 96 + 50, 28 * 96 + 50, 29 * 96, 333 * 96 + 3, 365 * 96 - 1):
            at = dt.datetime.fromtimestamp(start + step * STEP_S, dt.UTC)
            day = 28 if (at.month, at.day) == (2, 29) and prices.year % 4 else at.day
            assert laid[step] == price_at(prices, at.month, day, at.hour)
    with pytest.raises(InputError, match="whole"):
        PriceYear(2024, 3600, np.zeros(8760))


def test_tariff_by_hand() -> None:
    energy = np.array([0.20, -0.10])
    buy, sell = settle(TARIFF, energy, STEP_S, Terms())
    assert buy == pytest.approx([1.25 * 0.30, 1.25 * 0.0])
    assert sell == pytest.approx(buy)  # no barrier: all that is paid comes back
    _, sell = settle(TARIFF, energy, STEP_S, Terms(levy_refund_share=0.0, export_price_ratio=0.5))
    assert sell == pytest.approx([0.10, -0.10])  # a ratio never softens a negative price
    buy, _ = settle(TARIFF, np.array([0.1, 0.3, 0.2, 0.4, 0.9]), STEP_S, Terms(settlement_minutes=30))
    assert buy == pytest.approx(1.25 * (np.array([0.2, 0.2, 0.3, 0.3, 0.9]) + 0.1))


def test_time_of_use_follows_local_hours_over_both_clock_changes() -> None:
    night = [0] * 6 + [1] * 18
    rates = {
        "kind": "tou",
        "rates": [0.1, 0.3],
        "weekday": [night] * 12,
        "weekend": [[0] * 24] * 12,
    }
    tariff = parse_tariff(FREE | {"imports": FREE["imports"] | rates}, "test")
    times = WINDOW.times_s
    price = energy_price(tariff, np.zeros(WINDOW.steps), times)
    zone = ZoneInfo("Europe/Oslo")
    for step in range(0, WINDOW.steps, 37):
        local = dt.datetime.fromtimestamp(int(times[step]), zone)
        assert price[step] == (0.3 if local.weekday() < 5 and local.hour >= 6 else 0.1)


def test_wrong_tariffs_are_refused() -> None:
    without = {k: v for k, v in FREE.items() if k != "exports"}
    with pytest.raises(InputError, match="no export rate"):
        parse_tariff(without, "x.toml")
    for wrong in ({"levies": -99}, {"vat_percent": -1}, {"kind": "tou"}, {"kind": "flat"}, {"surprise": 1}):
        with pytest.raises(InputError):
            parse_tariff(FREE | {"imports": FREE["imports"] | wrong}, "x.toml")
    table = [[0] * 24] * 12
    rates = FREE["imports"] | {"kind": "tou", "rates": [0.1], "weekday": table, "weekend": table}
    lost = parse_tariff(FREE | {"timezone": "Mars/Base", "imports": rates}, "x.toml")
    with pytest.raises(InputError, match="Mars"):
        energy_price(lost, np.zeros(4), WINDOW.times_s[:4])


def test_partial_steps_give_partial_power() -> None:
    sessions = [Session(i, "u", START + i * DAY + 450, START + i * DAY + 5400, 1.0) for i in range(300)]
    years, _ = select_vehicles(sessions, WINDOW, Vehicle())
    problem = vehicle_year_problem(years[0], Vehicle(charge_efficiency=1.0), market(), Terms())
    assert problem.charge_kwh[:6] == pytest.approx([1.375, 2.75, 2.75, 2.75, 2.75, 2.75])
    assert infeasible_step(problem) is None
