"""Spoils one message of one end as a row says."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from v2glab.evidence import InputError
from v2glab.links.exi import blank
from v2glab.links.faults._rows import Fault, Spoil
from v2glab.links.sessions import Message, Parcel, load_session_rules

_HEADER = 8


class Spoiler:
    """Implements ``Tamper`` for the end that misbehaves; ``done`` tells whether the message came by."""

    def __init__(self, fault: Fault, plants: Callable[[Spoil], None]) -> None:
        self._fault, self._plants = fault, plants
        self._seen = 0
        self._now = self.done = False

    def message(self, message: Message) -> Message | None:
        """Return what to send instead."""
        spoil = self._fault.spoil
        self._now = False
        if spoil is None or message.name != self._fault.at:
            return message
        self._seen += 1
        if self._seen < self._fault.nth or (self.done and not self._fault.onward):
            return message
        self._now = self.done = True
        if spoil.charger or spoil.battery:
            self._plants(spoil)
        if spoil.drop:
            return None
        return _changed(message, spoil, self._fault.protocol)

    def octets(self, message: Message, octets: bytes) -> Sequence[Parcel]:
        """Return what goes on the wire instead of a frame."""
        spoil = self._fault.spoil
        if spoil is None or not self._now:
            return [Parcel(octets)]
        if spoil.close:
            kept = {"before": 0, "amid": len(octets) // 2, "after": len(octets)}[spoil.close]
            return [Parcel(octets[:kept], close=True)]
        return [Parcel(_frame(octets, spoil), spoil.delay_s)] * max(1, spoil.repeat)


def _changed(message: Message, spoil: Spoil, protocol_name: str) -> Message:
    if spoil.session_id:
        return replace(message, session_id=spoil.session_id)
    if spoil.rename:
        protocol = load_session_rules().of_protocol(protocol_name)
        from v2glab.links.sessions._message import namespace_of

        body = blank(namespace_of(spoil.rename, protocol), spoil.rename)
        body.pop("Header", None)
        return replace(message, name=spoil.rename, body=body)
    if spoil.put:
        body = message.body
        for path, value in spoil.put.items():
            body = _put(body, path.split("."), value, path)
        return replace(message, body=body)
    return message


def _put(content: Any, path: Sequence[str], value: Any, whole: str) -> Any:  # noqa: ANN401 -- a document
    """Return a copy with one element replaced; a number in the path is a place in a list."""
    head, rest = path[0], path[1:]
    if isinstance(content, list):
        place = int(head)
        return [_put(c, rest, value, whole) if k == place and rest else (value if k == place else c)
                for k, c in enumerate(content)]  # fmt: skip
    if not isinstance(content, dict) or (rest and head not in content):
        raise InputError(f"no element {whole} in the message", "a path that it has", "mend the fault's entry")
    return {**content, head: _put(content[head], rest, value, whole) if rest else value}


def _frame(octets: bytes, spoil: Spoil) -> bytes:
    if spoil.raw:
        return bytes.fromhex(spoil.raw)
    made = bytearray(octets)
    for place, value in spoil.octets.items():
        made[place] = value
    if spoil.flip_bit is not None:
        made[spoil.flip_bit // 8] ^= 0x80 >> spoil.flip_bit % 8
    if spoil.cut:
        del made[-spoil.cut :]
    made += bytes.fromhex(spoil.append)
    if spoil.cut or spoil.append:
        made[4:_HEADER] = struct.pack(">I", len(made) - _HEADER)
    return bytes(made)
