"""OpenDER 2.2.0 under test: its known faults fail by their clauses, and what it does right passes."""

import pytest
from conformity_helpers import case, failed_clauses
from opender_bench import OpenDerBench

from v2glab.evidence import Outcome
from v2glab.gridcodes.conformity import run_case


def judged(name, step_s):
    return run_case(OpenDerBench(step_s), case(name)).verdicts


@pytest.mark.parametrize(
    ("fault", "name", "step_s", "clause"),
    [
        ("limit and volt-watt: a charging battery exports", "volt-watt.charging-1", 0.02, "5.4.2"),
        ("the same with the steepest characteristic", "volt-watt.charging-3", 0.02, "5.4.2"),
        ("a trip is declared one step early", "trip.time.uv2.default", 0.1, "6.4.1 Table 13"),
    ],
)
def test_a_known_fault_fails_by_its_clause(fault, name, step_s, clause):
    assert failed_clauses(judged(name, step_s)) == {clause}, fault


@pytest.mark.parametrize(
    ("name", "step_s"),
    [
        ("volt-var.characteristic-1", 0.05),
        ("droop.above.default.p50", 0.05),
        ("priority.reactive", 0.05),
        ("trip.time.uv2.default", 0.01),
    ],
)
def test_what_it_does_right_passes(name, step_s):
    """An independent device passes, so the suite does not merely mirror our own model."""
    assert {v.outcome for v in judged(name, step_s)} == {Outcome.PASS}
