"""What a user waits for: import, help text, and a whole campaign on the twin, notebook by notebook."""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

_REPEATS = 9
_BARE = [sys.executable, "-c", "pass"]


def measure_start() -> Iterator[dict[str, object]]:
    """Yield ``import`` (beyond a bare interpreter) and ``help``, in seconds, with the ratio to a bare one."""
    commands = (_BARE, [sys.executable, "-c", "import v2glab"], [sys.executable, "-m", "v2glab", "--help"])
    bare, imported, helped = _medians(*commands)
    peer = "bare interpreter, in turn"
    yield {
        "name": "import",
        "value": round(imported - bare, 4),
        "unit": "s",
        "peer": peer,
        "ratio": round(imported / bare, 2),
    }
    yield {
        "name": "help",
        "value": round(helped, 4),
        "unit": "s",
        "peer": peer,
        "ratio": round(helped / bare, 2),
    }


def measure_campaign() -> Iterator[dict[str, object]]:
    """Yield ``campaign`` and one row a notebook, in seconds; the ratio is the share of the whole."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        command = [sys.executable, "-m", "v2glab", "campaign", "--out", folder, "--json"]
        subprocess.run(command, check=True, capture_output=True)
        total = time.perf_counter() - began
        (record,) = Path(folder).glob("*/run.json")
        notebooks = json.loads(record.read_text())["notebooks"]
    yield _row("campaign", total, total)
    for notebook in notebooks:
        yield _row(f"campaign/{notebook['name']}", notebook["duration_s"], total)


def _row(name: str, value: float, total: float) -> dict[str, object]:
    ratio = round(value / total, 3)
    return {"name": name, "value": round(value, 3), "unit": "s", "peer": "whole campaign", "ratio": ratio}


def _medians(*commands: list[str]) -> list[float]:
    """Return the median wall time of each command; they take turns, so that all see the same machine."""
    times: list[list[float]] = [[] for _ in commands]
    for repeat in range(_REPEATS + 1):
        for kept, command in zip(times, commands, strict=True):
            began = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            if repeat:  # the first fills the caches
                kept.append(time.perf_counter() - began)
    return [statistics.median(kept) for kept in times]
