"""The two hellos of a handshake: versions, and what decryption needs (RFC 8446, 4.1; RFC 5246, 7.4.1)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

_VERSION, _MAC_BEHIND = 43, 22
_RECORD, _CLIENT = 22, 1
_TLS13 = 0x0304
#: Random of a ServerHello that only asks for another ClientHello (RFC 8446, 4.1.3).
_RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
_VERSIONS = {0x0301: "TLSv1.0", 0x0302: "TLSv1.1", 0x0303: "TLSv1.2", 0x0304: "TLSv1.3"}


@dataclass(frozen=True)
class ServerHello:
    """What the server chose."""

    random: bytes
    suite: int
    version: int
    mac_behind: bool

    @property
    def retry(self) -> bool:
        """Whether it only asks for another ClientHello."""
        return self.random == _RETRY


def client_random(message: bytes) -> bytes | None:
    """Return the random of a ClientHello with its header of four octets; None when it is damaged."""
    random = message[6:38]
    return random if len(random) == 32 else None


def offered_version(octets: bytes) -> str | None:
    """Return the version that a client asks for, from the first octets of its connection.

    Returns
    -------
    str or None
        ``TLSv1.3`` where it is offered, else the version that the hello carries; empty when the octets begin
        no ClientHello, None while it is not whole.
    """
    message, at = b"", 0
    while len(message) < 4 or len(message) < 4 + int.from_bytes(message[1:4], "big"):
        head = octets[at : at + 5]
        if (head and head[0] != _RECORD) or (message and message[0] != _CLIENT):
            return ""
        if len(head) < 5:
            return None
        length = int.from_bytes(head[3:5], "big")
        if not length:  # forbidden (RFC 8446, 5.1)
            return ""
        message += octets[at + 5 : at + 5 + length]
        at += 5 + length
    return _asked_version(message)


def _asked_version(message: bytes) -> str:
    try:
        (version,) = struct.unpack_from(">H", message, 4)
        at = 39 + message[38]
        at += 2 + struct.unpack_from(">H", message, at)[0]
        found = _extensions(message, at + 1 + message[at]).get(_VERSION, b"")
    except (struct.error, IndexError):
        return ""
    offered = {int.from_bytes(found[i : i + 2], "big") for i in range(1, len(found) - 1, 2)}
    return version_name(_TLS13 if _TLS13 in offered else version)


def read_server_hello(message: bytes) -> ServerHello | None:
    """Read a ServerHello with its header of four octets; None when it is damaged."""
    try:
        (version,) = struct.unpack_from(">H", message, 4)
        random = message[6:38]
        at = 39 + message[38]
        (suite,) = struct.unpack_from(">H", message, at)
        found = _extensions(message, at + 3)
    except (struct.error, IndexError):
        return None
    if _VERSION in found and len(found[_VERSION]) == 2:
        version = int.from_bytes(found[_VERSION], "big")
    return ServerHello(random, suite, version, _MAC_BEHIND in found)


def version_name(version: int) -> str:
    """Return a version as OpenSSL names it."""
    return _VERSIONS.get(version, f"0x{version:04x}")


def is_13(hello: ServerHello) -> bool:
    """Whether the handshake goes on in TLS 1.3."""
    return hello.version == _TLS13


def _extensions(message: bytes, at: int) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    if at >= len(message):
        return found
    (left,) = struct.unpack_from(">H", message, at)
    at, end = at + 2, min(at + 2 + left, len(message))
    while at + 4 <= end:
        kind, length = struct.unpack_from(">HH", message, at)
        found.setdefault(kind, message[at + 4 : at + 4 + length])
        at += 4 + length
    return found
