"""The rules find each breach, and the notebooks of this project have none."""

import runpy
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

_RULES = runpy.run_path(str(Path(__file__).with_name("rules.py")))
breaches, main = _RULES["breaches"], _RULES["main"]
_NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"


def good() -> nbformat.NotebookNode:
    """Return a notebook without a breach."""
    cells = [
        new_markdown_cell("# Question\n\n**Rule.** A clause.\n\n**Hazard.** None."),
        new_code_cell('station = "twin"\nseed = 7\nlimits = [-1.0, 1.0]', metadata={"tags": ["parameters"]}),
        new_code_cell("import v2glab\n\nrun = v2glab.open_run('check_environment', station=station)"),
        new_code_cell("result = run.execute()"),
        new_code_cell("run.close()"),
    ]
    return new_notebook(cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})


def check(tmp_path: Path, notebook: nbformat.NotebookNode, name: str = "04_verb_object.ipynb") -> list[str]:
    path = tmp_path / name
    nbformat.write(notebook, path)
    return list(breaches(path))


def test_a_good_notebook_passes(tmp_path: Path) -> None:
    assert check(tmp_path, good()) == []
    assert main([str(tmp_path)]) == 0


def _set(index: int, source: str) -> Callable[[nbformat.NotebookNode], None]:
    def change(notebook: nbformat.NotebookNode) -> None:
        notebook.cells[index].source = source

    return change


def _untag(notebook: nbformat.NotebookNode) -> None:
    notebook.cells[1].metadata["tags"] = []


def _tag_again(notebook: nbformat.NotebookNode) -> None:
    notebook.cells[3].metadata["tags"] = ["parameters"]


def _kernel(notebook: nbformat.NotebookNode) -> None:
    notebook.metadata["kernelspec"]["name"] = "julia"


def _many(notebook: nbformat.NotebookNode) -> None:
    notebook.cells[3:3] = [new_markdown_cell("x") for _ in range(21)]


@pytest.mark.parametrize(
    ("change", "cell", "said"),
    [
        (_set(3, "def f():\n    return 1"), "cell 4", "def"),
        (_set(3, "class A:\n    pass"), "cell 4", "class"),
        (_set(3, "for x in []:\n    print(x)"), "cell 4", "for loop"),
        (_set(3, "while False:\n    pass"), "cell 4", "while loop"),
        (_set(3, "%matplotlib inline"), "cell 4", "not plain Python"),
        (_set(3, "\n".join(["x = 1"] * 13)), "cell 4", "13 lines"),
        (_set(1, "seed = int('7')"), "cell 2", "not a literal"),
        (_set(1, "import os"), "cell 2", "not 'name = literal'"),
        (_set(2, "x = 1"), "cell 3", "open_run"),
        (_set(4, "print(1)"), "cell 5", r"not run.close()"),
        (_untag, "cell 2", "'parameters': []"),
        (_tag_again, "cell 2", "'parameters': [2, 4]"),
        (_kernel, "", "julia"),
        (_many, "", "26 cells"),
    ],
)
def test_each_breach_is_named_with_its_cell(
    tmp_path: Path, change: Callable[[nbformat.NotebookNode], None], cell: str, said: str
) -> None:
    notebook = good()
    change(notebook)
    found = check(tmp_path, notebook)
    assert any(cell in breach and said in breach for breach in found), found
    assert main([str(tmp_path)]) == 1


def test_name_and_broken_files_are_named(tmp_path: Path) -> None:
    assert any("NN_verb_object" in b for b in check(tmp_path, good(), "synchronise.ipynb"))
    (tmp_path / "05_broken_file.ipynb").write_text("{")
    assert any("not a notebook" in b for b in breaches(tmp_path / "05_broken_file.ipynb"))


@pytest.mark.parametrize("path", sorted(_NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_the_notebooks_of_this_project_keep_the_rules(path: Path) -> None:
    assert list(breaches(path)) == []
