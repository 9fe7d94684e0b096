"""One connection of a capture as a session: its messages, its handshake, what was wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from v2glab.links.capture._dialogue import Dialogue, begins_frame
from v2glab.links.capture._events import Event
from v2glab.links.capture._handshake import cause_in, finished_ns, opening_cause, timing_of
from v2glab.links.capture._keylog import KeyLog
from v2glab.links.capture._layers import ACK, FIN, RST, SYN, place_text
from v2glab.links.capture._records import HANDSHAKE
from v2glab.links.capture._tcp import Chunk, Connection
from v2glab.links.capture._tls import Plain, TlsReader
from v2glab.links.sessions._message import Body
from v2glab.links.sessions._trace import MessageRecord, Trace
from v2glab.links.tls._causes import TlsCause
from v2glab.links.tls._rules import load_tls_rules
from v2glab.links.tls._timing import Timing

#: Notes of one connection.
_MOST_NOTES = 200
_FLAGS = ((SYN | ACK, "SYN/ACK"), (SYN, "SYN"), (RST, "RST"), (FIN, "FIN"))


@dataclass(frozen=True)
class CapturedSession:
    """One connection of the vehicle link.

    Parameters
    ----------
    vehicle, charger
        Address and port of each end.
    began_ns, ended_ns
        First and last packet, nanoseconds UTC.
    trace
        One record a message, written as its sender would: ``tx``. For an answer ``answer_s`` is the time from
        the last octet of its request to its own last octet where the capture was taken, ``limit_s`` what the
        charger may take; ``wire_s`` is the time from its first octet to its last. What codec and decision
        take no capture knows.
    protocol
        Name in ``session.toml``; empty before an agreement. ``guessed`` when the capture does not hold it.
    events
        TCP and TLS, in the order of time.
    version, suite
        Of TLS; empty without.
    timing
        Duration of the negotiation as seen from the vehicle; ``timing_seen`` is False when its end is hidden
        and the duration the least that it can have been.
    cause
        Why the connection did not come about; None when it did.
    undeciphered, reason
        Records that stayed closed, and why.
    unanswered
        The last request and its time when no answer followed.
    notes
        Losses and faults of the stream.
    bodies
        Content of messages by the place of their records; of long sessions the first ones, and refusals.
    """

    vehicle: str
    charger: str
    began_ns: int
    ended_ns: int
    trace: Trace
    protocol: str = ""
    guessed: bool = False
    events: tuple[Event, ...] = ()
    version: str = ""
    suite: str = ""
    timing: Timing | None = None
    timing_seen: bool = False
    cause: TlsCause | None = None
    undeciphered: int = 0
    reason: str = ""
    unanswered: tuple[str, int] | None = None
    notes: tuple[str, ...] = ()
    bodies: dict[int, Body] = field(default_factory=dict, repr=False)

    @property
    def records(self) -> list[MessageRecord]:
        """The messages."""
        return self.trace.records


def read_session(connection: Connection, keys: KeyLog, ports: frozenset[int]) -> CapturedSession | None:
    """Return a connection as a session; None when it is none of the vehicle link.

    Parameters
    ----------
    ports
        Where chargers are known to listen.
    """
    _orient(connection, ports)
    announced = connection.server[1] in ports
    chunks = connection.chunks()
    kinds = {_kind(c.data) for c in _firsts(chunks)} - {""}
    if not announced and not kinds:
        return None
    session = _read(connection, chunks, keys, tls="tls" in kinds)
    if not connection.known_client and _is_reversed(session):
        connection.turn()
        session = _read(connection, connection.chunks(), keys, tls="tls" in kinds)
    return session


def _read(connection: Connection, chunks: list[Chunk], keys: KeyLog, *, tls: bool) -> CapturedSession:
    rules, notes = load_tls_rules(), _notes_of(connection, chunks)
    dialogue, events = Dialogue(), _marks(connection)
    facts: dict[str, object] = {"cause": opening_cause(connection, rules)}
    if tls:
        reader = TlsReader(keys)
        for chunk in chunks:
            for plain in reader.feed(chunk):
                dialogue.feed(plain)
        events += reader.events
        if reader.left_out:
            notes.append(f"{reader.left_out} octets belong to no whole record of TLS")
        facts = {
            "version": reader.version,
            "suite": reader.suite,
            "timing": timing_of(reader, connection),
            "timing_seen": finished_ns(reader)[1],
            "cause": cause_in(reader, connection, rules),
            "undeciphered": reader.undeciphered,
            "reason": reader.reason,
        }
    else:
        for chunk in chunks:
            dialogue.feed(
                Plain(chunk.from_client, chunk.time_ns, chunk.time_ns, chunk.data, bool(chunk.lost))
            )
    notes += dialogue.notes
    if dialogue.pending:
        notes.append(f"{dialogue.pending} octets at the end belong to no whole frame")
    if dialogue.trace.dropped:
        kept, slowest = len(dialogue.trace.records), dialogue.trace.slowest
        worst = "" if slowest is None or slowest.answer_s is None else f"{slowest.answer_s * 1e3:.1f} ms"
        notes.append(
            f"{dialogue.trace.dropped} messages after the first {kept} are left out; slowest of all: {worst}"
        )
    return CapturedSession(
        place_text(connection.client),
        place_text(connection.server),
        connection.first_ns,
        connection.last_ns,
        dialogue.trace,
        dialogue.protocol_name,
        dialogue.guessed,
        tuple(sorted(events, key=lambda e: e.time_ns)),
        unanswered=dialogue.unanswered,
        notes=tuple(notes),
        bodies=dialogue.bodies,
        **facts,  # type: ignore[arg-type]
    )


def _orient(connection: Connection, ports: frozenset[int]) -> None:
    """Without a SYN the end with a charger's port is the charger, or who does not say ClientHello."""
    if connection.known_client:
        return
    if connection.client[1] in ports and connection.server[1] not in ports:
        connection.turn()
    elif not (connection.client[1] in ports or connection.server[1] in ports):
        for chunk in _firsts(connection.chunks()):
            if chunk.data[:1] == bytes((HANDSHAKE,)) and chunk.data[5:6] == b"\1" and not chunk.from_client:
                connection.turn()
                return


def _is_reversed(session: CapturedSession) -> bool:
    named = [r for r in session.records[:50] if r.name != "?"]
    wrong = sum(r.name.endswith("Res") == (r.end == "evcc") for r in named)
    return 2 * wrong > len(named)


def _firsts(chunks: list[Chunk]) -> Iterator[Chunk]:
    for side in (True, False):
        first = next((c for c in chunks if c.from_client is side), None)
        if first is not None:
            yield first


def _kind(data: bytes) -> str:
    if 20 <= data[0] <= 23 and data[1:2] == b"\3":
        return "tls"
    return "v2gtp" if len(data) > 1 and begins_frame(data) else ""


def _notes_of(connection: Connection, chunks: list[Chunk]) -> list[str]:
    notes = list[str]()
    for chunk in chunks:
        if chunk.lost and len(notes) < _MOST_NOTES:
            who = "vehicle" if chunk.from_client else "charger"
            notes.append(f"{who}: {chunk.lost} octets are missing before packet {chunk.number}")
    for who, half in zip(("vehicle", "charger"), connection.halves, strict=True):
        for count, what in (
            (half.repeated, "segments came again"),
            (half.late, "segments came late or overlap"),
            (half.differing, "repeated segments hold other octets than before"),
            (half.strange, "segments lie outside of any window"),
        ):
            if count:
                notes.append(f"{who}: {count} {what}")
    return notes


def _marks(connection: Connection) -> list[Event]:
    events = []
    for mark in connection.marks[:_MOST_NOTES]:
        name = next(name for flags, name in _FLAGS if mark.flags & flags == flags)
        end = "evcc" if mark.from_client else "secc"
        events.append(Event(mark.time_ns, end, "TCP", name, began_ns=mark.time_ns))  # type: ignore[arg-type]
    return events
