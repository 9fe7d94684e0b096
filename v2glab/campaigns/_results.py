"""Results of procedures as files: ``results/<procedure>/result.json`` and one Parquet file a table."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from v2glab.evidence import InputError, Quantity, Result, Verdict, check_document, storing, write_json

RESULT_SCHEMA = "v2glab-result/1"


def save_result(folder: Path, result: Result) -> None:
    """Write a result into its folder, tables first, so that ``result.json`` says the record is whole.

    Raises
    ------
    StorageError
        It could not be written whole.
    """
    with storing(str(folder)):
        folder.mkdir(parents=True, exist_ok=True)
        for name, table in result.tables.items():
            part = folder / f".{name}.parquet"
            table.to_parquet(part, index=False)
            part.replace(folder / f"{name}.parquet")
    document = {
        "schema": RESULT_SCHEMA,
        "procedure": result.procedure,
        "start_ns": result.start_ns,
        "parameters": _inside(plain(result.parameters), folder.parent.parent),
        "quantities": [q.to_json() for q in result.quantities],
        "verdicts": [v.to_json() for v in result.verdicts],
        "tables": sorted(result.tables),
        "facts": _inside(plain(result.facts), folder.parent.parent),
        "timing": sorted(result.timing),
    }
    check_document("result-1", document, "result.json")
    write_json(folder / "result.json", document)


def load_result(folder: Path) -> Result:
    """Read what :func:`save_result` wrote.

    Raises
    ------
    InputError
        A file is missing or not what it has to be.
    """
    import pandas as pd

    try:
        document = json.loads((folder / "result.json").read_text(encoding="utf-8"))
        if document["schema"] != RESULT_SCHEMA:
            raise ValueError(f"schema {document['schema']!r}")
        return Result(
            procedure=document["procedure"],
            start_ns=document["start_ns"],
            parameters=document["parameters"],
            quantities=tuple(Quantity.from_json(q) for q in document["quantities"]),
            verdicts=tuple(Verdict.from_json(v) for v in document["verdicts"]),
            tables={name: pd.read_parquet(folder / f"{name}.parquet") for name in document["tables"]},
            facts=document["facts"],
            timing=frozenset(document["timing"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{folder}: {error}", f"a result of schema {RESULT_SCHEMA}", "name a whole run"
        ) from error


def _inside(value: Any, root: Path) -> Any:  # noqa: ANN401 -- plain values
    """Return the same content, paths into the run folder as seen from there: it gets its name later."""
    if isinstance(value, dict):
        return {key: _inside(item, root) for key, item in value.items()}
    if isinstance(value, list):
        return [_inside(item, root) for item in value]
    if isinstance(value, str):
        return value.removeprefix(f"{root.resolve()}/").removeprefix(f"{root}/")
    return value


def plain(value: Any) -> Any:  # noqa: ANN401 -- whatever a procedure hands over
    """Return the same content in types that JSON holds; what is not finite becomes a text."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if hasattr(value, "item"):  # a NumPy scalar
        return plain(value.item())
    return str(value)
