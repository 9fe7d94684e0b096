"""Marginal prices against differences of bills; couplings against the charges that they stand for."""

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from v2glab.barriers.tariffs import Metering, Rate, bill, marginal_prices, parse_rate
from v2glab.evidence import InputError
from v2glab.resources import find_data

ZONE = "America/Chicago"
START_S = int(dt.datetime(2025, 1, 1, tzinfo=ZoneInfo(ZONE)).timestamp())
STEPS = 365 * 96


def example(name: str) -> Rate:
    return parse_rate(find_data("datasets", "tariffs", f"{name}.json").read_text(), name)


def test_one_more_kwh_costs_the_price_of_its_step() -> None:
    rate = example("example-urdb-tou").model_copy(
        update={"fueladjustmentsmonthly": [m / 500 for m in range(12)]}
    )
    prices = marginal_prices(rate, START_S, 900, STEPS, ZONE)
    assert prices.coupling == ()
    assert prices.currency == "USD"
    rng = np.random.default_rng(4)
    load, export = rng.uniform(0, 5, STEPS), rng.uniform(0, 5, STEPS)
    before = bill(rate, load, export, START_S, 900, ZONE).total
    for step in [*rng.integers(0, STEPS, 30).tolist(), 0, STEPS - 1]:
        for series, price in ((load, prices.buy_per_kwh), (export, -prices.sell_per_kwh)):
            series[step] += 4.0  # one kWh in a quarter of an hour
            after = bill(rate, load, export, START_S, 900, ZONE).total
            series[step] -= 4.0
            assert after - before == pytest.approx(price[step], abs=1e-8)
    whole = np.sum(load * prices.buy_per_kwh - export * prices.sell_per_kwh) / 4
    assert before - 12 * 12.0 == pytest.approx(whole)


def test_everything_that_ties_steps_together_is_named() -> None:
    rate = example("example-urdb-demand")
    prices = marginal_prices(rate, START_S, 900, STEPS, ZONE)
    assert prices.coupled_by == (
        "energy tiers",
        "net metering",
        "flat demand",
        "time-of-use demand",
        "minimum charge",
    )
    assert prices.sell_per_kwh is prices.buy_per_kwh
    falling = [c for c in prices.coupling if c.kind == "energy tiers"]
    assert all(not c.convex and c.price[0] > c.price[1] for c in falling)
    ratchet = rate.model_copy(
        update={
            "demandratestructure": None,
            "demandweekdayschedule": None,
            "demandweekendschedule": None,
            "lookbackpercent": 0.8,
            "lookbackrange": 11,
        }
    )
    carried = Metering(rule="net_billing_hourly", credit="carried")
    with pytest.raises(InputError, match="sell"):
        marginal_prices(ratchet, START_S, 900, STEPS, ZONE, metering=carried)
    found = marginal_prices(ratchet, START_S, 900, STEPS, ZONE).coupled_by
    assert found[-1] == "ratchet"
    sold = ratchet.model_copy(update={"energyratestructure": [[{"rate": 0.1, "sell": 0.05}]] * 2})
    found = marginal_prices(sold, START_S, 900, STEPS, ZONE, metering=carried).coupled_by
    assert found[-2:] == ("hourly netting", "carried credit")


def test_demand_couplings_rebuild_the_demand_charges() -> None:
    rate = example("example-urdb-demand").model_copy(
        update={"flatdemandstructure": [[{"max": 3.0, "rate": 5.0}, {"rate": 8.0}], [{"rate": 7.5}]]}
    )
    load = np.random.default_rng(6).gamma(2.0, 2.0, STEPS)
    charged = bill(rate, load, 0 * load, START_S, 900, ZONE)
    for kind in ("flat demand", "time-of-use demand"):
        total = 0.0
        for term in marginal_prices(rate, START_S, 900, STEPS, ZONE).coupling:
            if term.kind == kind:
                assert term.convex
                edges = np.minimum([0.0, *term.upper], load[term.steps].max())
                total += float(np.diff(edges) @ np.array(term.price))
        assert total == pytest.approx(charged.amount(kind))


def test_tiers_in_name_only_do_not_couple() -> None:
    same = [[{"max": 50.0, "rate": 0.1, "sell": 0.1}, {"rate": 0.1, "sell": 0.1}]]
    rate = Rate.model_validate({"currency": "EUR", "energyratestructure": same})
    metering = Metering(rule="net_billing", credit="paid")
    assert not marginal_prices(rate, START_S, 900, 96, ZONE, metering=metering).coupling
    with pytest.raises(InputError, match="settled"):
        marginal_prices(rate, START_S, 900, 96, ZONE)
