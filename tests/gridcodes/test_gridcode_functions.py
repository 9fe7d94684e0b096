"""The typed functions of grid codes: figures from public sources, and bad entries that are refused."""

import copy
import math

import pytest

from v2glab.evidence import InputError, UsageError, read_toml
from v2glab.gridcodes import list_codes, load_code, parse_code
from v2glab.resources import find_data


@pytest.fixture
def document():
    return copy.deepcopy(read_toml(find_data("datasets", "gridcodes", "ieee1547-2018.toml")))


def test_bounds_follow_the_settings_they_name():
    curve = load_code("ieee1547-2018").normal_category("B").volt_var
    assert curve.v1.limits(curve.defaults()) == pytest.approx((0.82, 0.96))
    moved = curve.defaults() | {"v_ref": 1.05, "v2": 1.03}
    assert curve.v1.limits(moved) == pytest.approx((0.87, 1.01))
    assert curve.q1.limits(moved) == (-math.inf, math.inf)  # no source gives a range


def test_defaults_that_depend_on_the_plant():
    rules = load_code("ieee1547-2018").normal_category("B")
    assert rules.volt_watt.p2.value({"p_min": 0.1}) == 0.1
    assert rules.volt_watt.p2.value({"p_min": 0.3}) == 0.2
    assert rules.watt_var.p1.value({"p_min": 0.3}) == 0.3
    assert rules.watt_var.p1.value({}) == 0.2


def test_momentary_cessation_is_what_the_regions_say():
    code = load_code("ieee1547-2018")
    found = code.category("III").momentary_cessation
    assert (found.low_pu, found.high_pu, found.response_s) == (0.5, 1.1, 0.083)
    assert code.category("I").momentary_cessation is None


def test_accuracy_in_the_units_of_the_quantity():
    accuracy = load_code("ieee1547-2018").accuracy
    assert accuracy["voltage.steady"].absolute(1.2, 60) == 0.01
    assert accuracy["time.steady"].absolute(300, 60) == 3
    assert accuracy["time.transient"].absolute(0.16, 60) == pytest.approx(2 / 60)
    assert accuracy["time.transient"].absolute(0.16, 50) == pytest.approx(0.04)


def test_volt_var_of_australia_and_new_zealand():
    """AS/NZS 4777.2:2020, volts over 230 V, as in public test scripts."""
    code = load_code("as4777.2-2020")
    for name, volts in {
        "australia-a": (207, 220, 240, 258),
        "australia-b": (205, 220, 235, 255),
        "australia-c": (215, 230, 240, 255),
        "new-zealand": (207, 220, 235, 244),
    }.items():
        points = code.normal_category(name).volt_var.points
        assert [v * code.nominal_voltage_v for v, _ in points] == pytest.approx(volts, abs=1e-3)
    assert code.category("new-zealand").trips == ()  # no limit known, not "none asked for"


def test_responses_on_one_side_and_their_droop():
    assert load_code("vde-ar-n-4105-2018").category("inverter").response_over_frequency.droop_pu(50) == 0.05
    australia = load_code("as4777.2-2020").category("australia-a").response_over_frequency
    assert australia.droop_pu(50) == pytest.approx(0.035)
    assert load_code("en50549-1-2019").category("default").response_under_frequency.droop_pu(50) is None


def test_an_edition_that_is_only_named_judges_nothing():
    code = load_code("vde-ar-n-4105-2026")
    assert (code.edition, code.categories, dict(code.criteria)) == ("2026-03", {}, {})
    with pytest.raises(UsageError, match="transcribe"):
        code.category("inverter")
    with pytest.raises(UsageError, match="transcribe"):
        code.normal_category()


@pytest.mark.parametrize("name", list_codes())
def test_reactive_power_lies_within_the_capability_that_is_asked_for(name):
    for rules in load_code(name).normal.values():
        if rules.volt_var and rules.reactive_capability:
            q = [y for _, y in rules.volt_var.points]
            assert max(q) <= rules.reactive_capability.injection_pu
            assert -min(q) <= rules.reactive_capability.absorption_pu


def test_power_factors_mean_the_stated_reactive_power():
    """VDE-AR-N 4105: reactive over active power is tan(acos(power factor))."""
    for rules in load_code("vde-ar-n-4105-2018").normal.values():
        asked = rules.reactive_capability
        assert asked.relative_to == "rated active power"
        assert asked.injection_pu == pytest.approx(math.tan(math.acos(asked.power_factor)), abs=1e-6)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda d: d["normal"]["B"]["volt_var"]["v3"].update(default=0.97), "test.toml, normal B, volt_var"),
        (lambda d: d["normal"]["B"]["volt_var"]["q2"].update(default=0.5), "not monotonic"),
        (lambda d: d["normal"]["B"]["volt_var"]["q4"].update(default=0.1), "not monotonic"),
        (lambda d: d["normal"]["A"]["volt_watt"]["p2"].update(default=1.5, upper=2.0), "not monotonic"),
        (lambda d: d["normal"]["A"]["watt_var"]["p2_load"].update(default=-0.1), "not monotonic"),
        (
            lambda d: d["normal"]["B"]["volt_var"]["v1"].update(default=0.5),
            "v1: default 0.5 outside its range",
        ),
        (lambda d: d["normal"]["B"]["volt_var"]["v1"].update(upper="v9 - 1"), "refers to no setting"),
        (lambda d: d["normal"]["B"]["volt_var"]["v1"].update(upper="import os"), "neither a number nor"),
        (lambda d: d["normal"]["B"]["volt_var"]["v1"].update(default=float("nan")), "finite"),
        (lambda d: d["normal"]["B"]["volt_var"].pop("v4"), "volt_var.v4: Field required"),
        (lambda d: d["normal"]["B"]["volt_var"].pop("clause"), "volt_var: no clause"),
        (lambda d: d["normal"]["B"]["volt_var"].update(confidence="sure"), "confidence"),
        (lambda d: d["normal"]["B"].update(volt_amp={}), "volt_amp"),
        (lambda d: d["code"].update(default_normal_category="C"), "default_normal_category: unknown"),
        (lambda d: d["code"].update(nominal_frequency_hz=50.0), "wrong side of nominal 50 Hz"),
        (
            lambda d: d["trip"][2].update(threshold=61.0, threshold_range=[50, 62]),
            "trip uf1: low frequency 61",
        ),
        (lambda d: d["trip"][0].update(threshold_range=[66.0, 61.8]), "runs backwards"),
        (lambda d: d["trip"][0].update(time_s=2000.0), "outside its range"),
        (lambda d: d["enter_service"]["voltage_low_pu"].update(default=1.2, range=[0, 2]), "not below"),
        (lambda d: d["category"]["III"]["restore_output"]["time"].pop("unit"), "time.unit"),
        (lambda d: d["category"]["III"]["restore_output"]["time"].update(unit=""), "time.unit"),
        (lambda d: d["accuracy"][0].pop("unit"), "accuracy voltage.steady, unit"),
        (lambda d: d["accuracy"][0].update(relative_to="absolute"), "does not go with"),
        (lambda d: d["accuracy"].append(d["accuracy"][0]), "two entries"),
        (lambda d: d["criterion"][0].pop("unit"), "ieee1547-2018.sync.frequency.500kva"),
        (lambda d: d["criterion"][0].update(clause=""), "no clause"),
        (lambda d: d["criterion"][0].update(upper=float("inf")), "finite bounds"),
        (lambda d: d["criterion"][0].update(upper=float("nan")), "finite bounds"),
        (lambda d: d["control"].update(mode_transition_s=[300.0, 5.0]), "control"),
        (lambda d: d["phase_jump"].update(single_phase_deg=-1.0), "phase_jump, single_phase_deg"),
    ],
)
def test_bad_entries_are_refused_with_file_entry_and_remedy(document, spoil, says):
    spoil(document)
    with pytest.raises(InputError, match=says) as refused:
        parse_code(document, "test.toml")
    assert refused.value.found.startswith("test.toml")
    assert refused.value.required
    assert refused.value.remedy
