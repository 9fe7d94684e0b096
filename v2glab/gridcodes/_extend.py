"""A grid code that is a difference to another: merge its file with that of the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from v2glab.gridcodes._refuse import refuse

#: What a TOML file is made of.
Node = dict[str, Any] | list[Any] | str | float | bool | None
#: Gives the content of a code's file by the code's name.
Lookup = Callable[[str], Mapping[str, Any]]
TOP = frozenset(
    (
        *("schema", "code", "sources", "trip", "region", "category", "normal", "enter_service", "control"),
        *("phase_jump", "islanding", "harmonics", "reconnection", "requirement", "accuracy", "criterion"),
    )
)
CITATION = ("clause", "source", "confidence")
_LISTS = {
    **dict.fromkeys(("trip", "region", "accuracy", "requirement", "trip_ranges"), "name"),
    "criterion": "id",
}


def whole_document(
    document: Mapping[str, Any], where: str, lookup: Lookup, chain: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Return the content of a code's file, with what it takes over from the code that it extends.

    Each entry names the standard and edition it belongs to, and its source in words. An entry that changes
    one of the other code needs clause, source and confidence of its own; where fields of the other remain,
    the lesser confidence holds. ``inherited_confidence = "unverified"`` lowers all that is taken over;
    ``without`` lists what is not; ``replace = true`` in an entry keeps nothing of the other's.

    Raises
    ------
    InputError
        Keys are unknown, the other code is unknown, extends this one, or has another nominal frequency.
    """
    refuse(document.get("schema") != 1, where, f"schema {document.get('schema')!r}", "schema = 1")
    unknown = set(document) - TOP
    refuse(bool(unknown), where, f"unknown keys {sorted(unknown)}", f"among {sorted(TOP)}")
    head, sources = dict(document["code"]), dict(document["sources"])
    own = {
        k: _stamped(v, f"{where}, {k}", head, sources)
        for k, v in document.items()
        if k not in ("code", "sources", "schema")
    }
    base_name = head.get("extends", "")
    settings = {k: head.pop(k, None) for k in ("inherited_confidence", "without")}
    whole = {"code": head, "sources": sources, **own}
    if not base_name:
        given = [k for k, v in settings.items() if v is not None]
        refuse(bool(given), where, f"{given} without 'extends'", "both or neither")
        return _plain_table(whole)
    chain = (*chain, str(head["id"]))
    refuse(
        base_name in chain, where, f"extends runs in a circle: {' → '.join((*chain, base_name))}", "an end"
    )
    base = whole_document(lookup(base_name), f"{base_name}.toml", lookup, chain)
    hertz = (head.get("nominal_frequency_hz"), base["code"]["nominal_frequency_hz"])
    refuse(
        hertz[0] is not None and hertz[0] != hertz[1],
        where,
        f"nominal frequency {hertz[0]} Hz, but {base_name} is for {hertz[1]} Hz",
        "one nominal frequency",
        "extend a code for the same frequency",
    )
    _take_over(base, str(head["id"]), settings["inherited_confidence"], where)
    for path in settings["without"] or ():
        _drop(base, str(path), where)
    return _plain_table(_merge_tables(base, whole, where))


def _stamped(value: Node, where: str, head: Mapping[str, Any], sources: Mapping[str, str]) -> Node:
    """Copy an entry, with its source in words, and standard and edition on all that is cited."""
    if isinstance(value, list):
        return [_stamped(v, f"{where} {_label(v, n)}", head, sources) for n, v in enumerate(value, start=1)]
    if not isinstance(value, dict):
        return value
    out: dict[str, Any] = {k: _stamped(v, f"{where}.{k}", head, sources) for k, v in value.items()}
    if not any(key in out for key in CITATION):
        return out
    missing = [key for key in CITATION if not out.get(key)]
    refuse(bool(missing), where, f"no {', '.join(missing)}", f"{', '.join(CITATION)} on each limit")
    refuse(out["source"] not in sources, where, f"source {out['source']!r}", f"among {list(sources)}")
    out["source"] = sources[out["source"]]
    return {"standard": head["standard"], "edition": head["edition"], **out}


def _label(value: Node, position: int) -> str:
    if isinstance(value, dict):
        return str(value.get("name") or value.get("id") or position)
    return str(position)


def _take_over(base: dict[str, Any], code: str, confidence: str | None, where: str) -> None:
    """Give criteria the new code's prefix, and lower the confidence if so told."""
    refuse(
        confidence not in ("kept", "unverified"),
        f"{where}, code",
        f"inherited_confidence {confidence!r}",
        "'kept' or 'unverified' beside 'extends'",
    )
    old = base["code"]["id"]
    for criterion in base.get("criterion", []):
        criterion["id"] = code + str(criterion["id"]).removeprefix(old)
    if confidence == "unverified":
        _lower(base, f"that {code} takes this over from {old} is unverified")


def _lower(value: Node, note: str) -> None:
    if isinstance(value, list):
        for item in value:
            _lower(item, note)
    elif isinstance(value, dict):
        if "confidence" in value:
            value["confidence"] = "unverified"
            value["note"] = "; ".join(x for x in (value.get("note"), note) if x)
        for item in value.values():
            _lower(item, note)


def _drop(base: dict[str, Any], path: str, where: str) -> None:
    """Take out what ``path`` names, such as ``"category.I"`` or ``"criterion.sync.phase.500kva"``."""
    steps = path.split(".")
    at: Any = base
    for n, step in enumerate(steps):
        if isinstance(at, list):
            rest = ".".join(steps[n:])
            kept = [e for e in at if not str(e.get("name") or e.get("id")).endswith(rest)]
            refuse(
                len(kept) == len(at), f"{where}, without", f"{path!r} is not there", "something to leave out"
            )
            at[:] = kept
            return
        refuse(
            not isinstance(at, dict) or step not in at,
            f"{where}, without",
            f"{path!r} is not there",
            "something to leave out",
        )
        if n == len(steps) - 1:
            del at[step]
            return
        at = at[step]


def _merge(base: Node, own: Node, where: str) -> Node:
    if not (isinstance(base, dict) and isinstance(own, dict)) or own.get("replace"):
        return own
    return _merge_tables(base, own, where)


def _merge_tables(base: dict[str, Any], own: dict[str, Any], where: str) -> dict[str, Any]:
    cited = "confidence" in base
    refuse(
        cited and "confidence" not in own,
        where,
        "changes an entry without a citation of its own",
        f"{', '.join(CITATION)} on each change",
    )
    out = dict(base)
    for key, value in own.items():
        inner = f"{where}, {key}"
        if key in _LISTS and isinstance(value, list) and isinstance(base.get(key), list):
            out[key] = _merge_list(base[key], value, _LISTS[key], inner)
        elif key == "sources":
            clash = [k for k in value if k in base[key] and base[key][k] != value[k]]
            refuse(bool(clash), where, f"sources {clash} differ from those of the other code", "own names")
            out[key] = {**base[key], **value}
        else:
            out[key] = _merge(base.get(key), value, inner) if key in base else value
    if cited and set(base) - set(own) - {"note"} and base["confidence"] == "unverified":
        out["confidence"] = "unverified"
    return out


def _merge_list(base: list[Any], own: list[Any], key: str, where: str) -> list[Any]:
    changes = {str(e.get(key)): e for e in own}
    refuse(len(changes) < len(own), where, f"two entries with the same {key}", "one")
    out = [_merge(e, changes.pop(e[key]), f"{where} {e[key]}") if e.get(key) in changes else e for e in base]
    return out + list(changes.values())


def _plain_table(table: dict[str, Any]) -> dict[str, Any]:
    """Copy without the marks that only merging reads."""
    return {k: _plain(v) for k, v in table.items() if k != "replace"}


def _plain(value: Node) -> Node:
    if isinstance(value, dict):
        return _plain_table(value)
    return [_plain(v) for v in value] if isinstance(value, list) else value
