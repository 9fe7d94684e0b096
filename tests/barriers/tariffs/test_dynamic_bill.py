"""The bill of a day-ahead tariff, line by line."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from v2glab.barriers import Tariff, Terms, energy_price, parse_tariff, settle
from v2glab.barriers.tariffs import tariff_bill
from v2glab.evidence import InputError

ZONE = "Europe/Amsterdam"
START_S = int(dt.datetime(2025, 3, 1, tzinfo=ZoneInfo(ZONE)).timestamp())
HOURS = 31 * 24 - 1  # March, and its clock change


def tariff(**changes: Any) -> Tariff:
    document = {
        "id": "t",
        "name": "t",
        "currency": "EUR",
        "jurisdiction": "t",
        "timezone": ZONE,
        "source": "test",
        "imports": {
            "kind": "day_ahead",
            "markup": 0.01,
            "grid_fee": 0.03,
            "levies": 0.06,
            "vat_percent": 21.0,
        },
        "exports": {"kind": "energy_price", "fee": 0.02},
        "refundable": ["levies", "energy_vat"],
    }
    return parse_tariff(document | changes, "t.toml")


def test_each_line_by_hand() -> None:
    load, export = np.full(HOURS, 2.0), np.full(HOURS, 0.5)
    price = np.full(HOURS, 0.10)
    found = tariff_bill(tariff(), price, "EUR", load, export, START_S, 3600)
    drawn, given = 2.0 * HOURS, 0.5 * HOURS
    expected = {
        "energy": 0.10 * drawn,
        "markup": 0.01 * drawn,
        "grid fee": 0.03 * drawn,
        "levies": 0.06 * drawn,
        "VAT": 0.21 * 0.20 * drawn,
        "export": -0.10 * given,
        "export fee": 0.02 * given,
        "refund": -(0.06 * 1.21 + 0.21 * 0.10) * given,
    }
    assert {line.kind: line.amount for line in found.lines} == pytest.approx(expected)
    assert found.total == pytest.approx(sum(expected.values()))
    # The double levy: nothing is refunded.
    barred = tariff_bill(tariff(), price, "EUR", load, export, START_S, 3600, Terms(levy_refund_share=0.0))
    assert barred.total - found.total == pytest.approx(-expected["refund"])
    assert barred.amount("refund") == 0.0


@pytest.mark.parametrize(
    "terms",
    [
        Terms(),
        Terms(levy_refund_share=0.3, export_price_ratio=0.6),
        Terms(flat_price=1.0),
        Terms(settlement_minutes=60),
        Terms(settlement_minutes=240, export_price_ratio=0.5),
    ],
)
@pytest.mark.parametrize("exports", [{}, {"exports": {"kind": "fixed", "rate": 0.08, "fee": 0.0}}])
def test_the_total_is_that_of_the_prices_by_the_step(terms: Terms, exports: dict[str, Any]) -> None:
    steps = 4 * HOURS
    rng = np.random.default_rng(5)
    load, export = rng.uniform(0, 4, steps), rng.uniform(0, 4, steps)
    chosen = tariff(**exports)
    times = START_S + 900 * np.arange(steps)
    energy = energy_price(chosen, rng.normal(0.08, 0.1, steps), times)  # some prices are negative
    found = tariff_bill(chosen, energy, "EUR", load, export, START_S, 900, terms)
    buy, sell = settle(chosen, energy, 900, terms)
    assert found.total == pytest.approx(float(load @ buy - export @ sell) / 4)
    assert found.total == pytest.approx(sum(line.amount for line in found.lines))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"currency": "USD"}, "prices in USD, tariff t in EUR"),
        ({"energy_per_kwh": np.zeros(HOURS - 1)}, f"{HOURS - 1} prices for {HOURS} steps"),
        ({"energy_per_kwh": np.full(HOURS, np.nan)}, f"{HOURS} of them missing"),
        ({"start_s": START_S + 3600}, "not whole months"),
        ({"load_kw": np.full(HOURS, -1.0)}, "step 0: load -1"),
        ({"export_kw": np.zeros(3)}, "3 of export"),
    ],
)
def test_wrong_input(changes: dict[str, Any], named: str) -> None:
    given = {
        "energy_per_kwh": np.zeros(HOURS),
        "currency": "EUR",
        "load_kw": np.zeros(HOURS),
        "export_kw": np.zeros(HOURS),
        "start_s": START_S,
        "step_s": 3600,
    }
    with pytest.raises(InputError, match=named):
        tariff_bill(tariff(), **given | changes)
