"""The flicker meter against the test points of IEC 61000-4-15:2010 and against closed forms.

The table values (relative voltage change in percent, peak to peak) are facts of the standard, read in
qwtb/qwtb, alg_flicker_sim/verify_flicker_sim.m (M. Šíra, Czech Metrology Institute), edition 2.
"""

import math

import numpy as np
import pytest

from v2glab.evidence import InputError, Quantity
from v2glab.signals import flicker_sensation, flicker_severity, long_term_severity, short_term_severity

RATE_HZ = 2400.0


def modulated(frequency_hz, percent, mains_hz, duration_s, *, square, rate_hz=RATE_HZ, volts=1.0):
    t = np.arange(int(duration_s * rate_hz)) / rate_hz
    turn = (t * frequency_hz) % 1
    shape = np.where(turn < 0.5, 1.0, -1.0) if square else np.sin(math.tau * turn)
    return volts * (1 + percent / 200 * shape) * np.sin(math.tau * mains_hz * t)


# tables 1a and 1b (sine), 2a and 2b (rectangle): lamp, mains, rectangle, {modulation in Hz: percent}
SENSATION = [
    (
        "230 V",
        50,
        False,
        {0.5: 2.325, 2: 0.879, 5: 0.396, 8: 0.256, 8.8: 0.25, 12: 0.314, 18: 0.59, 25: 1.037},
    ),
    ("230 V", 50, False, {33 + 1 / 3: 2.128}),
    (
        "120 V",
        60,
        False,
        {0.5: 2.453, 2: 0.942, 5: 0.466, 8: 0.323, 8.8: 0.321, 12: 0.417, 18: 0.811, 25: 1.464},
    ),
    ("120 V", 60, False, {33 + 1 / 3: 2.570, 40: 4.393}),
    (
        "230 V",
        50,
        True,
        {0.5: 0.509, 2: 0.398, 5: 0.291, 8.8: 0.196, 13: 0.272, 21.5: 0.592, 33 + 1 / 3: 1.671},
    ),
    ("120 V", 60, True, {0.5: 0.598, 2: 0.469, 5: 0.348, 8.8: 0.252, 13: 0.367, 21.5: 0.837, 40: 3.451}),
    ("120 V", 50, True, {0.5: 0.597, 8.8: 0.252, 33 + 1 / 3: 2.443}),
    ("230 V", 60, True, {0.5: 0.510, 8.8: 0.196, 40: 2.327}),
]
# table 5: lamp, mains, {changes a minute: percent}
SEVERITY = [
    ("230 V", 50, {1: 2.715, 7: 1.450, 39: 0.894, 110: 0.722, 1620: 0.407, 4000: 2.343}),
    ("120 V", 60, {1: 3.181, 7: 1.694, 39: 1.040, 110: 0.844, 1620: 0.548, 4800: 4.837}),
    ("120 V", 50, {2: 2.561, 4000: 3.426}),
    ("230 V", 60, {2: 2.194, 4800: 3.263}),
]


@pytest.mark.parametrize(("lamp", "mains_hz", "square", "points"), SENSATION)
def test_greatest_sensation_is_one_at_the_points_of_tables_1_and_2(lamp, mains_hz, square, points):
    # the standard allows 8 %
    for frequency_hz, percent in points.items():
        wave = modulated(frequency_hz, percent, mains_hz, 24, square=square)
        seen = flicker_sensation(wave, RATE_HZ, mains_hz, lamp=lamp)
        assert seen.sensation[0, seen.time_s > 12].max() == pytest.approx(1.0, abs=0.02), frequency_hz


@pytest.mark.parametrize(("lamp", "mains_hz", "points"), SEVERITY)
def test_severity_is_one_at_the_points_of_table_5(lamp, mains_hz, points):
    # the standard allows 5 %
    for changes, percent in points.items():
        wave = modulated(changes / 120, percent, mains_hz, 661, square=True)
        ((seen,),) = flicker_severity(wave, RATE_HZ, mains_hz, lamp=lamp, u_sample=1e-5)
        assert seen.value == pytest.approx(1.0, abs=0.01), changes
        assert abs(seen.value - 1.0) < seen.uncertainty < 0.05 / math.sqrt(3) * 1.1


def test_severity_grows_with_the_depth_and_not_with_the_voltage_or_the_rate():
    def severity(percent, **given):
        rate = given.get("rate_hz", RATE_HZ)
        wave = modulated(8.8, percent, 50, 121, square=False, **given)
        ((seen,),) = flicker_severity(wave, rate, 50, lamp="230 V", interval_s=60)
        return seen.value

    once = severity(0.25)
    assert severity(0.75) / once == pytest.approx(3.0, rel=2e-3)
    assert severity(0.25, volts=325.0) == pytest.approx(once, rel=1e-6)
    assert severity(0.25, rate_hz=10_000.0) == pytest.approx(once, rel=2e-3)


def test_a_steady_voltage_does_not_flicker_and_states_no_uncertainty_without_an_instrument():
    wave = modulated(1, 0.0, 60, 121, square=False)
    ((seen,),) = flicker_severity(wave, RATE_HZ, 60, lamp="120 V", interval_s=60)
    assert seen.value < 0.01
    assert seen.uncertainty is None and seen.no_uncertainty


@pytest.mark.parametrize(("rate_hz", "noise"), [(2400.0, 1e-3), (10_000.0, 5e-3)])
def test_noise_makes_the_sensation_it_is_said_to_make(rate_hz, noise):
    steady = math.sqrt(2) * modulated(1, 0.0, 60, 121, square=False, rate_hz=rate_hz)
    noisy = steady + noise * np.random.default_rng(7).standard_normal(steady.size)
    seen = flicker_sensation(noisy, rate_hz, 60, lamp="120 V", u_sample=noise)
    assert seen.sensation[0, seen.time_s > 60].mean() == pytest.approx(seen.noise[0], rel=0.15)
    ((severity,),) = flicker_severity(noisy, rate_hz, 60, lamp="120 V", interval_s=60, u_sample=noise)
    assert severity.value < 2 * severity.uncertainty  # zero lies inside: all of it may be noise


def test_block_five_on_a_constant_and_on_two_levels():
    assert short_term_severity(np.ones(1000)) == pytest.approx(math.sqrt(0.5096))
    # 4 for five per cent of the time, else 0: levels up to four per cent see it, those from six on do not
    steps = np.where(np.arange(10_000) < 500, 4.0, 0.0)
    assert short_term_severity(steps) == pytest.approx(math.sqrt(4 * (0.0314 + 0.0525 + 0.0657)))


def test_the_long_term_value_is_the_cubic_mean_with_uncertainties_that_do_not_cancel():
    short = [Quantity("flicker_pst", 0.3, "1", 0.01)] * 11 + [Quantity("flicker_pst", 0.9, "1", 0.03)]
    seen = long_term_severity(short)
    assert seen.value == pytest.approx(((11 * 0.3**3 + 0.9**3) / 12) ** (1 / 3))
    assert seen.uncertainty / seen.value == pytest.approx(0.01 / 0.3)
    with pytest.raises(InputError):
        long_term_severity(short[:11])
    unsure = [*short[:11], Quantity("flicker_pst", 0.3, "1", no_uncertainty="none stated")]
    assert long_term_severity(unsure).no_uncertainty == "none stated"


@pytest.mark.parametrize(
    ("change", "value"),
    [
        ("samples", np.full(5000, np.nan)),
        ("samples", np.zeros(5000)),
        ("samples", np.ones(100)),
        ("rate_hz", 1000.0),
        ("rate_hz", math.nan),
        ("nominal_hz", 55.0),
        ("lamp", "100 V"),
    ],
)
def test_the_meter_refuses_what_it_cannot_judge(change, value):
    good = {
        "samples": modulated(8.8, 1, 50, 3, square=False),
        "rate_hz": RATE_HZ,
        "nominal_hz": 50.0,
        "lamp": "230 V",
    }
    flicker_sensation(**good)
    with pytest.raises(InputError):
        flicker_sensation(**{**good, change: value})


@pytest.mark.parametrize("interval_s", [30.0, 600.0])
def test_a_recording_without_a_whole_interval_has_no_severity(interval_s):
    with pytest.raises(InputError):
        flicker_severity(
            modulated(8.8, 1, 50, 100, square=False), RATE_HZ, 50, lamp="230 V", interval_s=interval_s
        )
