"""Values of varying width, read and written bit by bit (EXI 1.0, 7.1); called by generated functions.

A document that is read stands in overlapping windows: window ``i`` holds 64 bits from bit ``32 i`` on, so
that up to 32 bits at any position cost one look-up and one shift. One that is written is an integer with a
leading one that marks where it begins.
"""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Sequence

from v2glab.links.exi._error import Fault

__all__ = [
    "read_base64", "read_hex", "read_integer", "read_string", "read_unsigned", "unknown_names",
    "write_base64", "write_hex", "write_integer", "write_string", "write_unsigned",
]  # fmt: skip
#: Longest integer without bounds, in groups of seven bits: a certificate's serial number has 20 octets.
LONGEST_INTEGER = 40
_FIRST_SURROGATE, _LAST_SURROGATE, _LAST_CHARACTER = 0xD800, 0xDFFF, 0x10FFFF


def windows(data: bytes) -> list[int]:
    """Return the windows of a document; beyond its end stand at most 95 zeros."""
    half = len(data) // 8 + 1
    padded = data + bytes(8 * half + 4 - len(data))
    found = [0] * (2 * half)
    found[::2] = struct.unpack_from(f">{half}Q", padded)
    found[1::2] = struct.unpack_from(f">{half}Q", padded, 4)
    return found


def read_unsigned(w: Sequence[int], p: int, high: int | None) -> tuple[int, int]:
    """Read an unsigned integer in groups of seven bits, lowest first; return it and the next position.

    Raises
    ------
    Fault
        It is greater than ``high``, longer than any that V2G has, or not in its shortest form.
    """
    value = shift = 0
    while True:
        octet = w[p >> 5] >> 56 - (p & 31) & 255
        p += 8
        value |= (octet & 127) << shift
        if octet < 128:
            break
        shift += 7
        if shift >= 7 * LONGEST_INTEGER:
            raise Fault(f"an integer of at most {LONGEST_INTEGER} groups of seven bits")
    if not octet and shift:
        raise Fault("an integer in its shortest form")
    if high is not None and value > high:
        raise Fault(f"an integer up to {high}")
    return value, p


def read_integer(w: Sequence[int], p: int, low: int | None, high: int | None) -> tuple[int, int]:
    """Read an integer with its sign; return it and the next position.

    Raises
    ------
    Fault
        It lies outside its range, or is not in its shortest form.
    """
    negative = w[p >> 5] >> 63 - (p & 31) & 1
    value, p = read_unsigned(w, p + 1, None)
    if negative:
        value = -1 - value
    if (low is not None and value < low) or (high is not None and value > high):
        raise Fault(f"an integer from {low} to {high}")
    return value, p


def read_octets(data: bytes, p: int, count: int) -> tuple[bytes, int]:
    """Read ``count`` octets at any bit position; return them and the next position.

    Raises
    ------
    IndexError
        The document is shorter.
    """
    end = p + 8 * count
    if end > 8 * len(data):
        raise IndexError
    chunk = int.from_bytes(data[p >> 3 : end + 7 >> 3]) >> (-end & 7)
    return (chunk & (1 << 8 * count) - 1).to_bytes(count), end


def read_string(data: bytes, w: Sequence[int], p: int, low: int, high: int | None) -> tuple[str, int]:
    """Read a string: its length plus two, then its characters; return it and the next position.

    V2G keeps no table of strings seen before (ISO 15118-2, 7.9.1.3: capacity 0), so that the lengths zero
    and one, which would point into it, cannot occur.

    Raises
    ------
    Fault
        It is too short or too long, points into a table, or holds what is no character.
    """
    length, p = read_unsigned(w, p, None)
    length -= 2
    _fits("characters", length, low, high)
    if p + 8 * length > 8 * len(data):
        raise IndexError
    plain, end = read_octets(data, p, length)
    if plain.isascii():
        return plain.decode("ascii"), end
    characters = []
    for _ in range(length):
        point, p = read_unsigned(w, p, _LAST_CHARACTER)
        if _FIRST_SURROGATE <= point <= _LAST_SURROGATE:
            raise Fault("a character, no surrogate")
        characters.append(chr(point))
    return "".join(characters), p


def read_hex(data: bytes, w: Sequence[int], p: int, low: int, high: int | None) -> tuple[str, int]:
    """Read octets; return them as hexadecimal digits in capitals, and the next position.

    Raises
    ------
    Fault
        There are too few or too many.
    """
    length, p = read_unsigned(w, p, None)
    _fits("octets", length, low, high)
    octets, p = read_octets(data, p, length)
    return octets.hex().upper(), p


def read_base64(data: bytes, w: Sequence[int], p: int, low: int, high: int | None) -> tuple[str, int]:
    """Read octets; return them in base 64, and the next position.

    Raises
    ------
    Fault
        There are too few or too many.
    """
    length, p = read_unsigned(w, p, None)
    _fits("octets", length, low, high)
    octets, p = read_octets(data, p, length)
    return base64.b64encode(octets).decode("ascii"), p


def write_unsigned(a: int, value: int) -> int:
    """Append an unsigned integer in groups of seven bits, lowest first."""
    while value > 127:
        a = a << 8 | 128 | value & 127
        value >>= 7
    return a << 8 | value


def write_integer(a: int, value: int) -> int:
    """Append an integer with its sign."""
    return write_unsigned(a << 1, value) if value >= 0 else write_unsigned(a << 1 | 1, -1 - value)


def write_string(a: int, value: object, low: int, high: int | None) -> int:
    """Append a string.

    Raises
    ------
    Fault
        It is no string, too short or too long, or holds a surrogate.
    """
    if not isinstance(value, str):
        raise Fault("a text")
    _fits("characters", len(value), low, high)
    a = write_unsigned(a, len(value) + 2)
    if value.isascii():
        return a << 8 * len(value) | int.from_bytes(value.encode("ascii"))
    for character in value:
        if _FIRST_SURROGATE <= ord(character) <= _LAST_SURROGATE:
            raise Fault("characters, no surrogates")
        a = write_unsigned(a, ord(character))
    return a


def write_hex(a: int, value: object, low: int, high: int | None) -> int:
    """Append octets given as hexadecimal digits.

    Raises
    ------
    Fault
        It is no such text, or of the wrong length.
    """
    if not isinstance(value, str):
        raise Fault("hexadecimal digits")
    try:
        octets = bytes.fromhex(value)
    except ValueError:
        raise Fault("hexadecimal digits") from None
    if 2 * len(octets) != len(value):
        raise Fault("hexadecimal digits, without blanks")
    return _write_octets(a, octets, low, high)


def write_base64(a: int, value: object, low: int, high: int | None) -> int:
    """Append octets given in base 64.

    Raises
    ------
    Fault
        It is no such text, or of the wrong length.
    """
    if not isinstance(value, str):
        raise Fault("a text in base 64")
    try:
        octets = binascii.a2b_base64(value, strict_mode=True)
    except ValueError:
        raise Fault("a text in base 64") from None
    if base64.b64encode(octets).decode("ascii") != value:
        raise Fault("a text in base 64 without stray bits")
    return _write_octets(a, octets, low, high)


def _write_octets(a: int, octets: bytes, low: int, high: int | None) -> int:
    _fits("octets", len(octets), low, high)
    return write_unsigned(a, len(octets)) << 8 * len(octets) | int.from_bytes(octets)


def _fits(what: str, length: int, low: int, high: int | None) -> None:
    if length < low or (high is not None and length > high):
        raise Fault(f"{low} to {high} {what}" if high is not None else f"at least {low} {what}")


def unknown_names(found: dict[object, object], known: frozenset[str]) -> Fault:
    """Say what a dictionary holds that its element does not."""
    strange = [name for name in found if name not in known or found[name] is None]
    if strange:
        return Fault("the names of its message table", ", ".join(f"{name!r:.40}" for name in strange[:5]))
    return Fault("one alternative only", ", ".join(map(str, found)))
