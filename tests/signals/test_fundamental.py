"""The fit against closed forms and the Cramér–Rao bound."""

import math

import numpy as np
import pytest

from v2glab.evidence import InputError
from v2glab.signals import fit_fundamental, phase_difference, wrap_phase

RATE_HZ, COUNT = 10_000.0, 1667
TIME_S = (np.arange(COUNT) - (COUNT - 1) / 2) / RATE_HZ


def three_phases(frequency_hz, phase_rad, *, rocof_hz_s=0.0, harmonic=0.05, unbalance=0.0):
    angle = math.tau * (frequency_hz * TIME_S + 0.5 * rocof_hz_s * TIME_S**2) + phase_rad
    rows = []
    for p in range(3):
        shifted = angle - p * math.tau / 3
        wave = (1 + unbalance * (p == 1)) * np.cos(shifted)
        rows.append(wave + harmonic * np.cos(5 * shifted + 0.3) + harmonic / 2 * np.cos(7 * shifted - 1))
    return np.array(rows)


@pytest.mark.parametrize("snr_db", [40, 60, 80])
def test_variance_stands_at_the_cramer_rao_bound(snr_db):
    rng = np.random.default_rng(snr_db)
    sigma = 10 ** (-snr_db / 20) * math.sqrt(0.5)
    eta = 1 / (2 * sigma**2)
    errors, stated = [], []
    for _ in range(120):
        frequency, phase = 60 + rng.uniform(-0.5, 0.5), rng.uniform(-3, 3)
        noise = sigma * rng.standard_normal((3, COUNT))
        fit = fit_fundamental(
            three_phases(frequency, phase, unbalance=0.05) + noise, RATE_HZ, 60, rate_of_change=False
        )
        errors.append((fit.frequency_hz - frequency, wrap_phase(fit.phase_rad[0] - phase)))
        stated.append((fit.u_frequency_hz, fit.u_phase_rad[0]))
    spread, mean, stated_mean = np.std(errors, axis=0), np.mean(errors, axis=0), np.mean(stated, axis=0)
    # three phases, one larger; the fifth and seventh harmonic know the frequency too: h·amplitude counts
    phases = 2 + 1.05**2 + 3 * ((5 * 0.05) ** 2 + (7 * 0.025) ** 2)
    bound_hz = math.sqrt(12 / (phases * eta * COUNT * (COUNT**2 - 1))) * RATE_HZ / math.tau
    bound_rad = math.sqrt(1 / (eta * COUNT))
    # 120 runs give a standard deviation to 6.5 %; four of those is the tolerance
    assert spread == pytest.approx([bound_hz, bound_rad], rel=0.26)
    assert stated_mean == pytest.approx([bound_hz, bound_rad], rel=0.03)
    assert (np.abs(mean) < 4 * np.array([bound_hz, bound_rad]) / math.sqrt(120)).all()


def test_rate_of_change_costs_nine_quarters_of_the_phase_variance_of_one_channel():
    rng = np.random.default_rng(5)
    sigma = 1e-3
    x = np.cos(math.tau * 60 * TIME_S + 0.4) + sigma * rng.standard_normal(COUNT)
    with_term = fit_fundamental(x, RATE_HZ, 60)
    without = fit_fundamental(x, RATE_HZ, 60, rate_of_change=False)
    assert with_term.u_phase_rad[0] / without.u_phase_rad[0] == pytest.approx(1.5, rel=0.02)
    assert with_term.u_frequency_hz / without.u_frequency_hz == pytest.approx(1.0, rel=0.02)


@pytest.mark.parametrize("rocof_hz_s", [-3.0, 0.0, 3.0])
def test_a_changing_frequency_costs_no_phase(rocof_hz_s):
    fit = fit_fundamental(three_phases(60.3, 1.0, rocof_hz_s=rocof_hz_s), RATE_HZ, 60)
    assert fit.frequency_hz == pytest.approx(60.3, abs=1e-9)
    assert fit.rocof_hz_s == pytest.approx(rocof_hz_s, abs=1e-7)
    assert fit.phase_rad[0] == pytest.approx(1.0, abs=1e-9)
    assert fit.amplitude == pytest.approx(1.0, abs=1e-9)


def test_without_the_term_three_hertz_a_second_cost_more_than_a_degree():
    fit = fit_fundamental(three_phases(60.0, 1.0, rocof_hz_s=3.0), RATE_HZ, 60, rate_of_change=False)
    assert math.degrees(abs(fit.phase_rad[0] - 1.0)) > 1.0


@pytest.mark.parametrize("frequency_hz", [43.0, 50.0, 57.0, 64.9])
def test_finds_frequencies_far_from_nominal(frequency_hz):
    nominal = 50.0 if frequency_hz < 55 else 60.0
    fit = fit_fundamental(three_phases(frequency_hz, -2.0), RATE_HZ, nominal)
    assert fit.frequency_hz == pytest.approx(frequency_hz, abs=1e-8)


def test_phase_difference_of_two_channels_with_own_frequencies():
    first = 3 * np.cos(math.tau * 60.1 * TIME_S + 3.0)
    second = np.cos(math.tau * 59.9 * TIME_S - 3.0)
    seen = phase_difference(first, second, RATE_HZ, 60)
    assert seen.difference_rad == pytest.approx(6.0 - math.tau, abs=1e-8)
    assert seen.frequency_difference_hz == pytest.approx(0.2, abs=1e-8)


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros((3, 500)),
        np.ones(500),
        np.full(500, np.nan),
        np.cos(np.arange(10.0)),
        np.zeros((2, 2, 500)),
        np.vstack([np.cos(math.tau * 60 * np.arange(500) / 1e4), np.zeros(500)]),
    ],
)
def test_refuses_what_has_no_fundamental(samples):
    with pytest.raises(InputError):
        fit_fundamental(samples, RATE_HZ, 60)


def test_noise_alone_gives_a_number_with_a_large_uncertainty_or_a_refusal():
    noise = np.random.default_rng(3).standard_normal((3, 1667))
    try:
        fit = fit_fundamental(noise, RATE_HZ, 60)
    except InputError:
        return
    assert fit.amplitude.max() < 10 * fit.u_amplitude.max()
