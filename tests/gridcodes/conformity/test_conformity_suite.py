"""The suite as a whole: benches that lack something, evidence from laboratories, JUnit XML."""

import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest
from conformity_helpers import CODE, case, cases, exact, outcomes, rules

from v2glab.evidence import DeviceError, InputError, Outcome
from v2glab.gridcodes.conformity import (
    ModelBench,
    Rules,
    junit_xml,
    list_cases,
    read_evidence,
    run_case,
    run_suite,
)


class Lacking(ModelBench):
    """A bench without one ability."""

    def __init__(self, need):
        super().__init__()
        self.need = need

    def lacks(self, need):
        return f"no {need} here" if need == self.need else super().lacks(need)


def test_a_bench_that_lacks_something_leaves_the_test_open_and_runs_the_others():
    bench = Lacking("angles")
    results = list(run_suite(bench, [*cases("phase-jump"), case("priority.active")]))
    assert {v.outcome for r in results[:-1] for v in r.verdicts} == {Outcome.INCONCLUSIVE}
    assert all("no angles here" in v.reason for v in results[0].verdicts)
    assert {v.outcome for v in results[-1].verdicts} == {Outcome.PASS}


def test_a_device_that_refuses_settings_or_falls_silent_is_inconclusive():
    class Refusing(ModelBench):
        def configure(self, settings):
            return "volt-var is locked"

    class Silent(ModelBench):
        def run(self, stimulus):
            raise DeviceError("no answer", "an answer", "look at the cable")

    for bench, said in ((Refusing(), "volt-var is locked"), (Silent(), "no answer")):
        result = run_case(bench, case("volt-var.characteristic-1"))
        assert {v.outcome for v in result.verdicts} == {Outcome.INCONCLUSIVE}
        assert said in result.verdicts[0].reason


def write(tmp_path, text):
    path = tmp_path / "evidence.toml"
    path.write_text(text)
    return path


ENTRY = """
[[evidence]]
test = "{test}"
document = "TR-2031"
date = 2026-03-01
laboratory = "Example laboratory"
verdict = "{verdict}"
"""


def test_a_document_decides_what_a_bench_cannot_run(tmp_path):
    text = "schema = 1" + ENTRY.format(test="laboratory.surge", verdict="pass")
    text += ENTRY.format(test="laboratory.temperature", verdict="fail")
    found = read_evidence(write(tmp_path, text))
    results = {r.case.id: r for r in run_suite(ModelBench(), cases("laboratory"), found)}
    (surge,), (heat,) = results["laboratory.surge"].verdicts, results["laboratory.temperature"].verdicts
    assert (surge.outcome, heat.outcome) == (Outcome.PASS, Outcome.FAIL)
    assert "TR-2031, Example laboratory, 2026-03-01" in surge.reason
    (open_,) = results["laboratory.paralleling-device"].verdicts
    assert (open_.outcome, open_.reason) == (
        Outcome.INCONCLUSIVE,
        "laboratory only: no document was imported",
    )


def test_a_document_never_overrules_a_measurement(tmp_path):
    text = "schema = 1" + ENTRY.format(test="trip.time.uv2.default", verdict="pass")
    found = read_evidence(write(tmp_path, text))

    class Late(ModelBench):
        def configure(self, settings):
            return super().configure(settings.with_(rules=None).with_trip("uv2", time_s=2.5))

    (result,) = run_suite(Late(), cases("trip.time.uv2.default"), found)
    assert Outcome.FAIL in {v.outcome for v in result.verdicts}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("schema = 2", "schema"),
        ("schema = 1", "evidence"),
        ("schema = 1\nother = 1" + ENTRY.format(test="a", verdict="pass"), "other"),
        ("schema = 1" + ENTRY.format(test="a", verdict="maybe"), "verdict"),
        ("schema = 1" + 2 * ENTRY.format(test="laboratory.surge", verdict="pass"), "two entries"),
        ('schema = 1\n[[evidence]]\ntest = "a"', "document"),
        ("schema = [", "evidence.toml"),
    ],
)
def test_a_wrong_evidence_file_is_refused(tmp_path, text, named):
    with pytest.raises(InputError, match=named):
        read_evidence(write(tmp_path, text))


def test_evidence_for_an_unknown_test_is_refused(tmp_path):
    found = read_evidence(write(tmp_path, "schema = 1" + ENTRY.format(test="surge", verdict="pass")))
    with pytest.raises(InputError, match="surge"):
        list(run_suite(ModelBench(), cases("laboratory"), found))


def test_junit_says_failed_passed_and_open_as_a_test_server_counts_them():
    class Dull(ModelBench):
        def configure(self, settings):
            return super().configure(settings.with_(rules=None, droop={"enabled": False}))

    tests = [case("droop.above.default.p100"), case("rocof.ramp"), *cases("laboratory")]
    text = junit_xml('a <strange> & "odd"\x00 name', list(run_suite(Dull(), tests)))
    root = ET.fromstring(text)
    assert root.tag == "testsuites"
    assert (root.get("tests"), root.get("failures"), root.get("skipped")) == ("6", "1", "4")
    assert [s.get("name") for s in root] == ["droop", "rocof", "laboratory"]
    for suite in root:
        found = suite.findall("testcase")
        assert int(suite.get("tests")) == len(found)
        assert int(suite.get("failures")) == sum(c.find("failure") is not None for c in found)
        assert int(suite.get("skipped")) == sum(c.find("skipped") is not None for c in found)
    (droop,) = root[0]
    assert "6.5.2.7" in droop.find("failure").get("message")
    assert droop.get("classname") == "droop"
    (rocof,) = root[1]
    assert rocof.find("failure") is None and rocof.find("skipped") is None


def test_every_category_passes_the_reference_model():
    for category, normal in (("I", "A"), ("II", "B")):
        # Emissions have no category.
        tests = [c for c in cases(category=category, normal=normal) if "waveforms" not in c.needs]
        results = list(run_suite(ModelBench(), tests))
        failed = [v.criterion.id for r in results for v in r.verdicts if v.outcome is Outcome.FAIL]
        assert failed == []
        passed = sum(all(v.outcome is Outcome.PASS for v in r.verdicts) for r in results)
        assert passed >= 90


def test_one_seed_gives_one_record():
    tests = cases("volt-var.characteristic-1", "trip.time.ov2.default")
    first, again = ([r.record for r in run_suite(ModelBench(seed=3), tests)] for _ in range(2))
    for a, b in zip(first, again, strict=True):
        assert np.array_equal(a.p_pu, b.p_pu) and np.array_equal(a.v_pu, b.v_pu)


def test_a_grid_that_did_not_go_far_enough_proves_nothing():
    """A source five thousandths off stays within the tolerance of the threshold, where either is right."""
    for name, shift in (("trip.time.uv1.default", 0.005), ("trip.magnitude.uv1.default", -0.005)):
        record = exact(name)
        verdicts = case(name).judge(replace(record, v_pu=record.v_pu + shift))
        assert {v.outcome for v in verdicts} == {Outcome.INCONCLUSIVE}
        assert "not clear of" in verdicts[0].reason


def test_a_device_of_another_frequency_is_refused_before_anything_runs():
    with pytest.raises(InputError, match=r"threshold.*clause 6\.5\.1.*50 Hz code"):
        list_cases(Rules(CODE, "III", "B", nameplate={"f_nominal_hz": 50.0}), ["trip"])


def test_verdicts_name_code_clause_and_category():
    (verdict,) = case("rocof.ramp").judge(exact("rocof.ramp"))
    assert (verdict.criterion.standard, verdict.criterion.category) == ("IEEE 1547", "III")
    assert verdict.criterion.clause == "6.5.2.5 Table 21"
    assert outcomes([verdict]) == {"rocof.ramp.stayed": Outcome.PASS}
    assert rules().data.standard == "IEEE 1547.1"
