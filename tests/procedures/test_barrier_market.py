"""Tariffs and prices of a barrier analysis: rates of OpenEI's database, currencies."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from v2glab.barriers import (
    CHARGING_ONLY,
    STEP_S,
    Frame,
    Services,
    Terms,
    Vehicle,
    VehicleValuer,
    VehicleYear,
    Way,
    Window,
    settle,
    solve_way,
)
from v2glab.barriers.tariffs import bill, marginal_prices, parse_rate
from v2glab.evidence import InputError
from v2glab.procedures._analyse_barriers_inputs import gather
from v2glab.procedures._barrier_files import parse_prices
from v2glab.procedures._barrier_market import dispatch_window, read_market
from v2glab.procedures._procedure import Context, load_procedure, validate_parameters
from v2glab.resources import find_data

PROCEDURE = load_procedure("analyse_barriers")
WINDOW = Window(1_735_689_600, 365 * 96)
ZONE = "America/Los_Angeles"


def analyse(tmp_path: Path, **parameters: Any) -> Any:
    chosen = {"rules": "export_price_ratio,export_limit", "users": 3, "timezone": ZONE} | parameters
    return PROCEDURE.execute(Context(validate_parameters(PROCEDURE, chosen), None, tmp_path, 7))


def example(name: str) -> Path:
    return find_data("datasets", "tariffs", name)


def test_a_rate_of_the_database_from_file_to_value(tmp_path: Path) -> None:
    result = analyse(tmp_path, tariff=str(example("example-urdb-tou.json")))
    assert result.quantity("value_without_rules").unit == "USD/a"
    assert result.quantity("value_without_rules").value > 50
    assert result.facts["currency"] == "USD"
    assert result.facts["price_year"] == "example-urdb-tou"  # a rate has no year
    by_name = analyse(tmp_path, tariff="example-urdb-tou")
    assert by_name.quantities == result.quantities
    # Half of what export earns takes value away; all of it, everything.
    ratios = [
        analyse(tmp_path, tariff="example-urdb-tou", rules=f"export_price_ratio={ratio}")
        .quantity("value_with_all_rules")
        .value
        for ratio in (1.0, 0.5, 0.0)
    ]
    assert ratios[0] == result.quantity("value_without_rules").value
    assert ratios[0] > ratios[1] >= ratios[2] == 0.0


def test_prices_of_the_market_are_those_of_the_rate() -> None:
    market, year = read_market("", "example-urdb-tou", ZONE, WINDOW)
    assert year is None
    rate = parse_rate(example("example-urdb-tou.json").read_text(), "x")
    prices = marginal_prices(rate, WINDOW.start_s, STEP_S, WINDOW.steps, ZONE)
    buy, sell = settle(market.tariff, market.energy, STEP_S, Terms(), market.paid)
    assert np.array_equal(buy, prices.buy_per_kwh)
    assert np.array_equal(sell, prices.sell_per_kwh)
    buy, sell = settle(market.tariff, market.energy, STEP_S, Terms(flat_price=1.0), market.paid)
    assert np.ptp(buy) == pytest.approx(0.0)
    assert sell == pytest.approx(prices.sell_per_kwh.mean())


def test_a_rate_that_ties_steps_together_is_carried_through(tmp_path: Path) -> None:
    """From the file to the value, against the bills of two schedules; the methods say how it was solved."""
    document = json.loads(example("example-urdb-tou.json").read_text())
    document |= {"flatdemandstructure": [[{"rate": 4.0}]], "flatdemandmonths": [0] * 12}
    path = tmp_path / "tied.json"
    path.write_text(json.dumps(document))
    result = analyse(tmp_path, tariff=str(path), users=1, rules="export_price_ratio=0.5,demand_charge=0.0")
    assert set(result.facts["methods"]) == {"HiGHS, linear"}
    assert any("true bill" in caveat for caveat in result.facts["caveats"])
    by_rule = result.tables["rules"].set_index("rule")
    # A demand charge of nothing does nothing: 0 everywhere.
    assert by_rule.loc["demand_charge", ["shapley", "first_in", "last_in"]].tolist() == [0.0, 0.0, 0.0]
    value = result.quantity("value_without_rules").value
    assert value > 0
    inputs = gather(
        validate_parameters(
            PROCEDURE, {"rules": "export_price_ratio", "users": 1, "timezone": ZONE, "tariff": str(path)}
        )
    )
    market, year = inputs.market, inputs.years[0]
    assert market.contract is not None and market.contract.calendar.whole
    valuer = VehicleValuer(year, inputs.vehicle, market)
    steps, bills = market.window.steps, []
    rate = parse_rate(path.read_text(), "x")
    best = valuer.best(Terms())
    assert best is not None
    for outcome in (valuer.charging_only(Terms()), best):
        power = outcome.power_kw(steps)
        load, given = np.clip(-power, 0, None), np.clip(power, 0, None)
        bills.append(bill(rate, load, given, market.window.start_s, STEP_S, ZONE).total)
    assert (bills[0] - bills[1]) * 365 / year.days == pytest.approx(value, abs=0.01)


@pytest.mark.real_data
def test_a_real_rate_of_the_database_is_read_and_laid_out(shared_data: Callable[[str], Path]) -> None:
    path = str(shared_data("tariffs/urdb_539f6a23ec4f024411ec8beb.json"))
    rule = {"metering": "net-metering", "currency": "USD"}
    window = dispatch_window(path, "America/New_York", WINDOW, **rule)
    market, _ = read_market("", path, "America/New_York", window, **rule)
    assert market.contract is not None
    assert market.contract.calendar.whole and len(market.contract.calendar.names) == 12
    with pytest.raises(InputError, match="dgrules"):
        read_market("", path, "America/New_York", window, currency="USD")
    with pytest.raises(InputError, match="net-metering"):
        read_market("", path, "America/New_York", window, metering="both", currency="USD")
    # Two nights of January, where the rate's tiers count hours of use of the peak.
    frame = Frame(
        VehicleYear(
            "car",
            (0, 1),
            window.start_s + np.array([60, 84]) * 3600,
            window.start_s + np.array([72, 96]) * 3600,
            np.array([9.0, 12.0]),
            365.0,
        ),
        Vehicle(),
        replace(market, services=Services(True, np.full(window.steps, 0.5))),
    )
    alone, both = (solve_way(frame, Terms(), way) for way in (CHARGING_ONLY, Way(True, True, False)))
    assert both.cost <= alone.cost + 1e-6
    net = 0.5 - both.power_kw(window.steps) / 4
    taken, given = np.clip(net, 0, None), np.clip(-net, 0, None)
    assert both.cost == pytest.approx(market.contract.charge(taken, given), abs=1e-6)
    assert both.gap < 0.01


def test_currencies_never_mix(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="wear_eur_per_kwh in EUR, the tariff in USD"):
        analyse(tmp_path, tariff="example-urdb-tou", wear_eur_per_kwh=0.05)
    with pytest.raises(InputError, match="one source of prices"):
        analyse(
            tmp_path,
            tariff="example-urdb-tou",
            prices=str(find_data("datasets", "prices", "example-prices.csv")),
        )
    text = example("example-dynamic.toml").read_text().replace('"EUR"', '"USD"')
    dollars = tmp_path / "dollars.toml"
    dollars.write_text(text)
    with pytest.raises(InputError, match="prices in EUR, tariff example-dynamic in USD"):
        analyse(tmp_path, tariff=str(dollars))
    prices = find_data("datasets", "prices", "example-prices.csv").read_text()
    in_dollars = tmp_path / "usd.csv"
    in_dollars.write_text(prices.replace("eur_per_mwh", "usd_per_mwh"))
    result = analyse(tmp_path, tariff=str(dollars), prices=str(in_dollars))
    assert result.quantity("value_lost").unit == "USD/a"


def test_a_rule_that_costs_euros_beside_a_tariff_in_dollars() -> None:
    from v2glab.barriers import Transformation
    from v2glab.procedures._barrier_market import check_currency

    cost = Transformation(kind="fixed_cost_eur_per_year", value=30.0, unit="EUR/a", value_source="test")
    with pytest.raises(InputError, match="rule meter in EUR, the tariff in USD"):
        check_currency("USD", Vehicle(), {"meter": cost})
    check_currency("EUR", Vehicle(wear_eur_per_kwh=0.1), {"meter": cost})
    check_currency("USD", Vehicle(), {"meter": cost.model_copy(update={"value": 0.0})})


@pytest.mark.parametrize("header", ["utc,xyz_per_mwh", "utc,eur_per_kwh", "time,eur_per_mwh", "utc"])
def test_prices_need_a_currency_that_is_known(header: str) -> None:
    with pytest.raises(InputError, match="row 1"):
        parse_prices(f"{header}\n2025-01-01 00:00:00,3\n", "p.csv")


def test_a_rate_that_cannot_be_read(tmp_path: Path) -> None:
    broken = tmp_path / "rate.json"
    broken.write_text(json.dumps({"country": "USA", "surprise": 1}))
    with pytest.raises(InputError, match="surprise"):
        analyse(tmp_path, tariff=str(broken))
    with pytest.raises(InputError, match="nowhere"):
        analyse(tmp_path, tariff=str(tmp_path / "nowhere.json"))


def test_the_database_s_kind_is_no_kind_of_the_toml_form(tmp_path: Path) -> None:
    text = example("example-dynamic.toml").read_text().replace('"day_ahead"', '"rate"')
    path = tmp_path / "t.toml"
    path.write_text(text)
    with pytest.raises(InputError, match="kind 'rate'"):
        analyse(tmp_path, tariff=str(path))
