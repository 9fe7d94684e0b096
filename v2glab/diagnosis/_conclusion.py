"""From symptoms to a conclusion: established, suspected, clear, or not to be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from v2glab.diagnosis._knowledge import Entry, Knowledge
from v2glab.evidence import Outcome, Quantity, Verdict, judge, not_applicable

State = Literal["established", "suspected", "clear", "cannot tell", "not applicable"]


@dataclass(frozen=True)
class Symptom:
    """One quantity that a criterion judges, with what it rests on.

    ``cause`` names the cause in the entry that holds when the criterion is not met; ``detail`` is put before
    its text. ``doubt`` keeps the fault from being asserted.
    """

    criterion: str
    quantity: Quantity
    evidence: tuple[str, ...]
    cause: str
    detail: str = ""
    doubt: str = ""


@dataclass(frozen=True)
class Examination:
    """What a rule saw. Anything ``missing`` forbids to say that the fault is not there."""

    symptoms: tuple[Symptom, ...] = ()
    missing: tuple[str, ...] = ()
    not_applicable: str = ""
    remedy: str = ""


@dataclass(frozen=True)
class Finding:
    """A fault that was found, or is suspected, with what to do."""

    rule: str
    code: str
    title: str
    cause: str
    evidence: tuple[str, ...]
    remedy: str
    certainty: Literal["established", "suspected"]


@dataclass(frozen=True)
class Conclusion:
    """What one rule says. ``remedy`` tells what helps when it cannot be told."""

    rule: str
    code: str
    title: str
    state: State
    reason: str
    verdict: Verdict
    finding: Finding | None = None
    remedy: str = ""


def conclude(entry: Entry, knowledge: Knowledge, examination: Examination) -> Conclusion:
    """Judge every symptom with its guard band and say what follows.

    Established when one lies outside its limit by more than the guard band (JCGM 106:2012, 8.3.3); suspected
    when one is not separated from its limit, or lies outside but is doubted; clear only when all are inside
    and nothing is missing.
    """
    main = knowledge.criteria[entry.criteria[0]]
    if examination.not_applicable:
        reason = examination.not_applicable
        return _without(entry, "not applicable", reason, not_applicable(main, reason))
    judged = [(s, _verdict(knowledge, s)) for s in examination.symptoms]
    bad: dict[Literal["established", "suspected"], list[tuple[Symptom, Verdict]]] = {
        "established": [(s, v) for s, v in judged if v.outcome is Outcome.FAIL],
        "suspected": [(s, v) for s, v in judged if _suspicious(v)],
    }
    for certainty, found in bad.items():
        if found:
            every = [*bad["established"], *bad["suspected"]]
            return _found(entry, certainty, found[0], [s for s, _ in every])
    undecided = [v for _, v in judged if v.outcome is not Outcome.PASS]
    if examination.missing or undecided or not judged:
        reason = "; ".join(examination.missing) or (undecided[0].reason if undecided else "no evidence")
        verdict = judge(main, None, doubt=reason)
        return _without(entry, "cannot tell", reason, verdict, examination.remedy or _REMEDY)
    return _without(entry, "clear", judged[0][1].reason, judged[0][1])


_REMEDY = "bring what is missing within reach, and diagnose again"


def _verdict(knowledge: Knowledge, symptom: Symptom) -> Verdict:
    criterion = knowledge.criteria[symptom.criterion]
    return judge(criterion, symptom.quantity, evidence=symptom.evidence, doubt=symptom.doubt)


def _suspicious(verdict: Verdict) -> bool:
    """Whether a verdict that is not decided speaks for the fault rather than for want of evidence."""
    if verdict.outcome is not Outcome.INCONCLUSIVE or verdict.margin is None:
        return False
    guard = verdict.criterion.guard_band * (verdict.expanded_uncertainty or 0.0)
    return verdict.margin < guard


def _found(
    entry: Entry,
    certainty: Literal["established", "suspected"],
    first: tuple[Symptom, Verdict],
    symptoms: list[Symptom],
) -> Conclusion:
    symptom, verdict = first
    cause = entry.cause[symptom.cause]
    text = f"{symptom.detail}: {cause.text}" if symptom.detail else cause.text
    evidence = tuple(dict.fromkeys(line for s in symptoms for line in s.evidence))
    finding = Finding(entry.rule, entry.code, entry.title, text, evidence, cause.remedy, certainty)
    return Conclusion(
        entry.rule, entry.code, entry.title, certainty, verdict.reason, verdict, finding, cause.remedy
    )


def _without(entry: Entry, state: State, reason: str, verdict: Verdict, remedy: str = "") -> Conclusion:
    return Conclusion(entry.rule, entry.code, entry.title, state, reason, verdict, None, remedy)
