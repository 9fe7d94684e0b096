"""States and duties of the control pilot, read from ``datasets/iso15118/pilot.toml``."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from v2glab.evidence import Confidence, Criterion, InputError
from v2glab.links._rules import Rule, read_rules, rule_file


class StateRow(Rule):
    """One state and its band of voltage."""

    name: str = Field(pattern=r"^[A-F]$")
    nominal_v: float
    low_v: float
    high_v: float
    meaning: str = Field(min_length=1)
    clause: str
    source: str = Field(min_length=1)
    confidence: Confidence

    @model_validator(mode="after")
    def _nominal_lies_inside(self) -> Self:
        if not self.low_v <= self.nominal_v <= self.high_v:
            raise ValueError(f"state {self.name}: the nominal voltage lies outside its band")
        return self


class DutyRow(Rule):
    """What a range of duties means, both ends included."""

    low_percent: float = Field(ge=0, le=100)
    high_percent: float = Field(ge=0, le=100)
    kind: Literal["current", "digital", "none"]
    slope_a_per_percent: float = Field(default=0.0, ge=0)
    offset_percent: float = 0.0
    meaning: str = Field(min_length=1)
    source: str = Field(min_length=1)
    confidence: Confidence

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if self.low_percent >= self.high_percent:
            raise ValueError("'low_percent' must lie below 'high_percent'")
        if (self.kind == "current") != (self.slope_a_per_percent > 0):
            raise ValueError("kind 'current', and only it, has a slope")
        return self

    def current_a(self, duty_percent: float) -> float:
        """Return the current that a duty offers."""
        return (duty_percent - self.offset_percent) * self.slope_a_per_percent

    def holds(self, duty_percent: float) -> bool:
        """Return whether a duty lies in the range."""
        return self.low_percent <= duty_percent <= self.high_percent


class Parameters(Rule):
    """Standard uncertainties where a reading brings none of its own."""

    uncertainty_v: float = Field(gt=0)
    uncertainty_percent: float = Field(gt=0)


class PilotRules(Rule):
    """States and duties."""

    standard: str
    edition: str
    parameters: Parameters
    state: tuple[StateRow, ...] = Field(min_length=1)
    duty: tuple[DutyRow, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _bands_are_apart(self) -> Self:
        bands = sorted(self.state, key=lambda row: row.low_v)
        for lower, upper in pairwise(bands):
            if lower.high_v >= upper.low_v:
                raise ValueError(f"the bands of {lower.name} and {upper.name} overlap")
        if len({row.name for row in self.state}) != len(self.state):
            raise ValueError("a state stands twice")
        return self

    def criterion(self, state: str) -> Criterion:
        """Return the band of a state as a criterion on ``cp_voltage``.

        Raises
        ------
        InputError
            There is no such state.
        """
        row = next((row for row in self.state if row.name == state), None)
        if row is None:
            known = ", ".join(row.name for row in self.state)
            raise InputError(f"state {state!r:.20}", f"one of {known}", "name a state of the control pilot")
        return Criterion(
            id=f"v2glab.links.pilot.state-{state.lower()}",
            title=f"Control pilot in state {state}: {row.meaning}",
            standard=self.standard,
            edition=self.edition,
            clause=row.clause,
            quantity="cp_voltage",
            lower=row.low_v,
            upper=row.high_v,
            unit="V",
            source=row.source,
            confidence=row.confidence,
        )


@cache
def load_pilot_rules(path: Path | None = None) -> PilotRules:
    """Read the rules, by default from ``datasets/iso15118/pilot.toml``.

    Raises
    ------
    InputError
        The file cannot be read, or an entry is wrong.
    """
    return read_rules(PilotRules, rule_file("pilot.toml", path), "rules of the pilot")
