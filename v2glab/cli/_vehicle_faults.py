"""``v2glab vehicle faults``: inject faults into the vehicle link and compare what both ends say."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from v2glab.evidence import ExitCode, UsageError, write_json

if TYPE_CHECKING:
    from v2glab.links.faults import Fault, Injected


def run_faults(names: Sequence[str], *, listed: bool, as_json: Path | None) -> int:
    """List faults, or inject them; exit 1 when one was diagnosed as something else."""
    from v2glab.links.faults import inject_all, load_faults

    faults = load_faults()
    chosen = _chosen(faults, names)
    if listed:
        for fault in chosen:
            typer.echo(f"{fault.name:38} {fault.expects.phase:12} {fault.title}")
        return ExitCode.OK
    from rich.progress import Progress

    with Progress(transient=True) as bar:
        task = bar.add_task("injecting", total=len(chosen) + 1)
        done = asyncio.run(inject_all([None, *chosen], lambda injected: bar.advance(task)))
    rows = [_row(injected) for injected in done]
    _print(rows)
    if as_json is not None:
        write_json(as_json, {"faults": rows})
    return ExitCode.OK if all(row["right"] for row in rows) else ExitCode.FINDINGS


def _chosen(faults: dict[str, Fault], names: Sequence[str]) -> list[Fault]:
    unknown = [n for n in names if n not in faults]
    if unknown:
        raise UsageError(f"fault {', '.join(unknown)}", "a name that --list shows", "name one of those")
    return [faults[n] for n in names] if names else list(faults.values())


def _row(injected: Injected) -> dict[str, Any]:
    fault = injected.fault
    if fault is None:
        found = next(iter(injected.findings.values()), None)
    else:
        found = injected.findings.get(fault.noticed)
    return {
        "fault": fault.name if fault else "none",
        "title": fault.title if fault else "a healthy session",
        "injected": (fault.at or fault.by) if fault else "",
        "noticed_by": fault.noticed if fault else "",
        "phase": found.phase if found else "",
        "cause": found.cause if found else "",
        "response_code": found.response_code if found else "",
        "mrec": found.mrec if found else "",
        "code": found.code if found else "",
        "remedy": found.remedy if found else "",
        "safe": injected.safe,
        "right": injected.right and injected.safe,
    }


def _print(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        mark = "ok   " if row["right"] else "WRONG"
        said = f"{row['phase']}: {row['cause']}" if row["phase"] else "nothing"
        codes = ", ".join(row[name] for name in ("response_code", "mrec", "code") if row[name])
        typer.echo(f"{mark} {row['fault']:36} {said:29} {codes}".rstrip())
    right = sum(row["right"] for row in rows)
    typer.echo(f"{right} of {len(rows)} as expected, a healthy session among them.")
