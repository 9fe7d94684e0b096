"""A TOML file as a typed model, with errors that name file, line and remedy."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from v2glab.evidence import InputError

ModelT = TypeVar("ModelT", bound=BaseModel)
Location = tuple[str | int, ...]

_HEADER = re.compile(r"^\s*(\[\[?)\s*([A-Za-z0-9_.\-]+)\s*\]\]?")


class LocatedError(ValueError):
    """A fault that a check of the whole model found, with the place in the file it belongs to."""

    def __init__(self, message: str, location: Location) -> None:
        super().__init__(message)
        self.location = location


def read_document(path: Path) -> tuple[str, dict[str, Any]]:
    """Return the text and the parsed content of one TOML file.

    Raises
    ------
    InputError
        The file is missing, unreadable, not UTF-8, or not TOML; the message has the line.
    """
    try:
        text = path.read_text(encoding="utf-8")
        return text, tomllib.loads(text)
    except FileNotFoundError as error:
        raise InputError(f"no file {path}", "a TOML file", "check the name") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(f"{path}: {error}", "readable TOML in UTF-8", "mend the file") from error


def build_model(model: type[ModelT], path: Path, text: str, content: dict[str, Any]) -> ModelT:
    """Validate the content of a file against a model.

    Raises
    ------
    InputError
        The content does not fit; names file and line of the first fault, and how many more there are.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        faults = error.errors(include_url=False)
        first = faults[0]
        cause = first.get("ctx", {}).get("error")
        location: Location = cause.location if isinstance(cause, LocatedError) else tuple(first["loc"])
        message = str(cause) if isinstance(cause, ValueError) else first["msg"]
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        line = line_of(text, location)
        found = f"{path}, line {line}: {_dotted(location)}: {message}{more}"
        raise InputError(found, _required(first["type"]), _remedy(first["type"], line)) from error


def line_of(text: str, location: Location) -> int:
    """Return the line (from 1) of a key in a TOML text, or of the table that should hold it.

    Parameters
    ----------
    text
        The whole file.
    location
        Keys and positions in arrays of tables, such as ``("register", 3, "unit")``.
    """
    tables = [part for part in location if isinstance(part, str)]
    position = next((part for part in location if isinstance(part, int)), 0)
    table, key = (tables[0], tables[-1]) if len(tables) > 1 else (tables[0] if tables else "", "")
    seen, current, header_line = -1, "", 1
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            current = header.group(2)
            if current == table:
                seen += 1
                if seen == position:
                    header_line = number
            continue
        inside = current == table and seen == position
        if (inside and key and _is_key(line, key)) or (not current and not key and _is_key(line, table)):
            return number
    return header_line


def _is_key(line: str, key: str) -> bool:
    return re.match(rf"\s*\"?{re.escape(key)}\"?\s*=", line) is not None


def _dotted(location: Sequence[str | int]) -> str:
    parts = [f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in location]
    return "".join(parts).lstrip(".") or "the file"


def _required(kind: str) -> str:
    return {
        "missing": "this key",
        "extra_forbidden": "only keys that a profile or certificate knows",
        "literal_error": "one of the values named",
    }.get(kind, "a value that keeps to the schema")


def _remedy(kind: str, line: int) -> str:
    return {
        "missing": f"add the key to the table at line {line}",
        "extra_forbidden": f"correct the spelling at line {line}, or remove the key",
    }.get(kind, f"correct line {line}")
