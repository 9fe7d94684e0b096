"""What a disturbance demanded, and when nobody may say so."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from v2glab.evidence import UsageError
from v2glab.gridcodes import demand, load_code

CODE = load_code("ieee1547-2018")


def series(*steps, dt=0.01):
    volts = np.concatenate([np.full(round(d / dt), v) for d, v in steps] + [[steps[-1][1]]])
    return np.arange(volts.size) * dt, volts


def ask(category, *steps, u=0.002, code=CODE, **more):
    return demand(code, category, *series(*steps), u_voltage_pu=u, **more)


def test_margins_of_a_plain_dip():
    """0.4 s at 0.6 p.u.: III asks for 10 s (Table 16), II for 0.32 s (Table 15), I for 0.16 s (Table 14)."""
    dip = ((1, 1.0), (0.4, 0.6), (2, 1.0))
    third, second, first = (ask(c, *dip) for c in ("III", "II", "I"))
    assert (third.asked, third.conclusive) == ("stay", True)
    assert third.margin_s == pytest.approx(9.6)
    assert third.margin_region == "lv2"
    assert third.u_margin_s == pytest.approx(0.01 / 6**0.5)
    assert (third.trip, third.trip_margin_s) == ("uv1", pytest.approx(20.6))
    assert (second.asked, second.conclusive) == ("may trip", True)
    assert second.may_trip_at_s == pytest.approx(1.32)
    assert second.margin_s == pytest.approx(-0.08)
    assert (first.asked, first.may_trip_at_s) == ("may trip", pytest.approx(1.16))


def test_a_plant_that_must_have_ceased():
    found = ask("III", (1, 1.0), (3, 0.3), (1, 1.0))
    assert (found.asked, found.conclusive) == ("must trip", True)
    assert found.must_trip_at_s == pytest.approx(3)
    assert found.trip_margin_s == pytest.approx(-1)


def test_a_slope_carries_the_uncertainty_of_voltage_into_time():
    """Category II, lv1: 3 s + 8.7 s/p.u.: one standard uncertainty of 0.002 p.u. is 17.4 ms."""
    found = ask("II", (1, 1.0), (3, 0.75), (1, 1.0))
    assert found.margin_s == pytest.approx(3 + 8.7 * 0.1 - 3)
    assert found.u_margin_s == pytest.approx(np.hypot(8.7 * 0.002, 0.01 / 6**0.5))


def test_a_voltage_at_an_edge_decides_nothing():
    """2 s at 0.501 p.u.: 10 s to be ridden through above 0.5, 1 s below."""
    found = ask("III", (1, 1.0), (1.9, 0.501), (2, 1.0))
    assert found.asked == "stay"
    assert "may trip" in found.reasons[0]
    assert ask("III", (1, 1.0), (1.9, 0.501), (2, 1.0), u=0.0004).conclusive


def test_a_duration_at_the_limit_decides_nothing():
    found = ask("III", (1, 1.0), (1.0, 0.3), (2, 1.0))
    assert not found.conclusive
    assert "uncertainty of the time" in found.reasons[0]


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"u": None}, "states no uncertainty"),
        ({"gap_s": 0.005}, "gaps"),
        ({"frequency_hz": np.full(141, 60.0)}, "states no uncertainty"),
    ],
)
def test_what_is_missing_forbids_an_answer(more, says):
    found = ask("III", (0.5, 1.0), (0.4, 0.6), (0.5, 1.0), **more)
    assert any(says in reason for reason in found.reasons)


def test_codes_without_regions_or_with_unchecked_limits_give_no_answer():
    dip = ((1, 1.0), (0.4, 0.6), (2, 1.0))
    german = ask("inverter", *dip, code=load_code("vde-ar-n-4105-2018"))
    assert german.asked == "no limit known"
    assert any("what voltage this category must ride through" in r for r in german.reasons)
    assert any("not checked against the text: uv1" in r for r in german.reasons)
    assert german.left_out == ("ov-mean", "frequency")
    hawaiian = ask("III", *dip, code=load_code("heco-srd-2.0"))
    assert hawaiian.asked == "stay"
    assert any("not checked" in r for r in hawaiian.reasons)


def test_a_region_that_no_source_describes_is_neither_freedom_nor_duty():
    code = load_code("eu-2016-1447")
    time, hertz = series((1, 50.0), (30, 47.2), (1, 50.0), dt=0.1)
    volts = np.ones_like(hertz)
    known = demand(code, "default", time, volts, hertz, u_voltage_pu=0.001, u_frequency_hz=0.001)
    voltage = "no source says what voltage this category must ride through"
    assert (known.asked, known.reasons, known.margin_s) == ("stay", (voltage,), pytest.approx(30))
    time, hertz = series((1, 50.0), (30, 48.0), (1, 50.0), dt=0.1)
    open_ = demand(code, "default", time, volts, hertz, u_voltage_pu=0.001, u_frequency_hz=0.001)
    assert open_.reasons == (voltage, "no source says what is asked for in: lf1")


def test_unknown_categories_are_refused():
    with pytest.raises(UsageError, match="one of"):
        ask("IV", (1, 1.0), (1, 0.9))


DIPS = st.lists(st.tuples(st.floats(0.02, 2), st.floats(0, 1.3)), min_size=1, max_size=3)


@settings(max_examples=30, deadline=None)
@given(DIPS, st.sampled_from(["I", "II", "III"]), st.floats(1e-4, 0.01), st.floats(1, 10))
def test_an_answer_that_holds_is_not_another_one_with_less_uncertainty(dips, category, u, factor):
    steps = ((1, 1.0), *dips, (1, 1.0))
    rough, fine = ask(category, *steps, u=u * factor), ask(category, *steps, u=u)
    assert rough.asked == fine.asked
    if not rough.conclusive:
        return
    shifted = [ask(category, *((d, v + s * u) for d, v in steps), u=u).asked for s in (-1, 0, 1)]
    assert set(shifted) == {rough.asked}
