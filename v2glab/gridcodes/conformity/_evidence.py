"""Imported evidence: what a laboratory found, for tests that a bench cannot run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from v2glab.evidence import Criterion, InputError, Outcome, Verdict, read_toml


class ImportedEvidence(BaseModel):
    """One document: which test, what it says, who issued it and when."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    test: str = Field(min_length=1)
    document: str = Field(min_length=1)
    date: date
    laboratory: str = Field(min_length=1)
    verdict: Literal["pass", "fail"]
    clause: str = ""

    def text(self) -> str:
        """Return the document in one line."""
        return f"{self.document}, {self.laboratory}, {self.date.isoformat()}"


def read_evidence(path: Path) -> dict[str, ImportedEvidence]:
    """Read ``[[evidence]]`` entries by test.

    Raises
    ------
    InputError
        The file cannot be read, an entry is wrong, or two speak of the same test.
    """
    document = read_toml(path)
    found: dict[str, ImportedEvidence] = {}
    unknown = set(document) - {"schema", "evidence"}
    if document.get("schema") != 1 or unknown or not isinstance(document.get("evidence"), list):
        raise InputError(
            f"{path.name}: schema {document.get('schema')!r}, keys {sorted(document)}",
            "schema = 1 and [[evidence]] entries",
            "see v2glab conformity --help",
        )
    for number, entry in enumerate(document["evidence"], start=1):
        try:
            item = ImportedEvidence(**entry)
        except (ValidationError, TypeError) as error:
            raise InputError(
                f"{path.name}, evidence {number}: {error}",
                "test, document, date, laboratory, verdict (pass or fail)",
                "mend that entry",
            ) from error
        if item.test in found:
            raise InputError(f"{path.name}: two entries for {item.test}", "one a test", "keep the later one")
        found[item.test] = item
    return found


def apply_evidence(
    verdicts: list[Verdict], case_id: str, evidence: Mapping[str, ImportedEvidence]
) -> list[Verdict]:
    """Return verdicts with those that only lack a measurement replaced by what the document says.

    A measurement of this bench is never overruled by a document.
    """
    item = evidence.get(case_id)
    if item is None or any(v.quantity is not None for v in verdicts):
        return verdicts
    outcome = Outcome.PASS if item.verdict == "pass" else Outcome.FAIL
    return [
        Verdict(_documented(v.criterion), outcome, f"imported: {item.text()}", evidence=(item.document,))
        for v in verdicts
    ]


def _documented(criterion: Criterion) -> Criterion:
    return criterion.model_copy(update={"note": "decided by a laboratory's document, not by this bench"})
