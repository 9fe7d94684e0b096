"""Ask every rule, and put the answers into a document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from v2glab.diagnosis._conclusion import Conclusion, Finding, conclude
from v2glab.diagnosis._events import LogReport
from v2glab.diagnosis._knowledge import Knowledge, load_knowledge
from v2glab.diagnosis._observations import Observations
from v2glab.diagnosis.rules import RULES
from v2glab.evidence import Verdict, check_document

DIAGNOSIS_SCHEMA = "v2glab-diagnosis/1"


@dataclass(frozen=True)
class Diagnosis:
    """What all rules say, in the order of the rules."""

    conclusions: tuple[Conclusion, ...]
    logs: tuple[LogReport, ...] = ()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Faults that were found or are suspected."""
        return tuple(c.finding for c in self.conclusions if c.finding is not None)

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """One verdict a rule."""
        return tuple(c.verdict for c in self.conclusions)

    def of(self, *states: str) -> tuple[Conclusion, ...]:
        """Return the conclusions in one of these states."""
        return tuple(c for c in self.conclusions if c.state in states)


def diagnose(observations: Observations, knowledge: Knowledge | None = None) -> Diagnosis:
    """Let every rule look at the observations; rules do not know of each other.

    Raises
    ------
    InputError
        The data of a rule is missing or wrong.
    """
    known = knowledge or load_knowledge()
    conclusions = []
    for name, examine in RULES.items():
        entry = known.entry(name)
        conclusions.append(conclude(entry, known, examine(observations, entry)))
    return Diagnosis(tuple(conclusions), observations.logs)


def diagnosis_document(diagnosis: Diagnosis, *, station: str, run: str) -> dict[str, Any]:
    """Return the diagnosis as plain values, checked against its schema.

    Parameters
    ----------
    station, run
        Names of the station and of the run that it was taken from; empty when there is none.

    Raises
    ------
    InputError
        It does not fit the schema.
    """
    document = {
        "schema": DIAGNOSIS_SCHEMA,
        "station": station,
        "run": run,
        "findings": [asdict(f) | {"evidence": list(f.evidence)} for f in diagnosis.findings],
        "cannot_tell": [_open(c) for c in diagnosis.of("cannot tell")],
        "clear": _codes(diagnosis.of("clear")),
        "not_applicable": _codes(diagnosis.of("not applicable")),
        "logs": [
            {"name": log.name, "lines": log.lines, "skipped": dict(log.skipped)} for log in diagnosis.logs
        ],
        "verdicts": [verdict.to_json() for verdict in diagnosis.verdicts],
    }
    check_document("diagnosis-1", document, "diagnosis")
    return document


def _open(conclusion: Conclusion) -> dict[str, str]:
    c = conclusion
    return {"rule": c.rule, "code": c.code, "title": c.title, "reason": c.reason, "remedy": c.remedy}


def _codes(conclusions: Sequence[Conclusion]) -> list[str]:
    return [c.code for c in conclusions]
