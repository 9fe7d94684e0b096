"""Control and proximity pilot against the tables of IEC 61851-1, with uncertainty."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from v2glab.diagnosis import load_knowledge
from v2glab.evidence import InputError, LimitError, Outcome, Quantity
from v2glab.links.pilot import (
    check_state,
    duty_for_current,
    duty_meaning,
    load_pilot_rules,
    pilot_state,
    read_proximity,
    tolerable_contact_ohm,
    with_contact,
    worn_contact,
)

RULES = load_pilot_rules()


def volts(value, u=0.1):
    return Quantity("cp_voltage", value, "V", u)


def percent(value, u=0.01):
    return Quantity("cp_duty", value, "%", u)


def ohms(value, u=1.0):
    return Quantity("pp_resistance", value, "ohm", u)


@pytest.mark.parametrize(
    ("value", "state"),
    [(12, "A"), (9, "B"), (6, "C"), (3, "D"), (0, "E"), (-12, "F"), (8.3, "B"), (6.79, "C")],
)
def test_voltages_stand_for_states(value, state):
    reading = pilot_state(volts(value))
    assert (reading.state, reading.reason) == (state, "")


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (7.5, "lies in no state's band"),
        (-6.0, "lies in no state's band"),
        (15.0, "lies in no state's band"),
        (7.1, "may be C, or none"),
        (9.9, "may be B, or none"),
        (10.95, "may be A, or none"),
    ],
)
def test_between_the_bands_no_state_is_claimed(value, told):
    reading = pilot_state(volts(value))
    assert reading.state is None
    assert told in reading.reason


def test_a_coarse_reading_names_what_it_may_be():
    reading = pilot_state(volts(7.5, u=1.0))
    assert reading.state is None
    assert reading.reason == "5.50 to 9.50 V may be B or C, or none"


@given(st.floats(-15, 15), st.floats(0.001, 3))
def test_a_state_is_only_given_when_the_whole_interval_lies_in_its_band(value, u):
    def held(factor):
        return [
            r.name for r in RULES.state if r.low_v <= value - factor * u and value + factor * u <= r.high_v
        ]

    state = pilot_state(volts(value, u)).state
    # The coverage factor for 95.45 % is 2, to four digits.
    if state is None:
        assert held(2.001) == []
    else:
        assert held(1.999) == [state]


def test_a_reading_without_uncertainty_gets_that_of_the_rules():
    bare = Quantity("cp_voltage", 6.85, "V", no_uncertainty="not stated")
    assert pilot_state(bare).state is None  # ± 0.2 V reaches beyond 7 V
    assert pilot_state(bare).voltage.uncertainty == RULES.parameters.uncertainty_v


def test_pulses_without_a_diode_are_no_vehicle():
    assert pilot_state(volts(6), volts(-12)).state == "C"
    reading = pilot_state(volts(6), volts(-6))
    assert reading.state is None
    assert "diode" in reading.reason


def test_units_are_checked():
    with pytest.raises(InputError, match="in 'mV'"):
        pilot_state(Quantity("cp_voltage", 6000, "mV", 1.0))
    with pytest.raises(InputError, match="in '1'"):
        duty_meaning(Quantity("cp_duty", 0.5, "1", 0.01))
    with pytest.raises(InputError, match="above 0 ohm"):
        read_proximity(Quantity("pp", 1.5, "kΩ", 0.01))
    with pytest.raises(InputError, match="above 0 ohm"):
        read_proximity(ohms(-1))


@pytest.mark.parametrize(
    ("duty", "current_a"),
    # The standard's own points: 10 % 6 A, 16 % 9.6 A, 53.3 % 32 A, 85 % 51 A, 96 % 80 A.
    [(10, 6.0), (16, 9.6), (160 / 3, 32.0), (80, 48.0), (85, 51.0), (90, 65.0), (95.9, 79.75)],
)
def test_duty_offers_current(duty, current_a):
    meaning = duty_meaning(percent(duty, u=0.001))
    assert meaning.kind == "current"
    assert meaning.current.value == pytest.approx(current_a, rel=1e-12)


def test_the_ends_of_the_ranges_belong_to_them():
    exact = {8.0: 4.8, 85.0: 51.0, 96.0: 80.0}
    for duty, current_a in exact.items():
        assert duty_for_current(current_a) == pytest.approx(duty)
    zero = Quantity("cp_duty", 96.0, "%", 0.0)
    assert duty_meaning(zero).current.value == pytest.approx(80.0)


@pytest.mark.parametrize(
    ("duty", "kind"),
    [(5, "digital"), (3.5, "digital"), (0, "none"), (1, "none"), (7.5, "none"), (98, "none")],
)
def test_other_duties_offer_none(duty, kind):
    meaning = duty_meaning(percent(duty))
    assert (meaning.kind, meaning.current) == (kind, None)


@pytest.mark.parametrize("duty", [3.0, 7.0, 8.0, 96.0])
def test_at_a_border_nothing_is_claimed(duty):
    meaning = duty_meaning(percent(duty, u=0.1))
    assert meaning.kind == "unknown"
    assert " or " in meaning.reason


def test_uncertainty_of_current_follows_the_slope():
    assert duty_meaning(percent(50, u=0.2)).current.uncertainty == pytest.approx(0.12)
    assert duty_meaning(percent(90, u=0.2)).current.uncertainty == pytest.approx(0.5)


@pytest.mark.parametrize("duty", [-0.1, 100.1])
def test_a_duty_that_cannot_be_is_refused(duty):
    with pytest.raises(InputError, match="0 to 100 %"):
        duty_meaning(percent(duty))


@given(st.floats(4.8, 51.0) | st.floats(52.6, 80.0))
def test_a_current_is_offered_by_the_duty_that_means_it(current_a):
    duty = duty_for_current(current_a)
    assert duty_meaning(Quantity("cp_duty", duty, "%", 0.0)).current.value == pytest.approx(current_a)


@pytest.mark.parametrize("current_a", [4.7, 0.0, -6.0, 51.5, 80.1, math.inf, math.nan])
def test_a_current_that_no_duty_offers_is_refused_never_clipped(current_a):
    with pytest.raises(LimitError, match=r"4\.8 to 51 A or 52\.5 to 80 A"):
        duty_for_current(current_a)


def test_checks_judge_against_the_band():
    assert check_state(volts(9), "C").outcome is not Outcome.PASS
    verdict = check_state(volts(6), "C")
    # The bands were not checked against their clause: nothing passes by them yet.
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert verdict.margin == pytest.approx(1.0)
    confirmed = RULES.model_copy(
        update={"state": tuple(r.model_copy(update={"confidence": "confirmed"}) for r in RULES.state)}
    )
    assert check_state(volts(6), "C", confirmed).outcome is Outcome.PASS
    assert check_state(volts(9), "C", confirmed).outcome is Outcome.FAIL
    assert check_state(volts(6.95), "C", confirmed).outcome is Outcome.INCONCLUSIVE
    assert check_state(None, "C", confirmed).outcome is Outcome.INCONCLUSIVE
    with pytest.raises(InputError, match="one of A, B, C, D, E, F"):
        check_state(volts(6), "G")


@pytest.mark.parametrize(("ohm", "ampacity_a"), [(1500, 13), (680, 20), (220, 32), (100, 63)])
def test_resistors_code_ampacities(ohm, ampacity_a):
    for measured in (ohm, ohm * 1.05, ohm * 0.95):
        found = read_proximity(ohms(measured, u=ohm * 0.005))
        assert (found.ampacity_a, found.verdict.outcome) == (ampacity_a, Outcome.PASS)


@pytest.mark.parametrize("ampacity_a", [13, 20, 32, 63])
def test_a_worn_contact_is_a_pp_error_beyond_what_is_tolerable(ampacity_a):
    limit = tolerable_contact_ohm(ampacity_a)
    coded = with_contact(ampacity_a, 0.0)
    good = read_proximity(ohms(with_contact(ampacity_a, 0.5 * limit), u=0.001 * coded))
    bad = read_proximity(ohms(with_contact(ampacity_a, 1.5 * limit), u=0.001 * coded))
    edge = read_proximity(ohms(with_contact(ampacity_a, limit), u=0.01 * coded))
    assert good.verdict.outcome is Outcome.PASS
    assert (bad.verdict.outcome, bad.ampacity_a, bad.code) == (Outcome.FAIL, None, "PP-ERROR")
    assert "clean and inspect" in bad.remedy
    assert (edge.verdict.outcome, edge.ampacity_a, edge.code) == (Outcome.INCONCLUSIVE, None, "")


def test_a_contact_of_65_ohm_makes_a_63_a_cable_an_error():
    found = read_proximity(ohms(with_contact(63, 65.0)))
    assert found.code == "PP-ERROR"
    extra = worn_contact(ohms(165.0, u=1.5), 63)
    assert (extra.value, extra.uncertainty, extra.name) == (65.0, 1.5, "pp_contact_resistance")


def test_wear_can_pass_for_a_smaller_cable_but_never_for_a_larger_one():
    for coding in load_knowledge().entry("pp_error").coding:
        for contact in range(0, 2000, 5):
            found = read_proximity(ohms(with_contact(coding.ampacity_a, float(contact)), u=0.5))
            assert found.ampacity_a is None or found.ampacity_a <= coding.ampacity_a


def test_what_is_not_coded_is_refused():
    with pytest.raises(InputError, match="one of 13, 20, 32, 63 A"):
        with_contact(16, 0.0)
    with pytest.raises(InputError, match="0 ohm or more"):
        with_contact(63, -1.0)


def test_rules_are_read_strictly(tmp_path):
    from v2glab.resources import find_data

    good = find_data("datasets", "iso15118", "pilot.toml").read_text(encoding="utf-8")
    for old, new in [
        ("low_v = 8.0", "low_v = 6.5"),
        ('name = "B"', 'name = "A"'),
        ("nominal_v = 9.0", "nominal_v = 19.0"),
        ("high_percent = 85.0", "high_percent = 8.0"),
        ("slope_a_per_percent = 0.6", ""),
        ("uncertainty_v = 0.1", "uncertainty_v = 0.0"),
        ("[parameters]", "[parameter]"),
    ]:
        assert old in good
        path = tmp_path / "bad.toml"
        path.write_text(good.replace(old, new, 1), encoding="utf-8")
        with pytest.raises(InputError, match=r"bad\.toml"):
            load_pilot_rules.__wrapped__(path)
