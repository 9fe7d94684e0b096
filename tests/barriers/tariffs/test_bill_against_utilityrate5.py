"""Bills within one cent of NREL's Utilityrate5, month by month, on real and on random rates.

Left to other tests, since the peer departs by definition: its year has 365 days and no clock change; it adds
an annual minimum to monthly minima instead of holding it against them; its look-back reaches a month further
in the first months of a year; charges by the day are averaged over the year.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pysam_peer import START_S, ZONE, peer_months
from rate_strategies import meter, meterings, rates

from v2glab.barriers.tariffs import Metering, Rate, bill, parse_rate

CENT = 0.01
REAL = ("urdb_539f6a23ec4f024411ec8beb.json", "urdbv7_sample.json")


def ours(rate: Rate, load: np.ndarray, export: np.ndarray, metering: Metering | None = None) -> np.ndarray:
    peaks = [0.0] * 12 if rate.lookbackpercent else None
    found = bill(
        rate,
        load,
        export,
        START_S,
        3600 * 8760 // load.size,
        ZONE,
        metering=metering,
        previous_peaks_kw=peaks,
    )
    assert found.total == pytest.approx(sum(line.amount for line in found.lines))
    assert all(line.amount == pytest.approx(line.quantity * line.price) for line in found.lines)
    return np.array(list(found.by_month.values()))


def with_sell(rate: Rate) -> Rate:
    """Give each tier a sell rate, which one of the real rates lacks."""
    tiers = tuple(
        tuple(t.model_copy(update={"sell": 0.01 + 0.01 * k}) for k, t in enumerate(period))
        for period in rate.energyratestructure
    )
    return rate.model_copy(update={"energyratestructure": tiers})


@pytest.mark.real_data
@pytest.mark.parametrize("steps", [8760, 35_040])
@pytest.mark.parametrize("name", REAL)
def test_real_rates(shared_data: Callable[[str], Path], name: str, steps: int) -> None:
    rate = parse_rate(shared_data(f"tariffs/{name}").read_text(), name, currency="USD")
    load, export = meter(1, steps)
    nothing = np.zeros(steps)
    # Small and large loads, so that tiers, demand tiers and minimum charges all bind somewhere.
    for scale in (0.01, 1.0, 60.0):
        assert ours(rate, scale * load, nothing) == pytest.approx(
            peer_months(rate, scale * load, nothing), abs=CENT
        )
        for rule, credit in (
            ("net_metering", "kwh"),
            ("net_metering", "money"),
            ("net_billing", "paid"),
            ("net_billing", "carried"),
        ):
            metering, priced = Metering(rule=rule, credit=credit), with_sell(rate)
            found = ours(priced, scale * load, scale * export, metering)
            assert found == pytest.approx(
                peer_months(priced, scale * load, scale * export, metering), abs=CENT
            )


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(rate=rates(), metering=meterings(), seed=st.integers(0, 2**16))
def test_random_rates_by_the_hour(rate: Rate, metering: Metering, seed: int) -> None:
    load, export = meter(seed, 8760)
    assert ours(rate, load, export, metering) == pytest.approx(
        peer_months(rate, load, export, metering), abs=CENT
    )


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(rate=rates(), metering=meterings(), seed=st.integers(0, 2**16))
def test_random_rates_by_the_quarter_hour(rate: Rate, metering: Metering, seed: int) -> None:
    load, export = meter(seed, 35_040)
    assert ours(rate, load, export, metering) == pytest.approx(
        peer_months(rate, load, export, metering), abs=CENT
    )


def test_a_year_end_price_for_the_credit_of_one_period() -> None:
    rate = Rate.model_validate({"currency": "USD", "energyratestructure": [[{"rate": 0.2}]]})
    load, export = meter(3, 8760)
    metering = Metering(rule="net_metering", credit="kwh", true_up_month=9, year_end_per_kwh=0.04)
    found = ours(rate, load / 3, export, metering)
    assert found == pytest.approx(peer_months(rate, load / 3, export, metering), abs=CENT)
    assert found[8] < -1.0  # a credit was there to be paid


def test_blocks_in_kwh_per_kw_with_steps_in_kwh_inside() -> None:
    ladder = [
        {"max": 100.0, "unit": "kWh/kW"},
        {"max": 500.0, "unit": "kWh", "rate": 0.30},
        {"max": 900.0, "unit": "kWh", "rate": 0.20},
        {"unit": "kWh", "rate": 0.15},
        {"max": 300.0, "unit": "kWh/kW", "rate": 0.10},
        {"unit": "kWh/kW", "rate": 0.05},
    ]
    rate = Rate.model_validate({"currency": "USD", "energyratestructure": [ladder]})
    load, export = meter(5, 8760)
    for metering in (None, Metering(rule="net_billing", credit="paid")):
        drawn = load + 3.0
        for scale in (0.05, 0.3, 1.0):
            assert ours(rate, scale * drawn, 0 * export, metering) == pytest.approx(
                peer_months(rate, scale * drawn, 0 * export, metering), abs=CENT
            )
