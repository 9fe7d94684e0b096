"""OpenDER 2.2.0 under test: its ten known faults, one by one, and what it does right."""

import ast
import tomllib
from functools import cached_property
from pathlib import Path

import pytest
from conformity_helpers import CODE, case, failed_clauses
from mutant_bench import MutantBench
from opender_bench import OpenDerBench

from v2glab.evidence import Outcome
from v2glab.gridcodes.conformity import ModelBench, Rules, list_cases, run_case

FAULTS = tomllib.loads(Path(__file__).with_name("opender_faults.toml").read_text())["fault"]
SHOWN_IN = Path(__file__).parents[1] / "der" / "test_opender_faults.py"


class RulesElsewhere(Rules):
    """The code's rules on a grid of 50 Hz: every frequency of the settings ten hertz lower."""

    @property
    def nominal_hz(self):
        return 50.0

    @cached_property
    def base(self):
        ours = Rules(self.code, self.category, self.normal_category).base
        down = CODE.nominal_frequency_hz - self.nominal_hz
        trips = [
            t.model_dump() | ({"threshold": t.threshold - down} if t.quantity == "frequency" else {})
            for t in ours.trips
        ]
        enter = ours.enter_service
        window = {"f_low_hz": enter.f_low_hz - down, "f_high_hz": enter.f_high_hz - down}
        plate = {"f_nominal_hz": self.nominal_hz}
        return ours.with_(rules=None, trips=trips, enter_service=window, nameplate=plate)


def device(fault):
    return MutantBench(fault["mutant"]) if fault["device"] == "mutant" else OpenDerBench(**fault["bench"])


def verdicts_of(bench, fault, name):
    kind = RulesElsewhere if fault.get("nominal_hz") else Rules
    (test,) = list_cases(kind(CODE, "III", "B"), [name])
    return run_case(bench, test).verdicts


def outcomes_of(bench, fault, name):
    return {v.outcome for v in verdicts_of(bench, fault, name)}


SEEN = [f for f in FAULTS if "unseen" not in f]
UNSEEN = [f for f in FAULTS if "unseen" in f]


@pytest.mark.parametrize("fault", SEEN, ids=lambda f: f["name"])
def test_a_known_fault_fails_by_its_clause_and_a_neighbour_passes(fault):
    assert outcomes_of(ModelBench(), fault, fault["test"]) == {Outcome.PASS}, "the sound device passes"
    failed = failed_clauses(verdicts_of(device(fault), fault, fault["test"]))
    assert fault["clause"] in failed
    assert all(clause.startswith(fault["clause"]) for clause in failed), failed
    assert outcomes_of(device(fault), fault, fault["neighbour"]) == {Outcome.PASS}


@pytest.mark.parametrize("fault", UNSEEN, ids=lambda f: f["name"])
def test_a_fault_that_no_type_test_can_see_passes_the_nearest_and_is_shown_elsewhere(fault):
    """The package passes the nearest test, so the suite would be wrong to fail it there."""
    assert outcomes_of(device(fault), fault, fault["test"]) == {Outcome.PASS}
    tree = ast.parse(SHOWN_IN.read_text())
    assert fault["shown_by"] in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_the_ten_known_faults_are_all_there():
    assert len({f["name"] for f in FAULTS}) == 10
    assert len(SEEN) >= 6


def test_no_type_test_draws_a_random_delay():
    for test in list_cases(Rules(CODE, "III", "B"), ["enter-service"]):
        assert test.settings.enter_service.randomised_delay_s == 0.0


@pytest.mark.parametrize(
    ("name", "step_s"),
    [
        ("volt-var.characteristic-1", 0.1),
        ("droop.above.default.p50", 0.1),
        ("trip.time.uv2.default", 0.01),
    ],
)
def test_what_it_does_right_passes(name, step_s):
    """An independent device passes, so the suite does not merely mirror our own model."""
    assert {v.outcome for v in run_case(OpenDerBench(step_s), case(name)).verdicts} == {Outcome.PASS}
