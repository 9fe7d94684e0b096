"""Machine code on disk belongs to the sources that it was made from."""

import json
import os
import subprocess
import sys

import pytest

PROGRAM = """
import json, sys
from pathlib import Path
import v2glab.compiled as compiled
compiled._ROOT = Path(sys.argv[1])
sys.path.insert(0, sys.argv[1])
from room import caller
print(json.dumps([caller.answer(1.0), sum(caller.answer.stats.cache_hits.values())]))
"""


def _answer(root):
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    env.pop("NUMBA_DISABLE_JIT", None)
    command = [sys.executable, "-B", "-c", PROGRAM, str(root)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120, env=env)
    return json.loads(done.stdout)


@pytest.fixture
def room(tmp_path):
    folder = tmp_path / "room"
    folder.mkdir()
    head = "from v2glab.compiled import compiler\njit = compiler('room')\n"
    (folder / "callee.py").write_text(head + "@jit\ndef add(x):\n    return x + 1.0\n")
    body = "from room.callee import add, jit\n@jit\ndef answer(x):\n    return add(x)\n"
    (folder / "caller.py").write_text(body)
    return folder


def test_a_changed_callee_is_compiled_anew_and_an_unchanged_one_is_not(room):
    assert _answer(room.parent) == [2.0, 0]
    assert _answer(room.parent) == [2.0, 1]
    callee = room / "callee.py"
    callee.write_text(callee.read_text().replace("+ 1.0", "+ 2.0"))
    assert _answer(room.parent) == [3.0, 0]


def test_a_kernel_without_the_compiler_is_plain_python(room):
    where = f"import sys; sys.path.insert(0, {str(room.parent)!r})"
    code = f"{where}; from room import caller; print(caller.answer(1))"
    env = {**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60, env=env
    )
    assert done.stdout.strip() == "2.0"
