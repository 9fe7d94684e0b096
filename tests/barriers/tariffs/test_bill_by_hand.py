"""Bills against figures worked out by hand: where the calendar, or the contract's words, decide."""

import datetime as dt
import re
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from v2glab.barriers.tariffs import Bill, Metering, Rate, bill, calendar_of
from v2glab.evidence import InputError

FLAT = [[0] * 24] * 12


def rate_of(**fields: Any) -> Rate:
    base = {"currency": "EUR", "energyratestructure": [[{"rate": 0.0, "sell": 0.0}]]}
    return Rate.model_validate(base | fields)


def months(zone: str, first: str, after: str) -> tuple[int, int]:
    """Start and length, s, of whole local months."""
    start, end = (
        int(dt.datetime.fromisoformat(f"{day}-01").replace(tzinfo=ZoneInfo(zone)).timestamp())
        for day in (first, after)
    )
    return start, end - start


def constant(
    rate: Rate,
    zone: str,
    first: str,
    after: str,
    load_kw: float = 1.0,
    export_kw: float = 0.0,
    step_s: int = 900,
    **more: Any,
) -> Bill:
    start_s, length_s = months(zone, first, after)
    steps = np.ones(length_s // step_s)
    return bill(rate, load_kw * steps, export_kw * steps, start_s, step_s, zone, **more)


def two_prices(hours: range) -> dict[str, Any]:
    row = [int(hour in hours) for hour in range(24)]
    return {
        "energyratestructure": [[{"rate": 0.10, "sell": 0.01}], [{"rate": 1.00, "sell": 0.02}]],
        "energyweekdayschedule": [row] * 12,
        "energyweekendschedule": [row] * 12,
    }


@pytest.mark.parametrize(
    ("first", "after", "hours", "at_two"),
    [
        ("2025-03", "2025-04", 31 * 24 - 1, 30),  # 30 March has no hour from 02:00
        ("2025-10", "2025-11", 31 * 24 + 1, 32),  # 26 October has it twice
        ("2025-06", "2025-07", 30 * 24, 30),
    ],
)
@pytest.mark.parametrize("step_s", [900, 3600])
def test_clock_changes(first: str, after: str, hours: int, at_two: int, step_s: int) -> None:
    rate = rate_of(**two_prices(range(2, 3)))
    found = constant(rate, "Europe/Berlin", first, after, step_s=step_s)
    assert found.total == pytest.approx(0.10 * (hours - at_two) + 1.00 * at_two)
    assert [(line.key, line.quantity) for line in found.lines] == [
        ("energyratestructure[0][0]", pytest.approx(hours - at_two)),
        ("energyratestructure[1][0]", pytest.approx(at_two)),
    ]


def test_a_leap_day_counts_in_energy_in_daily_tiers_and_in_daily_charges() -> None:
    tiers = [[{"max": 10.0, "rate": 0.10, "unit": "kWh daily"}, {"rate": 0.30, "unit": "kWh daily"}]]
    rate = rate_of(energyratestructure=tiers, fixedchargefirstmeter=0.5, fixedchargeunits="$/day")
    for year, days in ((2023, 28), (2024, 29)):
        found = constant(rate, "America/New_York", f"{year}-02", f"{year}-03")
        assert found.total == pytest.approx(days * (10 * 0.10 + 14 * 0.30 + 0.5))
        assert found.months == (f"{year}-02",)


@pytest.mark.parametrize(
    "zone", ["America/Los_Angeles", "Europe/London", "Asia/Kolkata", "Australia/Lord_Howe", "UTC"]
)
def test_every_step_falls_into_its_local_hour(zone: str) -> None:
    start_s, length_s = months(zone, "2024-01", "2025-01")
    calendar = calendar_of(start_s, 900, length_s // 900, zone)
    month_of = np.repeat(calendar.names, np.diff(calendar.edge))
    for step in range(0, calendar.cell.size, 7):
        local = dt.datetime.fromtimestamp(start_s + 900 * step, ZoneInfo(zone))
        cell = ((local.month - 1) * 2 + (local.weekday() >= 5)) * 24 + local.hour
        assert calendar.cell[step] == cell
        assert month_of[step] == f"{local:%Y-%m}"
    assert calendar.days.tolist() == [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]


def test_steps_that_straddle_local_hours_are_refused() -> None:
    start_s, length_s = months("Asia/Kolkata", "2024-01", "2024-02")
    with pytest.raises(InputError, match="straddle"):
        calendar_of(start_s + 1800, 3600, length_s // 3600, "Asia/Kolkata")
    # Lord Howe's clocks move by half an hour: no interval of an hour begins on the hour all along.
    rate, hourly = rate_of(), Metering(rule="net_billing_hourly", credit="paid")
    with pytest.raises(InputError, match="interval of 3600 s"):
        constant(rate, "Australia/Lord_Howe", "2024-04", "2024-05", metering=hourly)
    assert constant(rate, "Australia/Lord_Howe", "2024-04", "2024-05").total == 0.0


def test_settlement_interval_decides_what_is_netted() -> None:
    start_s, length_s = months("Europe/Oslo", "2025-01", "2025-02")
    hours = length_s // 3600
    load, export = np.tile([4.0, 0.0, 0.0, 0.0], hours), np.tile([0.0, 2.0, 4.0, 0.0], hours)
    rate = rate_of(energyratestructure=[[{"rate": 0.30, "sell": 0.10}]])

    def total(rule: str) -> float:
        metering = Metering(rule=rule, credit="paid")
        return bill(rate, load, export, start_s, 900, "Europe/Oslo", metering=metering).total

    assert total("net_billing") == pytest.approx(hours * (1.0 * 0.30 - 1.5 * 0.10))
    assert total("net_billing_hourly") == pytest.approx(-hours * 0.5 * 0.10)
    assert total("buy_all_sell_all") == total("net_billing")
    monthly = Metering(rule="net_metering", credit="kwh")
    assert bill(rate, load, export, start_s, 900, "Europe/Oslo", metering=monthly).total == 0.0


def test_demand_is_averaged_over_its_window() -> None:
    start_s, length_s = months("Europe/Oslo", "2025-01", "2025-02")
    load = np.tile([8.0, 4.0, 0.0, 0.0], length_s // 3600)
    demand = {"flatdemandstructure": [[{"rate": 10.0}]], "flatdemandmonths": [0] * 12}
    for window_s, peak in ((900, 8.0), (1800, 6.0), (3600, 3.0)):
        found = bill(rate_of(**demand), load, 0 * load, start_s, 900, "Europe/Oslo", demand_window_s=window_s)
        assert found.total == pytest.approx(10 * peak)
        stated = rate_of(**demand, demandwindow=window_s / 60)
        assert bill(stated, load, 0 * load, start_s, 900, "Europe/Oslo").total == pytest.approx(10 * peak)
    by_hour = bill(rate_of(**demand, demandwindow=15), load[::4], 0 * load[::4], start_s, 3600, "Europe/Oslo")
    assert "understated" in by_hour.notes[0]


def test_a_ratchet_reaches_its_months_back_and_no_further() -> None:
    rate = rate_of(
        flatdemandstructure=[[{"rate": 1.0}]],
        flatdemandmonths=[0] * 12,
        lookbackpercent=0.5,
        lookbackrange=2,
        lookbackmonths=[True] * 10 + [False, True],
    )
    before = [0.0] * 9 + [500.0, 300.0, 40.0]  # October is out of reach, November does not count
    found = constant(rate, "UTC", "2025-01", "2025-04", load_kw=4.0, previous_peaks_kw=before)
    assert list(found.by_month.values()) == pytest.approx([20.0, 20.0, 4.0])
    with pytest.raises(InputError, match="previous_peaks_kw"):
        constant(rate, "UTC", "2025-01", "2025-04")


def test_minimum_charges() -> None:
    rate = rate_of(
        energyratestructure=[[{"rate": 0.01, "sell": 0.01}]], minmonthlycharge=10.0, annualmincharge=125.0
    )
    found = constant(rate, "UTC", "2025-01", "2026-01", load_kw=0.5)
    # Every month costs less than 10, so each is raised to 10; the year is then 5 short, not 81.
    assert found.amount("annual minimum") == pytest.approx(5.0)
    assert found.total == pytest.approx(125.0)
    paid = Metering(rule="net_billing", credit="paid")
    credit = constant(rate, "UTC", "2025-01", "2025-02", load_kw=0.0, export_kw=1.0, metering=paid)
    assert credit.total == pytest.approx(10.0 - 0.01 * 744)
    assert "not held against the last 1 month" in credit.notes[0]


def test_periods_with_tiers_of_their_own() -> None:
    # The month's energy climbs; each period prices it by its own ladder. 1 kW all day, 12 h in each period.
    row = [0] * 12 + [1] * 12
    rate = rate_of(
        energyratestructure=[[{"rate": 0.10}], [{"max": 240.0, "rate": 0.20}, {"rate": 0.50}]],
        energyweekdayschedule=[row] * 12,
        energyweekendschedule=[row] * 12,
    )
    in_order = constant(
        rate, "UTC", "2025-06", "2025-07", metering=Metering(rule="net_billing", credit="paid")
    )
    assert in_order.total == pytest.approx(360 * 0.10 + 120 * 0.20 + 240 * 0.50)
    shared = constant(rate, "UTC", "2025-06", "2025-07")
    assert shared.total == pytest.approx(360 * 0.10 + 360 * (240 / 720 * 0.20 + 480 / 720 * 0.50))


def test_credit_that_cannot_be_placed_or_carried_is_reported() -> None:
    row = [0, 0, 0, 1, *[0] * 20]  # period 1 holds at none of the hours at which credits are matched
    rate = rate_of(
        energyratestructure=[[{"rate": 0.1}], [{"rate": 0.1}]],
        energyweekdayschedule=[row] * 12,
        energyweekendschedule=[row] * 12,
        dgrules="Net Metering",
    )
    found = constant(rate, "UTC", "2025-01", "2025-03", load_kw=0.0, export_kw=1.0)
    lapsed = [(line.month, line.quantity) for line in found.lines if line.kind == "credit lapsed"]
    assert lapsed == [("2025-02", pytest.approx(31.0))]
    assert found.total == 0.0
    december = constant(rate, "UTC", "2025-12", "2026-01", load_kw=0.0, export_kw=1.0)
    assert sum(line.quantity for line in december.lines if line.kind == "credit lapsed") == pytest.approx(744)


def test_fuel_adjustment_of_the_month() -> None:
    fuel = [m / 1000 for m in range(12)]
    rate = rate_of(energyratestructure=[[{"rate": 0.1, "adj": 0.02}]], fueladjustmentsmonthly=fuel)
    found = constant(rate, "UTC", "2025-04", "2025-05", load_kw=2.0)
    assert found.total == pytest.approx(1440 * (0.12 + 0.003))
    assert found.lines[-1].key == "fueladjustmentsmonthly[3]"


def test_two_years_are_the_sum_of_two_bills() -> None:
    rate = rate_of(
        **two_prices(range(8, 20)),
        flatdemandstructure=[[{"rate": 3.0}]],
        flatdemandmonths=[0] * 12,
        dgrules="Net Metering",
    )
    zone = "America/Denver"
    start_s, length_s = months(zone, "2023-01", "2025-01")
    half = months(zone, "2023-01", "2024-01")[1] // 900
    net = np.random.default_rng(2).normal(0.2, 2.0, length_s // 900)
    load, export = np.maximum(net, 0), np.maximum(-net, 0)
    both = bill(rate, load, export, start_s, 900, zone)
    first = bill(rate, load[:half], export[:half], start_s, 900, zone)
    second = bill(rate, load[half:], export[half:], start_s + 900 * half, 900, zone)
    assert both.by_month == pytest.approx(first.by_month | second.by_month)


def test_every_line_leads_back_to_its_entry_of_the_rate() -> None:
    document = {
        **two_prices(range(8, 20)),
        "demandratestructure": [[{"max": 2.0, "rate": 3.0, "adj": 0.5}, {"rate": 4.0}]],
        "fixedchargefirstmeter": 7.0,
    }
    rate = rate_of(**document)
    found = constant(
        rate,
        "UTC",
        "2025-01",
        "2025-03",
        load_kw=3.0,
        export_kw=1.0,
        metering=Metering(rule="net_billing", credit="paid"),
    )
    assert len(found.lines) == 2 * (2 + 2 + 2 + 1)
    for line in found.lines:
        entry: Any = document
        for part in re.findall(r"\w+", line.key):
            entry = entry[int(part) if part.isdigit() else part]
        if line.kind == "fixed":
            assert line.price == entry
        elif line.kind == "export":
            assert line.price == -entry["sell"]
        else:
            assert line.price == pytest.approx(entry["rate"] + entry.get("adj", 0.0))
        assert line.amount == pytest.approx(line.quantity * line.price)
    assert found.total == pytest.approx(sum(line.amount for line in found.lines))
    table = found.table()
    assert table["currency"].unique().tolist() == ["EUR"]
    assert table["amount"].sum() == pytest.approx(found.total)


def test_amounts_are_exact_and_currencies_do_not_mix() -> None:
    rate = rate_of(energyratestructure=[[{"rate": 0.2}]])
    small, large = (constant(rate, "UTC", "2025-01", "2025-02", load_kw=kw) for kw in (1.0, 3.0))
    saved = small.saved_against(large)
    assert (saved.value, saved.unit) == (pytest.approx(2 * 744 * 0.2), "EUR")
    assert saved.uncertainty is None
    assert "exact" in saved.no_uncertainty
    dollars = constant(rate.model_copy(update={"currency": "USD"}), "UTC", "2025-01", "2025-02")
    assert dollars.quantity().unit == "USD"
    with pytest.raises(InputError, match=r"EUR.*USD"):
        small.saved_against(dollars)
