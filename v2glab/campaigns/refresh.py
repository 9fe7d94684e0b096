"""Run notebooks on the twin and store their outputs: ``python -m v2glab.campaigns.refresh FOLDER [--check]``.

Parameters stay as they stand in the notebook: the twin, lockstep, its seed. A notebook is stored when every
cell has succeeded and only then; what would differ from run to run without meaning is made equal first.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from v2glab.campaigns._notebook import KERNEL_ARGUMENTS
from v2glab.evidence import InputError, V2GError, write_atomic

if TYPE_CHECKING:
    from nbformat import NotebookNode

_TIMEOUT_S = 900
_KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
_UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_LIVE = re.compile(r"\blive-[0-9a-f]{32}\b")
_SECOND_COPY = "application/vnd.bokehjs_load.v0+json"
_ROOM = uuid.UUID("6ba7b812-9dad-11d1-80b4-00c04fd430c8")
#: Kept in a cell's metadata: what people write; execution times and the like go.
_CELL_KEYS = ("tags", "jupyter", "slideshow")


def main(arguments: Sequence[str] | None = None) -> int:
    """Refresh every notebook of a folder; return 0 when all ran and, with ``--check``, none would change."""
    parser = argparse.ArgumentParser(prog="python -m v2glab.campaigns.refresh", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--check", action="store_true", help="store nothing; exit code 1 if any would change")
    options = parser.parse_args(arguments)
    try:
        return _refresh_all(options.folder, check=options.check)
    except V2GError as error:
        sys.stderr.write(f"refresh: {error.found}\n  required: {error.required}\n")
        sys.stderr.write(f"  remedy:   {error.remedy}\n")
        return int(error.exit_code)


def refreshed(path: Path) -> bytes:
    """Execute one notebook from top to bottom and return what would be stored.

    Raises
    ------
    InputError
        It is no notebook, or one of its cells failed; the message holds the cell and its error.
    """
    notebook = _read(path)
    _execute(notebook, path)
    return normalised(notebook, (str(path.resolve().parents[1]), str(Path.home()), tempfile.gettempdir()))


def normalised(notebook: NotebookNode, forbidden: Sequence[str] = ()) -> bytes:
    """Return the notebook's file with everything made equal that differs from run to run without meaning.

    Execution times go, identifiers become the same each time, the kernel is plain ``python3``.

    Parameters
    ----------
    forbidden
        Folders of this machine; an output that names one is refused.

    Raises
    ------
    InputError
        An output holds an error, or names such a folder.
    """
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number:02d}"
        cell["metadata"] = {k: v for k, v in cell["metadata"].items() if k in _CELL_KEYS}
        for output in cell.get("outputs", ()):
            _check_output(number, output, forbidden)
            # The same scripts once more, for an extension that this project does without.
            output.get("data", {}).pop(_SECOND_COPY, None)
    document = {
        "cells": notebook.cells,
        "metadata": {"kernelspec": _KERNEL, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    text = json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return (_same_identifiers(_lines(text)) + "\n").encode()


def _read(path: Path) -> NotebookNode:
    import nbformat

    try:
        text = path.read_text(encoding="utf-8")
        if json.loads(text)["nbformat"] != 4:  # older ones would be converted without a word
            raise ValueError("another format")
        notebook = nbformat.reads(text, as_version=4)
        nbformat.validate(notebook)
    except (OSError, ValueError, AttributeError, KeyError, TypeError, nbformat.ValidationError) as error:
        said = str(error).split("\n")[0]
        raise InputError(f"{path}: {said}", "a notebook of format 4", "mend the file") from error
    return notebook


def _refresh_all(folder: Path, *, check: bool) -> int:
    paths = sorted(folder.glob("*.ipynb"))
    if not paths:
        raise InputError(f"no notebooks in {folder}", "a folder with *.ipynb", "name the folder of notebooks")
    worst = 0
    for path in paths:
        start_s = time.monotonic()
        try:
            said = _refresh_one(path, check=check)
            worst = max(worst, int(check and said != "unchanged"))
        except InputError as error:
            said, worst = f"FAILED, left as it was: {error.found}", 2
        sys.stdout.write(f"{path.name}: {said} ({time.monotonic() - start_s:.1f} s)\n")
        sys.stdout.flush()
    return worst


def _refresh_one(path: Path, *, check: bool) -> str:
    content = refreshed(path)
    if content == path.read_bytes():
        return "unchanged"
    if check:
        return "would change"
    write_atomic(path, content)
    return "stored"


def _execute(notebook: NotebookNode, path: Path) -> None:
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    client = NotebookClient(
        notebook,
        timeout=_TIMEOUT_S,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,
        store_widget_state=False,
        resources={"metadata": {"path": str(path.resolve().parent)}},
        extra_arguments=list(KERNEL_ARGUMENTS),
    )
    try:
        client.execute()
    except CellExecutionError as error:
        raise InputError(
            f"{error.ename}: {error.evalue}"[:1000], "every cell succeeds", "open it in make lab"
        ) from error
    except (CellTimeoutError, DeadKernelError, RuntimeError) as error:
        raise InputError(str(error)[:1000], "every cell succeeds in time", "open it in make lab") from error


def _check_output(number: int, output: dict[str, Any], forbidden: Sequence[str]) -> None:
    if output["output_type"] == "error":
        raise InputError(f"cell {number + 1} shows an error", "outputs without errors", "mend the cell")
    text = json.dumps(output)
    for folder in forbidden:
        # Encoded numbers may hold such letters, too, but amid others.
        if re.search(r"(?<![\w/+.-])" + re.escape(folder) + r"(?![\w.-])", text):
            raise InputError(
                f"cell {number + 1} shows {folder}", "outputs without folders of this machine", "show names"
            )


def _lines(text: str) -> str:
    """Return the document with sources and texts as lists of lines, as Jupyter writes them."""
    import nbformat

    node = nbformat.reads(text, as_version=4)
    return str(nbformat.writes(node, indent=1)).rstrip("\n")


def _same_identifiers(text: str) -> str:
    """Number identifiers in the order of their first appearance, so that each run gives the same ones."""
    known: dict[str, str] = {}

    def number(match: re.Match[str]) -> str:
        found = match.group()
        made = uuid.uuid5(_ROOM, f"v2glab {len(known)}")
        return known.setdefault(found, f"live-{made.hex}" if found.startswith("live-") else str(made))

    return _LIVE.sub(number, _UUID.sub(number, text))


if __name__ == "__main__":
    sys.exit(main())
