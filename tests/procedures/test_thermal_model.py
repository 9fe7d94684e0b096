"""Thermal fits against responses made from the closed form."""

import math

import numpy as np
import pytest

from v2glab.control import allowed_current_pu
from v2glab.evidence import InputError
from v2glab.procedures._thermal_model import continuous_current_share, fit_foldback, fit_step_response

RNG = np.random.default_rng(5)


def heating(rise=42.0, tau=180.0, noise=0.03, span=300.0):
    t = np.arange(0.0, span, 5.0)
    return t, 25.0 + rise * -np.expm1(-t / tau) + RNG.normal(0, noise, t.size)


def test_step_response_is_found_within_its_uncertainty():
    fits = [fit_step_response(*heating()) for _ in range(40)]
    pulls = np.array([(f.rise_k - 42.0) / f.u_rise_k for f in fits])
    # Honest uncertainties make the pulls scatter like a standard normal variable.
    assert abs(pulls.mean()) < 0.6
    assert 0.6 < pulls.std(ddof=1) < 1.5
    assert fits[0].time_constant_s == pytest.approx(180.0, rel=0.05)


@pytest.mark.parametrize(("t", "temperature"), [([0, 1], [20, 30]), (list(range(20)), [25.0] * 20)])
def test_a_record_without_heating_is_refused(t, temperature):
    with pytest.raises(InputError):
        fit_step_response(t, temperature)


def test_foldback_onset_of_the_law_itself():
    shares = [0.7, 0.8, 0.87, 0.9, 0.93, 0.96, 1.02]
    fit = fit_foldback(shares, [allowed_current_pu(s) for s in shares], 0.002)
    assert fit.onset == pytest.approx(0.85)
    assert fit.largest_deviation == pytest.approx(0.0, abs=1e-12)


def test_a_charger_that_folds_late_is_seen():
    shares = [0.7, 0.8, 0.87, 0.92, 0.94, 0.96, 1.02]
    late = [min(1.0, max(0.0, (1 - s) / 0.10)) for s in shares]
    fit = fit_foldback(shares, late, 0.002)
    assert fit.onset == pytest.approx(0.90)
    assert fit.largest_deviation > 0.1


def test_a_charger_that_never_folds_has_no_onset_and_a_large_deviation():
    fit = fit_foldback([0.7, 0.9, 0.95], [1.0, 1.0, 1.0], 0.002)
    assert fit.onset is None
    assert fit.largest_deviation == pytest.approx(2 / 3)


def test_continuous_current_follows_the_square_root_of_the_losses():
    # 85 % of 45 K permits 38.25 K; four times that rise halves the current.
    assert continuous_current_share(4 * 38.25, 40.0, 85.0) == pytest.approx(0.5)
    assert continuous_current_share(10.0, 90.0, 85.0) == 0.0
    assert math.isclose(continuous_current_share(38.25, 40.0, 85.0), 1.0)
