"""One limit of one rule, read from data."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from v2glab.evidence._errors import InputError
from v2glab.evidence._toml import read_toml

Confidence = Literal["confirmed", "unverified"]


class Criterion(BaseModel):
    """One limit of one rule.

    ``lower`` and ``upper`` are inclusive; at least one is set. ``confidence`` says whether the limit was
    checked against the text it is taken from: an unverified one can only give an inconclusive verdict.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")
    title: str
    standard: str
    edition: str
    clause: str
    category: str = ""
    quantity: str
    lower: float | None = None
    upper: float | None = None
    unit: str = Field(min_length=1)
    source: str = Field(min_length=1)
    confidence: Confidence
    guard_band: float = Field(default=1.0, ge=0.0, description="multiple of the expanded uncertainty")
    note: str = ""

    @model_validator(mode="after")
    def _check_bounds(self) -> Criterion:
        if self.lower is None and self.upper is None:
            raise ValueError("needs 'lower', 'upper' or both")
        if self.lower is not None and self.upper is not None and self.lower > self.upper:
            raise ValueError(f"lower {self.lower} is above upper {self.upper}")
        return self

    @property
    def rule(self) -> str:
        """Standard, edition and clause in one line."""
        return f"{self.standard} {self.clause}".strip()

    def limit_text(self) -> str:
        """Return the bound as people write it, such as ``≤ 0.3 Hz``."""
        if self.lower is None:
            return f"≤ {self.upper:g} {self.unit}"
        if self.upper is None:
            return f"≥ {self.lower:g} {self.unit}"
        return f"{self.lower:g} … {self.upper:g} {self.unit}"


def load_criteria(path: Path) -> dict[str, Criterion]:
    """Read the ``[[criterion]]`` entries of one TOML file, by identity.

    Keys at the top of the file (``standard``, ``edition``, ``source``, ``confidence``) are defaults for its
    entries.

    Raises
    ------
    InputError
        The file cannot be read, an entry is wrong, or two share an identity.
    """
    document = read_toml(path)
    shared = {k: document[k] for k in ("standard", "edition", "source", "confidence") if k in document}
    criteria: dict[str, Criterion] = {}
    for position, entry in enumerate(document.get("criterion", []), start=1):
        try:
            criterion = Criterion(**{**shared, **entry})
        except (ValidationError, TypeError) as error:
            raise InputError(
                f"{path.name}, criterion {position} ({entry.get('id', 'no id')}): {error}",
                "an entry with the fields of a criterion",
                "mend that entry",
            ) from error
        if criterion.id in criteria:
            raise InputError(f"{path.name}: two criteria named {criterion.id!r}", "one", "rename one")
        criteria[criterion.id] = criterion
    return criteria
