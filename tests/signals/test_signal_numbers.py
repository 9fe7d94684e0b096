"""RMS, harmonics, sequences, events and waveforms against closed forms."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from v2glab.evidence import InputError
from v2glab.signals import (
    Waveform,
    find_events,
    frequency_series,
    harmonics,
    rms_per_cycle,
    symmetrical_components,
)


@pytest.mark.parametrize("frequency_hz", [49.7, 60.0, 60.37])
def test_rms_of_a_sine_whatever_its_frequency(frequency_hz):
    t = np.arange(5000) / 10_000
    series = rms_per_cycle(325 * np.sin(math.tau * frequency_hz * t + 0.2), 10_000, frequency_hz)
    assert series.rms == pytest.approx(325 / math.sqrt(2), rel=2e-5)
    assert np.diff(series.time_s) == pytest.approx(0.5 / frequency_hz)


def test_rms_of_a_step_follows_within_one_cycle():
    t = np.arange(6000) / 10_000
    wave = np.where(t < 0.3, 1.0, 0.5) * np.sin(math.tau * 50 * t)
    series = rms_per_cycle(wave, 10_000, 50)
    outside = (series.time_s < 0.28) | (series.time_s > 0.32)
    expected = np.where(series.time_s < 0.3, 1.0, 0.5) / math.sqrt(2)
    assert series.rms[0][outside] == pytest.approx(expected[outside], rel=1e-3)


@pytest.mark.parametrize("method", ["resample", "least_squares"])
@pytest.mark.parametrize("rate_hz", [10_000.0, 50_000.0])
def test_high_harmonics_keep_their_size(method, rate_hz):
    t = np.arange(int(0.4 * rate_hz)) / rate_hz
    frequency, sizes = 50.23, {1: 230.0, 3: 2.0, 25: 1.0, 40: 0.5}
    wave = sum(math.sqrt(2) * a * np.sin(math.tau * h * frequency * t + h) for h, a in sizes.items()) + 1.5
    seen = harmonics(wave, rate_hz, frequency, method=method)
    for order, size in sizes.items():
        assert seen.rms[0, order] == pytest.approx(size, rel=1e-4)
    assert seen.rms[0, 0] == pytest.approx(1.5, rel=1e-4)
    assert seen.thd[0] == pytest.approx(math.sqrt(4 + 1 + 0.25) / 230, rel=1e-4)
    assert seen.rms[0, 10] < 1e-3


def test_what_lies_above_the_new_rate_does_not_fold_back():
    t = np.arange(20_000) / 50_000
    wave = np.sin(math.tau * 50 * t) + 0.3 * np.sin(math.tau * 9_000 * t)
    assert harmonics(wave, 50_000, 50).rms[0, 2:].max() < 1e-4


def test_symmetrical_components_against_their_definition():
    a = np.exp(2j * math.pi / 3)
    zero, positive, negative = 0.02, 1.0, 0.05 * np.exp(0.3j)
    phasors = np.array(
        [
            zero + positive + negative,
            zero + positive * a**2 + negative * a,
            zero + positive * a + negative * a**2,
        ]
    )
    seen = symmetrical_components(phasors)
    assert seen.positive == pytest.approx(positive)
    assert seen.negative == pytest.approx(negative)
    assert seen.zero == pytest.approx(zero)
    assert seen.unbalance == pytest.approx(0.05)


def test_a_dip_with_hysteresis_is_one_event():
    time = np.arange(100) * 0.01
    volts = np.ones((3, 100))
    volts[1, 20:40] = 0.6
    volts[1, 40:45] = 0.91  # above the threshold, inside the hysteresis
    volts[2, 30:50] = 0.85
    (event,) = find_events(time, volts)
    assert (event.kind, event.phases, event.complete) == ("dip", (1, 2), True)
    assert event.start_s == pytest.approx(0.20)
    assert event.duration_s == pytest.approx(0.30)
    assert event.extreme_pu == 0.6


def test_an_interruption_is_also_a_dip_and_an_open_end_is_said():
    time = np.arange(50) * 0.01
    volts = np.where(time < 0.2, 1.15, 0.0)
    kinds = {e.kind: e for e in find_events(time, volts)}
    assert set(kinds) == {"swell", "dip", "interruption"}
    assert not kinds["dip"].complete and not kinds["swell"].complete
    assert kinds["interruption"].extreme_pu == 0.0


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 2), min_size=1, max_size=60))
def test_events_cover_exactly_the_samples_beyond_the_threshold(values):
    time = np.arange(len(values)) * 0.01
    events = find_events(time, np.array(values), hysteresis_pu=0.0)
    dips = [e for e in events if e.kind == "dip"]
    for moment, value in zip(time, values, strict=True):
        inside = any(
            e.start_s <= moment < e.start_s + e.duration_s
            or (
                moment == time[-1]
                and e.start_s <= moment
                and e.start_s + e.duration_s >= moment
                and value < 0.9
            )
            for e in dips
        )
        assert inside == (value < 0.9)


def test_frequency_series_follows_a_ramp():
    t = np.arange(20_000) / 10_000
    wave = np.cos(math.tau * (50 * t + 0.5 * 1.0 * t**2))
    seen = frequency_series(wave, 10_000, 50)
    assert seen.frequency_hz == pytest.approx(50 + seen.time_s, abs=1e-6)
    assert seen.rocof_hz_s == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize(
    "change",
    [
        {"rate_hz": 0.0},
        {"rate_hz": math.nan},
        {"samples": np.array([[1.0, np.nan], [0, 0]])},
        {"samples": np.zeros((1, 4))},
        {"samples": np.zeros((2, 0))},
        {"names": ("a", "a")},
        {"units": ("V",)},
        {"uncertainty": (None,)},
    ],
)
def test_a_waveform_is_checked_when_built(change):
    good = {
        "names": ("a", "b"),
        "units": ("V", "V"),
        "samples": np.zeros((2, 4)),
        "rate_hz": 1e4,
        "start_ns": 0,
        "uncertainty": (None, 0.1),
    }
    assert Waveform(**good).duration_s == pytest.approx(4e-4)
    with pytest.raises(InputError):
        Waveform(**{**good, **change})


def test_a_waveform_gives_channels_by_name_and_cannot_be_changed():
    wave = Waveform(("a", "b"), ("V", "A"), np.arange(8.0).reshape(2, 4), 2.0, 5, (None, 0.1))
    assert wave.channel("b").tolist() == [4, 5, 6, 7]
    assert wave.select("b").units == ("A",)
    assert wave.time_s().tolist() == [0, 0.5, 1.0, 1.5]
    with pytest.raises(ValueError, match="read-only"):
        wave.samples[0, 0] = 1
    with pytest.raises(InputError):
        wave.channel("c")
