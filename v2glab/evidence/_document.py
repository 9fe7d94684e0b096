"""The verdict document, ``verdicts.json``, and its schema."""

from __future__ import annotations

import json
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import Any

from v2glab.evidence._errors import InputError
from v2glab.evidence._files import write_json
from v2glab.evidence._verdict import Verdict

VERDICTS_SCHEMA = "v2glab-verdicts/1"


def schema(name: str) -> dict[str, Any]:
    """Return one of the JSON Schemas that v2glab ships, such as ``"verdicts-1"`` or ``"run-1"``."""
    text = files("v2glab.evidence").joinpath("schemas", f"{name}.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def check_document(name: str, document: Any, where: str) -> None:  # noqa: ANN401 -- untrusted input
    """Check a document against a shipped schema.

    Raises
    ------
    InputError
        It does not fit; the message names the place.
    """
    import jsonschema_rs

    for error in jsonschema_rs.validator_for(schema(name)).iter_errors(document):
        place = "/".join(str(part) for part in error.instance_path) or "top"
        raise InputError(f"{where}, at {place}: {error.message}", f"schema {name}", "write it with v2glab")


def verdicts_document(verdicts_by_procedure: dict[str, Iterable[Verdict]]) -> dict[str, Any]:
    """Return the content of ``verdicts.json``."""
    entries = [
        {"procedure": procedure, **verdict.to_json()}
        for procedure, verdicts in verdicts_by_procedure.items()
        for verdict in verdicts
    ]
    return {"schema": VERDICTS_SCHEMA, "verdicts": entries}


def write_verdicts(path: Path, verdicts_by_procedure: dict[str, Iterable[Verdict]]) -> None:
    """Write ``verdicts.json`` atomically, checked against its schema first."""
    document = verdicts_document(verdicts_by_procedure)
    check_document("verdicts-1", document, path.name)
    write_json(path, document)


def read_verdicts(path: Path) -> dict[str, list[Verdict]]:
    """Read ``verdicts.json``: verdicts by procedure.

    Raises
    ------
    InputError
        The file is missing, is not JSON, or does not fit the schema.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: {error}", "a verdict document", "name a complete run") from error
    check_document("verdicts-1", document, str(path))
    out: dict[str, list[Verdict]] = {}
    for entry in document["verdicts"]:
        body = {k: v for k, v in entry.items() if k != "procedure"}
        out.setdefault(entry["procedure"], []).append(Verdict.from_json(body))
    return out
