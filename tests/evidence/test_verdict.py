"""Verdicts against the decision rule of JCGM 106 and against hostile documents."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from v2glab.evidence import (
    Criterion,
    InputError,
    Outcome,
    Quantity,
    Verdict,
    coverage_factor,
    judge,
    read_verdicts,
    write_verdicts,
)


def criterion(**changes):
    fields = {
        "id": "test.limit",
        "title": "a limit",
        "standard": "S",
        "edition": "2020",
        "clause": "1",
        "quantity": "frequency",
        "lower": -0.3,
        "upper": 0.3,
        "unit": "Hz",
        "source": "test",
        "confidence": "confirmed",
    }
    return Criterion(**{**fields, **changes})


def quantity(value, uncertainty=0.01, **more):
    return Quantity("frequency", value, "Hz", uncertainty, **more)


@pytest.mark.parametrize(
    ("value", "outcome"),
    [
        (0.0, Outcome.PASS),
        (0.279, Outcome.PASS),
        (0.29, Outcome.INCONCLUSIVE),
        (0.31, Outcome.INCONCLUSIVE),
        (0.321, Outcome.FAIL),
        (-0.321, Outcome.FAIL),
    ],
)
def test_guard_band_separates_three_zones(value, outcome):
    assert judge(criterion(), quantity(value)).outcome is outcome


def test_small_samples_widen_the_guard_band():
    # Student's table: t(0.95, 2 dof) = 4.303 where the normal law has 1.960.
    assert coverage_factor(2, 0.95) == pytest.approx(4.303, abs=5e-4)
    assert coverage_factor(math.inf, 0.95) == pytest.approx(1.960, abs=5e-4)
    assert judge(criterion(), quantity(0.27)).outcome is Outcome.PASS
    assert judge(criterion(), quantity(0.27, dof=2)).outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize(
    ("changes", "measured", "doubt"),
    [
        ({"confidence": "unverified"}, quantity(0.0), ""),
        ({}, None, ""),
        ({}, quantity(0.0), "certificate expired"),
        ({}, Quantity("frequency", 0.0, "Hz", no_uncertainty="not stated by the maker"), ""),
    ],
)
def test_never_a_pass_by_default(changes, measured, doubt):
    assert judge(criterion(**changes), measured, doubt=doubt).outcome is Outcome.INCONCLUSIVE


@given(
    value=st.floats(-10, 10),
    uncertainty=st.floats(0, 5),
    guard=st.floats(0, 3),
)
def test_pass_and_fail_always_stand_on_their_side_of_the_limit(value, uncertainty, guard):
    verdict = judge(criterion(guard_band=guard), quantity(value, uncertainty))
    inside = -0.3 <= value <= 0.3
    assert verdict.outcome is not (Outcome.FAIL if inside else Outcome.PASS)


def test_units_are_not_guessed():
    with pytest.raises(InputError, match="convert"):
        judge(criterion(), Quantity("frequency", 1.0, "mHz", 0.1))


@pytest.mark.parametrize(
    "fields",
    [
        {"value": math.nan, "uncertainty": 0.1},
        {"value": 1.0, "uncertainty": -0.1},
        {"value": 1.0},
        {"value": 1.0, "uncertainty": 0.1, "dof": 0},
    ],
)
def test_a_number_without_meaning_is_refused(fields):
    with pytest.raises(InputError):
        Quantity("frequency", unit="Hz", **fields)


def test_document_returns_what_was_written(tmp_path):
    verdicts = [judge(criterion(), quantity(0.1, dof=7), evidence=("wire.log#12",)), judge(criterion(), None)]
    path = tmp_path / "verdicts.json"
    write_verdicts(path, {"synchronise_grid": verdicts})
    assert read_verdicts(path) == {"synchronise_grid": verdicts}


@pytest.mark.parametrize("text", ["", "{}", '{"schema": "v2glab-verdicts/9", "verdicts": []}', "[1"])
def test_a_broken_document_gives_one_typed_error(tmp_path, text):
    path = tmp_path / "verdicts.json"
    path.write_text(text)
    with pytest.raises(InputError):
        read_verdicts(path)


def test_a_verdict_with_a_missing_key_is_refused():
    with pytest.raises(InputError):
        Verdict.from_json({"outcome": "pass"})
