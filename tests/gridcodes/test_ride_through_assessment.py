"""What a disturbance asks for: the standard's own test sequences, irregular time, gaps."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from v2glab.evidence import InputError
from v2glab.gridcodes import assess_ride_through, load_code

CODE = load_code("ieee1547-2018")


def series(*steps, dt=0.01):
    """Return time and voltage for (duration, voltage) steps."""
    volts = np.concatenate([np.full(round(d / dt), v) for d, v in steps] + [[steps[-1][1]]])
    return np.arange(volts.size) * dt, volts


def use(assessment, name):
    return next(r for r in assessment.regions if r.region.name == name)


@pytest.mark.parametrize(
    ("category", "steps"),
    [
        ("III", [(5, 0.94), (1, 0.03), (9, 0.52), (10, 0.7), (20, 0.94)]),
        ("II", [(10, 0.94), (0.16, 0.31), (0.16, 0.46), (2.68, 0.65), (2, 0.88), (20, 0.94)]),
        ("III", [(5, 1.05), (12, 1.18), (20, 1.05)]),
    ],
)
def test_sequences_of_the_conformance_test_ask_to_stay_and_one_step_more_does_not(category, steps):
    """IEEE 1547.1-2020, Tables 4 to 8: the sequence is exactly what must be ridden through."""
    time, volts = series(*steps)
    assert assess_ride_through(CODE, category, time, volts).may_trip_at_s is None
    worst = next(i for i, (_, v) in enumerate(steps) if not 0.88 <= v <= 1.1)
    longer = list(steps)
    longer[worst] = (steps[worst][0] + 0.05, steps[worst][1])
    assert assess_ride_through(CODE, category, *series(*longer)).may_trip_at_s is not None


def test_times_margins_and_trips_of_a_plain_dip():
    seen = assess_ride_through(CODE, "III", *series((1, 1.0), (3, 0.4), (2, 1.0)))
    low = use(seen, "lv3")
    assert (low.time_s, low.required_s) == (pytest.approx(3), 1)
    assert low.margin_s == pytest.approx(-2)
    assert seen.may_trip_at_s == pytest.approx(2)
    assert seen.must_trip_at_s == pytest.approx(3)  # UV2 after two seconds
    assert low.u_time_s == pytest.approx(0.01 * math.sqrt(2 / 12))
    assert [s.region for s in seen.segments] == ["continuous", "lv3", "continuous"]


def test_the_worst_phase_governs_not_the_mean():
    time, dip = series((1, 1.0), (1, 0.6), (1, 1.0))
    seen = assess_ride_through(CODE, "III", time, np.stack([dip, np.ones_like(dip), np.ones_like(dip)]))
    assert use(seen, "lv2").time_s == pytest.approx(1)


def test_category_ii_time_grows_with_voltage():
    deep = assess_ride_through(CODE, "II", *series((1, 1.0), (4, 0.7), (1, 1.0)))
    shallow = assess_ride_through(CODE, "II", *series((1, 1.0), (4, 0.85), (1, 1.0)))
    assert deep.may_trip_at_s == pytest.approx(1 + 3 + 8.7 * 0.05)
    assert shallow.may_trip_at_s is None


def test_frequency_has_its_own_regions():
    time, hertz = series((1, 60.0), (310, 58.0), (1, 60.0), dt=0.1)
    seen = assess_ride_through(CODE, "III", time, np.ones_like(hertz), hertz)
    assert seen.may_trip_at_s == pytest.approx(300)
    assert seen.must_trip_at_s == pytest.approx(301)


def test_equal_time_stamps_are_steps_and_gaps_are_not_integrated():
    time = np.array([0, 1, 1, 1.1, 1.2, 3.2, 3.3, 3.4])
    volts = np.array([1, 1, 0.6, 0.6, 0.6, 0.6, 1, 1])
    seen = assess_ride_through(CODE, "III", time, volts, gap_s=1.5)
    assert (seen.duplicates, seen.gaps, seen.conclusive) == (1, ((1.2, 3.2),), False)
    assert use(seen, "lv2").time_s == pytest.approx(0.3)
    assert use(seen, "lv2").longest_s == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("time", "volts"),
    [
        ([0, 1], [1, np.nan]),
        ([1, 0], [1, 1]),
        ([0], [1]),
        ([0, 1], [1, 1, 1]),
        ([0, 0], [1, 1]),
        ([0, np.inf], [1, 1]),
    ],
)
def test_bad_series_are_refused(time, volts):
    with pytest.raises(InputError):
        assess_ride_through(CODE, "III", time, volts)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.floats(0.001, 0.5), st.floats(0, 1.5)), min_size=2, max_size=40))
def test_voltage_regions_share_out_all_time_once(steps):
    time = np.concatenate([[0], np.cumsum([d for d, _ in steps])])
    volts = np.array([v for _, v in steps] + [steps[-1][1]])
    seen = assess_ride_through(CODE, "II", time, volts, gap_s=10.0)
    assert sum(r.time_s for r in seen.regions) == pytest.approx(time[-1])


def test_a_recorded_fault_of_the_danish_network(shared_data):
    table = np.genfromtxt(shared_data("waveforms/mtb_DK1_fault1.csv"), delimiter=";", skip_header=1)
    seen = {c: assess_ride_through(CODE, c, table[:, 0], table[:, 1]) for c in ("I", "II", "III")}
    assert seen["III"].duplicates == 40
    assert seen["I"].may_trip_at_s == pytest.approx(0.201)
    assert seen["II"].may_trip_at_s is None
    assert seen["III"].may_trip_at_s is None
    assert use(seen["III"], "lv3").time_s == pytest.approx(0.0993)
