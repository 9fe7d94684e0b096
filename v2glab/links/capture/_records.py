"""One direction of a TLS connection: octets into records, records opened under the keys of their time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from v2glab.links.capture._ciphers import Aead13, Opener
from v2glab.links.capture._tcp import Chunk

CHANGE, ALERT, HANDSHAKE, DATA = 20, 21, 22, 23
_HEADER = 5
#: Longest record: 2^14 octets, and what its protection may add (RFC 5246, 6.2.3).
_LONGEST = (1 << 14) + 2048
#: Records that may be missing in a gap; more are not tried.
_MOST_MISSING = 256
#: Tries in vain of one direction: what never opens must not cost time without end.
_MOST_TRIES = 8_000


@dataclass(frozen=True)
class Record:
    """A record as it passed; ``header`` holds its five octets."""

    from_client: bool
    began_ns: int
    time_ns: int
    header: bytes
    payload: bytes

    @property
    def kind(self) -> int:
        """Type of its content, as the outside says."""
        return self.header[0]


@dataclass
class Cutter:
    """Cuts one direction into records; after lost octets it goes on where a segment begins with one."""

    buffer: bytearray = field(default_factory=bytearray)
    began_ns: int = 0
    astray: bool = False
    losses: int = 0
    left_out: int = 0

    def feed(self, chunk: Chunk) -> Iterator[Record]:
        """Take what came; return the records that are whole now."""
        if chunk.lost:
            self.losses += 1
            self._give_up()
        if self.astray:
            if not _begins_record(chunk.data):
                self.left_out += len(chunk.data)
                return
            self.astray = False
        if not self.buffer:
            self.began_ns = chunk.time_ns
        self.buffer += chunk.data
        at = 0
        while len(self.buffer) - at >= _HEADER:
            header = bytes(self.buffer[at : at + _HEADER])
            if not _begins_record(header):
                self._give_up()
                return
            end = at + _HEADER + int.from_bytes(header[3:], "big")
            if end > len(self.buffer):
                break
            payload = bytes(self.buffer[at + _HEADER : end])
            yield Record(chunk.from_client, self.began_ns, chunk.time_ns, header, payload)
            at, self.began_ns = end, chunk.time_ns
        del self.buffer[:at]

    def _give_up(self) -> None:
        self.astray = True
        self.left_out += len(self.buffer)
        self.buffer.clear()


def _begins_record(data: bytes) -> bool:
    if len(data) < _HEADER:
        return bool(data) and CHANGE <= data[0] <= DATA
    length = int.from_bytes(data[3:5], "big")
    return CHANGE <= data[0] <= DATA and data[1] == 3 and data[2] <= 4 and 0 < length <= _LONGEST


@dataclass
class Unlocker:
    """Opens the records of one direction; ``openers`` are the keys that follow one another.

    ``doubtful`` is set after lost octets: numbers of records, and then later keys, are tried. A record opens
    under its own number only, so that a wrong try cannot succeed.
    """

    openers: list[Opener] = field(default_factory=list)
    sequence: int = 0
    doubtful: bool = False
    tries_left: int = _MOST_TRIES

    def open(self, record: Record) -> tuple[int, bytes] | None:
        """Return type and content, or None when no key fits."""
        for skipped, opener in enumerate(self.openers):
            first, tries = (0 if skipped else self.sequence), (_MOST_MISSING if self.doubtful else 1)
            for number in range(first, first + tries):
                if self.tries_left <= 0:
                    break
                found = opener.open(number, record.header, record.payload)
                if found is not None:
                    self.sequence, self.doubtful = number + 1, False
                    del self.openers[:skipped]
                    return found
                self.tries_left -= 1
        return None

    def next_key(self) -> None:
        """Go on under the next key; without one nothing opens any more."""
        del self.openers[:1]
        self.sequence = 0

    def update(self) -> None:
        """Follow a KeyUpdate."""
        if self.openers and isinstance(self.openers[0], Aead13):
            self.openers[0] = self.openers[0].following()
            self.sequence = 0
