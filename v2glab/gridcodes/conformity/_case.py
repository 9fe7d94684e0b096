"""One type test: settings, stimulus, and the function that turns a record into verdicts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from v2glab.evidence import Confidence, Criterion, InputError, Verdict
from v2glab.gridcodes._model import CategoryRules, GridCode
from v2glab.gridcodes.conformity._data import Fact, ProcedureData, load_procedure_data
from v2glab.gridcodes.conformity._record import Record, checked
from v2glab.gridcodes.conformity._stimulus import Stimulus

if TYPE_CHECKING:
    from v2glab.gridcodes.der import DerSettings

Evaluate = Callable[["Case", Record], list[Verdict]]
"""What turns the record of a case into verdicts."""


@dataclass(frozen=True)
class Rules:
    """Everything that the tests of one code and category are made from.

    Parameters
    ----------
    code, category, normal_category
        Grid code, and its abnormal and normal performance category.
    data
        Facts of the type tests.
    nameplate
        What the device is built for, where it differs from the example.
    """

    code: GridCode
    category: str
    normal_category: str = "B"
    data: ProcedureData = field(default_factory=load_procedure_data)
    nameplate: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.code.id not in self.data.codes:
            raise InputError(
                f"type tests for {self.code.id}",
                f"one of: {', '.join(self.data.codes)}",
                "choose a code that this test standard belongs to, or add its facts to datasets/conformity",
            )

    @cached_property
    def base(self) -> DerSettings:
        """Default settings of the category."""
        from v2glab.gridcodes.der import settings_for

        return settings_for(
            self.code,
            self.category,
            normal_category=self.normal_category,
            nameplate=self.nameplate or None,
        )

    @cached_property
    def limits(self) -> CategoryRules:
        """Rules of the category."""
        return self.code.category(self.category)

    def accuracy(self, name: str, value: float = 1.0) -> float:
        """Return a minimum required accuracy of the code (IEEE 1547-2018, Table 3) at a value.

        Raises
        ------
        InputError
            The code has none of that name.
        """
        entry = self.code.accuracy.get(name)
        if entry is None:
            known = ", ".join(self.code.accuracy) or "none"
            raise InputError(
                f"{self.code.id}: accuracy {name}", f"among: {known}", "add it to the code's file"
            )
        return entry.absolute(value, self.nominal_hz)

    @property
    def nominal_hz(self) -> float:
        """Nominal frequency of the code."""
        return self.code.nominal_frequency_hz

    @property
    def ramp_hz_s(self) -> float:
        """Rate at which stimuli change frequency: slower than what must be ridden through."""
        return 0.8 * (self.limits.rocof_hz_s.limit if self.limits.rocof_hz_s else 0.5)

    @cached_property
    def reach_v(self) -> float:
        """Tolerance of a voltage in p.u.: 1.5 times the minimum required accuracy."""
        return self.data.tolerance.factor * self.accuracy("voltage.steady")

    @cached_property
    def reach_f(self) -> float:
        """Tolerance of a frequency in Hz."""
        return self.data.tolerance.factor * self.accuracy("frequency.steady")

    @cached_property
    def reach_p(self) -> float:
        """Tolerance of active power in p.u."""
        return self.data.tolerance.factor * self.accuracy("active-power.steady")

    @cached_property
    def reach_q(self) -> float:
        """Tolerance of reactive power in p.u."""
        return self.data.tolerance.factor * self.accuracy("reactive-power.steady")

    @property
    def p_rated(self) -> float:
        """Rated active power per unit of rated apparent power."""
        return self.base.nameplate.p_max_w / self.base.nameplate.s_max_va

    def reach_t(self, duration_s: float) -> float:
        """Tolerance of a duration in seconds."""
        steady = self.code.accuracy.get("time.steady")
        long = steady is not None and (steady.range is None or duration_s >= steady.range[0])
        known = self.accuracy("time.steady" if long else "time.transient", duration_s)
        return self.data.tolerance.factor * known

    def from_code(self, key: str) -> Criterion:
        """Return a criterion of the grid code by its identity without the name of the code."""
        return self.code.criteria[f"{self.code.id}.{key}"]


@dataclass(frozen=True)
class Case:
    """One test.

    Parameters
    ----------
    id
        ``family.name``.
    clause
        Clause of the grid code that it tests.
    source, confidence
        Where the limit was read, and whether that was confirmed.
    needs
        Abilities of the bench without which it cannot run.
    stimulus
        ``None`` for a test that takes no run, such as imported evidence.
    """

    id: str
    title: str
    clause: str
    rules: Rules
    stimulus: Stimulus | None
    evaluate: Evaluate
    settings: DerSettings | None = None
    source: str = ""
    confidence: Confidence = "confirmed"
    standard: str = ""
    edition: str = ""
    needs: frozenset[str] = frozenset()

    @property
    def family(self) -> str:
        """First part of the name."""
        return self.id.partition(".")[0]

    def judge(self, record: Record) -> list[Verdict]:
        """Return the verdicts of a record; one that cannot be trusted gives inconclusive ones."""
        duration_s = self.stimulus.duration_s if self.stimulus else 0.0
        return self.evaluate(self, checked(record, duration_s) if self.stimulus else record)

    def criterion(self, name: str, title: str, quantity: str, unit: str = "1", **more: Any) -> Criterion:  # noqa: ANN401
        """Return a criterion of this test; ``more`` holds the bounds and whatever differs."""
        return make_criterion(self, name, title, quantity, unit, **more)


def make_criterion(
    case: Case,
    name: str,
    title: str,
    quantity: str,
    unit: str = "1",
    *,
    lower: float | None = None,
    upper: float | None = None,
    clause: str = "",
    confidence: Confidence | None = None,
    source: str = "",
    note: str = "",
) -> Criterion:
    """Return a criterion that belongs to a test; its clause and source are the test's unless given."""
    code = case.rules.code
    return Criterion(
        id=f"{code.id}.conformity.{case.id}.{name}".lower(),
        title=f"{case.title}: {title}",
        standard=case.standard or code.standard,
        edition=case.edition or code.edition,
        clause=clause or case.clause,
        category=case.rules.category,
        quantity=quantity,
        lower=lower,
        upper=upper,
        unit=unit,
        source=source or case.source or case.rules.data.sources["svp"],
        confidence=confidence or case.confidence,
        note=note,
    )


def cite(rules: Rules, fact: Fact) -> dict[str, Any]:
    """Return source and confidence of a fact, as a case takes them."""
    return {"source": rules.data.sources[fact.source], "confidence": fact.confidence}
