"""Power quality on waveforms that were made by formula."""

import math
from dataclasses import replace

import numpy as np
import pytest
from conformity_helpers import DECLARED, case, flat, outcomes, rules

from v2glab.evidence import Outcome
from v2glab.signals import Waveform

RATE, HERTZ = 20_000.0, 60.0
PLATE = rules().base.nameplate
RATED = PLATE.s_max_va / (math.sqrt(3) * PLATE.v_nominal_v)
NOMINAL = PLATE.v_nominal_v / math.sqrt(3)


def waveform(seconds=1.0, *, dc=0.0, orders=None, lines=None, volts=np.ones_like):
    """Rated current with a constant, harmonics and lines (shares of rated); a voltage with an envelope."""
    time = np.arange(round(seconds * RATE)) / RATE
    current = math.sqrt(2) * np.sin(2 * math.pi * HERTZ * time) + dc
    for order, share in (orders or {}).items():
        current = current + math.sqrt(2) * share * np.sin(2 * math.pi * order * HERTZ * time)
    for hertz, share in (lines or {}).items():
        current = current + math.sqrt(2) * share * np.sin(2 * math.pi * hertz * time)
    voltage = volts(time) * math.sqrt(2) * NOMINAL * np.cos(2 * math.pi * HERTZ * time)
    samples = np.vstack([voltage, RATED * current])
    return Waveform(("voltage_a", "current_a"), ("V", "A"), samples, RATE, 0, (0.05, 0.002 * RATED))


def judged(name, wave):
    record = flat(10.0, 0.1, uncertainties=DECLARED)
    return outcomes(case(name).judge(replace(record, waveform=wave)))


def test_a_clean_current_passes_all_orders_and_the_lines_between():
    wave = waveform(orders={5: 0.01, 7: 0.008})
    for name in ("power-quality.dc", "power-quality.harmonics"):
        assert Outcome.FAIL not in judged(name, wave).values()
    assert judged("power-quality.harmonics", wave)["power-quality.harmonics.h5"] is Outcome.PASS
    assert set(judged("power-quality.interharmonics", wave).values()) <= {Outcome.PASS, Outcome.INCONCLUSIVE}


@pytest.mark.parametrize(
    ("name", "wave", "failed"),
    [
        ("power-quality.dc", waveform(dc=0.03), "dc"),
        ("power-quality.harmonics", waveform(orders={5: 0.06}), "h5"),
        ("power-quality.harmonics", waveform(orders={2: 0.03}), "h2"),
        ("power-quality.harmonics", waveform(orders=dict.fromkeys((3, 5, 7, 9), 0.035)), "trd"),
        ("power-quality.interharmonics", waveform(lines={275.0: 0.06}), "h4"),
        ("power-quality.voltage-change", waveform(volts=lambda t: np.where(t > 0.5, 1.08, 1.0)), "step"),
        ("power-quality.ground-fault", waveform(volts=lambda t: np.where(t > 0.5, 1.5, 1.0)), "fundamental"),
        ("power-quality.load-rejection", waveform(volts=lambda t: np.where(t > 0.9, 2.3, 1.0)), "above-2.0"),
    ],
)
def test_each_disturbance_fails_by_its_own_limit(name, wave, failed):
    found = judged(name, wave)
    assert [k for k, v in found.items() if v is Outcome.FAIL and k.endswith(f".{failed}")], found


def test_a_level_of_unverified_duration_stays_open():
    found = judged("power-quality.load-rejection", waveform(volts=lambda t: np.where(t > 0.5, 1.35, 1.0)))
    assert found["power-quality.load-rejection.above-1.3"] is Outcome.INCONCLUSIVE


def test_without_a_waveform_or_flicker_meter_nothing_is_decided():
    for name in ("power-quality.harmonics", "power-quality.flicker", "power-quality.ground-fault"):
        assert set(judged(name, None).values()) == {Outcome.INCONCLUSIVE}


def test_flicker_needs_a_whole_interval_and_fails_when_the_lamp_flickers():
    """A square modulation of 8.8 Hz and one percent lies far above Pst 0.35 (IEC 61000-4-15, Table 5)."""
    rate, seconds = 2000.0, 661.0
    time = np.arange(round(seconds * rate)) / rate
    carrier = math.sqrt(2) * NOMINAL * np.cos(2 * math.pi * HERTZ * time)
    for depth, expected in ((0.0, Outcome.PASS), (0.01, Outcome.FAIL)):
        samples = carrier * (1 + depth / 2 * np.sign(np.sin(2 * math.pi * 8.8 * time)))
        wave = Waveform(("voltage_a",), ("V",), samples[None, :], rate, 0, (0.01,))
        found = judged("power-quality.flicker", wave)
        assert found["power-quality.flicker.pst"] is expected
        assert found["power-quality.flicker.plt"] is Outcome.INCONCLUSIVE
