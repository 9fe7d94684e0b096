"""Campaigns as a user starts them: the real command in a process of its own, on its own station file."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from v2glab.resources import find_data

TWIN = find_data("drivers", "stations", "twin.toml")
COMMAND = (sys.executable, "-m", "v2glab")


def station_file(folder: Path, port: int = 0) -> Path:
    """Write a twin's station file whose gateway port is no other test's; 0 leaves the gateway out."""
    path = folder / "twin.toml"
    path.write_text(TWIN.read_text().replace("port = 8883", f"port = {port}"))
    return path


def campaign_file(folder: Path, *names: str, **parameters: Any) -> Path:
    """Write a campaign of some notebooks; parameters go to the last."""
    rows = [f'[[notebook]]\nname = "{name}"' for name in names]
    values = ", ".join(f"{k} = {str(v).lower()}" for k, v in parameters.items())
    text = 'schema = 1\nname = "small"\ntitle = "A small campaign"\n' + "\n".join(rows)
    path = folder / "small.toml"
    path.write_text(text + (f"\nparameters = {{ {values} }}\n" if values else "\n"))
    return path


def environment(folder: Path) -> dict[str, str]:
    """Return an environment whose locks are no other test's."""
    out = {k: v for k, v in os.environ.items() if not k.startswith("V2GLAB_")}
    return {**out, "XDG_STATE_HOME": str(folder / "state")}


def run(folder: Path, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    options = {"env": environment(folder), "timeout": 170, **options}
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, check=False, **options)


def only_run(root: Path) -> Path:
    """Return the one run below a folder; there is nothing else."""
    entries = list(root.iterdir())
    assert len(entries) == 1, entries
    return entries[0]


@dataclass
class Started:
    """A campaign under way."""

    process: subprocess.Popen[str]
    root: Path

    def incomplete(self) -> Path | None:
        found = list(self.root.glob(".incomplete-*")) if self.root.exists() else []
        return found[0] if found else None

    def kernel_pid(self) -> int:
        """Return the process of the kernel: the child that runs ipykernel."""
        for pid in children_of(self.process.pid):
            if b"ipykernel" in Path(f"/proc/{pid}/cmdline").read_bytes():
                return pid
        raise AssertionError("no kernel among the children")

    def end(self) -> str:
        """Return what it said on stderr; kill it when it is still there."""
        if self.process.poll() is None:
            self.process.kill()
        return self.process.communicate()[1]


def start(folder: Path, *arguments: str) -> Started:
    """Start a campaign in a session of its own, as a terminal would."""
    root = folder / "runs"
    process = subprocess.Popen(
        [*COMMAND, "campaign", *arguments, "--out", str(root)],
        env=environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    return Started(process, root)


def children_of(pid: int) -> list[int]:
    """Return the children of a process, whichever of its threads started them."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(p) for task in tasks for p in task.read_text().split()]


def wait_for(condition: Any, within_s: float, what: str) -> None:
    """Wait until something is so."""
    end_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end_s, what
        time.sleep(0.01)


def end_group(started: Started) -> None:
    """Leave no process of a campaign behind."""
    try:
        os.killpg(started.process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
