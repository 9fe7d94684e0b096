"""``v2glab campaign``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from v2glab.cli._common import console
from v2glab.cli._procedure import Approve, Clock, Faults, Json, Seed, StationName, Strict

if TYPE_CHECKING:
    from v2glab.campaigns import CampaignOptions, CampaignOutcome

_Recording = Annotated[
    Path | None, typer.Option(help="Judge a recording (COMTRADE or CSV) instead of a station.")
]
_Sidecar = Annotated[Path | None, typer.Option(help="Sidecar of a CSV recording; else FILE.toml beside it.")]
_Sessions = Annotated[Path | None, typer.Option(help="Charging sessions for the barrier analysis.")]
_Prices = Annotated[Path | None, typer.Option(help="Day-ahead prices for the barrier analysis.")]
_Tariff = Annotated[str | None, typer.Option(help="Tariff for the barrier analysis.")]
_Parameter = Annotated[
    list[str],
    typer.Option("--parameter", "-p", help="NOTEBOOK.NAME=VALUE or PROCEDURE.NAME=VALUE; VALUE is JSON."),
]
_Out = Annotated[Path | None, typer.Option(help="Folder for runs; else papermill_runs.")]
_Timeout = Annotated[float, typer.Option(help="Seconds after which one cell is stopped.")]


def campaign(
    file: Annotated[
        str, typer.Argument(help="Campaign file, or the name of one in notebooks/.")
    ] = "validation",
    station: StationName = "twin",
    approve_energise: Approve = False,
    strict: Strict = False,
    clock: Clock = None,
    seed: Seed = 7,
    fault: Faults = [],  # noqa: B006 -- typer wants a list
    recording: _Recording = None,
    sidecar: _Sidecar = None,
    sessions: _Sessions = None,
    prices: _Prices = None,
    tariff: _Tariff = None,
    parameter: _Parameter = [],  # noqa: B006
    out: _Out = None,
    timeout: _Timeout = 900.0,
    json_output: Json = False,
) -> int:
    """Run a whole field validation and leave a run folder with verdicts and report.

    Without options it validates the embedded twin. Exit codes: 0 the campaign ran, 1 a verdict failed and
    --strict was given, 2 wrong usage or parameters, 3 a device could not be reached, 4 stopped into the safe
    state.

    Examples:

      v2glab campaign

      v2glab campaign --station my-site.toml --approve-energise --strict

      v2glab campaign --recording fault.cfg

      v2glab campaign --fault hot_heatsink -p export_load_test.duration_s=300
    """
    from v2glab.campaigns import CampaignOptions, load_campaign, run_campaign
    from v2glab.cli._campaign_progress import make_reporter
    from v2glab.views import render_report

    files = [p for p in (recording, sidecar, sessions, prices) if p is not None]
    overrides = _overrides(parameter)
    if recording is not None:
        file = "recording"
        _check_recording(recording, sidecar)
        _put(
            overrides,
            "judge_recording",
            recording=_existing(recording),
            sidecar=_existing(sidecar),
        )
    _put(
        overrides,
        "analyse_barriers",
        sessions=_existing(sessions),
        prices=_existing(prices),
        tariff=tariff,
    )
    options = CampaignOptions(
        station=station,
        clock=clock,
        seed=seed,
        faults=tuple(fault),
        approve_energise=approve_energise,
        overrides=overrides,
        datasets=tuple(files),
        root=out,
        timeout_s=timeout,
    )
    with make_reporter(quiet=json_output) as reporter:
        outcome = run_campaign(load_campaign(file), options, reporter, render_report)
    _show(outcome, options, json_output)
    return int(outcome.exit_code) or int(strict and outcome.failed > 0)


def _show(outcome: CampaignOutcome, options: CampaignOptions, json_output: bool) -> None:
    from v2glab.evidence import verdicts_document

    if json_output:
        document: dict[str, Any] = verdicts_document({k: tuple(v) for k, v in outcome.verdicts.items()})
        document |= {
            "run": str(outcome.folder),
            "exit_code": int(outcome.exit_code),
            "problem": outcome.problem,
        }
        sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
        return
    from v2glab.views import rich_verdicts

    out = console()
    out.print(rich_verdicts(outcome.verdicts))
    if outcome.problem:
        out.print(f"stopped: {outcome.problem}", style="bold red", markup=False)
    elif _was_live(outcome.folder) and not options.approve_energise:
        out.print("the station was only read; --approve-energise lets it be energised")
    out.print(f"run:    {outcome.folder}", markup=False)
    out.print(f"report: {outcome.folder / 'report.html'}", markup=False)


def _check_recording(recording: Path, sidecar: Path | None) -> None:
    """Refuse a recording that cannot be read before a run is begun."""
    from v2glab.instruments.recording import read_recording

    read_recording(_existing(recording) or "", _existing(sidecar) or "")


def _was_live(folder: Path) -> bool:
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    return bool(record["station"]["kind"] == "live")


def _existing(path: Path | None) -> str | None:
    from v2glab.evidence import InputError

    if path is None:
        return None
    if not path.is_file():
        raise InputError(f"no file {path}", "a file that can be read", "check the name")
    return str(path.resolve())


def _put(overrides: dict[str, dict[str, Any]], procedure: str, **values: str | None) -> None:
    given = {name: value for name, value in values.items() if value}
    if given:
        overrides.setdefault(procedure, {}).update(given)


def _overrides(parameters: list[str]) -> dict[str, dict[str, Any]]:
    """Read ``WHERE.NAME=VALUE``; a value that is not JSON is a text."""
    from v2glab.evidence import UsageError

    out: dict[str, dict[str, Any]] = {}
    for text in parameters:
        target, equals, value = text.partition("=")
        where, dot, name = target.partition(".")
        if not (equals and dot and where and name):
            raise UsageError(
                f"--parameter {text!r}", "NOTEBOOK.NAME=VALUE", "such as synchronise_grid.threshold=2"
            )
        try:
            parsed = json.loads(value)
        except ValueError:
            parsed = value
        out.setdefault(where, {})[name] = parsed
    return out
