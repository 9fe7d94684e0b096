"""The band of IEEE 1547.1-2020, 4.2, against brute force and against worked numbers."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from v2glab.evidence import InputError
from v2glab.gridcodes.conformity import interpolate, response_target, tolerance_band

finite = st.floats(-2, 2)


@st.composite
def curves(draw):
    xs = sorted(draw(st.lists(st.floats(0.85, 1.15), min_size=2, max_size=5, unique=True)))
    return [(x, draw(st.floats(-1, 1))) for x in xs]


@given(curves(), st.floats(0.8, 1.2), st.floats(1e-3, 0.05), st.floats(1e-3, 0.1))
def test_band_is_the_extremes_over_the_tolerance_of_x(points, x, reach_x, reach_y):
    band = tolerance_band(lambda v: interpolate(points, v), x, reach_x, reach_y, [k for k, _ in points])
    knees = [k for k, _ in points if x - reach_x <= k <= x + reach_x]
    grid = np.concatenate([np.linspace(x - reach_x, x + reach_x, 401), knees])
    values = [interpolate(points, v) for v in grid]
    assert band.lower == pytest.approx(min(values) - reach_y, abs=1e-9)
    assert band.upper == pytest.approx(max(values) + reach_y, abs=1e-9)


def test_volt_var_by_hand():
    """Category B, measured 1.05 p.u.: Q = −0.22; ± 1.5 % of voltage is ± 0.11, and ± 7.5 % of power."""
    points = [(0.92, 0.44), (0.98, 0.0), (1.02, 0.0), (1.08, -0.44)]
    band = tolerance_band(lambda v: interpolate(points, v), 1.05, 0.015, 0.075, [0.92, 0.98, 1.02, 1.08])
    assert band.lower == pytest.approx(-0.22 - 0.11 - 0.075)
    assert band.upper == pytest.approx(-0.22 + 0.11 + 0.075)
    assert band.slope == pytest.approx(0.44 / 0.06)


@given(finite, finite, st.floats(0.2, 90))
def test_ninety_percent_at_the_open_loop_response_time(initial, final, olrt):
    """The share belongs to the time in seconds since the step, whatever the sampling."""
    assert response_target(initial, final, olrt, olrt) == pytest.approx(initial + 0.9 * (final - initial))
    assert response_target(initial, final, 0.0, olrt) == initial
    tau = olrt / math.log(10)
    after = 0.37 * olrt
    expected = final + (initial - final) * math.exp(-after / tau)
    assert response_target(initial, final, after, olrt) == pytest.approx(expected)


def test_a_step_in_a_curve_keeps_both_ends():
    points = [(0.9, 1.0), (1.0, 0.0), (1.0, -0.5), (1.1, -1.0)]
    assert interpolate(points, 1.0) == 0.0
    assert interpolate(points, 1.0 + 1e-12) == pytest.approx(-0.5)
    assert (interpolate(points, 0.0), interpolate(points, 2.0)) == (1.0, -1.0)


@pytest.mark.parametrize("reach", [0.0, -0.1, math.nan])
def test_a_band_without_tolerance_is_refused(reach):
    with pytest.raises(InputError, match="above 0"):
        tolerance_band(abs, 1.0, reach, 0.1)
