"""Mutation proof: each faulty device fails by the clause that its fault breaks."""

import tomllib
from pathlib import Path

import pytest
from conformity_helpers import CODE, failed_clauses
from mutant_bench import MutantBench

from v2glab.evidence import Outcome
from v2glab.gridcodes.conformity import ModelBench, Rules, list_cases, run_suite

MUTANTS = tomllib.loads(Path(__file__).with_name("mutants.toml").read_text())["mutant"]


def verdicts_of(bench, tests):
    return [v for result in run_suite(bench, tests) for v in result.verdicts]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m["name"])
def test_a_faulty_device_fails_by_the_clause_it_breaks(mutant):
    rules = Rules(CODE, "III", "B", nameplate=mutant.get("nameplate", {}))
    tests = [t for name in mutant["tests"] for t in list_cases(rules, [name])]
    honest = verdicts_of(ModelBench(seed=1), tests)
    assert {v.outcome for v in honest} == {Outcome.PASS}, "the tests pass the device without the fault"
    assert mutant["clause"] in failed_clauses(verdicts_of(MutantBench(mutant), tests))


def test_there_are_enough_of_them_and_each_is_called_differently():
    assert len(MUTANTS) >= 40
    assert len({m["name"] for m in MUTANTS}) == len(MUTANTS)
