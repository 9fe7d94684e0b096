"""Verdicts on the link, each with the reason when it is not a pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from v2glab.evidence import Criterion, Outcome, Quantity, Verdict, judge, load_criteria, not_applicable
from v2glab.procedures._connect_ocpp_numbers import is_faulty
from v2glab.resources import find_data

if TYPE_CHECKING:
    from v2glab.procedures._connect_ocpp_certificates import Seals
    from v2glab.procedures._connect_ocpp_talk import Talk
    from v2glab.procedures.connect_ocpp import OcppParameters

#: Fault code of a refused certificate, as the diagnosis names it.
CODE = "OCPP-Auth-401"
_EVIDENCE = {
    "certificates_accepted": ("gateway.log",),
    "tls_version": ("gateway.log",),
    "round_trip_p95": ("tables/round_trips", "ocpp-journal.sqlite"),
}
_USUAL_EVIDENCE = ("tables/messages", "ocpp-journal.sqlite")


def verdicts(
    quantities: tuple[Quantity, ...], talk: Talk, seals: Seals, parameters: OcppParameters
) -> tuple[Verdict, ...]:
    """Judge every criterion of the link; what was not observed is inconclusive and says why."""
    by_name = {quantity.name: quantity for quantity in quantities}
    silence = _silence(talk, parameters)
    out = []
    for criterion in _criteria():
        quantity = by_name.get(criterion.quantity)
        evidence = _EVIDENCE.get(criterion.quantity, _USUAL_EVIDENCE)
        doubt = "" if quantity is not None else silence or _unobserved(criterion, talk)
        out.append(_explained(judge(criterion, quantity, evidence=evidence, doubt=doubt), talk, seals))
    return tuple(out)


def no_gateway(reason: str) -> tuple[Verdict, ...]:
    """Return verdicts for a station that reports to no gateway."""
    return tuple(not_applicable(criterion, reason) for criterion in _criteria())


def _criteria() -> tuple[Criterion, ...]:
    return tuple(load_criteria(find_data("datasets", "criteria", "ocpp.toml")).values())


def _silence(talk: Talk, parameters: OcppParameters) -> str:
    """Return why nothing could be observed of the connection; empty when the station was in."""
    if talk.connect_s is not None:
        return ""
    if talk.refusals:
        return f"no connection: {talk.refusals[0].reason}"
    return f"the station did not connect within {parameters.connect_timeout_s:g} s"


def _refused(talk: Talk, seals: Seals) -> str:
    """Return which certificate was refused, and why; with no refusal heard, which one is not valid."""
    for refusal in talk.refusals:
        if refusal.about in ("station", "gateway"):
            by = "gateway" if refusal.about == "station" else "station"
            return f"{CODE}: refused by the {by}: {refusal.reason}; {seals.describe(refusal.about)}"
    # Not every TLS library tells the other end why it went away.
    wrong = [seals.describe(role) for role in ("gateway", "station") if seals.problems(role)]
    return f"{CODE}: the station did not connect; {'; '.join(wrong)}"


def _unobserved(criterion: Criterion, talk: Talk) -> str:
    if criterion.quantity.startswith(("transaction_", "sequence_")) and talk.not_started:
        return talk.not_started
    return talk.problem or "the station sent nothing of it"


def _explained(verdict: Verdict, talk: Talk, seals: Seals) -> Verdict:
    """Put the cause into the reason of a verdict that is not a pass."""
    name = verdict.criterion.quantity
    version = next((r.reason for r in talk.refusals if r.about == "version"), "")
    if name == "tls_version" and verdict.quantity is None and version:
        # The gateway takes nothing older, so a refusal for the version is an observation below the limit.
        return replace(verdict, outcome=Outcome.FAIL, reason=f"the station offers no TLS 1.3: {version}")
    explain = _EXPLAIN.get(name)
    detail = explain(talk, seals) if explain is not None and verdict.outcome is Outcome.FAIL else ""
    return replace(verdict, reason=f"{verdict.reason}: {detail}") if detail else verdict


def _gone(talk: Talk, seals: Seals) -> str:
    return talk.problem


def _unreported(talk: Talk, seals: Seals) -> str:
    return talk.not_reported or talk.problem


def _faults(talk: Talk, seals: Seals) -> str:
    first = next((seen for seen in talk.messages if is_faulty(seen)), None)
    return f"{first.action or 'frame'}: {first.fault}" if first is not None else ""


def _numbers(talk: Talk, seals: Seals) -> str:
    return "seqNo " + ", ".join(str(event["seqNo"]) for event in talk.events[:50])


_EXPLAIN: dict[str, Callable[[Talk, Seals], str]] = {
    "certificates_accepted": _refused,
    "boots_accepted": _unreported,
    "reports_missing": _unreported,
    "transaction_events_missing": _gone,
    "sequence_numbers_missing": _numbers,
    "messages_faulty": _faults,
}
