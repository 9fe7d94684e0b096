"""Tariffs and prices of a barrier analysis: rates of OpenEI's database, currencies."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from v2glab.barriers import STEP_S, Terms, Vehicle, Window, settle
from v2glab.barriers.tariffs import marginal_prices, parse_rate
from v2glab.evidence import InputError
from v2glab.procedures._barrier_files import parse_prices
from v2glab.procedures._barrier_market import read_market
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


def test_a_rate_that_ties_steps_together_is_refused_with_its_entry(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"flat demand.*energyratestructure\[0\].*tie steps together"):
        analyse(tmp_path, tariff="example-urdb-demand")


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
