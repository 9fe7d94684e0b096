"""The smallest content that a message table allows: what an answer holds that only says no."""

from __future__ import annotations

import base64
from collections.abc import Collection
from typing import Any

from v2glab.evidence import InputError
from v2glab.links.exi._model import Particle, Slot, Value
from v2glab.links.exi._tables import Tables, load_tables

#: Types that nest deeper hold themselves.
_DEEPEST = 24


def blank(namespace: str, message: str, prefer: Collection[str] = ()) -> dict[str, Any]:
    """Return the smallest content of a message: required elements only, least values, first names.

    Parameters
    ----------
    prefer
        Elements to take where one of several must stand; without a match the first.

    Raises
    ------
    InputError
        The namespace has no such message.
    """
    tables = load_tables(namespace)
    types = tables.bodies() or {p.name: p.type_name for p in tables.roots() if p.uri == namespace}
    if message not in types:
        raise InputError(f"message {message!r:.80}", f"a message of {namespace}", "name one of its messages")
    content: dict[str, Any] = _content(tables, types[message], frozenset(prefer), 0)
    return content


def _content(tables: Tables, type_name: str, prefer: frozenset[str], depth: int) -> Any:  # noqa: ANN401 -- as the codec has it
    value = tables.value(type_name)
    if value is not None:
        return _least(value)
    if depth > _DEEPEST:
        raise InputError(f"type {type_name!r} holds itself", "a table with an end", "mend the message table")
    found: dict[str, Any] = {}
    for slot in tables.content(type_name).slots:
        if not slot.low:
            continue
        particle = _chosen(slot, prefer)
        inner = _content(tables, particle.type_name, prefer, depth + 1)
        found[particle.name] = [inner] * slot.low if slot.repeats else inner
    return found


def _chosen(slot: Slot, prefer: frozenset[str]) -> Particle:
    real = [p for p in slot.particles if not (p.wildcard or p.abstract)]
    return next((p for p in real if p.name in prefer), real[0])


def _least(value: Value) -> bool | int | str:
    match value.kind:
        case "boolean":
            return False
        case "choice":
            return value.names[0]
        case "integer":
            return max(0, value.low or 0)
        case "hexBinary":
            return "00" * (value.low or 0)
        case "base64Binary":
            return base64.b64encode(bytes(value.low or 0)).decode()
        case _:
            return "0" * (value.low or 0)
