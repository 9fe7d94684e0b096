"""A certificate of the link between station and gateway is not valid, or was refused: which, and why."""

from __future__ import annotations

from v2glab.diagnosis._conclusion import Examination, Symptom
from v2glab.diagnosis._events import LinkDown, LinkUp, TlsFailed
from v2glab.diagnosis._knowledge import Entry
from v2glab.diagnosis._observations import Observations
from v2glab.evidence import Quantity

_VALID, _REFUSED = (f"v2glab.diagnosis.certificate.{name}" for name in ("valid", "refused"))
_OTHER_END = {"station": "gateway", "gateway": "station"}


def examine(observations: Observations, entry: Entry) -> Examination:
    """Look at the certificates themselves, then at what the logs say of handshakes."""
    refusals = _refusals(observations, entry)
    symptoms = (*_files(observations, entry), *_log(observations, refusals))
    told = bool(refusals) or bool(observations.events(LinkUp))
    missing = () if told else observations.absent("ocpp")
    return Examination(symptoms, missing, remedy=_REMEDY)


_REMEDY = (
    "let the station connect to the gateway (free its port if something else listens), then diagnose again"
)


def _files(observations: Observations, entry: Entry) -> tuple[Symptom, ...]:
    """Return one symptom for all certificates that could be read; none when none could."""
    if not observations.certificates:
        return ()
    bad = [c for c in observations.certificates if c.problems]
    problem = bad[0].problems[0] if bad else ""
    cause = _cause(entry, problem.lower())[0] or "other"
    looked_at = bad or observations.certificates
    evidence = tuple(
        f"certificate of the {c.role} ({c.subject}): {'; '.join(c.problems) or f'valid until {c.not_after}'}"
        for c in looked_at
    )
    detail = f"certificate of the {bad[0].role} ({bad[0].subject}) {problem}" if bad else ""
    quantity = Quantity("certificates_not_valid", float(len(bad)), "1", 0.0, instrument="certificates")
    return (Symptom(_VALID, quantity, evidence, cause, detail),)


def _refusals(observations: Observations, entry: Entry) -> list[tuple[TlsFailed, str, str]]:
    """Return refusals that speak of a certificate and were not followed by a connection: event, cause, whose.

    A handshake that failed for another reason is no matter of certificates; one that failed while the station
    was connected was somebody else's, such as a port scan.
    """
    up_ns = max((e.line.time_ns for e in observations.events(LinkUp)), default=None)
    downs = [e.line.time_ns for e in observations.events(LinkDown)]
    found = []
    for event in observations.events(TlsFailed):
        cause, own = _cause(entry, event.reason.lower())
        at_ns = event.line.time_ns
        if not cause or (up_ns is not None and not any(up_ns <= down_ns <= at_ns for down_ns in downs)):
            continue
        whose = event.certificate or (event.by if own else _OTHER_END[event.by])
        if whose == "gateway" and "gateway" in observations.missing:
            # Something else listens on the port: its certificate is not this gateway's.
            continue
        found.append((event, cause, whose))
    return found


def _log(observations: Observations, refusals: list[tuple[TlsFailed, str, str]]) -> tuple[Symptom, ...]:
    if not refusals:
        up = observations.events(LinkUp)
        if not up:
            return ()
        quantity = Quantity("certificates_refused", 0.0, "1", 0.0, instrument="logs")
        return (Symptom(_REFUSED, quantity, (up[-1].line.shown(),), "other"),)
    event, cause, whose = refusals[-1]
    quantity = Quantity(
        "certificates_refused", float(len({w for _, _, w in refusals})), "1", 0.0, instrument="logs"
    )
    about = next((e.about for e, _, w in reversed(refusals) if e.about and w == whose), "")
    detail = f"certificate of the {whose}{f' ({about})' if about else ''} refused: {event.reason}"
    evidence = tuple(dict.fromkeys(e.line.shown() for e, _, _ in refusals[-4:]))
    return (Symptom(_REFUSED, quantity, evidence, cause, detail),)


def _cause(entry: Entry, reason: str) -> tuple[str, bool]:
    """Return the cause whose words a reason contains, and whether they speak of the writer's own one."""
    for name, cause in entry.cause.items():
        if any(word in reason for word in cause.match):
            return name, False
        if any(word in reason for word in cause.match_own):
            return name, True
    return "", False
