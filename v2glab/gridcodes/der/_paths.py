"""Places in plain data by dotted path: members by name, elements by number, trips by their name."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from v2glab.evidence import InputError


def _step(place: Any, part: str) -> Any:  # noqa: ANN401
    if isinstance(place, dict):
        return place.get(part)
    if part.isdigit():
        return place[int(part)] if int(part) < len(place) else None
    return next((t for t in place if t["name"] == part), None)


def get(document: object, path: str) -> Any:  # noqa: ANN401
    """Return what stands at a path, ``None`` if nothing does."""
    place: Any = document
    for part in path.split("."):
        if not isinstance(place, dict | list | tuple):
            return None
        place = _step(place, part)
    return place


def put(document: dict[str, Any], path: str, value: object, name: str) -> None:
    """Write a value at a path; tuples on the way become lists.

    Raises
    ------
    InputError
        There is no such place; ``name`` is what the user called it.
    """
    *parents, last = path.split(".")
    place: Any = document
    for part in parents:
        inner = _step(place, part)
        if inner is None:
            raise InputError(
                f"{name} for {part!r}, which is not there", "a member of the base", "drop that entry"
            )
        if isinstance(inner, tuple):
            inner = [list(i) if isinstance(i, tuple) else i for i in inner]
            place[part if isinstance(place, dict) else int(part)] = inner
        place = inner
    place[int(last) if isinstance(place, list) else last] = value


def covers(paths: Iterable[str], path: str) -> bool:
    """Whether a path is one of those, or lies within one."""
    return any(path == p or path.startswith(f"{p}.") for p in paths)


def still_unknown(document: Mapping[str, Any], given: Collection[str]) -> list[str]:
    """Return the settings that stay unknown once values were given at these paths.

    A curve is known when it was given as a whole or by each of its numbers.
    """
    names: Iterable[str] = document["unknown"]
    return [
        name
        for name in names
        if name not in given
        and sum(g.startswith(f"{name}.") for g in given) < max(1, _leaves(get(document, name)))
    ]


def _leaves(value: object) -> int:
    if isinstance(value, dict):
        return sum(_leaves(v) for v in value.values())
    return sum(_leaves(v) for v in value) if isinstance(value, list | tuple) else 1


def plant(document: dict[str, Any], path: str, value: object) -> None:
    """Write a value at a path and make what is missing on the way; a number makes a list."""
    parts = path.split(".")
    place: Any = document
    for part, after in zip(parts, [*parts[1:], ""], strict=True):
        empty: Any = [] if after.isdigit() else {}
        new = value if not after else empty
        if isinstance(place, list):
            if int(part) == len(place):
                place.append(new)
            place = place[int(part)]
        else:
            place[part] = new if not after else place.get(part, new)
            place = place[part]
