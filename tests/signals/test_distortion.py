"""Harmonics, interharmonics and direct current in percent of rated current, against what was put in."""

import math

import numpy as np
import pytest

from v2glab.evidence import InputError
from v2glab.signals import band_limits, current_distortion, dc_injection, fit_fundamental

RATED = 20.0


def current(parts, rate_hz=20_000.0, duration_s=1.3, noise=0.0, seed=0):
    """Sum of (frequency in Hz, RMS); frequency zero is direct current."""
    t = np.arange(int(duration_s * rate_hz)) / rate_hz
    wave = noise * np.random.default_rng(seed).standard_normal(t.size)
    for k, (hertz, rms) in enumerate(parts):
        wave += rms if hertz == 0 else math.sqrt(2) * rms * np.cos(math.tau * hertz * t + k)
    return wave


def named(seen):
    return {q.name: q for q in seen.quantities()}


@pytest.mark.parametrize(("mains_hz", "nominal_hz"), [(60.0, 60), (59.87, 60), (50.03, 50)])
def test_each_component_is_found_where_it_was_put(mains_hz, nominal_hz):
    line = mains_hz / (10 if nominal_hz == 50 else 12)
    orders = {2: 0.1, 3: 0.5, 7: 0.3, 23: 0.05, 49: 0.02}
    parts = [(mains_hz, 15.0), *((h * mains_hz, rms) for h, rms in orders.items())]
    parts += [(5 * mains_hz + line, 0.12), (5 * mains_hz, 0.16)]  # within the half band: counts to order 5
    parts += [(2 * mains_hz + 3 * line, 0.06), (2 * mains_hz + 6 * line, 0.08)]  # between orders 2 and 3
    seen = current_distortion(current(parts), 20_000, mains_hz, RATED, nominal_hz=nominal_hz)
    found = named(seen)
    expected = {f"harmonic_current_h{h}": rms for h, rms in orders.items()}
    expected |= {"harmonic_current_h5": 0.2, "interharmonic_current_h2_3": 0.1}
    for name, quantity in found.items():
        if name != "rated_current_distortion":
            assert quantity.value == pytest.approx(100 * expected.get(name, 0.0) / RATED, abs=2e-3), name
    rest = math.sqrt(sum(rms**2 for _, rms in parts[1:]))
    assert found["rated_current_distortion"].value == pytest.approx(100 * rest / RATED, rel=2e-3)
    assert len(found) == 48 + 48 + 1 and seen.windows == 6
    assert seen.order_percent[0, 0] == pytest.approx(75.0, rel=1e-5)


def test_the_total_counts_what_no_order_holds():
    parts = [(60, 20.0), (6000.0, 0.4), (0, 0.3)]  # beyond order 49, and direct current
    seen = current_distortion(current(parts), 20_000, 60.0, RATED, nominal_hz=60)
    assert seen.rated_percent[0] == pytest.approx(2.5, rel=2e-3)


def test_an_interharmonic_off_the_lines_of_the_window_stays_in_its_band():
    seen = current_distortion(current([(60, 20.0), (212.0, 0.2)]), 20_000, 60.0, RATED, nominal_hz=60)
    assert seen.band_percent[0, 3] == pytest.approx(1.0, rel=0.03)


def test_a_half_band_of_zero_splits_what_five_hertz_join():
    wave = current([(60, 20.0), (300.0, 0.16), (305.0, 0.12)])
    narrow = current_distortion(wave, 20_000, 60.0, RATED, nominal_hz=60, half_band_hz=0)
    assert narrow.order_percent[0, 4] == pytest.approx(0.8, rel=2e-3)
    assert narrow.band_percent[0, 5] == pytest.approx(0.6, rel=2e-3)


def test_the_stated_uncertainty_covers_the_noise_and_the_gain():
    noise, gain, truth = 0.05, 0.002, {"harmonic_current_h3": 2.5, "harmonic_current_h4": 0.0}
    truth |= {"interharmonic_current_h2_3": 0.5, "interharmonic_current_h7_8": 0.0}
    inside = dict.fromkeys([*truth, "rated_current_distortion"], 0)
    rms = math.sqrt(0.5**2 + 0.1**2)
    truth["rated_current_distortion"] = 100 * rms / RATED
    rng = np.random.default_rng(3)
    for seed in range(60):
        wave = current([(60, 19.0), (180, 0.5), (155, 0.1)], 10_000, 0.5, noise, seed)
        wave *= 1 + gain * rng.standard_normal()
        seen = named(
            current_distortion(
                wave, 10_000, 60.0, RATED, nominal_hz=60, orders=20, u_sample=noise, u_gain=gain
            )
        )
        for name in inside:
            inside[name] += abs(seen[name].value - truth[name]) <= 2 * seen[name].uncertainty
    # 95 % expected; three standard deviations of 60 draws below that are 87 %
    assert min(inside.values()) >= 52, inside
    # and it is no blank cheque: noise of 0.05 A in 2000 samples leaves a fundamental order its per mille
    assert seen["harmonic_current_h3"].uncertainty < 0.02


def test_without_a_stated_uncertainty_the_reason_is_given():
    found = current_distortion(current([(60, 20.0)]), 20_000, 60.0, RATED, nominal_hz=60).quantities()
    assert all(q.uncertainty is None and q.no_uncertainty for q in found)


def test_between_two_orders_the_lesser_limit_holds():
    assert band_limits({2: 1.0, 3: 4.0, 4: 2.0, 9: 4.0}) == {2: 1.0, 3: 2.0}


@pytest.mark.parametrize(
    "change",
    [
        {"samples": np.zeros(100)},
        {"samples": np.full(20_000, np.nan)},
        {"rate_hz": 3000.0},
        {"orders": 80},
        {"rated_current": 0.0},
        {"frequency_hz": math.nan},
    ],
)
def test_distortion_refuses_what_cannot_be_judged(change):
    good = {"samples": current([(60, 1)]), "rate_hz": 20_000.0, "frequency_hz": 60.0, "rated_current": 1.0}
    with pytest.raises(InputError):
        current_distortion(**{**good, **change}, nominal_hz=60)


@pytest.mark.parametrize("mains_hz", [60.0, 59.3, 61.1])
def test_direct_current_is_found_beside_a_fundamental_of_any_frequency(mains_hz):
    wave = np.stack([current([(mains_hz, 20.0), (120, 1.0), (0, dc)], duration_s=0.5) for dc in (0.1, -0.04)])
    first, second = dc_injection(wave, 20_000, 60, RATED, u_offset=0.004)
    assert first.value == pytest.approx(0.5, abs=0.004) and second.value == pytest.approx(0.2, abs=0.004)
    assert first.uncertainty == pytest.approx(0.02, rel=0.05)


def test_the_uncertainty_of_direct_current_covers_noise_and_offset():
    rng, inside = np.random.default_rng(5), 0
    for seed in range(200):
        wave = current([(60, 20.0), (0, 0.06 + 0.002 * rng.standard_normal())], 5_000, 0.2, 0.1, seed)
        (seen,) = dc_injection(wave, 5_000, 60, RATED, u_offset=0.002, u_sample=0.1)
        inside += abs(seen.value - 0.3) <= 2 * seen.uncertainty
    assert 181 <= inside <= 199  # 95.45 % of 200, three standard deviations either way


def test_direct_current_without_a_known_zero_has_no_uncertainty():
    (seen,) = dc_injection(current([(60, 20.0)]), 20_000, 60, RATED, u_offset=None)
    assert seen.uncertainty is None and "zero" in seen.no_uncertainty
    with pytest.raises(InputError):
        dc_injection(current([(60, 20.0)], duration_s=0.05), 20_000, 60, RATED, u_offset=None)


def test_a_measured_current_of_a_generator(shared_data):
    path = shared_data("waveforms/mhkit_2020224_181521_PowRaw.csv")
    currents = np.genfromtxt(path, delimiter=",", skip_header=1, usecols=(4, 5, 6)).T
    fit = fit_fundamental(currents, 50_000, 60)
    direct = dc_injection(currents, 50_000, 60, 20.0, u_offset=0.01)
    assert all(0 < q.value < 5 and 0.05 <= q.uncertainty < 0.06 for q in direct)
    with pytest.raises(InputError, match="8000 samples"):  # 160 ms hold no window of twelve cycles
        current_distortion(currents, 50_000, fit.frequency_hz, 20.0, nominal_hz=60)
