"""The run folder: begun aside, sealed whole, then given its name."""

from __future__ import annotations

import json
import os
import platform
import secrets
import shutil
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from v2glab.campaigns._crate import write_crate
from v2glab.campaigns._provenance import git_state, hashes, machine, scheduling, versions
from v2glab.campaigns._results import load_result
from v2glab.campaigns._telemetry import seal_telemetry
from v2glab.evidence import (
    InputError,
    Result,
    Verdict,
    check_document,
    read_verdicts,
    storing,
    write_atomic,
    write_json,
    write_verdicts,
)
from v2glab.resources import data_root

RUN_SCHEMA = "v2glab-run/1"
INCOMPLETE = ".incomplete-"
TELEMETRY = "telemetry.sqlite"

#: Makes ``report.html`` of a run folder.
Renderer = Callable[[Path], str]


def runs_root() -> Path:
    """Return where runs go: ``papermill_runs`` of the checkout, else of the current folder."""
    checkout = data_root("drivers").parent
    base = checkout if (checkout / "pyproject.toml").exists() else Path.cwd()
    return base / "papermill_runs"


@dataclass
class RunFolder:
    """One finished run.

    Attributes
    ----------
    record
        Content of ``run.json``.
    """

    folder: Path
    record: dict[str, Any]

    def results(self) -> dict[str, Result]:
        """Return results by procedure, in the order in which they ran."""
        found = sorted((self.folder / "results").glob("*/result.json"), key=_start_of)
        return {path.parent.name: load_result(path.parent) for path in found}

    def verdicts(self) -> dict[str, list[Verdict]]:
        """Return verdicts by procedure."""
        return read_verdicts(self.folder / "verdicts.json")


@dataclass
class RunSummary:
    """One entry of the list of runs; ``problem`` says what is wrong with an unreadable one."""

    folder: Path
    name: str
    complete: bool
    record: dict[str, Any] | None = None
    problem: str = ""


@dataclass
class RunBuilder:
    """A run under way, in a folder whose name says that it is not complete."""

    root: Path
    station_name: str
    station_kind: str
    campaign: str
    seed: int | None
    clock: str
    faults: tuple[str, ...]
    identity: str = field(default_factory=lambda: secrets.token_hex(4))
    started_ns: int = field(default_factory=time.time_ns)
    notebooks: list[dict[str, Any]] = field(default_factory=list)
    datasets: list[Path] = field(default_factory=list)

    def __post_init__(self) -> None:
        stamp = datetime.fromtimestamp(self.started_ns / 1e9, UTC)
        self.name = f"{stamp:%Y%m%dT%H%M%SZ}-{self.station_name}-{self.identity}"
        self.folder = self.root / f"{INCOMPLETE}{self.name}"
        with storing(str(self.root)):
            (self.folder / "results").mkdir(parents=True)

    def seal(self, status: str, problem: str, render: Renderer | None) -> Path:
        """Complete the record and give the folder its name; return it.

        Raises
        ------
        StorageError
            Something could not be written; the folder keeps its name that says so.
        """
        seal_telemetry(self.folder / TELEMETRY, self.folder)
        results = RunFolder(self.folder, {}).results()
        write_verdicts(self.folder / "verdicts.json", {name: r.verdicts for name, r in results.items()})
        record = self._record(status, problem, results)
        check_document("run-1", record, "run.json")
        write_json(self.folder / "run.json", record)
        if render is not None:
            write_atomic(self.folder / "report.html", render(self.folder).encode())
        write_crate(self.folder, record)
        final = self.root / self.name
        with storing(str(final)):
            self._sync()
            self.folder.rename(final)
        return final

    def discard(self) -> None:
        """Remove what was begun."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _record(self, status: str, problem: str, results: dict[str, Result]) -> dict[str, Any]:
        return {
            "schema": RUN_SCHEMA,
            "id": self.identity,
            "status": status,
            "problem": problem,
            "started_ns": self.started_ns,
            "ended_ns": time.time_ns(),
            "station": {"name": self.station_name, "kind": self.station_kind},
            "campaign": self.campaign,
            "seed": self.seed,
            "clock": self.clock,
            "faults": list(self.faults),
            "parameters": {name: dict(result.parameters) for name, result in results.items()},
            "notebooks": self.notebooks,
            "git": git_state(),
            "versions": versions(),
            "python": platform.python_version(),
            "machine": machine(),
            "datasets": hashes([*_rule_files(), *self.datasets]),
            "scheduling": scheduling(),
        }

    def _sync(self) -> None:
        """Let the folder's entries reach the disk before its name promises them."""
        handle = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def read_run(folder: Path) -> RunFolder:
    """Open a finished run.

    Raises
    ------
    InputError
        It is not one: incomplete, or its record does not fit the schema.
    """
    if folder.name.startswith(INCOMPLETE):
        raise InputError(f"{folder.name} is incomplete", "a sealed run", "it was stopped hard; run it again")
    try:
        record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"{folder}: {error}", "a run folder with run.json", "see v2glab runs list"
        ) from error
    check_document("run-1", record, str(folder / "run.json"))
    return RunFolder(folder, record)


def list_runs(root: Path | None = None) -> list[RunSummary]:
    """Return all runs below a folder, oldest first, with what is wrong where something is."""
    base = root or runs_root()
    if not base.is_dir():
        return []
    folders = [
        p for p in base.iterdir() if p.is_dir() and (p.name[:1] != "." or p.name.startswith(INCOMPLETE))
    ]
    return [_summary(p) for p in sorted(folders, key=lambda p: p.name.removeprefix(INCOMPLETE))]


def _summary(folder: Path) -> RunSummary:
    name = folder.name.removeprefix(INCOMPLETE)
    if folder.name.startswith(INCOMPLETE):
        return RunSummary(folder, name, False, problem="incomplete: stopped before it could be sealed")
    try:
        return RunSummary(folder, name, True, read_run(folder).record)
    except InputError as error:
        return RunSummary(folder, name, False, problem=error.found)


def _rule_files() -> Iterable[Path]:
    datasets = data_root("datasets")
    return sorted(p for p in datasets.rglob("*") if p.suffix in (".toml", ".csv"))


def _start_of(path: Path) -> tuple[float, str]:
    return path.stat().st_mtime, path.parent.name
