"""What a session of this machine showed: failure, slow negotiation, late answers, as findings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from v2glab.diagnosis import Finding
from v2glab.links.sessions._failure import SessionCause, SessionPhase
from v2glab.links.sessions._rules import load_session_rules

if TYPE_CHECKING:
    import pandas as pd

    from v2glab.links.sdp import DiscoveryError
    from v2glab.links.tls import Timing, TlsCause


def explain_session(
    cause: SessionCause | TlsCause | None, timing: Timing | None, messages: pd.DataFrame | None
) -> tuple[Finding, ...]:
    """Return what was found, the failure first.

    Parameters
    ----------
    cause
        Why the session failed; None when it did not.
    timing
        Of its negotiation of TLS; ISO-15118-403 when that was too slow.
    messages
        Table of its trace; answers beyond their limit are told by message.
    """
    found = [_failed(cause)] if cause is not None else []
    if timing is not None:
        from v2glab.links.tls import load_tls_rules, slow_finding

        slow = slow_finding(timing, load_tls_rules())
        found += [slow] if slow is not None else []
    if messages is not None:
        found += _late(messages)
    return tuple(found)


def no_charger(failure: DiscoveryError) -> SessionCause:
    """Return a failed discovery as the cause of a session that never began."""
    return SessionCause(
        "no-charger", SessionPhase.MESSAGE, "SDP request", "evcc", failure.found, failure.remedy
    )


def _failed(cause: SessionCause | TlsCause) -> Finding:
    where = cause.message if isinstance(cause, SessionCause) else str(cause.phase)
    code = (cause.code if isinstance(cause, SessionCause) else "") or cause.name
    told = cause.response_code if isinstance(cause, SessionCause) else ""
    known = load_session_rules().cause.get(cause.name)
    mrec = f"minimum required error code {known.mrec}" if known is not None and known.mrec else ""
    evidence = tuple(dict.fromkeys(e for e in (told, mrec, *cause.evidence) if e))
    title = f"No session: {where}"
    return Finding("vehicle-session", code, title, cause.text, evidence, cause.remedy, "established")


def _late(messages: pd.DataFrame) -> Iterator[Finding]:
    rules = load_session_rules()
    too_slow = rules.cause["too-slow"]
    late = messages[messages["margin_s"].astype(float) < 0]
    for (protocol, name), several in late.groupby(["protocol", "name"]):
        worst, limit = several["answer_s"].max(), several["limit_s"].min()
        told = f"{len(several)} times, slowest {worst * 1e3:.0f} ms, required {limit * 1e3:.0f} ms"
        known = rules.protocol.get(str(protocol))
        sure = known is not None and rules.limits[known.limits].confidence == "confirmed"
        yield Finding(
            rule="vehicle-answers",
            code="too-slow",
            title=f"Late: {name}",
            cause=too_slow.text,
            evidence=(told,),
            remedy=too_slow.remedy,
            certainty="established" if sure else "suspected",
        )
