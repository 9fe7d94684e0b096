"""Kinds of fields that management messages consist of, and how each is written and read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from v2glab.links.slac._error import SlacFrameError


@dataclass(frozen=True)
class Field:
    """One field of a message.

    ``kind`` is ``int`` (little-endian unsigned), ``bytes`` (fixed length), ``fixed`` (a number that the
    standard fixes, not kept in the message) or ``groups`` (a count and one byte for each carrier group;
    ``size`` reserved bytes stand between).
    """

    name: str
    kind: str
    size: int
    value: int = 0


Values = dict[str, Any]


def write_field(field: Field, values: Values) -> bytes:
    """Return the bytes of a field.

    Raises
    ------
    SlacFrameError
        The value has the wrong type, length or range.
    """
    if field.kind == "fixed":
        return field.value.to_bytes(field.size, "little")
    return _WRITERS[field.kind](field, values[field.name])


def read_field(field: Field, data: bytes, offset: int, values: Values) -> int:
    """Read a field into ``values`` and return where the next one begins.

    Raises
    ------
    SlacFrameError
        The frame ends too early, or a fixed value differs.
    """
    if field.kind == "groups":
        count_and_rest = _cut(field, data, offset, 1 + field.size)
        offset += 1 + field.size
        if any(count_and_rest[1:]):
            raise SlacFrameError("a reserved byte is not zero", "zero", field.name, offset - field.size)
        if not count_and_rest[0]:
            raise SlacFrameError("no carrier groups", "1 to 255 groups", field.name, offset - 1)
        values[field.name] = tuple(_cut(field, data, offset, count_and_rest[0]))
        return offset + count_and_rest[0]
    end = offset + field.size
    part = data[offset:end] if end <= len(data) else _cut(field, data, offset, field.size)
    if field.kind == "bytes":
        values[field.name] = part
        return end
    number = int.from_bytes(part, "little")
    if field.kind == "int":
        values[field.name] = number
    elif number != field.value:
        raise SlacFrameError(f"0x{number:x}", f"0x{field.value:x}", field.name, offset)
    return end


def _cut(field: Field, data: bytes, offset: int, size: int) -> bytes:
    if offset + size > len(data):
        missing = offset + size - len(data)
        raise SlacFrameError("the frame ends", f"{missing} more bytes", field.name, len(data))
    return data[offset : offset + size]


def _write_int(field: Field, value: object) -> bytes:
    top = 256**field.size - 1
    if type(value) is not int or not 0 <= value <= top:
        raise SlacFrameError(f"{value!r:.40}", f"an integer from 0 to {top}", field.name)
    return value.to_bytes(field.size, "little")


def _write_bytes(field: Field, value: object) -> bytes:
    if not isinstance(value, bytes) or len(value) != field.size:
        raise SlacFrameError(f"{value!r:.40}", f"{field.size} bytes", field.name)
    return value


def _write_groups(field: Field, value: object) -> bytes:
    good = isinstance(value, tuple) and 0 < len(value) <= 255
    if not good or not all(type(v) is int and 0 <= v <= 255 for v in value):  # type: ignore[attr-defined]
        raise SlacFrameError(f"{value!r:.40}", "1 to 255 integers from 0 to 255", field.name)
    groups: tuple[int, ...] = value  # type: ignore[assignment]
    return bytes((len(groups), *(0,) * field.size, *groups))


_WRITERS: dict[str, Callable[[Field, object], bytes]] = {
    "int": _write_int,
    "bytes": _write_bytes,
    "groups": _write_groups,
}
