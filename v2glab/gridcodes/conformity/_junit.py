"""JUnit XML, which test servers read: one suite a family, one case a test."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from xml.sax.saxutils import escape, quoteattr

from v2glab.evidence import Outcome
from v2glab.gridcodes.conformity._suite import CaseResult

#: Characters that XML 1.0 does not allow, kept out of messages that come from devices.
_FORBIDDEN = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 65534, 65535), " ")


def junit_xml(name: str, results: Sequence[CaseResult]) -> str:
    """Return results as JUnit XML.

    A test with a failed verdict is a failure. One without a passed verdict is skipped with its reason: an
    inconclusive test never counts as passed.
    """
    suites = [_suite(family, list(group)) for family, group in groupby(results, key=lambda r: r.case.family)]
    total, failed, skipped = len(results), sum(map(_failed, results)), sum(map(_skipped, results))
    counts = f'tests="{total}" failures="{failed}" errors="0" skipped="{skipped}"'
    head = f"<testsuites name={_attribute(name)} {counts}>"
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{head}\n{"".join(suites)}</testsuites>\n'


def _suite(family: str, results: Sequence[CaseResult]) -> str:
    failed, skipped = sum(map(_failed, results)), sum(map(_skipped, results))
    head = (
        f'  <testsuite name={_attribute(family)} tests="{len(results)}" failures="{failed}" errors="0" '
        f'skipped="{skipped}">\n'
    )
    return f"{head}{''.join(map(_case, results))}  </testsuite>\n"


def _case(result: CaseResult) -> str:
    lines = "\n".join(
        f"{v.outcome}: {v.criterion.rule}: {v.criterion.title}: {v.criterion.limit_text()}: {v.reason}"
        for v in result.verdicts
    )
    body = f"<system-out>{_text(lines)}</system-out>"
    if _failed(result):
        worst = next(v for v in result.verdicts if v.outcome is Outcome.FAIL)
        said = _attribute(f"{worst.criterion.rule}: {worst.criterion.title}: {worst.reason}")
        body = f'<failure message={said} type="{worst.outcome}">{_text(lines)}</failure>{body}'
    elif _skipped(result):
        open_ = next((v.reason for v in result.verdicts if v.outcome is not Outcome.PASS), result.reason)
        body = f"<skipped message={_attribute(f'inconclusive: {open_}')}/>{body}"
    family = _attribute(result.case.family)
    return f"    <testcase classname={family} name={_attribute(result.case.id)}>{body}</testcase>\n"


def _failed(result: CaseResult) -> bool:
    return any(v.outcome is Outcome.FAIL for v in result.verdicts)


def _skipped(result: CaseResult) -> bool:
    """Whether nothing failed, and something was left open."""
    return not _failed(result) and not (
        result.verdicts and all(v.outcome is Outcome.PASS for v in result.verdicts)
    )


def _text(value: str) -> str:
    return escape(value.translate(_FORBIDDEN))


def _attribute(value: str) -> str:
    return quoteattr(value.translate(_FORBIDDEN))
