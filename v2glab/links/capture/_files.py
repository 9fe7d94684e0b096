"""Packets out of a capture file: pcap in all its byte orders and resolutions, or pcapng."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from v2glab.evidence import InputError
from v2glab.links.capture._error import CaptureError

#: Longest packet that is read, as the usual tools write them at most.
LONGEST_PACKET = 262_144
#: Packets of one file; a file without end is refused there.
MOST_PACKETS = 20_000_000
PCAPNG = b"\x0a\x0d\x0d\x0a"
# Magic number: byte order, and nanoseconds of one tick.
_MAGIC = {
    b"\xa1\xb2\xc3\xd4": (">", 1000),
    b"\xd4\xc3\xb2\xa1": ("<", 1000),
    b"\xa1\xb2\x3c\x4d": (">", 1),
    b"\x4d\x3c\xb2\xa1": ("<", 1),
}
# Upper bits of the link type's field hold flags of the check sequence.
_LINK_MASK = 0x0FFF_FFFF


@dataclass(frozen=True)
class Packet:
    """One packet.

    Parameters
    ----------
    number
        Counted from 1.
    time_ns
        Nanoseconds UTC by the clock of the capturing machine.
    link
        Type of the link layer (registry LINKTYPE).
    data
        What was kept of it.
    length
        Octets that it had on the wire.
    offset
        Where its entry begins in the file.
    """

    number: int
    time_ns: int
    link: int
    data: bytes
    length: int
    offset: int


class Source:
    """An open file that counts what was read, and knows which packet comes next."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self.offset, self.packets = stream, 0, 0

    def take(self, count: int, what: str, began: int) -> bytes:
        """Read exactly so many octets of the part that began at an offset.

        Raises
        ------
        CaptureError
            The file ends before; ``cut`` is set.
        """
        data = self._stream.read(count)
        self.offset += len(data)
        if len(data) != count:
            required = f"{count} octets of {what}, {len(data)} are left"
            raise CaptureError("the file ends early", required, began, self.packets + 1, cut=True)
        return data

    def ended(self) -> bytes:
        """Return the next four octets, empty at a clean end of the file."""
        began = self.offset
        data = self._stream.read(4)
        self.offset += len(data)
        if data and len(data) < 4:
            raise CaptureError("the file ends early", "a whole entry", began, self.packets + 1, cut=True)
        return data

    def packet(self, time_ns: int, link: int, data: bytes, length: int, offset: int) -> Packet:
        """Number a packet."""
        self.packets += 1
        if self.packets > MOST_PACKETS:
            raise CaptureError("too many packets", f"at most {MOST_PACKETS}", offset, self.packets)
        if not 0 <= time_ns < 1 << 63:
            found = f"a time of {time_ns // 10**9} s"
            raise CaptureError(found, "a time from 1970 to 2262", offset, self.packets)
        return Packet(self.packets, time_ns, link, data, max(length, len(data)), offset)

    def fault(self, fault: str, required: str, offset: int) -> CaptureError:
        """Return an error at the packet that would come next."""
        return CaptureError(fault, required, offset, self.packets + 1)


@contextmanager
def open_capture(path: Path) -> Iterator[tuple[Source, bytes]]:
    """Open a capture; yield it with its first four octets.

    Raises
    ------
    InputError
        The file cannot be read.
    """
    try:
        with path.open("rb") as stream:
            source = Source(stream)
            yield source, source.take(4, "a capture", 0)
    except OSError as error:
        raise InputError(
            f"{path}: {error.strerror}", "a readable capture", "check name and rights"
        ) from error


def read_pcap(source: Source, magic: bytes) -> Iterator[Packet]:
    """Return the packets of a pcap file, whose first four octets were read.

    Raises
    ------
    CaptureError
        It is no pcap, or is damaged or cut at a place that the error names.
    """
    if magic not in _MAGIC:
        found = f"the file begins with {magic.hex()}"
        raise CaptureError(found, "a capture in the format pcap or pcapng", 0)
    order, tick_ns = _MAGIC[magic]
    major, _, _, _, _, link = struct.unpack(f"{order}HHiIII", source.take(20, "the file's header", 0))
    if major != 2:
        raise CaptureError(f"version {major} of pcap", "version 2", 4)
    entry = struct.Struct(f"{order}III")
    while True:
        began = source.offset
        head = source.ended()
        if not head:
            return
        (seconds,) = struct.unpack(f"{order}I", head)
        ticks, kept, length = entry.unpack(source.take(12, "a packet's header", began))
        if kept > LONGEST_PACKET:
            raise source.fault(f"a packet of {kept} octets", f"at most {LONGEST_PACKET}", began)
        data = source.take(kept, "a packet", began)
        time_ns = seconds * 10**9 + ticks * tick_ns
        yield source.packet(time_ns, link & _LINK_MASK, data, length, began)
