"""What a packet carries: a TCP segment, a UDP datagram, a management frame of a modem, or something else."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address

from v2glab.links.capture._files import Packet

#: Address and port, packed.
Place = tuple[bytes, int]
_IPV4, _IPV6, _HOMEPLUG = 0x0800, 0x86DD, 0x88E1
_VLANS = (0x8100, 0x88A8, 0x9100)
_TCP, _UDP = 6, 17
# Extension headers that only delay the payload: hop by hop, routing, destination options (RFC 8200, 4).
_PASSED = {0, 43, 60}
_FRAGMENT = 44
_MOST_HEADERS = 8
# Families of the BSD loopback header, by operating system.
_FAMILIES = {2: _IPV4, 10: _IPV6, 24: _IPV6, 28: _IPV6, 30: _IPV6}
FIN, SYN, RST, ACK = 1, 2, 4, 16


@dataclass(frozen=True)
class Segment:
    """A TCP segment. ``length`` is that on the wire; ``data`` may hold less when the capture cut packets."""

    number: int
    time_ns: int
    source: Place
    destination: Place
    sequence: int
    acknowledged: int
    flags: int
    data: bytes
    length: int


@dataclass(frozen=True)
class Datagram:
    """A UDP datagram."""

    number: int
    time_ns: int
    source: Place
    destination: Place
    data: bytes


@dataclass(frozen=True)
class PlcFrame:
    """An Ethernet frame of type 0x88E1."""

    number: int
    time_ns: int
    data: bytes


@dataclass(frozen=True)
class Other:
    """A packet that is left out, and why."""

    number: int
    reason: str


Layer = Segment | Datagram | PlcFrame | Other


class _Left(Exception):  # noqa: N818 -- never leaves this module: becomes an Other
    pass


def place_text(place: Place) -> str:
    """Return address and port as people write them, ``[fe80::1]:15118``."""
    host = ip_address(place[0])
    return f"[{host}]:{place[1]}" if host.version == 6 else f"{host}:{place[1]}"


def read_layers(packet: Packet) -> Layer:
    """Return what a packet carries; whatever is wrong with it becomes the reason to leave it out."""
    try:
        if packet.link not in _LINKS:
            raise _Left(f"link type {packet.link} is none that is read here")
        return _LINKS[packet.link](packet)
    except _Left as why:
        return Other(packet.number, str(why))
    except (struct.error, IndexError):
        return Other(packet.number, "cut or damaged header")


def _ethernet(packet: Packet) -> Layer:
    data = packet.data
    kind, start = _u16(data, 12), 14
    for _ in range(2):
        if kind in _VLANS:
            kind, start = _u16(data, start + 2), start + 4
    if kind == _HOMEPLUG:
        # A tag of a VLAN is no part of the frame.
        return _plc(packet, data[:12] + data[start - 2 :])
    return _network(packet, kind, start)


def _cooked(packet: Packet) -> Layer:
    return _of_cooked(packet, _u16(packet.data, 14), packet.data[6:12], 16)


def _cooked_2(packet: Packet) -> Layer:
    return _of_cooked(packet, _u16(packet.data, 0), packet.data[12:18], 20)


def _of_cooked(packet: Packet, kind: int, source: bytes, start: int) -> Layer:
    if kind == _HOMEPLUG:
        # The destination is not kept in this link type: the sender's address stands in its place.
        return _plc(packet, bytes(6) + source + kind.to_bytes(2, "big") + packet.data[start:])
    return _network(packet, kind, start)


def _loopback(packet: Packet) -> Layer:
    for order in ("little", "big"):
        family = int.from_bytes(packet.data[:4], "little" if order == "little" else "big")
        if family in _FAMILIES:
            return _network(packet, _FAMILIES[family], 4)
    raise _Left("no internet protocol")


def _raw(packet: Packet) -> Layer:
    return _network(packet, _IPV6 if packet.data[0] >> 4 == 6 else _IPV4, 0)


_LINKS: dict[int, Callable[[Packet], Layer]] = {
    0: _loopback,
    108: _loopback,
    1: _ethernet,
    12: _raw,
    14: _raw,
    101: _raw,
    228: _raw,
    229: _raw,
    113: _cooked,
    276: _cooked_2,
}


def _plc(packet: Packet, data: bytes) -> Layer:
    if packet.length > len(packet.data):
        raise _Left("a management frame that the capture cut")
    return PlcFrame(packet.number, packet.time_ns, data)


def _network(packet: Packet, kind: int, start: int) -> Layer:
    if kind == _IPV4:
        return _ipv4(packet, start)
    if kind == _IPV6:
        return _ipv6(packet, start)
    raise _Left("no internet protocol")


def _ipv4(packet: Packet, start: int) -> Layer:
    data = packet.data
    header = 4 * (data[start] & 0x0F)
    if data[start] >> 4 != 4 or header < 20:
        raise _Left("damaged IPv4 header")
    total, _, fragment = struct.unpack_from(">HHH", data, start + 2)
    if fragment & 0x3FFF:
        raise _Left("a fragment of IPv4")
    # Segmentation in the network card leaves a length of 0.
    end = start + total if total else start + packet.length - start
    if end < start + header:
        raise _Left("damaged IPv4 header")
    source, destination = data[start + 12 : start + 16], data[start + 16 : start + 20]
    return _transport(packet, data[start + 9], start + header, end, source, destination)


def _ipv6(packet: Packet, start: int) -> Layer:
    data = packet.data
    if data[start] >> 4 != 6:
        raise _Left("damaged IPv6 header")
    length, following = struct.unpack_from(">HB", data, start + 4)
    source, destination = data[start + 8 : start + 24], data[start + 24 : start + 40]
    at = start + 40
    end = at + length if length else packet.length
    for _ in range(_MOST_HEADERS):
        if following == _FRAGMENT:
            offset = _u16(data, at + 2)
            if offset & 0xFFF9:
                raise _Left("a fragment of IPv6")
            following, at = data[at], at + 8
        elif following in _PASSED:
            following, at = data[at], at + 8 * (data[at + 1] + 1)
        else:
            return _transport(packet, following, at, end, source, destination)
    raise _Left("too many extension headers of IPv6")


def _transport(
    packet: Packet, protocol: int, start: int, end: int, source: bytes, destination: bytes
) -> Layer:
    if protocol not in (_TCP, _UDP):
        raise _Left("neither TCP nor UDP")
    if len(source) != len(destination) or not source:
        raise _Left("cut or damaged header")
    data = packet.data
    first, second = struct.unpack_from(">HH", data, start)
    places: tuple[Place, Place] = (source, first), (destination, second)
    if protocol == _UDP:
        length = _u16(data, start + 4)
        if not 8 <= length <= end - start or end > len(data):
            raise _Left("cut or damaged datagram of UDP")
        return Datagram(packet.number, packet.time_ns, *places, data[start + 8 : start + length])
    sequence, acknowledged, header, flags = struct.unpack_from(">IIBB", data, start + 4)
    header = 4 * (header >> 4)
    length = end - start - header
    if header < 20 or length < 0:
        raise _Left("damaged header of TCP")
    kept = data[start + header : end]
    return Segment(packet.number, packet.time_ns, *places, sequence, acknowledged, flags, kept, length)


def _u16(data: bytes, at: int) -> int:
    (value,) = struct.unpack_from(">H", data, at)
    return int(value)
