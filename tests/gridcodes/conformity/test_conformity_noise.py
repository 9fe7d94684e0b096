"""The conforming device under noise drawn from its declared uncertainty: no test ever turns into a fail.

Each test's exact record is made once; a seed adds noise to it and judges. Every test sees every seed. Here a
hundred seeds are drawn, fewer where waveforms are judged; ``V2GLAB_NOISE_SEEDS=1000`` draws that many for all
(about ten minutes): ``V2GLAB_NOISE_SEEDS=1000 pytest tests/gridcodes/conformity/test_conformity_noise.py``.
"""

import os

import pytest
from conformity_helpers import CODE, cases, exact, noisy, record_of

from v2glab.evidence import Outcome
from v2glab.gridcodes.conformity import Rules, list_cases

ASKED = int(os.environ.get("V2GLAB_NOISE_SEEDS", "0"))
RUNNABLE = [c for c in cases() if c.stimulus is not None and "synchronisation" not in c.needs]
PLAIN = [c for c in RUNNABLE if "waveforms" not in c.needs]
FLICKER = "power-quality.flicker"
SAMPLED = [c for c in RUNNABLE if "waveforms" in c.needs and c.id != FLICKER]

pytestmark = pytest.mark.timeout(3600 if ASKED else 180)


def fails(test, record, seed):
    verdicts = test.judge(noisy(test, record, seed))
    return [(test.id, seed, v.criterion.id, v.quantity) for v in verdicts if v.outcome is Outcome.FAIL]


def wrong(tests, seeds, make=record_of):
    records = [(t, make(t)) for t in tests]
    return [found for seed in range(seeds) for t, record in records for found in fails(t, record, seed)]


def test_every_test_is_among_these():
    seen = {c.family for c in RUNNABLE}
    assert seen == {c.family for c in cases()} - {"synchronisation", "laboratory"}
    assert len(RUNNABLE) == len(PLAIN) + len(SAMPLED) + 1


def test_the_conforming_device_lies_clear_of_every_limit():
    """Without noise each verdict lies at least three standard uncertainties inside, so five from a fail."""
    for test in PLAIN:
        for verdict in test.judge(exact(test.id)):
            if verdict.criterion.confidence == "unverified":
                assert verdict.margin is None or verdict.margin >= 0, verdict.criterion.id
                continue
            assert verdict.outcome is Outcome.PASS, (verdict.criterion.id, verdict.quantity, verdict.reason)
            assert verdict.margin >= 3 * verdict.quantity.uncertainty, verdict.criterion.id


def test_no_noise_makes_the_conforming_device_fail():
    assert wrong(PLAIN, ASKED or 100, lambda test: exact(test.id)) == []


def test_no_noise_makes_the_emissions_of_the_conforming_device_fail():
    assert wrong(SAMPLED, ASKED or 10) == []


def test_no_noise_makes_the_flicker_of_the_conforming_device_fail():
    """One phase: the phases of a device are measured alike, and each with noise of its own."""
    tests = list_cases(Rules(CODE, "III", "B", nameplate={"phases": 1}), [FLICKER])
    assert wrong(tests, ASKED or 5) == []
    (test,) = tests
    record = record_of(test)
    values = {test.judge(noisy(test, record, seed))[0].quantity.value for seed in range(2)}
    assert len(values) == 2, "the noise reaches the measure"
