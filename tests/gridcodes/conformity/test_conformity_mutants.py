"""Mutation proof: each faulty device fails by the clause that its fault breaks, the conforming one never."""

import tomllib
from pathlib import Path

import pytest
from conformity_helpers import CODE, cases, exact, failed_clauses
from mutant_bench import MutantBench

from v2glab.evidence import Outcome
from v2glab.gridcodes.conformity import ModelBench, Rules, add_noise, list_cases, run_suite

MUTANTS = tomllib.loads(Path(__file__).with_name("mutants.toml").read_text())["mutant"]
SEEDS = 1000


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


RUNNABLE = [
    c for c in cases() if c.stimulus is not None and not c.needs & {"waveforms", "synchronisation", "island"}
]
#: A seed looks at every eighth test, so that a thousand seeds give each test 125 noises of its own.
SHARE = 8


def test_the_conforming_device_lies_clear_of_every_limit():
    """Without noise each verdict lies at least three standard uncertainties inside, so five from a fail."""
    for test in RUNNABLE:
        for verdict in test.judge(exact(test.id)):
            if verdict.criterion.confidence == "unverified":
                assert verdict.margin is None or verdict.margin >= 0, verdict.criterion.id
                continue
            assert verdict.outcome is Outcome.PASS, (verdict.criterion.id, verdict.quantity, verdict.reason)
            assert verdict.margin >= 3 * verdict.quantity.uncertainty, verdict.criterion.id


def test_the_conforming_device_never_fails_within_its_declared_uncertainty():
    """A thousand noises drawn from the declared uncertainties: no test turns into a fail."""
    records = {c.id: exact(c.id) for c in RUNNABLE}
    for seed in range(SEEDS):
        for test in RUNNABLE[seed % SHARE :: SHARE]:
            verdicts = test.judge(add_noise(records[test.id], seed))
            assert Outcome.FAIL not in {v.outcome for v in verdicts}, (seed, test.id)
