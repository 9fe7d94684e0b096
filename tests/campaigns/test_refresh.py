"""Notebooks are stored with outputs that are equal from run to run, and only when every cell succeeded."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from v2glab.campaigns.refresh import main, normalised
from v2glab.evidence import InputError

MINE = {"name": "mine", "display_name": "Mine", "language": "python"}
VOLATILE = (
    "import uuid, IPython.display as d\n"
    "name = str(uuid.uuid4())\n"
    'd.display(d.HTML(f\'<div id="{name}"></div><script>draw("{name}")</script>\'))\n'
    "print('one'); print('two')"
)


def _notebook(path: Path, *sources: str) -> Path:
    cells = [nbformat.v4.new_markdown_cell("# Question")]
    cells += [nbformat.v4.new_code_cell(source) for source in sources]
    cells[1]["metadata"] = {
        "tags": ["parameters"],
        "execution": {"iopub.status.busy": "2026-01-01T00:00:00Z"},
    }
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": MINE, "widgets": {}})
    nbformat.write(notebook, path)
    return path


def test_outputs_are_stored_and_a_second_run_changes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = _notebook(tmp_path / "00_try_it.ipynb", "x = 20", VOLATILE, "x + 2")
    assert main([str(tmp_path), "--check"]) == 1  # it would change
    assert "would change" in capsys.readouterr().out
    assert not json.loads(path.read_text())["cells"][3]["outputs"]
    assert main([str(tmp_path)]) == 0
    first = path.read_bytes()
    assert main([str(tmp_path), "--check"]) == 0
    assert "unchanged" in capsys.readouterr().out
    assert path.read_bytes() == first
    assert list(tmp_path.iterdir()) == [path]

    stored = json.loads(first)
    assert stored["metadata"] == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    assert [c["id"] for c in stored["cells"]] == ["cell-00", "cell-01", "cell-02", "cell-03"]
    assert stored["cells"][1]["metadata"] == {"tags": ["parameters"]}
    assert stored["cells"][3]["outputs"][0]["data"]["text/plain"] == ["22"]
    html = "".join(stored["cells"][2]["outputs"][0]["data"]["text/html"])
    assert html.count(html.split('"')[1]) == 2  # still the same identifier in both places
    assert stored["cells"][2]["outputs"][1]["text"] == ["one\n", "two\n"]


def test_notebook_that_fails_is_left_as_it_was(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = _notebook(tmp_path / "00_go_wrong.ipynb", "print('begun')", "1 / 0")
    telling = _notebook(tmp_path / "01_tell_all.ipynb", "import tempfile", "tempfile.gettempdir() + '/x'")
    before = [wrong.read_bytes(), telling.read_bytes()]
    assert main([str(tmp_path)]) == 2
    said = capsys.readouterr().out
    assert "FAILED, left as it was: ZeroDivisionError" in said
    assert "FAILED, left as it was: cell 3 shows" in said
    assert [wrong.read_bytes(), telling.read_bytes()] == before


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"cells": 3}'])
def test_what_is_no_notebook_is_named(
    tmp_path: Path, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "00_not_one.ipynb").write_text(content)
    assert main([str(tmp_path)]) == 2
    assert "00_not_one.ipynb" in capsys.readouterr().out


def test_folder_without_notebooks_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 2
    assert "remedy:" in capsys.readouterr().err


def test_stored_error_is_never_kept() -> None:
    cell = nbformat.v4.new_code_cell("x")
    cell["outputs"] = [nbformat.v4.new_output("error", ename="NameError", evalue="x", traceback=[])]
    with pytest.raises(InputError, match="shows an error"):
        normalised(nbformat.v4.new_notebook(cells=[cell]))


def test_import_is_light() -> None:
    program = (
        "import sys, v2glab.campaigns.refresh as _\n"
        "print([m for m in ('nbclient', 'nbformat', 'papermill', 'pandas', 'bokeh') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
