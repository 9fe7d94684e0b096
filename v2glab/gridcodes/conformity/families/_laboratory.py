"""Tests that only a laboratory can run: evidence from a file, or said so."""

from __future__ import annotations

from collections.abc import Iterator

from v2glab.evidence import Verdict
from v2glab.gridcodes.conformity._case import Case, Rules, cite
from v2glab.gridcodes.conformity._judging import verdict_on
from v2glab.gridcodes.conformity._record import Record


def laboratory_cases(rules: Rules) -> Iterator[Case]:
    """Yield one case a test of the laboratory list."""
    for fact in rules.data.laboratory:
        yield Case(
            id=f"laboratory.{fact.name}",
            title=fact.title,
            clause=fact.clause,
            rules=rules,
            stimulus=None,
            evaluate=_verdicts,
            needs=frozenset({"laboratory"}),
            **cite(rules, fact),
        )


def _verdicts(case: Case, record: Record) -> list[Verdict]:
    criterion = case.criterion("document", "accredited document", "document", lower=1.0)
    return [verdict_on(criterion, None, record, case, missing="laboratory only: no document was imported")]
