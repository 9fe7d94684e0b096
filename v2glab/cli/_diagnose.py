"""``v2glab diagnose``: from measurements and logs to fault code, cause and remedy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from v2glab.cli._procedure import Clock, Faults, Seed

StationOption = Annotated[
    str | None, typer.Option("--station", help="'twin' (default) or a station file; with --run, its ratings.")
]


def diagnose(
    station: StationOption = None,
    run: Annotated[
        str | None,
        typer.Option("--run", help="Diagnose a finished run: name, start of one, folder, 'latest'."),
    ] = None,
    observe_s: Annotated[float, typer.Option("--observe", help="Seconds to watch the station.")] = 2.0,
    clock: Clock = None,
    seed: Seed = 7,
    fault: Faults = [],  # noqa: B006 -- typer wants a list
    root: Annotated[Path | None, typer.Option("--root", help="Folder of the runs, with --run.")] = None,
    json_output: Annotated[bool, typer.Option("--json", help="One JSON document instead of text.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 when a fault is found.")] = False,
) -> int:
    """Say which faults measurements and logs show, why, and what to do. Nothing is energised.

    Findings are results: the exit code is 0 with them, unless --strict.

    Examples:

      v2glab diagnose --fault contactor_weld

      v2glab diagnose --station my-site.toml --observe 60

      v2glab diagnose --run latest --json
    """
    if run is not None:
        document = _of_run(run, root, station, fault)
    else:
        document = _of_station(station or "twin", observe_s, clock, seed, fault, json_output)
    if json_output:
        _print_json(document)
    else:
        _print_text(document)
    return 1 if strict and document["findings"] else 0


def _of_station(
    station: str, observe_s: float, clock: str | None, seed: int, faults: list[str], quiet: bool
) -> dict[str, Any]:
    """Run the procedure and read its document from the sealed run folder."""
    import json

    from v2glab.campaigns import run_single
    from v2glab.cli._procedure import _progress
    from v2glab.evidence import check_document
    from v2glab.procedures.diagnose_faults import DOCUMENT
    from v2glab.views import render_report

    settings: dict[str, Any] = {"station": station, "seed": seed, "faults": tuple(faults)}
    values = {**settings, "clock": clock or "lockstep", "observe_s": observe_s}
    _, folder = run_single("diagnose_faults", values, progress=_progress(quiet), render=render_report)
    text = (folder / "results" / "diagnose_faults" / DOCUMENT).read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text) | {"run": str(folder)}
    check_document("diagnosis-1", document, DOCUMENT)
    return document


def _of_run(run: str, root: Path | None, station: str | None, faults: list[str]) -> dict[str, Any]:
    """Ask the rules about what a finished run left."""
    from v2glab.cli._diagnose_run import observations_of
    from v2glab.cli._runs import find_run
    from v2glab.diagnosis import diagnose as ask
    from v2glab.diagnosis import diagnosis_document
    from v2glab.evidence import UsageError

    if faults:
        raise UsageError("--fault with --run", "one of them", "a finished run has the faults that it had")
    found = find_run(run, root)
    diagnosis = ask(observations_of(found, station))
    name = str(found.record["station"]["name"])
    return diagnosis_document(diagnosis, station=name, run=str(found.folder))


def _print_json(document: dict[str, Any]) -> None:
    import json

    typer.echo(json.dumps(document, indent=2, ensure_ascii=False))


def _print_text(document: dict[str, Any]) -> None:
    from v2glab.cli._common import console

    lines: list[str] = []
    for finding in document["findings"]:
        doubt = "" if finding["certainty"] == "established" else " (suspected)"
        lines += [f"{finding['code']}  {finding['title']}{doubt}", f"  cause:    {finding['cause']}"]
        lines += [
            f"  {'evidence:' if place == 0 else '':<9} {line}"
            for place, line in enumerate(finding["evidence"])
        ]
        lines += [f"  remedy:   {finding['remedy']}", ""]
    if not document["findings"]:
        lines.append("no fault found")
    for item in document["cannot_tell"]:
        lines += [f"{item['code']}  cannot tell: {item['reason']}", f"  remedy:   {item['remedy']}"]
    skipped = {log["name"]: sum(log["skipped"].values()) for log in document["logs"] if log["skipped"]}
    lines += [f"{name}: {number} lines skipped" for name, number in skipped.items()]
    if document["clear"]:
        lines.append(f"not found: {', '.join(document['clear'])}")
    if document["not_applicable"]:
        lines.append(f"not applicable: {', '.join(document['not_applicable'])}")
    screen = console()
    for line in (*lines, f"run: {document['run']}"):
        screen.print(_printable(line), markup=False)


def _printable(line: str) -> str:
    """Return a line whose control characters do not reach the terminal."""
    return "".join(c if c.isprintable() else " " for c in line)
