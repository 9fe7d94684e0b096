"""Means and integrals against hand calculation."""

import math

import pytest

from v2glab.evidence import Quantity
from v2glab.procedures._series import Series, derived, trapezoid


def quantity(name, value, u=0.5):
    return Quantity(
        name, value, "A", u, instrument="meter", certificate="C1", no_uncertainty="" if u else "none"
    )


def test_mean_joins_scatter_and_the_instruments_own_error():
    series = Series(0)
    for k, value in enumerate((10.0, 12.0, 14.0)):
        series.add(k * 10**9, {"current_a": quantity("current_a", value)})
    mean = series.mean("current_a", "throughput")
    assert mean.value == pytest.approx(12.0)
    assert mean.uncertainty == pytest.approx(math.hypot(2 / math.sqrt(3), 0.5))
    assert mean.certificate == "C1"


def test_without_uncertainty_on_a_source_there_is_none_on_the_result():
    source = Quantity("current_a", 1.0, "A", no_uncertainty="no certificate")
    out = derived("x", 1.0, "1", 0.1, source)
    assert out.uncertainty is None
    assert out.no_uncertainty == "no certificate"


def test_extreme_over_phases_and_time():
    series = Series(0)
    series.add(0, {n: quantity(n, v) for n, v in (("a", 1.0), ("b", 5.0))})
    series.add(1, {n: quantity(n, v) for n, v in (("a", 7.0), ("b", 2.0))})
    assert series.extreme(["a", "b"], "top", largest=True, scale=0.5, unit="1").value == 3.5
    assert series.extreme(["a", "b"], "low", largest=False, scale=2.0, unit="1").value == 2.0


def test_trapezoid_of_a_ramp():
    assert trapezoid([0.0, 1.0, 3.0], [0.0, 2.0, 6.0]) == pytest.approx(9.0)
    assert trapezoid([0.0], [5.0]) == 0.0
