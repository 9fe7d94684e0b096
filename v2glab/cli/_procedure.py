"""Run one procedure from the command line: options, progress, table of verdicts, result file."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from v2glab.cli._common import console

if TYPE_CHECKING:
    from v2glab.evidence import Result

StationName = Annotated[str, typer.Option("--station", help="'twin' or a station file.")]
Approve = Annotated[bool, typer.Option("--approve-energise", help="Let a live station be energised.")]
Clock = Annotated[str | None, typer.Option(help="Clock of the twin: lockstep or realtime.")]
Seed = Annotated[int, typer.Option(help="Seed of whatever is random.")]
Faults = Annotated[list[str], typer.Option("--fault", help="Fault switch of the twin; may be repeated.")]
Json = Annotated[bool, typer.Option("--json", help="Print the verdicts as JSON.")]
Strict = Annotated[bool, typer.Option("--strict", help="Exit 1 when a verdict fails.")]


def run_procedure(
    name: str,
    parameters: Mapping[str, Any],
    *,
    station: str,
    approve_energise: bool,
    clock: str | None,
    seed: int,
    faults: Sequence[str],
    json_output: bool,
    strict: bool,
) -> int:
    """Open a run of one procedure, execute it, show its verdicts; return the exit code."""
    from v2glab.campaigns import run_single
    from v2glab.views import render_report

    settings = {
        "station": station,
        "seed": seed,
        "faults": tuple(faults),
        "approve_energise": approve_energise,
    }
    result, folder = run_single(
        name,
        {**settings, "clock": clock or "lockstep", **parameters},
        progress=_progress(json_output),
        render=render_report,
    )
    _show(result, str(folder), json_output)
    return _exit_code(result, strict)


def _progress(json_output: bool) -> Any:  # noqa: ANN401 -- a callback or None
    if json_output or not sys.stderr.isatty():
        return None

    def show(sample: Mapping[str, float]) -> None:
        sys.stderr.write(f"\r  {sample['time_s']:8.1f} s")
        sys.stderr.flush()

    return show


def _show(result: Result, folder: str, json_output: bool) -> None:
    from v2glab.evidence import verdicts_document

    if json_output:
        document = verdicts_document({result.procedure: result.verdicts})
        document["quantities"] = [q.to_json() for q in result.quantities]
        document["run"] = folder
        sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
        return
    from v2glab.views import rich_verdicts

    out = console()
    out.print(rich_verdicts({result.procedure: result.verdicts}))
    for quantity in result.quantities:
        spread = quantity.expanded()
        text = f" ± {spread[0]:.2g}" if spread else f"  ({quantity.no_uncertainty})"
        out.print(f"  {quantity.name}: {quantity.value:.6g}{text} {quantity.unit}")
    out.print(f"run: {folder}", markup=False)


def _exit_code(result: Result, strict: bool) -> int:
    from v2glab.evidence import Outcome

    return 1 if strict and result.count(Outcome.FAIL) else 0
