"""Settings in the common file format of EPRI and IEEE 1547 (clause 10): names and values, no files."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from v2glab.evidence import InputError, read_toml
from v2glab.gridcodes.der._paths import covers, get, put, still_unknown
from v2glab.gridcodes.der._settings import DerSettings, parse_settings
from v2glab.resources import data_root

Value = str | float
_SUFFIXES = ("-AS", "-SS")
_MOST_LINES = 1000
_MOST_LENGTH = 200
_ENABLED = {"ENABLED": True, "DISABLED": False}


@lru_cache(maxsize=1)
def _names() -> dict[str, dict[str, Mapping[str, Any]]]:
    document = read_toml(data_root("datasets") / "der" / "common_file.toml")
    return {part: document[part] for part in ("nameplate", "applied", "model")}


def settings_to_common_file(settings: DerSettings, *, model: bool = True) -> dict[str, Value]:
    """Return the settings by their names in the common file, applied ones with ``-AS``, none that is unknown.

    Parameters
    ----------
    settings
        Of one plant.
    model
        Add the parameters that are OpenDER's and not the published format's.
    """
    document, answer = settings.model_dump(), {}
    for part, names in _names().items():
        if part == "model" and not model:
            continue
        for name, entry in names.items():
            value = get(document, entry["path"])
            if value is not None and not covers(settings.unknown, entry["path"]):
                answer[name + ("-AS" if part == "applied" else "")] = _written(value, entry)
    return answer


def common_file_text(values: Mapping[str, Value]) -> str:
    """Return names and values as the text of a common file (CSV)."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("PARAMETER", "VALUE"))
    writer.writerows(values.items())
    return out.getvalue()


def settings_from_common_file(source: str | Mapping[str, Value], base: DerSettings) -> DerSettings:
    """Return ``base`` with what a common file says; descriptive entries are passed over.

    Parameters
    ----------
    source
        The text of a file (CSV with ``PARAMETER,VALUE``), or names and values.
    base
        Settings for everything that the file does not name.

    Raises
    ------
    InputError
        A name is given twice or unknown, or a value does not fit; the name is in the message.
    """
    values = _read(source) if isinstance(source, str) else dict(source)
    known = {n: e for part in _names().values() for n, e in part.items()}
    document, seen, given = base.model_dump(), set(), set()
    for written, value in values.items():
        name = written
        for suffix in _SUFFIXES:
            name = name.removesuffix(suffix)
        if name in seen:
            raise InputError(f"{written} a second time", "each name once", "drop one")
        seen.add(name)
        if name in known:
            put(document, known[name]["path"], _meant(name, value, known[name]), name)
            given.add(known[name]["path"])
        elif not name.startswith(("MT_", "NP_", "COMMENT", "MYPARAM")):
            raise InputError(f"{written!r:.60}", "a name of the common file format", "mend or drop that line")
    document["unknown"] = still_unknown(document, given)
    return parse_settings(document)


def _read(text: str) -> dict[str, Value]:
    try:
        rows = list(csv.reader(io.StringIO(text.lstrip("\ufeff"), newline=None)))
    except csv.Error as error:
        raise InputError(f"no table: {error}", "lines of PARAMETER,VALUE", "write the file anew") from error
    if len(rows) > _MOST_LINES or not rows or [c.strip().upper() for c in rows[0]] != ["PARAMETER", "VALUE"]:
        raise InputError(
            f"{len(rows)} lines, first {rows[:1]!r:.60}",
            f"PARAMETER,VALUE and at most {_MOST_LINES} lines",
            "mend it",
        )
    values: dict[str, Value] = {}
    for number, row in enumerate(rows[1:], 2):
        cells = [c.strip() for c in row]
        if not any(cells):
            continue
        if len(cells) != 2 or len(cells[0]) > _MOST_LENGTH:
            raise InputError(f"line {number}: {row!r:.60}", "a name and a value", "mend that line")
        if cells[0] in values:
            raise InputError(f"line {number}: {cells[0]} a second time", "each name once", "drop one")
        if cells[1]:
            values[cells[0]] = cells[1]
    return values


def _written(value: object, entry: Mapping[str, Any]) -> Value:
    if entry.get("kind") == "enabled":
        return "ENABLED" if value else "DISABLED"
    if entry.get("kind") == "category":
        return f"CAT_{value}"
    if "choice" in entry:
        return str({meant: word for word, meant in entry["choice"].items()}[value])
    return float(str(value))


def _meant(name: str, value: Value, entry: Mapping[str, Any]) -> object:
    word = str(value).strip().upper()
    if entry.get("kind") == "enabled" or "choice" in entry:
        words = entry.get("choice", _ENABLED)
        if word not in words:
            raise InputError(f"{name} = {value!r:.60}", f"one of: {', '.join(words)}", f"mend {name}")
        return words[word]
    if entry.get("kind") == "category":
        return str(value).strip()[4:] if word.startswith("CAT_") else str(value).strip()
    try:
        number = float(value)
    except ValueError as error:
        raise InputError(f"{name} = {value!r:.60}", "a number", f"mend {name}") from error
    if not math.isfinite(number):
        raise InputError(f"{name} = {value!r:.60}", "a finite number", f"mend {name}")
    return number
