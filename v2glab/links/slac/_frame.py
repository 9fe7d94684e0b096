"""Ethernet frames with a management message of HomePlug AV 1.1, to and from bytes."""

from __future__ import annotations

from dataclasses import dataclass

from v2glab.links.slac._error import SlacFrameError
from v2glab.links.slac._fields import Values, read_field, write_field
from v2glab.links.slac._messages import MESSAGES, Message

ETHER_TYPE = 0x88E1
#: Version of management messages: HomePlug AV 1.1, which Green PHY uses.
MMV = 1
#: Bytes of the Ethernet header and of the header of a management message.
_ETHERNET, _HEADER = 14, 19
#: Shortest and longest frame without its check sequence (IEEE 802.3-2018, 3.2.7 and 3.2.8).
SHORTEST, LONGEST = 60, 1514


@dataclass(frozen=True)
class Frame:
    """One management message on the wire.

    ``trailer`` holds what follows the message; padding to the least length of a frame is added without it.
    """

    destination: bytes
    source: bytes
    message: Message
    trailer: bytes = b""


def encode_frame(frame: Frame) -> bytes:
    """Return the bytes of a frame, padded with zeros to 60.

    Raises
    ------
    SlacFrameError
        An address or a field of the message does not fit, or the frame grows too long.
    """
    for name in ("destination", "source"):
        address = getattr(frame, name)
        if not isinstance(address, bytes) or len(address) != 6:
            raise SlacFrameError(f"{address!r:.40}", "6 bytes", name)
    kind = type(frame.message)
    values = vars(frame.message)
    parts = [frame.destination, frame.source, ETHER_TYPE.to_bytes(2, "big"), bytes((MMV,))]
    parts += [kind.TYPE.to_bytes(2, "little"), b"\0\0"]
    parts += [write_field(field, values) for field in kind.FIELDS]
    data = b"".join(parts) + frame.trailer
    if len(data) > LONGEST:
        raise SlacFrameError(f"{len(data)} bytes", f"at most {LONGEST}", "trailer")
    return data.ljust(SHORTEST, b"\0")


def decode_frame(data: bytes) -> Frame:
    """Read a frame; what it accepts, :func:`encode_frame` writes again byte for byte.

    Raises
    ------
    SlacFrameError
        It is not a management message that SLAC knows; the error names field and byte.
    """
    if not SHORTEST <= len(data) <= LONGEST:
        required = f"{SHORTEST} to {LONGEST} bytes"
        raise SlacFrameError(f"{len(data)} bytes", required, offset=min(len(data), LONGEST))
    if data[12:_ETHERNET] != ETHER_TYPE.to_bytes(2, "big"):
        raise SlacFrameError(f"0x{data[12:14].hex()}", f"0x{ETHER_TYPE:04x}", "ether_type", 12)
    if data[14] != MMV:
        raise SlacFrameError(f"version {data[14]}", f"version {MMV}, HomePlug AV 1.1", "mmv", 14)
    number = int.from_bytes(data[15:17], "little")
    kind = MESSAGES.get(number)
    if kind is None:
        raise SlacFrameError(f"message type 0x{number:04x}", "a message of SLAC", "mmtype", 15)
    if data[17:_HEADER] != b"\0\0":
        raise SlacFrameError(f"0x{data[17:19].hex()}", "0, no fragments", "fragmentation", 17)
    values: Values = {}
    offset = _HEADER
    for field in kind.FIELDS:
        offset = read_field(field, data, offset, values)
    trailer = data[offset:]
    # Mere padding is no trailer: it is written again without being kept.
    padding = len(data) == SHORTEST and not any(trailer)
    return Frame(data[:6], data[6:12], kind(**values), b"" if padding else trailer)


def message_type(data: bytes) -> int | None:
    """Return the type of a management message without reading the rest; None when it is no such frame."""
    good = len(data) >= SHORTEST and is_slac(data) and data[14] == MMV
    return int.from_bytes(data[15:17], "little") if good else None


def is_slac(data: bytes) -> bool:
    """Return whether a frame claims to be a management message, right or wrong."""
    return data[12:_ETHERNET] == ETHER_TYPE.to_bytes(2, "big")


def mac_text(address: bytes) -> str:
    """Return an address as people write it, ``02:00:00:00:00:01``."""
    return address.hex(":")


def parse_mac(text: str) -> bytes:
    """Read an address such as ``02:00:00:00:00:01``.

    Raises
    ------
    SlacFrameError
        The text is no address.
    """
    parts = text.split(":")
    try:
        address = bytes(int(part, 16) for part in parts)
    except ValueError:
        address = b""
    if len(address) != 6 or not all(len(part) == 2 for part in parts):
        raise SlacFrameError(f"{text!r:.40}", "six bytes such as 02:00:00:00:00:01", "address")
    return address
