"""Check the rules that every notebook keeps: thin, one job a cell, nothing defined.

Usage: python tests/notebooks/rules.py FOLDER. Prints each breach with file and cell; exit code 1 if any.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MOST_CELLS, MOST_LINES = 25, 12
NAME = re.compile(r"^\d\d_[a-z]+(_[a-z0-9]+)+\.ipynb$")
_FORBIDDEN = {
    ast.FunctionDef: "def",
    ast.AsyncFunctionDef: "async def",
    ast.ClassDef: "class",
    ast.For: "for loop",
    ast.AsyncFor: "for loop",
    ast.While: "while loop",
    ast.Lambda: "lambda",
}


def breaches(path: Path) -> Iterator[str]:
    """Yield what is wrong with one notebook."""
    if not NAME.match(path.name):
        yield f"{path.name}: name is not NN_verb_object.ipynb"
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        cells = [_cell(entry) for entry in notebook["cells"]]
        kernel = notebook["metadata"].get("kernelspec", {}).get("name")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        yield f"{path.name}: not a notebook: {error!r}"
        return
    if kernel != "python3":
        yield f"{path.name}: kernel {kernel!r}, not 'python3'"
    if len(cells) > MOST_CELLS:
        yield f"{path.name}: {len(cells)} cells, more than {MOST_CELLS}"
    for where, problem in (*_structure(cells), *_cells(cells)):
        yield f"{path.name}, cell {where}: {problem}"


def _cell(entry: dict[str, Any]) -> tuple[str, list[str], str]:
    source = entry["source"]
    text = source if isinstance(source, str) else "".join(source)
    return entry["cell_type"], list(entry["metadata"].get("tags", [])), text


def _structure(cells: list[tuple[str, list[str], str]]) -> Iterator[tuple[int, str]]:
    """Check the frame: question, parameters, open_run, …, close."""
    tagged = [n for n, (_, tags, _) in enumerate(cells, start=1) if "parameters" in tags]
    if tagged != [2]:
        yield 2, f"cells tagged 'parameters': {tagged}, not just the second"
    if not cells or cells[0][0] != "markdown":
        yield 1, "is not markdown that states question, rule and hazard"
    if len(cells) < 3 or "v2glab.open_run(" not in cells[2][2]:
        yield 3, "does not call v2glab.open_run"
    opened = [n for n, (kind, _, text) in enumerate(cells, start=1) if kind == "code" and "open_run(" in text]
    if len(opened) > 1:
        yield opened[1], "opens a second run"
    if not cells or cells[-1][2].strip() != "run.close()":
        yield len(cells), "is last and is not run.close()"


def _cells(cells: list[tuple[str, list[str], str]]) -> Iterator[tuple[int, str]]:
    for number, (kind, tags, text) in enumerate(cells, start=1):
        lines = len(text.rstrip("\n").split("\n"))
        if lines > MOST_LINES:
            yield number, f"{lines} lines, more than {MOST_LINES}"
        if kind != "code":
            continue
        try:
            tree = ast.parse(text)
        except SyntaxError as error:
            yield number, f"not plain Python: {error.msg}"
            continue
        for node in ast.walk(tree):
            if type(node) in _FORBIDDEN:
                yield number, f"{_FORBIDDEN[type(node)]} at line {node.lineno}"
        if "parameters" in tags:
            yield from ((number, problem) for problem in _not_literal(tree))


def _not_literal(tree: ast.Module) -> Iterator[str]:
    for statement in tree.body:
        if not isinstance(statement, ast.Assign) or not all(
            isinstance(target, ast.Name) for target in statement.targets
        ):
            yield f"line {statement.lineno} is not 'name = literal'"
            continue
        try:
            ast.literal_eval(statement.value)
        except (ValueError, TypeError):
            yield f"line {statement.lineno} is not a literal"


def main(folders: list[str]) -> int:
    """Check every notebook of the folders."""
    paths = [path for folder in folders for path in sorted(Path(folder).glob("*.ipynb"))]
    found = [breach for path in paths for breach in breaches(path)]
    for breach in found:
        print(breach)
    if not paths:
        print(f"no notebooks in {', '.join(folders) or 'no folder'}")
    return 1 if found or not paths else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
