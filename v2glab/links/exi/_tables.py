"""Read message tables: ``datasets/iso15118/messages/*.toml`` (how to read a row: README.md there)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from v2glab.evidence import InputError, read_toml
from v2glab.links.exi._model import Content, Particle, Slot, Value
from v2glab.links.exi._rows import BUILT_IN, Row, read_row, read_value
from v2glab.resources import find_data

_ROOT = re.compile(r'^root = "([^"]+)"$', re.MULTILINE)


@dataclass(frozen=True)
class Envelope:
    """The element that wraps each message, and its child that names the message."""

    element: str
    body: str


class Tables:
    """The tables of one namespace together with those that they include.

    Parameters
    ----------
    namespace
        Of the messages, as agreed on by supportedAppProtocol.
    documents
        The file of the namespace first, then all that it includes.
    """

    def __init__(self, namespace: str, documents: list[dict[str, Any]]) -> None:
        self.namespace = namespace
        wrapped = documents[0].get("envelope")
        self.envelope = Envelope(**wrapped) if wrapped else None
        self._rows: dict[str, list[Row]] = {}
        self._uris: dict[str, str] = {}
        self._values: dict[str, Value] = dict(BUILT_IN)
        self._globals: dict[str, list[Particle]] = {}
        self._members: dict[str, list[str]] = {}
        self._contents: dict[str, Content] = {}
        for document in documents:
            for schema in document["schema"]:
                self._add(schema)

    def _add(self, schema: dict[str, Any]) -> None:
        uri, abstract = schema["namespace"], schema.get("abstract", [])
        for name, text in schema.get("values", {}).items():
            self._values[name] = read_value(text)
        for name, rows in schema.get("types", {}).items():
            self._rows[name] = [read_row(row) for row in rows]
            self._uris[name] = uri if schema.get("qualified", True) else ""
        for name, type_name in schema.get("elements", {}).items():
            self._globals.setdefault(name, []).append(Particle(name, type_name, uri, name in abstract))
        for head, members in schema.get("substitutes", {}).items():
            self._members.setdefault(head, []).extend(members)

    def roots(self) -> list[Particle]:
        """Return the elements that may be a document, in the order of their codes (EXI 1.0, 8.5.1)."""
        return sorted((p for ps in self._globals.values() for p in ps), key=_by_name)

    def fragments(self) -> list[tuple[str, str, tuple[str, ...]]]:
        """Return name, namespace and types of all elements, in the order of their codes (EXI 1.0, 8.5.3)."""
        found: dict[tuple[str, str], set[str]] = {}
        for particle in self.roots():
            found.setdefault((particle.name, particle.uri), set()).add(particle.type_name)
        for type_name, rows in self._rows.items():
            for row in _elements(rows):
                found.setdefault((row.name, self._uris[type_name]), set()).add(row.type_name)
        return [(name, uri, tuple(sorted(types))) for (name, uri), types in sorted(found.items())]

    def bodies(self) -> dict[str, str]:
        """Return the messages that the envelope may hold, each with its type; none without an envelope."""
        if self.envelope is None:
            return {}
        (root,) = self._globals[self.envelope.element]
        (body,) = (s for s in self.content(root.type_name).slots if s.particles[0].name == self.envelope.body)
        inner = self.content(body.particles[0].type_name).slots[0]
        return {p.name: p.type_name for p in inner.particles if not p.abstract}

    def value(self, type_name: str) -> Value | None:
        """Return a simple type, or None when the name is that of a type with content."""
        return self._values.get(type_name)

    def content(self, type_name: str) -> Content:
        """Return what elements of a type hold; that of a simple type is its text."""
        if type_name not in self._contents:
            self._contents[type_name] = self._content(type_name)
        return self._contents[type_name]

    def _content(self, type_name: str) -> Content:
        if type_name in self._values:
            return Content((Slot((Particle("value", type_name),), kind="text"),))
        rows = list(self._inherited(type_name))
        if any(row.kind == "opaque" for row, _ in rows):
            return Content(opaque="content that V2G does not use")
        attributes = sorted((self._slot(r, u) for r, u in rows if r.kind == "attribute"), key=_by_first)
        others = [self._slot(r, u) for r, u in rows if r.kind in ("element", "text", "choice")]
        return Content((*attributes, *others), mixed=any(row.kind == "mixed" for row, _ in rows))

    def _inherited(self, type_name: str) -> Iterator[tuple[Row, str]]:
        """Yield the rows of a type, those of its base first, each with the namespace of its elements."""
        if type_name not in self._rows:
            raise InputError(
                f"no type {type_name!r} in the message tables of {self.namespace}",
                "a table that holds each type it names",
                "mend the file in datasets/iso15118/messages",
            )
        for row in self._rows[type_name]:
            if row.kind == "base":
                yield from self._inherited(row.type_name)
            else:
                yield row, self._uris[type_name]

    def _slot(self, row: Row, uri: str) -> Slot:
        match row.kind:
            case "attribute":
                return Slot((Particle(row.name, row.type_name),), row.low, 1, "attribute")
            case "text":
                return Slot((Particle("value", row.type_name),), kind="text")
            case "choice":
                particles = [p for option in row.options for p in self._particles(option, uri)]
                # EXI 1.0, 8.5.4.3: a wildcard has its code after all elements that are named.
                particles.sort(key=lambda particle: particle.wildcard)
                return Slot(tuple(particles), row.low, row.high)
            case _:
                return Slot(tuple(self._particles(row, uri)), row.low, row.high)

    def _particles(self, row: Row, uri: str) -> list[Particle]:
        if row.wildcard:
            return [Particle("*", "", wildcard=True)]
        if row.reference:
            return sorted(self._substitutes(row.name), key=_by_name)
        return [Particle(row.name, row.type_name, uri)]

    def _substitutes(self, head: str) -> Iterator[Particle]:
        """Yield an element and all that may stand in its place (EXI 1.0, 8.5.4.1.6)."""
        yield from self._globals[head]
        for member in self._members.get(head, []):
            yield from self._substitutes(member)


def _by_name(particle: Particle) -> tuple[str, str]:
    return particle.name, particle.uri


def _by_first(slot: Slot) -> str:
    return slot.particles[0].name


def _elements(rows: Iterable[Row]) -> Iterator[Row]:
    """Yield the rows that declare an element of their own."""
    for row in rows:
        if row.kind == "choice":
            yield from _elements(row.options)
        elif row.kind == "element" and not row.wildcard and not row.reference:
            yield row


@cache
def namespaces() -> dict[str, Path]:
    """Return the namespaces that have a table, each with its file."""
    files = sorted(find_data("datasets", "iso15118", "messages").glob("*.toml"))
    found = ((_ROOT.search(path.read_text(encoding="utf-8")), path) for path in files)
    return {match[1]: path for match, path in found if match}


@cache
def load_tables(namespace: str) -> Tables:
    """Return the tables of a namespace.

    Raises
    ------
    InputError
        No table has this namespace.
    """
    known = namespaces()
    if namespace not in known:
        raise InputError(
            f"no message table for namespace {namespace!r:.100}",
            f"one of {', '.join(known)}",
            "take the namespace that was agreed on, or add a table to datasets/iso15118/messages",
        )
    documents: list[dict[str, Any]] = []
    pending = [known[namespace]]
    while pending:
        path = pending.pop(0)
        document = read_toml(path)
        documents.append(document)
        pending += [path.with_name(f"{name}.toml") for name in document.get("include", [])]
    return Tables(namespace, documents)
