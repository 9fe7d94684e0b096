"""What a capture shows to be wrong: each with cause, evidence and remedy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

from v2glab.diagnosis import Finding
from v2glab.links.capture._discovery import discovery_faults
from v2glab.links.capture._read import Capture
from v2glab.links.capture._session import CapturedSession
from v2glab.links.capture._slac import SlacRun
from v2glab.links.sessions._failure import is_loop
from v2glab.links.sessions._rules import Limits, SessionRules, load_session_rules
from v2glab.links.sessions._trace import MessageRecord
from v2glab.links.slac import load_slac_rules, mac_text
from v2glab.links.tls._rules import load_tls_rules
from v2glab.links.tls._timing import slow_finding

Certainty = Literal["established", "suspected"]
#: Lines of evidence that one finding shows.
_MOST_EVIDENCE = 12


def find_faults(capture: Capture) -> tuple[Finding, ...]:
    """Return what is wrong, in the order of a session: discovery, SLAC, handshake, messages."""
    found = [f for run in capture.slac for f in slac_faults(run)]
    found += discovery_faults(capture)
    for number, session in enumerate(capture.sessions, start=1):
        for fault in session_faults(session):
            told = tuple(f"session {number}: {line}" for line in fault.evidence)
            found.append(replace(fault, evidence=told) if len(capture.sessions) > 1 else fault)
    return tuple(gathered(found))


def gathered(found: list[Finding]) -> list[Finding]:
    """Return each fault once, with the evidence of all sessions that have it, as far as it can be read."""
    groups: dict[tuple[str, ...], list[Finding]] = {}
    for f in found:
        groups.setdefault((f.rule, f.code, f.title, f.cause, f.remedy, f.certainty), []).append(f)
    out = []
    for several in groups.values():
        lines = [line for f in several for line in f.evidence]
        more = len(lines) - _MOST_EVIDENCE
        rest = [f"and {more} more such lines, {len(several)} findings in all"] if more > 0 else []
        out.append(replace(several[0], evidence=(*lines[:_MOST_EVIDENCE], *rest)))
    return out


def session_faults(session: CapturedSession) -> list[Finding]:
    """Return what is wrong with one session."""
    rules = load_session_rules()
    found = list(_handshake(session))
    found += _late(session, rules)
    found += _refused(session, rules)
    found += _unread(session, rules)
    found += _silence(session, rules)
    return found


def slac_faults(run: SlacRun) -> list[Finding]:
    """Return what is wrong with one run of SLAC."""
    rules, found = load_slac_rules(), []
    who = mac_text(run.ev_mac) or "unknown vehicle"
    for seen in run.trace:
        if seen.margin_s is None or seen.margin_s >= 0:
            continue
        timers = ", ".join(rules.answer[seen.name].timers)
        sure = all(rules.timer[t].confidence == "confirmed" for t in rules.answer[seen.name].timers)
        told = f"{seen.name} after {_ms(seen.elapsed_s)}, required {_ms(seen.limit_s)} ({timers})"
        remedy = "look at the SNR and the losses per group, then at the load of who answers"
        found.append(_finding("vehicle-slac", "too-slow", "Late in SLAC", told, [who], remedy, sure=sure))
    if run.run_id and not run.matched and run.trace:
        last = run.trace[-1]
        facts = [
            f"last was {last.name} after {last.at_s:.3f} s",
            f"{len(run.reports)} reports of attenuation",
        ]
        cause = rules.failure["no_match"]
        found.append(
            _finding(
                "vehicle-slac", "no_match", "SLAC without a match", cause.text, [who, *facts], cause.remedy
            )
        )
    return found


def _handshake(session: CapturedSession) -> Iterator[Finding]:
    rules = load_tls_rules()
    # A judgement loads what computes uncertainties: what lies far below the limit does without.
    if session.timing is not None and session.timing.total_s > 0.9 * (rules.criterion.upper or 0.0):
        slow = slow_finding(session.timing, rules)
        if slow is not None:
            hidden = () if session.timing_seen else ("without keys the end is hidden: it took at least that",)
            yield replace(slow, evidence=(*slow.evidence, *hidden))
    if session.cause is not None:
        c = session.cause
        title = "TLS alert within the session" if session.records else f"No connection: {c.phase}"
        sure = c.certainty == "established"
        yield _finding("vehicle-handshake", c.name, title, c.text, list(c.evidence), c.remedy, sure=sure)


def _late(session: CapturedSession, rules: SessionRules) -> Iterator[Finding]:
    late: dict[tuple[str, str], list[MessageRecord]] = {}
    for record in session.records:
        if record.margin_s is not None and record.margin_s < 0:
            late.setdefault((record.protocol, record.name), []).append(record)
    cause = rules.cause["too-slow"]
    for (protocol, name), several in late.items():
        worst = max(several, key=lambda r: r.answer_s or 0.0)
        limits = _limits(rules, protocol)
        told = [f"{len(several)} times, slowest {_ms(worst.answer_s)}, required {_ms(worst.limit_s)}"]
        gone = sum((r.answer_s or 0.0) > limits.answer_s(name) for r in several)
        if gone:
            told.append(f"{gone} beyond the vehicle's patience of {_ms(limits.answer_s(name))}")
        phase = "loop" if is_loop(name) else "message"
        title, sure = f"Late: {name} ({phase})", limits.confidence == "confirmed"
        yield _finding("vehicle-session", "too-slow", title, cause.text, told, cause.remedy, sure=sure)


def _refused(session: CapturedSession, rules: SessionRules) -> Iterator[Finding]:
    seen: set[tuple[str, str]] = set()
    for record in session.records:
        code = record.response_code
        if not code.startswith("FAILED") or (record.name, code) in seen:
            continue
        seen.add((record.name, code))
        name = rules.response.get(code, "refused")
        cause = rules.cause[name]
        title = f"{record.name}: {code}"
        yield _finding("vehicle-session", cause.code or name, title, cause.text, [title], cause.remedy)


def _unread(session: CapturedSession, rules: SessionRules) -> Iterator[Finding]:
    faults = [r for r in session.records if r.note]
    if not faults:
        return
    wrong_type = "payload type" in faults[0].note
    name = "wrong-payload-type" if wrong_type else "undecodable"
    cause = rules.cause[name]
    who = "vehicle" if faults[0].end == "evcc" else "charger"
    told = [f"{len(faults)} frames, the first by the {who}: {faults[0].note}"]
    yield _finding("vehicle-session", name, "Unreadable message", cause.text, told, cause.remedy)


def _silence(session: CapturedSession, rules: SessionRules) -> Iterator[Finding]:
    """A vehicle that waited longer than the charger waits, and a request that nobody answered."""
    answered: MessageRecord | None = None
    for record in session.records:
        if record.end == "evcc" and answered is not None:
            limits = _limits(rules, record.protocol)
            limit = limits.sequence_loop_s if is_loop(answered.name) else limits.sequence_s
            waited = (record.time_ns - answered.time_ns) / 1e9
            if waited > limit:
                cause, sure = rules.cause["no-request"], limits.confidence == "confirmed"
                told = [f"{record.name} came {waited:.3f} s after {answered.name}, required {limit:g} s"]
                title = f"Late: {record.name} by the vehicle"
                yield _finding(
                    "vehicle-session", "no-request", title, cause.text, told, cause.remedy, sure=sure
                )
        answered = record if record.end == "secc" else None
    if session.unanswered is not None:
        request, asked_ns = session.unanswered
        waited = (session.ended_ns - asked_ns) / 1e9
        limit = _limits(rules, session.protocol).answer_s(request)
        name = "no-answer" if waited > limit else "closed"
        cause = rules.cause[name]
        told = [f"{request} has no answer; the capture goes on for {waited:.3f} s"]
        title = f"No answer to {request}"
        yield _finding("vehicle-session", name, title, cause.text, told, cause.remedy, sure=waited > limit)


def _limits(rules: SessionRules, protocol: str) -> Limits:
    return rules.limits[rules.protocol[protocol].limits if protocol else "sap"]


def _finding(
    rule: str, code: str, title: str, cause: str, told: list[str], remedy: str, *, sure: bool = True
) -> Finding:
    certainty: Certainty = "established" if sure else "suspected"
    return Finding(rule, code, title, cause, tuple(t for t in told if t), remedy, certainty)


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value * 1e3:.1f} ms"
