"""Unintentional islanding: the matrix on the simulated RLC load, with and without active detection."""

from dataclasses import replace

import numpy as np
import pytest
from conformity_helpers import case, cases, rules

from v2glab.evidence import InputError, Outcome
from v2glab.gridcodes.conformity import DeviceDesign, ModelBench, run_case, run_suite
from v2glab.gridcodes.conformity._model_island import balanced_reactive_pu, island_inverter
from v2glab.gridcodes.islanding import match_load, simulate_island

MATRIX = cases("islanding")
BLIND = DeviceDesign(shift_gain_pu=0.0, shift_offset=0.0, detection_s=None)
LATE = DeviceDesign(detection_s=2.5)


def confirmed(name):
    """The test as it would be if the text of the standard confirmed its two seconds."""
    return replace(case(name), confidence="confirmed")


def runs(design):
    return list(run_suite(ModelBench(design=design), MATRIX))


def test_the_matrix_of_the_data_file_is_run_as_it_stands():
    facts = rules().data.islanding
    assert [c.id for c in MATRIX] == [f"islanding.{row.name}" for row in facts.case]
    assert {c.stimulus.island.capacitor_percent for c in MATRIX} == {facts.steps_percent}
    assert all(c.stimulus.duration_s > c.rules.from_code("islanding.time").upper for c in MATRIX)


def test_the_declared_device_leaves_every_island_in_time():
    for result in runs(DeviceDesign()):
        (verdict,) = result.verdicts
        assert verdict.margin > 3 * verdict.quantity.uncertainty > 0, result.case.id
        assert not result.record.reported["persisted"]


def test_an_unverified_limit_decides_nothing_even_so():
    """No public text confirms the two seconds: the value is given, the verdict stays open."""
    assert rules().from_code("islanding.time").confidence == "unverified"
    for design in (DeviceDesign(), BLIND):
        verdicts = [v for r in runs(design) for v in r.verdicts]
        assert {v.outcome for v in verdicts} == {Outcome.INCONCLUSIVE}
        assert all("checked against the text" in v.reason for v in verdicts)
        assert all(v.quantity.uncertainty > 0 for v in verdicts)


@pytest.mark.parametrize("name", [c.id for c in MATRIX])
def test_a_device_that_does_not_search_keeps_a_matched_island_alive(name):
    result = run_case(ModelBench(design=BLIND), confirmed(name))
    (verdict,) = result.verdicts
    assert result.record.reported["persisted"]
    assert verdict.margin < 0
    assert (verdict.outcome, verdict.criterion.clause) == (Outcome.FAIL, "8.1.1")


def test_with_a_confirmed_limit_the_sound_device_passes_and_a_late_one_fails():
    for name in ("islanding.1b", "islanding.4b"):
        (sound,) = run_case(ModelBench(), confirmed(name)).verdicts
        (late,) = run_case(ModelBench(design=LATE), confirmed(name)).verdicts
        assert (sound.outcome, late.outcome) == (Outcome.PASS, Outcome.FAIL)
        assert late.quantity.value > 2.5


def test_a_shift_below_the_critical_gain_finds_no_balanced_island():
    """The zone vanishes at a gain of 4·Qf/π per unit of frequency (Sandia frequency shift)."""
    weak = ModelBench(design=DeviceDesign(shift_gain_pu=0.4, shift_offset=0.0))
    (verdict,) = run_case(weak, confirmed("islanding.2b")).verdicts
    assert verdict.outcome is Outcome.FAIL


@pytest.mark.parametrize("name", [c.id for c in MATRIX])
def test_the_load_takes_what_the_plant_gives_with_all_its_functions(name):
    """On the matched load a plant that does not search stays at nominal voltage and frequency."""
    test = case(name)
    inverter = island_inverter(test.settings, test.stimulus.stretches[0].demand_pu, BLIND)
    load = match_load(inverter.p_pu, balanced_reactive_pu(inverter), nominal_hz=60.0)
    seen = simulate_island(inverter, load, [t for t in test.settings.trips if t.enabled], duration_s=1.0)
    assert seen.voltage_pu == pytest.approx(np.ones_like(seen.voltage_pu), abs=1e-6)
    assert seen.frequency_hz == pytest.approx(60.0 + 0 * seen.frequency_hz, abs=1e-6)


def test_an_island_runs_with_the_settings_of_the_device():
    test = case("islanding.5b")
    inverter = island_inverter(test.settings, 1.0, DeviceDesign())
    facts = rules().data.islanding
    assert inverter.volt_var.x == tuple(facts.volt_var["most"]["x"])
    assert inverter.droop.droop == facts.droop["most"]["droop"]
    assert island_inverter(case("islanding.9b").settings, 0.5, BLIND).q_pu == pytest.approx(-0.44)


def test_no_noise_makes_the_sound_device_fail():
    sound = confirmed("islanding.6b")
    seen = [run_case(ModelBench(seed=seed), sound).verdicts[0] for seed in range(50)]
    assert {v.outcome for v in seen} == {Outcome.PASS}


def test_a_bench_without_an_island_or_a_reading_decides_nothing():
    class Bare(ModelBench):
        def lacks(self, need):
            return "no RLC load here" if need == "island" else super().lacks(need)

    class Forgetful(ModelBench):
        def run(self, stimulus):
            return replace(super().run(stimulus), reported={})

    for bench, said in ((Bare(), "no RLC load here"), (Forgetful(), "not measured")):
        (verdict,) = run_case(bench, confirmed("islanding.1b")).verdicts
        assert verdict.outcome is Outcome.INCONCLUSIVE
        assert said in verdict.reason


@pytest.mark.parametrize(
    "wrong",
    [
        {"shift_gain_pu": float("nan")},
        {"detection_s": -1.0},
        {"harmonics": {5: -0.1}},
        {"rejection_decay_s": 0.0},
    ],
)
def test_a_design_that_cannot_be_is_refused(wrong):
    with pytest.raises(InputError, match="required"):
        DeviceDesign(**wrong)
