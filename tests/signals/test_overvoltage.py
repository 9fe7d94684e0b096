"""Over-voltages and rapid voltage changes against closed forms."""

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from v2glab.evidence import InputError
from v2glab.signals import fundamental_overvoltage, rapid_voltage_change, rms_per_cycle, time_above

NOMINAL = 240.0
PEAK = NOMINAL * math.sqrt(2)


def sine(peak_pu, duration_s, rate_hz=20_000.0, hertz=60.0):
    return peak_pu * PEAK * np.sin(math.tau * hertz * np.arange(int(duration_s * rate_hz) + 1) / rate_hz)


@pytest.mark.parametrize("level", [1.3, 1.4, 1.7, 1.99])
def test_time_above_a_level_of_a_sine_is_an_arc_cosine(level):
    (seen,) = time_above(sine(2.0, 1.0), 20_000, NOMINAL, [level], u_sample=0.002 * PEAK)
    exact_ms = 1e3 * 2 * math.acos(level / 2) / math.pi
    assert seen.value == pytest.approx(exact_ms, abs=0.5)
    assert abs(seen.value - exact_ms) < 2 * seen.uncertainty
    # where the level lies in a slope: the shift of the level gives the uncertainty
    slope = 1e3 * 2 / math.pi * 0.002 / math.sqrt(4 - level**2)
    assert level == 1.99 or seen.uncertainty == pytest.approx(slope, rel=0.5)


def test_names_are_those_of_the_criteria():
    names = [q.name for q in time_above(sine(1, 0.1), 20_000, NOMINAL, [1.3, 1.4, 1.7, 2.0])]
    assert names == ["time_above_1.3", "time_above_1.4", "time_above_1.7", "time_above_2.0"]
    assert [q.value for q in time_above(sine(1, 0.1), 20_000, NOMINAL, [1.3, 2])] == [0, 0]


def test_pulses_of_both_signs_add_up_within_a_minute_and_not_beyond():
    rate = 1000.0
    wave = np.zeros(200_001)
    for start_s in (10, 40, 69.5, 150):  # the first three lie within 59.6 s, the fourth does not
        wave[int(start_s * rate) : int(start_s * rate) + 5] = PEAK * 1.5 * (-1) ** int(start_s)
    (seen,) = time_above(np.stack([wave, 0.5 * wave]), rate, NOMINAL, [1.0], u_sample=1e-6)
    # each pulse of five samples: four intervals within, and a third of one at each edge
    assert seen.value == pytest.approx(3 * (4 + 2 / 3), abs=1e-6)
    (two,) = time_above(wave, rate, NOMINAL, [1.0], window_s=35.0)
    assert two.value == pytest.approx(2 * (4 + 2 / 3), abs=1e-6)
    # an edge lies anywhere between two samples: six edges of 1 ms
    assert seen.uncertainty == pytest.approx(math.sqrt(6 / 12), rel=1e-3)


@settings(max_examples=100, deadline=None)
@example([0.0, 2.0, 2.0, 0.0], 1.0, 2)  # the best window begins between two samples
@given(st.lists(st.floats(-3, 3), min_size=2, max_size=40), st.floats(0.1, 2.9), st.integers(1, 50))
def test_the_longest_window_is_that_of_a_search(values, level, window):
    wave = np.array(values) * PEAK
    (seen,) = time_above(wave, 1.0, NOMINAL, [level], window_s=float(window))
    fine = np.interp(
        np.linspace(0, len(values) - 1, 100 * (len(values) - 1) + 1), np.arange(len(values)), abs(wave)
    )
    above = (fine[:-1] + fine[1:]) / 2 > level * PEAK
    total = np.concatenate([[0], np.cumsum(above)]) / 100
    width = min(100 * window, above.size)
    assert seen.value / 1e3 == pytest.approx((total[width:] - total[:-width]).max(), abs=0.02 * len(values))


@pytest.mark.parametrize("hertz", [50.0, 60.0, 59.3])
def test_a_fundamental_that_holds_for_a_period_is_seen_in_full_and_half_a_period_in_part(hertz):
    rate, base = 20_000.0, sine(1.0, 0.5, hertz=hertz)
    harmonics = 0.1 * PEAK * np.cos(math.tau * 5 * hertz * np.arange(base.size) / rate)
    t = np.arange(base.size) / rate
    for periods, expected in ((3.0, 145.0), (1.0, 145.0), (0.5, 122.5)):
        raised = np.where((t >= 0.1) & (t < 0.1 + periods / hertz), 1.45, 1.0)
        seen = fundamental_overvoltage(base * raised + harmonics, rate, hertz, NOMINAL, u_sample=0.1)
        assert seen.value == pytest.approx(expected, abs=0.6), periods
    assert fundamental_overvoltage(base, rate, hertz, NOMINAL).no_uncertainty


def test_the_uncertainty_of_the_greatest_fundamental_covers_its_noise():
    wave, noise, inside, spread = sine(1.2, 1.0, 5000.0), 5.0, 0, []
    for seed in range(100):
        noisy = wave + noise * np.random.default_rng(seed).standard_normal(wave.size)
        seen = fundamental_overvoltage(noisy, 5000, 60, NOMINAL, u_sample=noise)
        inside += abs(seen.value - 120) <= 2 * seen.uncertainty
        spread.append(seen.value - 120)
    assert inside >= 89
    assert seen.uncertainty < 2 * np.abs(spread).mean()


def rms_series(levels, step_s=1 / 120):
    time = np.arange(len(levels)) * step_s
    return time, NOMINAL * np.asarray(levels)


def test_a_step_and_a_ramp():
    time, rms = rms_series(np.where(np.arange(600) < 300, 1.0, 0.94))
    step, rate = rapid_voltage_change(time, rms, NOMINAL)
    assert (step.value, rate.value) == (pytest.approx(6.0, abs=0.01), pytest.approx(6.0, abs=0.01))
    assert (step.name, step.unit, rate.name, rate.unit) == ("voltage_step", "%", "voltage_step_rate", "%/s")
    time, rms = rms_series(1 - 0.02 * np.arange(600) / 120)  # 2 %/s
    step, rate = rapid_voltage_change(time, np.stack([rms, np.full(600, NOMINAL)]), NOMINAL)
    assert rate.value == pytest.approx(2.0, abs=1e-6)
    assert step.value == pytest.approx(
        2.0 * (0.5 + 0.5 / 120), abs=1e-6
    )  # from the mean of the second before


def test_a_dip_of_three_cycles_is_a_step_though_the_voltage_comes_back():
    time, rms = rms_series(np.where(abs(np.arange(600) - 300) < 3, 0.9, 1.0))
    step, _ = rapid_voltage_change(time, rms, NOMINAL)
    assert step.value == pytest.approx(10.0, abs=0.01)


def test_the_uncertainty_of_the_greatest_change_covers_its_noise():
    inside = 0
    for seed in range(200):
        noise = 0.3 * np.random.default_rng(seed).standard_normal(1200)
        time, rms = rms_series(np.where(np.arange(1200) < 600, 1.0, 0.97 if seed % 2 else 1.0))
        seen = rapid_voltage_change(time, rms + noise, NOMINAL, u_rms=0.3)
        inside += all(abs(q.value - (3.0 if seed % 2 else 0.0)) <= 2 * q.uncertainty for q in seen)
    assert inside >= 182


@pytest.mark.parametrize(
    ("time", "rms", "nominal"),
    [
        (np.arange(10) / 120, np.ones(10), 1.0),
        (np.arange(600) / 120, np.ones(599), 1.0),
        (np.arange(600) / 120, np.full(600, np.nan), 1.0),
        (np.zeros(600), np.ones(600), 1.0),
        (np.r_[np.arange(300), 400 + np.arange(300)] / 120, np.ones(600), 1.0),
        (np.arange(600) / 120, np.ones(600), 0.0),
    ],
)
def test_rapid_changes_refuse_what_cannot_be_judged(time, rms, nominal):
    with pytest.raises(InputError):
        rapid_voltage_change(time, rms, nominal)


@pytest.mark.parametrize(
    "call",
    [
        lambda: time_above(np.full(10, np.nan), 1e3, 1.0, [1.3]),
        lambda: time_above(np.ones(10), 1e3, 0.0, [1.3]),
        lambda: time_above(np.ones(10), 1e3, 1.0, [-1.0]),
        lambda: fundamental_overvoltage(np.ones(10), 1e4, 60, 1.0),
        lambda: fundamental_overvoltage(np.ones(1000), 1e3, 60, 1.0),
    ],
)
def test_overvoltage_refuses_what_cannot_be_judged(call):
    with pytest.raises(InputError):
        call()


def test_a_measured_voltage_of_a_generator_is_no_overvoltage(shared_data):
    path = shared_data("waveforms/mhkit_2020224_181521_PowRaw.csv")
    volts = np.genfromtxt(path, delimiter=",", skip_header=1, usecols=(1, 2, 3)).T
    nominal = float(rms_per_cycle(volts, 50_000, 60).rms.mean())
    assert [q.value for q in time_above(volts, 50_000, nominal, [1.3, 2.0], u_sample=10.0)] == [0.0, 0.0]
    seen = fundamental_overvoltage(volts, 50_000, 60, nominal, u_sample=10.0)
    assert 99 < seen.value < 110 and seen.uncertainty < 0.2
