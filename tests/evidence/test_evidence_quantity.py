"""Quantities, results and errors: the vocabulary of every room."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t as student

from v2glab import evidence
from v2glab.evidence import (
    ExitCode,
    InputError,
    NullRecorder,
    Outcome,
    Quantity,
    Result,
    V2GError,
    coverage_factor,
    judge,
)

FINITE = st.floats(allow_nan=False, allow_infinity=False)


@given(
    value=FINITE,
    uncertainty=st.floats(0, 1e6),
    dof=st.floats(0.5, 1e6) | st.just(math.inf),
    time_ns=st.none() | st.integers(0, 1 << 62),
)
def test_quantity_survives_its_json(
    value: float, uncertainty: float, dof: float, time_ns: int | None
) -> None:
    quantity = Quantity("power", value, "W", uncertainty, dof=dof, time_ns=time_ns, instrument="meter")
    assert Quantity.from_json(quantity.to_json()) == quantity


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("place", ["value", "uncertainty"])
def test_what_is_not_finite_is_refused(value: float, place: str) -> None:
    fields = {"value": 1.0, "uncertainty": 0.1, place: value}
    with pytest.raises(InputError):
        Quantity("power", fields["value"], "W", fields["uncertainty"])


@pytest.mark.parametrize(("name", "unit"), [("", "W"), ("power", "")])
def test_a_number_has_a_name_and_a_unit(name: str, unit: str) -> None:
    with pytest.raises(InputError, match="a name and a unit"):
        Quantity(name, 1.0, unit, 0.1)


@given(dof=st.floats(1, 1e5), coverage=st.floats(0.5, 0.999))
def test_coverage_factor_is_the_quantile_of_student(dof: float, coverage: float) -> None:
    assert coverage_factor(dof, coverage) == pytest.approx(student.ppf(0.5 + coverage / 2, dof), rel=1e-9)


def test_expanded_uncertainty_has_the_factor_two_of_the_guide() -> None:
    # JCGM 100:2008, 6.3.3: k = 2 for about 95 % where the degrees of freedom are many.
    expanded, factor = Quantity("power", 10.0, "W", 0.5).expanded()
    assert factor == pytest.approx(2.0, abs=1e-3)
    assert expanded == pytest.approx(1.0, abs=1e-3)
    assert Quantity("power", 10.0, "W", no_uncertainty="not stated").expanded() is None


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"name": "power"},
        {"name": "power", "value": 1.0, "unit": "W", "uncertainty": 0.1, "colour": "red"},
        {"name": "power", "value": 1.0, "unit": "W"},
    ],
)
def test_a_wrong_record_of_a_quantity_is_a_typed_error(data: dict[str, object]) -> None:
    with pytest.raises(InputError):
        Quantity.from_json(data)


def test_renamed_quantity_keeps_everything_else() -> None:
    quantity = Quantity("a", 1.0, "V", 0.1, dof=5, time_ns=3, instrument="m", certificate="c")
    assert quantity.with_name("b").to_json() | {"name": "a"} == quantity.to_json()


def test_result_finds_quantities_and_counts_outcomes() -> None:
    quantity = Quantity("grid_frequency", 60.0, "Hz", 0.001)
    result = Result("p", 0, {}, quantities=(quantity,))
    assert result.quantity("grid_frequency") is quantity
    with pytest.raises(KeyError, match="grid_frequency"):
        result.quantity("voltage")
    assert [result.count(outcome) for outcome in Outcome] == [0, 0, 0, 0]


def test_every_error_says_what_was_found_required_and_to_do() -> None:
    kinds = [getattr(evidence, name) for name in evidence.__all__ if name.endswith("Error")]
    assert len(kinds) >= 8
    for kind in kinds:
        error = kind("3 V", "5 V", "turn it up")
        assert (error.found, error.required, error.remedy) == ("3 V", "5 V", "turn it up")
        assert str(error) == "found: 3 V; required: 5 V; remedy: turn it up"
        assert isinstance(error, V2GError)
        assert error.args == ("3 V", "5 V", "turn it up")  # so that it survives pickling


def test_exit_codes_are_those_of_the_manual() -> None:
    assert [int(code) for code in ExitCode] == [0, 1, 2, 3, 4]
    expected = {"UsageError": 2, "InputError": 2, "LimitError": 2, "DeviceError": 3, "SafeStateError": 4}
    for name, code in expected.items():
        assert getattr(evidence, name)("a", "b", "c").exit_code == code


def test_errors_survive_pickling() -> None:
    import pickle

    error = pickle.loads(pickle.dumps(InputError("a", "b", "c")))
    assert isinstance(error, InputError)
    assert error.remedy == "c"


def test_null_recorder_takes_everything() -> None:
    recorder = NullRecorder()
    recorder.frame(time_ns=0, instrument="m", direction="tx", data=b"")
    recorder.quantity(Quantity("a", 1.0, "V", 0.1))


def test_judging_keeps_the_quantity_as_it_was_measured() -> None:
    criterion = evidence.Criterion(
        id="x",
        title="t",
        standard="S",
        edition="1",
        clause="1",
        quantity="power",
        upper=5.0,
        unit="W",
        source="test",
        confidence="confirmed",
    )
    quantity = Quantity("power", 2.0, "W", 0.5, time_ns=9, instrument="meter", certificate="K-1")
    verdict = judge(criterion, quantity)
    assert verdict.quantity == quantity
    assert verdict.margin == pytest.approx(3.0)
    assert verdict.outcome is Outcome.PASS
