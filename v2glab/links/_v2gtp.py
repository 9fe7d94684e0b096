"""Frames of the vehicle link: V2GTP and the SECC discovery protocol (ISO 15118-2, 7.8.3 and 7.10.1).

Codes are data: ``datasets/iso15118/v2gtp.toml``.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv6Address
from typing import Any

from v2glab.evidence import InputError, read_toml
from v2glab.resources import find_data

Octets = bytes | bytearray | memoryview
_HEADER = struct.Struct(">BBHI")
_RESPONSE = struct.Struct(">16sHBB")
#: Octets of a header: version, its inverse, type of the payload, length of the payload.
HEADER_LENGTH = _HEADER.size
#: Longest payload that is read, in octets. The header could announce 4 GiB; no message of V2G is longer.
LONGEST_PAYLOAD = 1 << 20


class V2gtpError(InputError):
    """Octets that are no frame of V2GTP, or a frame whose payload is not what its type says."""

    def __init__(self, found: str, required: str, remedy: str = "mend the sender") -> None:
        super().__init__(f"V2GTP: {found}", required, remedy)


@dataclass(frozen=True)
class V2gtpFrame:
    """One V2GTP message: type of the payload (0 to 65,535), and the payload."""

    payload_type: int
    payload: bytes


@dataclass(frozen=True)
class SdpRequest:
    """A vehicle asks for a charger; ``security`` is ``tls`` or ``none``, ``transport`` ``tcp`` or ``udp``."""

    security: str = "tls"
    transport: str = "tcp"


@dataclass(frozen=True)
class SdpResponse:
    """A charger says where it listens."""

    address: IPv6Address
    port: int
    security: str = "tls"
    transport: str = "tcp"


@cache
def codes() -> dict[str, Any]:
    """Return the table of codes."""
    return read_toml(find_data("datasets", "iso15118", "v2gtp.toml"))


@cache
def payload_name(payload_type: int) -> str | None:
    """Return what travels under a type, or None when the table does not know it."""
    return next((row["name"] for row in codes()["payload"] if row["code"] == payload_type), None)


@cache
def payload_type_of(namespace: str) -> int:
    """Return the type under which documents of a namespace travel.

    Raises
    ------
    V2gtpError
        No type is set for this namespace.
    """
    for row in codes()["payload"]:
        if namespace in row.get("namespaces", ()):
            return int(row["code"])
    raise V2gtpError(f"namespace {namespace!r:.100}", "a namespace in v2gtp.toml", "add it to the table")


def parse_header(data: Octets, longest: int = LONGEST_PAYLOAD) -> tuple[int, int]:
    """Read a header; return type and length of the payload.

    Raises
    ------
    V2gtpError
        It is not eight octets of this version, or announces a payload longer than ``longest`` octets.
    """
    octets = bytes(data)
    if len(octets) != HEADER_LENGTH:
        raise V2gtpError(f"header of {len(octets)} octets", f"{HEADER_LENGTH} octets")
    version, inverse, payload_type, length = _HEADER.unpack(octets)
    table = codes()
    if (version, inverse) != (table["version"], table["inverse"]):
        raise V2gtpError(
            f"version 0x{version:02X}, inverse 0x{inverse:02X}",
            f"0x{table['version']:02X} and 0x{table['inverse']:02X}",
        )
    if length > longest:
        raise V2gtpError(f"payload of {length} octets", f"at most {longest} octets")
    return payload_type, length


def build_v2gtp(frame: V2gtpFrame) -> bytes:
    """Return the octets of a frame.

    Raises
    ------
    V2gtpError
        The type does not fit into 16 bits, or the payload is too long to be read again.
    """
    if not 0 <= frame.payload_type <= 0xFFFF:
        raise V2gtpError(f"payload type {frame.payload_type}", "0 to 65535", "mend the message")
    if len(frame.payload) > LONGEST_PAYLOAD:
        raise V2gtpError(
            f"payload of {len(frame.payload)} octets", f"at most {LONGEST_PAYLOAD}", "mend the message"
        )
    table = codes()
    return (
        _HEADER.pack(table["version"], table["inverse"], frame.payload_type, len(frame.payload))
        + frame.payload
    )


def parse_v2gtp(data: Octets) -> V2gtpFrame:
    """Read a datagram: exactly one frame.

    Raises
    ------
    V2gtpError
        It is no frame, or is shorter or longer than its header says.
    """
    octets = bytes(data)
    payload_type, length = parse_header(octets[:HEADER_LENGTH])
    if len(octets) != HEADER_LENGTH + length:
        raise V2gtpError(f"{len(octets) - HEADER_LENGTH} octets of payload", f"{length} as the header says")
    return V2gtpFrame(payload_type, octets[HEADER_LENGTH:])


class V2gtpFramer:
    """Cuts a stream into frames: one read may hold a part of a frame, or several.

    Parameters
    ----------
    longest
        Octets of the longest payload that is accepted; a header that announces more is refused at once,
        before anything is stored for it.
    """

    def __init__(self, longest: int = LONGEST_PAYLOAD) -> None:
        self._longest = longest
        self._buffer = bytearray()
        self._expected: tuple[int, int] | None = None
        self._error: V2gtpError | None = None

    @property
    def pending(self) -> int:
        """Octets that wait for the rest of their frame; not zero at the end of a stream means truncated."""
        return len(self._buffer)

    def feed(self, data: Octets) -> list[V2gtpFrame]:
        """Take what was read; return the frames that are whole now.

        Raises
        ------
        V2gtpError
            The stream holds what is no frame. Whatever follows cannot be told apart any more, so that each
            further call raises too.
        """
        if self._error is not None:
            raise self._error
        self._buffer += data
        frames: list[V2gtpFrame] = []
        start = 0
        try:
            while (end := self._end(start)) is not None:
                payload_type, _ = self._expected or (0, 0)
                frames.append(V2gtpFrame(payload_type, bytes(self._buffer[start + HEADER_LENGTH : end])))
                self._expected, start = None, end
        except V2gtpError as error:
            # Frames before the fault are whole: they are handed out, the fault comes with the next call.
            self._error = error
            self._buffer.clear()
            if not frames:
                raise
            return frames
        del self._buffer[:start]
        return frames

    def _end(self, start: int) -> int | None:
        """Return where the frame at ``start`` ends, or None when it is not whole yet."""
        if self._expected is None:
            if len(self._buffer) - start < HEADER_LENGTH:
                return None
            header = self._buffer[start : start + HEADER_LENGTH]
            self._expected = parse_header(header, self._longest)
        end = start + HEADER_LENGTH + self._expected[1]
        return end if end <= len(self._buffer) else None


def build_sdp(message: SdpRequest | SdpResponse) -> bytes:
    """Return the datagram of an SDP message.

    Raises
    ------
    V2gtpError
        Security, transport or port are none that exist.
    """
    security = _code("security", message.security)
    transport = _code("transport", message.transport)
    if isinstance(message, SdpRequest):
        return build_v2gtp(V2gtpFrame(0x9000, bytes([security, transport])))
    if not 0 < message.port <= 0xFFFF:
        raise V2gtpError(f"port {message.port}", "1 to 65535", "mend the message")
    payload = _RESPONSE.pack(message.address.packed, message.port, security, transport)
    return build_v2gtp(V2gtpFrame(0x9001, payload))


def parse_sdp(data: Octets) -> SdpRequest | SdpResponse:
    """Read the datagram of an SDP message.

    Raises
    ------
    V2gtpError
        It is no SDP message: not a frame, of another type or length, or with codes that do not exist.
    """
    frame = parse_v2gtp(data)
    lengths = {row["code"]: row["length"] for row in codes()["payload"] if "length" in row}
    if frame.payload_type not in lengths:
        raise V2gtpError(f"payload type 0x{frame.payload_type:04X}", "an SDP request or response")
    if len(frame.payload) != lengths[frame.payload_type]:
        raise V2gtpError(
            f"SDP message of {len(frame.payload)} octets", f"{lengths[frame.payload_type]} octets"
        )
    security = _name("security", frame.payload[-2])
    transport = _name("transport", frame.payload[-1])
    if frame.payload_type == 0x9000:
        return SdpRequest(security, transport)
    address, port, _, _ = _RESPONSE.unpack(frame.payload)
    if not port:
        raise V2gtpError("port 0", "1 to 65535")
    return SdpResponse(IPv6Address(address), port, security, transport)


def _code(field: str, name: str) -> int:
    known: dict[str, int] = codes()["sdp"][field]
    if name not in known:
        raise V2gtpError(f"{field} {name!r:.40}", f"one of {', '.join(known)}", "mend the message")
    return known[name]


def _name(field: str, code: int) -> str:
    for name, known in codes()["sdp"][field].items():
        if known == code:
            return str(name)
    raise V2gtpError(f"{field} 0x{code:02X}", "a code in v2gtp.toml")
