"""Code in a process of its own, and the most memory that a process has held."""

import os
import subprocess
import sys
from pathlib import Path


def run_fresh(code: str, *arguments: str) -> tuple[float, ...]:
    """Run code in a fresh process that can import this folder, and return the numbers it prints."""
    here = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": here.rstrip(os.pathsep)},
    )
    return tuple(map(float, done.stdout.split()))


def peak_bytes() -> int:
    """Return the most memory this process has held.

    Not by ``getrusage``: its peak is inherited from the process that started this one.
    """
    lines = Path("/proc/self/status").read_text().splitlines()
    status = dict(line.split(":", 1) for line in lines)
    return int(status["VmHWM"].split()[0]) * 1024
