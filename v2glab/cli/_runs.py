"""Runs: list, show and compare what campaigns left."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from v2glab.campaigns import RunFolder, RunSummary

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="List, show and compare finished runs. RUN is a name, the start of one, a folder, or 'latest'.",
)

Json = Annotated[bool, typer.Option("--json", help="One JSON document instead of text.")]
Root = Annotated[Path | None, typer.Option("--root", help="Folder of the runs; default: papermill_runs.")]


@app.command("list")
def list_command(*, root: Root = None, as_json: Json = False) -> None:
    """List all runs, oldest first; incomplete and unreadable ones are named as such.

    Example: v2glab runs list
    """
    from v2glab.campaigns import list_runs, runs_root

    rows = [_summary_row(summary) for summary in list_runs(root)]
    if as_json:
        _print_json(rows)
        return
    if not rows:
        print(f"no runs in {root or runs_root()}; make one with: v2glab campaign")
    for row in rows:
        counts = "  ".join(f"{number} {outcome}" for outcome, number in row["verdicts"].items())
        print(f"{_line(row['name'])}  {_line(row['status']):<10}  {counts or _line(row['problem'])}")


@app.command("show")
def show_command(
    run: Annotated[str, typer.Argument(help="Name, start of a name, folder, or 'latest'.")] = "latest",
    *,
    root: Root = None,
    as_json: Json = False,
) -> None:
    """Show the verdicts of one run.

    Example: v2glab runs show latest
    """
    from v2glab.views import rich_verdicts

    found = find_run(run, root)
    verdicts = found.verdicts()
    if as_json:
        listed = {name: [v.to_json() for v in several] for name, several in verdicts.items()}
        _print_json({"folder": str(found.folder), "record": found.record, "verdicts": listed})
        return
    from v2glab.cli._common import console

    record = found.record
    print(f"{found.folder}\nstatus {record['status']}, station {_line(record['station']['name'])}")
    if record["problem"]:
        print(f"problem: {_line(record['problem'])}")
    console().print(rich_verdicts(verdicts))
    print(f"report: {found.folder / 'report.html'}")


@app.command("diff")
def diff_command(
    first: Annotated[str, typer.Argument(help="Run to compare from.")],
    second: Annotated[str, typer.Argument(help="Run to compare to.")] = "latest",
    *,
    root: Root = None,
    as_json: Json = False,
) -> None:
    """Compare two runs: verdicts, quantities beyond their joint uncertainty, parameters, versions, data.

    Example: v2glab runs diff 20260101T080000Z latest
    """
    from v2glab.views import compare_runs

    difference = compare_runs(find_run(first, root), find_run(second, root))
    if as_json:
        _print_json(difference)
        return
    if not any(difference.values()):
        print("no difference")
    for title, entries in difference.items():
        if entries:
            print(title)
        for entry in entries:
            place = f"{entry['procedure']}: {entry['name']}" if entry.get("procedure") else entry["name"]
            print(f"  {_line(place)}: {_line(entry['before'])} → {_line(entry['after'])}")


def find_run(name: str, root: Path | None = None) -> RunFolder:
    """Return the run of that name, start of a name or folder; ``latest`` is the last complete one.

    Raises
    ------
    InputError
        There is none, several begin so, or it is incomplete or unreadable.
    """
    from v2glab.campaigns import list_runs, read_run
    from v2glab.evidence import InputError

    if "/" in name or name in (".", ".."):
        return read_run(Path(name).resolve())
    runs = list_runs(root)
    if name == "latest":
        complete = [summary for summary in runs if summary.complete]
        if not complete:
            raise InputError("no complete run", "at least one", "make one with: v2glab campaign")
        return read_run(complete[-1].folder)
    fits = [s for s in runs if s.name == name] or [s for s in runs if name and s.name.startswith(name)]
    if len(fits) > 1:
        several = ", ".join(summary.name for summary in fits[:5])
        raise InputError(f"{len(fits)} runs begin with {name!r}", "one", f"write more of: {several}")
    if not fits:
        raise InputError(f"no run {name!r}", "a run of 'v2glab runs list'", "check the name")
    return _readable(fits[0])


def _readable(summary: RunSummary) -> RunFolder:
    from v2glab.campaigns import read_run
    from v2glab.evidence import InputError

    if not summary.complete:
        raise InputError(f"{summary.name}: {summary.problem}", "a complete run", "run the campaign again")
    return read_run(summary.folder)


def _summary_row(summary: RunSummary) -> dict[str, Any]:
    from v2glab.campaigns import RunFolder
    from v2glab.evidence import V2GError

    row: dict[str, Any] = {"name": summary.name, "folder": str(summary.folder), "complete": summary.complete}
    row |= {"status": "incomplete", "problem": summary.problem, "verdicts": {}}
    if not summary.complete or summary.record is None:
        return row
    row |= {"status": summary.record["status"], "problem": summary.record["problem"]}
    try:
        verdicts = RunFolder(summary.folder, summary.record).verdicts()
    except V2GError as error:
        return row | {"status": "unreadable", "problem": error.found}
    outcomes = [str(verdict.outcome) for several in verdicts.values() for verdict in several]
    return row | {"verdicts": {name: outcomes.count(name) for name in dict.fromkeys(sorted(outcomes))}}


def _line(value: object) -> str:
    """Return a value on one line; control characters of a foreign record do not reach the terminal."""
    shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return "".join(c if c.isprintable() else " " for c in shown)


def _print_json(document: object) -> None:
    json.dump(document, sys.stdout, indent=2, ensure_ascii=False, default=str)
    sys.stdout.write("\n")
