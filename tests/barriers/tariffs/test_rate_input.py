"""Rate files and series that are wrong: one error each, with the key or step, and what to do."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from v2glab.barriers.tariffs import Metering, Rate, bill, parse_rate
from v2glab.evidence import InputError
from v2glab.resources import find_data

GOOD: dict[str, Any] = {
    "label": "x",
    "country": "USA",
    "energyratestructure": [[{"max": 100.0, "rate": 0.1, "unit": "kWh"}, {"rate": 0.2, "unit": "kWh"}]],
    "energyweekdayschedule": [[0] * 24] * 12,
    "energyweekendschedule": [[0.0] * 24] * 12,
}
JANUARY = 1_735_689_600  # 2025-01-01 UTC


def parse(**changes: Any) -> Rate:
    return parse_rate(json.dumps(GOOD | changes), "r.json")


def test_the_forms_in_which_a_rate_is_stored() -> None:
    plain = json.dumps(GOOD)
    for text in (plain, json.dumps({"items": [GOOD]}), json.dumps(json.dumps({"items": [GOOD]}))):
        assert parse_rate(text, "r.json") == parse_rate(plain, "r.json")
    both = json.dumps({"items": [GOOD, GOOD | {"label": "y"}]})
    assert parse_rate(both, "r.json", label="y").label == "y"
    with pytest.raises(InputError, match="2 of 2"):
        parse_rate(both, "r.json")
    with pytest.raises(InputError, match="0 of 2"):
        parse_rate(both, "r.json", label="z")


@pytest.mark.parametrize("name", ["example-urdb-tou", "example-urdb-demand"])
def test_the_examples_of_the_package(name: str) -> None:
    rate = parse_rate(find_data("datasets", "tariffs", f"{name}.json").read_text(), name)
    assert rate.label == name
    assert "assumption" in rate.source
    load = np.ones(31 * 96)
    found = bill(rate, 5 * load, 0.5 * load, JANUARY, 900, "UTC")
    assert found.total > 0
    assert "not a real product" in found.notes[-1]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"energyratestructure": []}, "energyratestructure"),
        ({"energyratestructure": None}, "energyratestructure"),
        ({"energyratestructure": [[{"rate": "0.1"}]]}, r"energyratestructure\[0\]\[0\].rate"),
        ({"energyratestructure": [[{"rate": True}]]}, r"energyratestructure\[0\]\[0\].rate"),
        ({"energyratestructure": [[{"rate": 1e9}]]}, r"energyratestructure\[0\]\[0\].rate"),
        ({"energyratestructure": [[{"rate": 0.1, "max": 0}]]}, r"\[0\]\[0\].max"),
        ({"energyratestructure": [[{"rate": 0.1, "sel": 0}]]}, r"\[0\]\[0\].sel"),
        ({"energyratestructure": [[{"rate": 0.1, "unit": "kWh/hp"}]]}, r"\[0\]\[0\].unit"),
        ({"energyratestructure": [[{"max": 9, "rate": 1}, {"max": 9, "rate": 1}]]}, r"\[0\]\[1\].max"),
        (
            {"energyratestructure": [[{"max": 9, "unit": "kWh"}, {"max": 9, "unit": "kWh/kW"}]]},
            r"structure\[0\]: a block",
        ),
        ({"energyweekdayschedule": [[0] * 24] * 11}, "energyweekdayschedule"),
        ({"energyweekdayschedule": [[0] * 23] * 12}, r"energyweekdayschedule\[0\]"),
        ({"energyweekdayschedule": [[0.5] * 24] * 12}, r"energyweekdayschedule\[0\]\[0\]"),
        ({"energyweekdayschedule": [[0] * 24] * 11 + [[0] * 23 + [1]]}, r"energyweekdayschedule\[11\]\[23\]"),
        ({"energyweekendschedule": None}, "energyweekendschedule"),
        ({"demandweekdayschedule": [[0] * 24] * 12}, "without demandratestructure"),
        ({"demandratestructure": [[{"rate": 1}], [{"rate": 2}]]}, "demandweekdayschedule"),
        ({"flatdemandmonths": [0] * 12}, "flatdemandstructure"),
        ({"flatdemandstructure": [[{"rate": 1}]], "flatdemandmonths": [0] * 11 + [1]}, r"months\[11\]"),
        ({"flatdemandunit": "kVA"}, "flatdemandunit"),
        ({"demandrateunit": "kW daily"}, "demandrateunit"),
        ({"fixedchargefirstmeter": 5, "fixedmonthlycharge": 5}, "fixedmonthlycharge"),
        ({"fixedchargeunits": "$/week"}, "fixedchargeunits"),
        ({"mincharge": 5, "annualmincharge": 5}, "annualmincharge"),
        ({"mincharge": -1}, "mincharge"),
        ({"lookbackpercent": 0.5}, "lookbackrange"),
        ({"lookbackpercent": 80, "lookbackrange": 11}, "lookbackpercent"),
        (
            {"lookbackpercent": 0.5, "lookbackrange": 3, "demandratestructure": [[{"rate": 1}]]},
            "which period",
        ),
        ({"demandratchetpercentage": [0.5] * 12}, "demandratchetpercentage"),
        ({"demandreactivepowercharge": 0.3}, "demandreactivepowercharge"),
        ({"coincidentratestructure": [[{"rate": 3.0}]]}, "coincidentratestructure"),
        ({"dgrules": "Feed-in"}, "dgrules"),
        ({"surprise": 1}, "surprise"),
        ({"texts": []}, "texts"),
        ({"country": "CAN"}, "currency"),
        ({"currency": "Dollar"}, "currency"),
    ],
)
def test_a_wrong_entry_is_refused_by_its_key(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(InputError, match=named) as caught:
        parse(**changes)
    assert "r.json" in caught.value.found
    assert caught.value.remedy


def test_charges_that_are_stated_as_nothing_are_nothing() -> None:
    empty = {"coincidentratestructure": [[{"rate": 0}]], "demandratchetpercentage": [0] * 12}
    assert parse(**empty) == parse()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "3",
        '"x"',
        "[" * 100_000,
        '{"items": []}',
        '{"items": {"a": 1}, "b": 2}',
        '{"energyratestructure": [[{"rate": NaN}]], "country": "USA"}',
        '{"energyratestructure": [[{"rate": 1e999}]], "country": "USA"}',
        '{"mincharge": 1, "mincharge": 2}',
        '["a"]',
        " " * 6_000_000,
    ],
)
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"r\.json"):
        parse_rate(text, "r.json")


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(key=st.sampled_from([*Rate.model_fields, "items"]), value=_JSON)
def test_whatever_stands_in_a_field_parses_or_is_refused(key: str, value: Any) -> None:
    try:
        assert parse(**{key: value}).currency == "USD"
    except InputError as error:
        assert error.found


def test_a_copy_is_checked_and_has_arrays_of_its_own() -> None:
    rate = parse()
    assert rate.tables.energy.price[0, 0] == 0.1
    dearer = rate.model_copy(update={"energyratestructure": [[{"rate": 0.5}]]})
    assert dearer.tables.energy.price[0, 0] == 0.5
    with pytest.raises(ValueError, match="dgrules"):
        rate.model_copy(update={"dgrules": "x"})


def series(**changes: Any) -> dict[str, Any]:
    load = np.ones(31 * 24)
    return {
        "load_kw": load,
        "export_kw": 0 * load,
        "start_s": JANUARY,
        "step_s": 3600,
        "timezone": "UTC",
    } | changes


def at(step: int, value: float) -> np.ndarray:
    load = np.ones(31 * 24)
    load[step] = value
    return load


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"load_kw": at(70, -0.1)}, "step 70: load -0.1"),
        ({"load_kw": at(71, np.nan)}, "step 71: load nan"),
        ({"load_kw": at(743, np.inf)}, "step 743: load inf"),
        ({"load_kw": at(0, 1e9)}, "step 0: load 1e"),
        ({"export_kw": at(9, -1.0)}, "step 9: load 1 kW, export -1"),
        ({"export_kw": np.zeros(5)}, "744 values of load, 5 of export"),
        ({"load_kw": np.ones((744, 1)), "export_kw": np.ones((744, 1))}, "shape"),
        ({"load_kw": ["a"] * 744}, "load_kw"),
        ({"load_kw": [], "export_kw": []}, "0 steps"),
        ({"step_s": 7000}, "steps of 7000 s"),
        ({"step_s": 0}, "steps of 0 s"),
        ({"start_s": JANUARY + 3600}, "not whole months"),
        ({"start_s": 10**15}, "time zone"),
        ({"timezone": "Mars/Base"}, "Mars"),
        ({"timezone": "../../etc/passwd"}, "time zone"),
        ({"timezone": "Europe/Oslo"}, "not whole months"),
        ({"demand_window_s": 5000}, "interval of 5000 s"),
    ],
)
def test_a_wrong_series_is_refused_by_its_step(changes: dict[str, Any], named: str) -> None:
    rate = parse(flatdemandstructure=[[{"rate": 1.0}]], flatdemandmonths=[0] * 12)
    with pytest.raises(InputError, match=named) as caught:
        bill(rate, **series(**changes))
    assert caught.value.remedy


def test_a_rate_that_does_not_say_what_export_earns() -> None:
    with pytest.raises(InputError, match="does not say how exported energy is settled"):
        bill(parse(), **series(export_kw=at(3, 0.0)))
    paid = Metering(rule="net_billing", credit="paid")
    with pytest.raises(InputError, match=r"energyratestructure\[0\]\[0\]\.sell"):
        bill(parse(), **series(export_kw=at(3, 0.0)), metering=paid)
    assert bill(parse(), **series()).total == pytest.approx(100 * 0.1 + 644 * 0.2)


def test_energy_and_demand_beyond_the_last_tier() -> None:
    ends = parse(energyratestructure=[[{"max": 100.0, "rate": 0.1}]])
    with pytest.raises(InputError, match=r"2025-01: 744.000 kWh, energyratestructure\[0\] ends at 100"):
        bill(ends, **series())
    with pytest.raises(InputError, match="ends at 100"):
        bill(ends, **series(), metering=Metering(rule="net_billing", credit="paid"))
    low = parse(flatdemandstructure=[[{"max": 0.5, "rate": 1.0}]], flatdemandmonths=[0] * 12)
    with pytest.raises(InputError, match=r"flatdemandstructure\[0\]\[0\] ends at 0.5 kW"):
        bill(low, **series())
