"""Packets out of a pcapng file (IETF draft-ietf-opsawg-pcapng), and the TLS keys that it may carry."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from v2glab.links.capture._files import LONGEST_PACKET, PCAPNG, Packet, Source

#: Longest block that is read.
LONGEST_BLOCK = 1 << 24
#: Interfaces of one section.
MOST_INTERFACES = 4096
_ORDERS = {b"\x1a\x2b\x3c\x4d": ">", b"\x4d\x3c\x2b\x1a": "<"}
_INTERFACE, _OBSOLETE, _SIMPLE, _ENHANCED, _SECRETS = 1, 2, 3, 6, 10
_TLS_KEYS = 0x544C534B
# Options of an interface.
_RESOLUTION, _OFFSET = 9, 14


@dataclass(frozen=True)
class _Interface:
    link: int
    ticks_per_s: int = 10**6
    offset_s: int = 0
    kept: int = 0

    def time_ns(self, ticks: int) -> int:
        return ticks * 10**9 // self.ticks_per_s + self.offset_s * 10**9


class PcapngReader:
    """Reads one file; ``keys`` is told of each key log that the file carries."""

    def __init__(self, source: Source, keys: Callable[[bytes], None]) -> None:
        self._source, self._keys = source, keys
        self._order = ">"
        self._interfaces: list[_Interface] = []
        self._last_ns = 0
        self.without_time = 0

    def packets(self) -> Iterator[Packet]:
        """Return the packets; the first four octets of the file were read.

        Raises
        ------
        CaptureError
            The file is damaged or cut at a place that the error names.
        """
        began, head = 0, PCAPNG
        while head:
            if head == PCAPNG:
                self._section(began)
            else:
                kind, body = self._block(head, began)
                packet = self._take(kind, body, began)
                if packet is not None:
                    yield packet
            began = self._source.offset
            head = self._source.ended()

    def _section(self, began: int) -> None:
        head = self._source.take(8, "a section's header", began)
        if head[4:] not in _ORDERS:
            found = f"byte order {head[4:].hex()}"
            raise self._source.fault(found, "1a2b3c4d or 4d3c2b1a", began)
        self._order = _ORDERS[head[4:]]
        length = self._length(head[:4], began, 28)
        rest = self._source.take(length - 12, "a section's header", began)
        self._check_end(rest, length, began)
        if self._unpack("H", rest)[0] != 1:
            raise self._source.fault(f"version {self._unpack('H', rest)[0]} of pcapng", "version 1", began)
        self._interfaces = []

    def _block(self, head: bytes, began: int) -> tuple[int, bytes]:
        length = self._length(self._source.take(4, "a block's header", began), began, 12)
        rest = self._source.take(length - 8, "a block", began)
        self._check_end(rest, length, began)
        return self._unpack("I", head)[0], rest[:-4]

    def _take(self, kind: int, body: bytes, began: int) -> Packet | None:
        if kind == _INTERFACE:
            self._add_interface(body, began)
        elif kind == _ENHANCED:
            number, high, low, kept, length = self._fields("IIIII", body, began)
            return self._packet(number, (high << 32) | low, kept, length, body[20:], began)
        elif kind == _OBSOLETE:
            number, _, high, low, kept, length = self._fields("HHIIII", body, began)
            return self._packet(number, (high << 32) | low, kept, length, body[20:], began)
        elif kind == _SIMPLE:
            return self._simple(body, began)
        elif kind == _SECRETS:
            secrets, length = self._fields("II", body, began)
            if length > len(body) - 8:
                raise self._source.fault(f"keys of {length} octets", f"at most {len(body) - 8}", began)
            if secrets == _TLS_KEYS:
                self._keys(body[8 : 8 + length])
        return None

    def _simple(self, body: bytes, began: int) -> Packet:
        """A packet without time: it is given that of the packet before."""
        (length,) = self._fields("I", body, began)
        interface = self._interface(0, began)
        kept = min(length, interface.kept or length, len(body) - 4)
        self.without_time += 1
        return self._source.packet(self._last_ns, interface.link, body[4 : 4 + kept], length, began)

    def _packet(self, number: int, ticks: int, kept: int, length: int, data: bytes, began: int) -> Packet:
        interface = self._interface(number, began)
        if kept > min(len(data), LONGEST_PACKET):
            required = f"at most {min(len(data), LONGEST_PACKET)}"
            raise self._source.fault(f"a packet of {kept} octets", required, began)
        self._last_ns = interface.time_ns(ticks)
        return self._source.packet(self._last_ns, interface.link, data[:kept], length, began)

    def _add_interface(self, body: bytes, began: int) -> None:
        link, _, kept = self._fields("HHI", body, began)
        if len(self._interfaces) >= MOST_INTERFACES:
            raise self._source.fault("one interface too many", f"at most {MOST_INTERFACES}", began)
        ticks, offset_s, options = 10**6, 0, body[8:]
        while len(options) >= 4:
            code, length = self._unpack("HH", options)
            value, options = options[4 : 4 + length], options[4 + length + -length % 4 :]
            if code == _RESOLUTION and len(value) == 1:
                # The highest bit says whether the rest is a power of two or of ten.
                ticks = 2 ** (value[0] & 0x7F) if value[0] & 0x80 else 10 ** value[0]
            elif code == _OFFSET and len(value) == 8:
                (offset_s,) = self._unpack("q", value)
        self._interfaces.append(_Interface(link, ticks, offset_s, kept))

    def _interface(self, number: int, began: int) -> _Interface:
        if number >= len(self._interfaces):
            required = f"one of {len(self._interfaces)} that were described"
            raise self._source.fault(f"interface {number}", required, began)
        return self._interfaces[number]

    def _length(self, octets: bytes, began: int, least: int) -> int:
        length: int = self._unpack("I", octets)[0]
        if length % 4 or not least <= length <= LONGEST_BLOCK:
            required = f"a multiple of 4 from {least} to {LONGEST_BLOCK}"
            raise self._source.fault(f"a block of {length} octets", required, began)
        return length

    def _check_end(self, rest: bytes, length: int, began: int) -> None:
        again = self._unpack("I", rest[-4:])[0]
        if again != length:
            raise self._source.fault(f"block lengths {length} and {again}", "the same twice", began)

    def _fields(self, form: str, body: bytes, began: int) -> tuple[int, ...]:
        size = struct.calcsize(self._order + form)
        if len(body) < size:
            raise self._source.fault(f"a block of {len(body)} octets", f"at least {size}", began)
        return self._unpack(form, body)

    def _unpack(self, form: str, data: bytes) -> tuple[int, ...]:
        return struct.unpack_from(self._order + form, data)
