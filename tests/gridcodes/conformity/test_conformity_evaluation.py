"""Evaluation on records made by formula: known mistakes of other tools are avoided, doubts are said."""

import math
from dataclasses import replace

import numpy as np
import pytest
from conformity_helpers import DECLARED, case, changed, exact, failed_clauses, flat, outcomes, rules

from v2glab.evidence import Outcome
from v2glab.gridcodes.conformity import Uncertainties, undecided


def droop_record(name="droop.above.default.p50", *, gain=1.0, offset_hz=0.0, tau=None, spacing=None):
    """A plant that follows Table 23 exactly, from the frequency as it is, with a first-order lag."""
    test = case(name)
    settings, stimulus = test.settings, test.stimulus
    start = exact(name)
    time, hertz = start.time_s, start.f_hz + offset_hz
    droop, before = settings.droop, stimulus.stretches[0].demand_pu
    aim = before - gain * np.clip(hertz - 60 - droop.deadband_over_hz, 0, None) / (60 * droop.droop_over)
    aim = aim + gain * np.clip(60 - droop.deadband_under_hz - hertz, 0, None) / (60 * droop.droop_under)
    tau = droop.olrt_s / math.log(10) if tau is None else tau
    power = np.empty_like(aim)
    power[0] = before
    for k in range(1, aim.size):
        power[k] = aim[k] + (power[k - 1] - aim[k]) * math.exp(-(time[k] - time[k - 1]) / tau)
    return test, replace(start, f_hz=hertz, p_pu=power)


def test_droop_by_its_formula_conforms_from_any_power():
    """Table 23 is not scaled by the power before: half the power moves by as much as the whole."""
    for name in ("droop.above.default.p100", "droop.above.default.p50", "droop.below.default.p0"):
        test, record = droop_record(name)
        assert set(outcomes(test.judge(record)).values()) == {Outcome.PASS}


def test_droop_scaled_by_the_power_before_fails():
    test, record = droop_record(gain=0.5)
    assert failed_clauses(test.judge(record)) == {"6.5.2.7"}


def test_the_measured_input_is_judged_not_the_commanded_one():
    """A source 0.4 Hz off is no fault of the plant: the formula is taken at the frequency that was there."""
    test, record = droop_record(offset_hz=0.4)
    steady = {k: v for k, v in outcomes(test.judge(record)).items() if ".steady." in k}
    assert set(steady.values()) == {Outcome.PASS}
    commanded = replace(record, f_hz=record.f_hz - 0.4)
    assert failed_clauses(test.judge(commanded)) == {"6.5.2.7"}


def test_the_response_time_is_seconds_whatever_the_sampling():
    """Ten samples a second or one: the value at the response time is found by time, not by index."""
    test, record = droop_record()
    slow, _ = droop_record(tau=3 * test.settings.droop.olrt_s / math.log(10))[1], None
    assert {o for k, o in outcomes(test.judge(record)).items() if "response" in k} == {Outcome.PASS}
    assert Outcome.FAIL in {o for k, o in outcomes(test.judge(slow)).items() if "response" in k}
    keep = np.unique(np.concatenate([np.arange(0, record.time_s.size, 3), [record.time_s.size - 1]]))
    thin = {
        n: getattr(record, n)[..., keep]
        for n in ("time_s", "v_pu", "f_hz", "p_pu", "q_pu", "i_pu", "connected")
    }
    assert {o for k, o in outcomes(test.judge(replace(record, **thin))).items() if "response" in k} == {
        Outcome.PASS
    }


def trip_record(name, at_s, **more):
    test = case(name)
    start = exact(name)
    on = (start.time_s < at_s).astype(float)
    return test, replace(start, connected=on, p_pu=on, i_pu=on, q_pu=0 * on, **more)


@pytest.mark.parametrize(
    ("after_s", "expected"),
    [
        (2.0, Outcome.PASS),
        (1.97, Outcome.PASS),
        (2.03, Outcome.PASS),
        (1.9, Outcome.FAIL),
        (2.1, Outcome.FAIL),
    ],
)
def test_a_trip_is_neither_early_nor_late(after_s, expected):
    """UV2 of Category III: 2 s, within 1.5 · 2 cycles = 50 ms."""
    test, record = trip_record("trip.time.uv2.default", 2.0 + after_s)
    assert outcomes(test.judge(record))["trip.time.uv2.default.time"] is expected


def test_a_plant_that_never_trips_fails_and_one_that_was_never_on_proves_nothing():
    test, never = trip_record("trip.time.uv2.default", math.inf)
    assert outcomes(test.judge(never))["trip.time.uv2.default.time"] is Outcome.FAIL
    test, off = trip_record("trip.time.uv2.default", -1.0)
    (verdict,) = test.judge(off)
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "not in service" in verdict.reason


def test_a_plant_that_says_tripped_and_still_feeds_fails_to_cease():
    test, record = trip_record("trip.time.uv2.default", 4.0)
    feeding = replace(record, i_pu=np.full_like(record.i_pu, 0.2))
    assert failed_clauses(test.judge(feeding)) == {"4.5"}


def test_a_coarse_instrument_cannot_decide():
    """With u = 40 ms on time a band of ± 50 ms is eaten: no pass at any value."""
    test, record = trip_record("trip.time.uv2.default", 4.0)
    coarse = replace(record, uncertainties=replace(DECLARED, time_s=0.04))
    verdict = test.judge(coarse)[0]
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "eats the whole band" in verdict.reason


def test_a_coarse_instrument_still_sees_a_gross_fault():
    test, record = trip_record("trip.time.uv2.default", 6.9)
    coarse = replace(record, uncertainties=replace(DECLARED, time_s=0.04))
    assert test.judge(coarse)[0].outcome is Outcome.FAIL


@pytest.mark.parametrize(
    "name", ["trip.time.uv2.default", "droop.above.default.p50", "volt-var.characteristic-1"]
)
def test_an_instrument_without_uncertainty_decides_nothing(name):
    nothing = Uncertainties(None, None, None, None, None, None)
    verdicts = case(name).judge(replace(exact(name), uncertainties=nothing))
    assert {v.outcome for v in verdicts if v.criterion.quantity != "connected_time"} == {Outcome.INCONCLUSIVE}


def faults(record):
    middle = record.time_s.size // 2
    backwards = record.time_s.copy()
    backwards[middle] = backwards[middle - 2]
    stands = record.time_s.copy()
    stands[middle] = stands[middle - 1]
    part = {
        n: getattr(record, n)[..., :middle]
        for n in ("time_s", "v_pu", "f_hz", "p_pu", "q_pu", "i_pu", "connected")
    }
    hole = record.p_pu.copy()
    hole[middle:] = math.nan
    blind = record.v_pu.copy()
    blind[1, middle:] = math.inf
    yield "backwards", changed(record, time_s=backwards)
    yield "backwards", changed(record, time_s=stands)
    yield "fell silent", changed(record, **part)
    yield "p_pu is missing", changed(record, p_pu=hole)
    yield "v_pu is missing", changed(record, v_pu=blind)
    yield "phase is missing", changed(record, v_pu=record.v_pu[:2])
    yield "has shape", changed(record, q_pu=record.q_pu[:-1])
    yield "unplugged", record.with_doubt("the cable was unplugged")


@pytest.mark.parametrize(
    "name",
    [
        "trip.time.ov1.default",
        "trip.magnitude.uv1.default",
        "voltage-ride-through.lvrt.p100",
        "frequency-ride-through.lf1",
        "rocof.ramp",
        "phase-jump.e",
        "enter-service.case-5",
        "volt-var.characteristic-1",
        "volt-var.reference",
        "power-limit.66",
        "priority.active",
        "interoperability.configuration",
        "interoperability.execution",
        "open-phase.a",
        "v2g.authorisation-lost",
        "v2g.soc-limit",
        "v2g.hand-over",
    ],
)
def test_broken_records_are_inconclusive_and_say_why(name):
    test = case(name)
    for said, record in faults(exact(name)):
        verdicts = test.judge(record)
        assert verdicts
        assert {v.outcome for v in verdicts} == {Outcome.INCONCLUSIVE}, (said, outcomes(verdicts))
        assert all(said in v.reason for v in verdicts), (said, [v.reason for v in verdicts])


def test_what_a_bench_cannot_do_is_inconclusive_with_the_reason():
    for name in ("islanding.3b", "power-quality.harmonics", "laboratory.surge", "trip.time.uv1.default"):
        result = undecided(case(name), "there is no such thing here")
        assert result.verdicts
        assert {v.outcome for v in result.verdicts} == {Outcome.INCONCLUSIVE}
        assert all("no such thing" in v.reason for v in result.verdicts)


def test_an_unverified_limit_never_passes():
    verdicts = case("open-phase.a").judge(exact("open-phase.a"))
    by_name = outcomes(verdicts)
    assert by_name["open-phase.a.time"] is Outcome.INCONCLUSIVE
    assert "checked against the text" in verdicts[0].reason


def test_a_mean_has_the_uncertainty_that_its_samples_share():
    from v2glab.gridcodes.conformity._measure import mean

    record = flat(100.0, p=0.5, uncertainties=Uncertainties(p_pu=0.01, shared=0.25))
    found = mean(record, "p", 0.0, 100.0)
    assert found.value == pytest.approx(0.5)
    assert found.uncertainty == pytest.approx(math.sqrt(1e-4 * 0.25 + 1e-4 * 0.75 / 10_000))
    assert mean(record, "p", 3.0, 3.015) is None
    assert rules().reach_v == pytest.approx(0.015)
