"""Differences between grid and inverter against waveforms of known phase, frequency and voltage."""

import math

import numpy as np
import pytest

from v2glab.procedures._closing import measure_differences
from v2glab.signals import Waveform

RATE_HZ = 10_000.0


def waveform(frequency_difference=0.02, phase=0.1, voltage=1.01, noise=0.5, seed=3):
    rng = np.random.default_rng(seed)
    n = round(RATE_HZ / 6)
    t = (np.arange(n) - (n - 1) / 2) / RATE_HZ
    peak = 277.0 * math.sqrt(2)
    grid = [peak * np.cos(math.tau * 59.98 * t - k * math.tau / 3) for k in range(3)]
    grid = [g + 0.03 * peak * np.cos(5 * math.tau * 59.98 * t) for g in grid]
    inverter = voltage * peak * np.cos(math.tau * (59.98 + frequency_difference) * t + phase)
    samples = np.array([*grid, inverter]) + rng.normal(0, noise, (4, n))
    return Waveform(("a", "b", "c", "inverter_a"), ("V",) * 4, samples, RATE_HZ, 0, (0.3,) * 4)


@pytest.mark.parametrize("phase", [-3.0, -0.5, 0.0, 0.1, 3.1])
def test_differences_are_found_within_four_standard_uncertainties(phase):
    seen = measure_differences(waveform(phase=phase), 60.0, 277.0)
    assert abs(seen.frequency_hz - 0.02) < 4 * seen.u_frequency_hz
    assert abs(math.remainder(seen.phase_rad - phase, math.tau)) < 4 * seen.u_phase_rad
    assert abs(seen.voltage_pu - 0.01) < 4 * seen.u_voltage_pu
    assert seen.u_phase_rad < 0.002


def test_swapped_phases_do_not_pass_for_agreement():
    crossed = waveform(phase=0.0)
    samples = crossed.samples[[1, 0, 2, 3]]
    seen = measure_differences(
        Waveform(crossed.names, crossed.units, samples, RATE_HZ, 0, (0.3,) * 4), 60.0, 277.0
    )
    assert abs(seen.phase_rad) > 2.0
