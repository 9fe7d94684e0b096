"""TCP streams put together again: order, repetition, overlap, loss (RFC 9293, 3.4)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from v2glab.evidence import InputError
from v2glab.links.capture._layers import ACK, FIN, RST, SYN, Place, Segment

#: Octets of all streams of a capture together.
MOST_OCTETS = 1 << 28
#: Segments of all streams, and connections, of a capture.
MOST_SEGMENTS, MOST_CONNECTIONS = 4_000_000, 4096
#: A segment that lies further from its stream belongs to none: the largest window of TCP (RFC 7323, 2.3).
_WINDOW = 1 << 30
_CIRCLE = 1 << 32
#: Segments among which a repeated one is looked for.
_RECENT = 64
#: Times of repeated segments that are kept of a direction.
_MOST_AGAIN = 10_000


@dataclass(frozen=True)
class Chunk:
    """Octets of one direction in their order.

    Parameters
    ----------
    from_client
        Direction.
    time_ns
        When the receiver could read them: when the segment had come that closed the last gap before.
    data
        Never empty.
    lost
        Octets that are missing before.
    position
        Octets of the stream before, those lost included.
    number
        Packet that carried them.
    """

    from_client: bool
    time_ns: int
    data: bytes
    lost: int
    position: int
    number: int


@dataclass(frozen=True)
class Mark:
    """A segment with SYN, FIN or RST."""

    time_ns: int
    from_client: bool
    flags: int


@dataclass
class _Part:
    at: int
    time_ns: int
    data: bytes
    number: int


@dataclass
class Half:
    """One direction; positions count from the first sequence number that was seen, on beyond 32 bits."""

    origin: int | None = None
    syn: int | None = None
    start: int | None = None
    last: int = 0
    highest: int = 0
    parts: list[_Part] = field(default_factory=list)
    again_ns: list[int] = field(default_factory=list)
    repeated: int = 0
    late: int = 0
    strange: int = 0
    differing: int = 0

    def add(self, segment: Segment) -> None:
        """Take a segment."""
        first = segment.sequence + (1 if segment.flags & SYN else 0)
        if self.origin is None:
            self.origin = first
        step = (first - self.origin - self.last + _CIRCLE // 2) % _CIRCLE - _CIRCLE // 2
        at = self.last + step
        if segment.flags & SYN and self.start is None:
            self.syn, self.start = segment.sequence, at
        if abs(step) > _WINDOW:
            self.strange += 1
            return
        if not segment.length:
            return
        if at < self.highest:
            known = any(p.at == at for p in self.parts[-_RECENT:])
            self.repeated, self.late = self.repeated + known, self.late + (not known)
            if len(self.again_ns) < _MOST_AGAIN:
                self.again_ns.append(segment.time_ns)
        self.last = at
        self.highest = max(self.highest, at + segment.length)
        if segment.data:
            self.parts.append(_Part(at, segment.time_ns, segment.data, segment.number))

    def chunks(self, *, from_client: bool) -> Iterator[Chunk]:
        """Return the stream; what came twice counts once, as it came first."""
        parts = sorted(self.parts, key=lambda p: (p.at, p.time_ns, p.number))
        if not parts:
            return
        # Without a SYN the capture began later: the stream begins with its lowest octet.
        base = done = self.start if self.start is not None else parts[0].at
        ready, before, self.differing = (0, 0), None, 0
        for part in parts:
            if before is not None and part.at < done:
                self.differing += _differ(before, part)
            end = part.at + len(part.data)
            if end <= done:
                continue
            lost, at = max(part.at - done, 0), max(part.at, done)
            came = (part.time_ns, part.number)
            ready = came if lost else max(ready, came)
            yield Chunk(from_client, ready[0], part.data[at - part.at :], lost, at - base, ready[1])
            done, before = end, part


def _differ(first: _Part, second: _Part) -> bool:
    """Whether two segments say different things of the octets that both hold."""
    at = max(first.at, second.at)
    end = min(first.at + len(first.data), second.at + len(second.data))
    return (
        at < end
        and first.data[at - first.at : end - first.at] != second.data[at - second.at : end - second.at]
    )


@dataclass
class Connection:
    """One TCP connection; ``client`` asked for it, or is taken for who did."""

    client: Place
    server: Place
    halves: tuple[Half, Half] = field(default_factory=lambda: (Half(), Half()))
    marks: list[Mark] = field(default_factory=list)
    first_ns: int = 0
    last_ns: int = 0
    #: First time stamps of SYN, SYN with ACK, and the ACK that ends the opening.
    opening_ns: list[int] = field(default_factory=list)
    known_client: bool = False

    def turn(self) -> None:
        """Exchange client and server."""
        self.client, self.server = self.server, self.client
        self.halves = self.halves[::-1]
        self.marks = [Mark(m.time_ns, not m.from_client, m.flags) for m in self.marks]

    @property
    def repeated(self) -> int:
        """Segments that came again, or late."""
        return sum(h.repeated + h.late for h in self.halves)

    def again(self, from_ns: int, to_ns: int) -> int:
        """Return how many segments came again, or late, within a time."""
        return sum(from_ns <= t <= to_ns for h in self.halves for t in h.again_ns)

    def chunks(self) -> list[Chunk]:
        """Return both directions, in the order of time."""
        both = [c for k, h in enumerate(self.halves) for c in h.chunks(from_client=k == 0)]
        return sorted(both, key=lambda c: (c.time_ns, c.number))


class Streams:
    """Sorts segments into connections."""

    def __init__(self) -> None:
        self.connections: list[Connection] = []
        self._open: dict[tuple[Place, Place], Connection] = {}
        self._octets = self._segments = 0

    def add(self, segment: Segment) -> None:
        """Take a segment.

        Raises
        ------
        InputError
            The capture holds more than is kept.
        """
        self._octets += len(segment.data)
        self._segments += 1
        if self._octets > MOST_OCTETS or self._segments > MOST_SEGMENTS:
            found = (
                f"more than {MOST_OCTETS} octets or {MOST_SEGMENTS} segments of TCP, packet {segment.number}"
            )
            raise InputError(found, "a capture of some sessions", "cut the capture into parts")
        connection = self._of(segment)
        from_client = segment.source == connection.client
        half = connection.halves[0 if from_client else 1]
        self._note(connection, segment, from_client)
        half.add(segment)
        connection.last_ns = max(connection.last_ns, segment.time_ns)

    def _of(self, segment: Segment) -> Connection:
        key = (segment.source, segment.destination)
        found = self._open.get(key) or self._open.get(key[::-1])
        opening = segment.flags & (SYN | ACK) == SYN
        if found is not None and not (opening and self._is_new(found, segment)):
            return found
        if len(self.connections) >= MOST_CONNECTIONS:
            found_text = f"more than {MOST_CONNECTIONS} connections, packet {segment.number}"
            raise InputError(
                found_text, "a capture of some sessions", "filter the capture by address or port"
            )
        client, server = key if not segment.flags & SYN or opening else key[::-1]
        made = Connection(client, server, first_ns=segment.time_ns, known_client=bool(segment.flags & SYN))
        self._open.pop(key[::-1], None)
        self._open[key] = made
        self.connections.append(made)
        return made

    @staticmethod
    def _is_new(found: Connection, segment: Segment) -> bool:
        """The same addresses once more, with another first number."""
        half = found.halves[0 if segment.source == found.client else 1]
        if half.syn is not None:
            return half.syn != segment.sequence
        return bool(half.parts) and half.origin != (segment.sequence + 1) % _CIRCLE

    @staticmethod
    def _note(connection: Connection, segment: Segment, from_client: bool) -> None:
        if segment.flags & (SYN | FIN | RST):
            connection.marks.append(Mark(segment.time_ns, from_client, segment.flags))
        stage = len(connection.opening_ns)
        kind = segment.flags & (SYN | ACK | RST)
        expected = ((True, SYN), (False, SYN | ACK), (True, ACK))
        if stage < len(expected) and (from_client, kind) == expected[stage]:
            connection.opening_ns.append(segment.time_ns)
