"""What a captured handshake tells: how long it took, where the time went, and why it failed."""

from __future__ import annotations

import math
from itertools import pairwise

from v2glab.links.capture._events import Event
from v2glab.links.capture._layers import RST, SYN
from v2glab.links.capture._records import HANDSHAKE
from v2glab.links.capture._tcp import Connection
from v2glab.links.capture._tls import TlsReader
from v2glab.links.sessions._trace import End
from v2glab.links.tls._causes import OF_CERTIFICATES, TlsCause, alert_name, cause_of
from v2glab.links.tls._rules import Phase, TlsRules
from v2glab.links.tls._timing import Timing
from v2glab.links.tls._watch import FINISHED, HELLO_OF_CLIENT, Watch

_CLOSE, _CANCELLED = 0, 90
_WORDS: dict[End, str] = {"evcc": "vehicle", "secc": "charger"}


def finished_ns(tls: TlsReader) -> tuple[int | None, bool]:
    """Return when both ends had finished, and whether that was seen; else it is the earliest possible.

    TLS 1.3 hides Finished: without keys the first protected octets of the vehicle are the earliest that it
    can have been sent.
    """
    ends = {e.end: e.time_ns for e in reversed(tls.events) if e.kind == FINISHED}
    if tls.version == "TLSv1.3":
        if "evcc" in ends:
            return ends["evcc"], True
        first = next((r.time_ns for r in tls.hidden if r.from_client), None)
        return first, False
    for record in reversed(tls.hidden):
        # Beyond ChangeCipherSpec only Finished is a handshake message, unless the ends negotiate anew.
        if record.kind == HANDSHAKE:
            ends["evcc" if record.from_client else "secc"] = record.time_ns
    return (max(ends.values()), True) if len(ends) == 2 else (None, False)


def timing_of(tls: TlsReader, connection: Connection) -> Timing | None:
    """Return the duration of the negotiation and its split, as seen from the vehicle.

    The opening of TCP shows the round trip from the capture to either end. Each wait less that round trip is
    the work of who was waited for; the rest is the network. None when the capture does not hold both the
    ClientHello and an end.
    """
    began = next((e.began_ns for e in tls.events if e.kind == HELLO_OF_CLIENT), None)
    end, _ = finished_ns(tls)
    if began is None or end is None:
        return None
    waits = _waits(tls, end)
    work = {side: sum(w for s, w in waits if s == side) / 1e9 for side in ("evcc", "secc")}
    total_s = (end - began) / 1e9
    lost = connection.again(connection.first_ns, end)
    if len(connection.opening_ns) < 3 or lost:
        rest = max(total_s - work["evcc"], 0.0)
        return Timing(total_s, work["evcc"], None, rest, _turns(waits), None, _connect_s(connection), lost)
    asked, granted, confirmed = connection.opening_ns
    ways = {"secc": (granted - asked) / 1e9, "evcc": (confirmed - granted) / 1e9}
    network = 0.0
    for side, way in ways.items():
        spent = min(way * sum(s == side for s, _ in waits), work[side])
        work[side], network = work[side] - spent, network + spent
    # One opening is one sample of the round trip: it may be off by as much as it is long.
    spread = sum(ways.values()) * math.sqrt(max(_turns(waits), 1) / 3)
    rest = max(total_s - work["evcc"] - network, 0.0)
    return Timing(total_s, work["evcc"], network, rest, _turns(waits), spread, _connect_s(connection))


def cause_in(tls: TlsReader, connection: Connection, rules: TlsRules) -> TlsCause | None:
    """Return why a handshake failed; None when it did not."""
    alert = next((e for e in tls.events if e.alert not in (None, _CLOSE, _CANCELLED)), None)
    if alert is not None and alert.alert is not None:
        watch = _watch_of(tls.events, alert.end, alert.time_ns)
        name = next((n for n, c in rules.cause.items() if alert.alert in c.alerts), "internal")
        told = f"alert {alert.alert} ({alert_name(alert.alert)}) by the {_WORDS[alert.end]}"
        phase = watch.awaited if name == "damaged-record" else watch.judged
        if alert.alert in OF_CERTIFICATES:
            # Octets of several messages come at once: the alert says better which of them was judged.
            phase = Phase.CERTIFICATE
        return cause_of(name, rules, phase, evidence=[told])
    if finished_ns(tls)[0] is not None or not tls.events:
        return None
    watch = _watch_of(tls.events, "evcc", connection.last_ns)
    last = tls.events[-1]
    evidence = [f"last was {last.name} of the {_WORDS[last.end]}"]
    name = "closed" if connection.marks and connection.marks[-1].flags & ~SYN else "timed-out"
    return cause_of(name, rules, watch.awaited, evidence=evidence, suspected=True)


def opening_cause(connection: Connection, rules: TlsRules) -> TlsCause | None:
    """Return why no TCP connection came about; None when one did, or the capture began later."""
    asked = [m for m in connection.marks if m.from_client and m.flags & SYN]
    answered = any(not m.from_client and m.flags & SYN for m in connection.marks)
    if not asked or answered or any(h.parts for h in connection.halves):
        return None
    refused = any(not m.from_client and m.flags & RST for m in connection.marks)
    name = "refused" if refused else "timed-out"
    return cause_of(name, rules, Phase.TCP, evidence=[f"{len(asked)} requests to connect"])


def _connect_s(connection: Connection) -> float | None:
    opening = connection.opening_ns
    return (opening[1] - opening[0]) / 1e9 if len(opening) > 1 else None


def _waits(tls: TlsReader, end_ns: int) -> list[tuple[str, int]]:
    """Return who was waited for and how long, ns: from the last octet of one to the first of the other."""
    passed = [(e.began_ns, e.time_ns, e.end) for e in tls.events if e.time_ns <= end_ns]
    passed += [
        (r.began_ns, r.time_ns, "evcc" if r.from_client else "secc")
        for r in tls.hidden
        if r.time_ns <= end_ns
    ]
    passed.sort()
    return [(b[2], max(b[0] - a[1], 0)) for a, b in pairwise(passed) if a[2] != b[2]]


def _turns(waits: list[tuple[str, int]]) -> int:
    """How often the vehicle waited for the charger."""
    return sum(side == "secc" for side, _ in waits)


def _watch_of(events: list[Event], end: End, until_ns: int) -> Watch:
    """Return what one end had seen of the handshake by a time."""
    watch = Watch()
    for event in events:
        if event.kind is not None and event.time_ns <= until_ns:
            (watch.written if event.end == end else watch.read).append(event.kind)
    return watch
