"""Grid codes as data: what is there, and what is refused."""

import contextlib
import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from v2glab.evidence import InputError, LimitError, UsageError, read_toml
from v2glab.gridcodes import droop_power_pu, list_codes, load_code, parse_code, trip_settings
from v2glab.resources import find_data


@pytest.fixture
def document():
    return copy.deepcopy(read_toml(find_data("datasets", "gridcodes", "ieee1547-2018.toml")))


@pytest.mark.parametrize("name", list_codes())
def test_every_code_loads_with_clause_and_source_on_each_criterion(name):
    code = load_code(name)
    assert code.id == name
    assert all(c.clause and c.source for c in code.criteria.values())
    assert all(key == c.id for key, c in code.criteria.items())


def test_unverified_limits_stay_unverified():
    code = load_code("ieee1547-2018")
    for kind, upper in (("frequency", 0.3), ("voltage", 10), ("phase", 20)):
        criterion = code.criteria[f"ieee1547-2018.sync.{kind}.500kva"]
        assert (criterion.upper, criterion.confidence) == (upper, "unverified")
    assert code.criteria["ieee1547-2018.islanding.time"].confidence == "unverified"
    assert all(c.confidence == "unverified" for c in load_code("vde-ar-n-4105-2018").criteria.values())


@pytest.mark.parametrize(
    ("category", "uv1", "uv2"),
    [("I", (0.7, 2), (0.45, 0.16)), ("II", (0.7, 10), (0.45, 0.16)), ("III", (0.88, 21), (0.5, 2))],
)
def test_trips_of_tables_11_to_13(category, uv1, uv2):
    trips = {t.name: (t.threshold, t.time_s) for t in trip_settings(load_code("ieee1547-2018"), category)}
    assert (trips["uv1"], trips["uv2"]) == (uv1, uv2)
    assert (trips["ov2"], trips["of2"], trips["uf1"]) == ((1.2, 0.16), (62.0, 0.16), (58.5, 300))


def test_ride_through_ends_before_the_trip_is_due():
    """In each category a region asks for less time than the trip that covers it allows."""
    code = load_code("ieee1547-2018")
    for rules in code.categories.values():
        for trip in rules.trips:
            regions = (
                rules.ride_through_voltage if trip.quantity == "voltage" else rules.ride_through_frequency
            )
            for region in (
                r for r in regions if r.minimum_s and r.lower is not None and trip.beyond(r.lower)
            ):
                assert region.minimum_s <= trip.time_s


def test_criteria_are_found_with_the_category_in_capitals():
    criteria = load_code("ieee1547-2018").criteria
    assert criteria["ieee1547-2018.trip.uv1.III"] is criteria["ieee1547-2018.trip.uv1.iii"]
    with pytest.raises(KeyError):
        criteria["ieee1547-2018.trip.uv9.III"]


def test_unknown_names_list_what_there_is():
    with pytest.raises(InputError, match="ieee1547-2018"):
        load_code("ieee9999")
    with pytest.raises(UsageError, match="III"):
        load_code("ieee1547-2018").category("IV")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda d: d.update(schema=2),
        lambda d: d.update(surprise=1),
        lambda d: d.pop("code"),
        lambda d: d["code"].update(default_category="IX"),
        lambda d: d["trip"][0].update(source="nowhere"),
        lambda d: d["trip"][0].update(time_s=-1),
        lambda d: d["trip"][0].update(extra=1),
        lambda d: d["trip"].append(d["trip"][0]),
        lambda d: d["region"].pop(0),
        lambda d: d["region"][1].update(upper=61.9),
        lambda d: d["criterion"].append(d["criterion"][0]),
        lambda d: d["criterion"][0].update(id="other.sync"),
        lambda d: d["criterion"][0].update(upper="much"),
        lambda d: d["enter_service"]["delay_s"].update(default=700),
        lambda d: d["category"]["I"].update(droop=3),
        lambda d: d.update(category=[]),
    ],
)
def test_a_malformed_code_is_refused(document, spoil):
    spoil(document)
    with pytest.raises(InputError):
        parse_code(document, "test.toml")


JUNK = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(
        ["schema", "code", "sources", "trip", "region", "category", "enter_service", "criterion"]
    ),
    JUNK,
)
def test_hostile_content_raises_input_errors_only(key, junk):
    good = read_toml(find_data("datasets", "gridcodes", "en50549-1-2019.toml"))
    good[key] = junk
    with contextlib.suppress(InputError):
        parse_code(good, "test.toml")


DROOP = {
    "nominal_hz": 60.0,
    "deadband_over_hz": 0.036,
    "deadband_under_hz": 0.036,
    "droop_over": 0.05,
    "droop_under": 0.05,
}


@pytest.mark.parametrize(
    ("frequency_hz", "expected"),
    [(60.0, 0.5), (60.036, 0.5), (60.336, 0.4), (63.036, 0.0), (59.664, 0.6), (57.0, 1.0)],
)
def test_droop_of_table_23(frequency_hz, expected):
    assert droop_power_pu(frequency_hz, 0.5, **DROOP) == pytest.approx(expected)


def test_droop_at_another_nominal_frequency_and_while_charging():
    settings_50 = {**DROOP, "nominal_hz": 50.0}
    assert droop_power_pu(50.286, 0.5, **settings_50) == pytest.approx(0.4)
    assert droop_power_pu(50.286, 0.0, **settings_50, minimum_pu=-1.0) == pytest.approx(-0.1)


@pytest.mark.parametrize(
    "change", [{"droop_over": 0.0}, {"nominal_hz": float("nan")}, {"deadband_under_hz": -1.0}]
)
def test_droop_refuses_wrong_settings(change):
    with pytest.raises(LimitError):
        droop_power_pu(60.0, 0.5, **{**DROOP, **change})
