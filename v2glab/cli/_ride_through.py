"""``v2glab ride-through``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from v2glab.evidence import Result
    from v2glab.gridcodes import Demand, GridCode
    from v2glab.procedures.judge_recording import JudgeRecordingParameters


def ride_through(
    recording: Annotated[str, typer.Argument(help="COMTRADE or CSV file; 'example' is one of the package.")],
    sidecar: Annotated[str, typer.Option(help="What the columns are; default: RECORDING.toml.")] = "",
    code: Annotated[str, typer.Option(help="Grid code: a name, or a file.")] = "ieee1547-2018",
    category: Annotated[
        list[str] | None, typer.Option(help="Category; may be repeated; default: the code's own.")
    ] = None,
    all_categories: Annotated[
        bool, typer.Option("--all-categories", help="All categories of the code.")
    ] = False,
    nominal_voltage: Annotated[
        float | None, typer.Option(help="Phase to neutral, V; default: of the sidecar.")
    ] = None,
    nominal_frequency: Annotated[float | None, typer.Option(help="Hz; default: of the recording.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write figures and table into this HTML file.")
    ] = None,
    json_output: Annotated[bool, typer.Option("--json", help="One JSON document instead of text.")] = False,
) -> None:
    """Say which category had to stay connected, which was free to trip, when, and by how much.

    Examples:

      v2glab ride-through example --all-categories

      v2glab ride-through fault.csv --sidecar fault.toml --code vde-ar-n-4105-2018 --out fault.html
    """
    from v2glab.cli._gridcodes import read
    from v2glab.procedures import load_procedure, validate_parameters
    from v2glab.procedures._judge_recording_demand import demands
    from v2glab.procedures.judge_recording import judge_measured, measure_files

    found = read(code)
    names = _categories(found, category or [], all_categories)
    parameters: Any = validate_parameters(
        load_procedure("judge_recording"),
        {
            "recording": recording,
            "sidecar": sidecar,
            "grid_code": found.id,
            "category": names[0],
            "nominal_voltage_v": nominal_voltage,
            "nominal_frequency_hz": nominal_frequency,
        },
    )
    measured = measure_files(parameters)
    asked = demands(measured, found, names)
    results = [judge_measured(measured, found, _for(parameters, name)) for name in names]
    if out:
        _write(out, found, asked, results)
    if json_output:
        _print_json(found, asked, results)
    else:
        _print(found, asked, results, out)


def _for(parameters: JudgeRecordingParameters, category: str) -> JudgeRecordingParameters:
    return parameters.model_copy(update={"category": category})


def _categories(code: GridCode, given: list[str], every: bool) -> list[str]:
    """Return the names of the categories, each once, as the code writes them."""
    from v2glab.evidence import UsageError

    if every and given:
        raise UsageError("--all-categories beside --category", "one of both", "leave one out")
    if not code.categories:
        code.category(code.default_category)
    wanted = list(code.categories) if every else given or [code.default_category]
    return list(dict.fromkeys(code.category(name).name for name in wanted))


def _write(out: Path, code: GridCode, asked: tuple[Demand, ...], results: list[Result]) -> None:
    from v2glab.evidence import write_atomic
    from v2glab.views import render_ride_through

    page = render_ride_through(code, asked, results, _facts(results[0]))
    write_atomic(out, page.encode("utf-8"))


def _facts(result: Result) -> dict[str, Any]:
    names = ("recording", "sha256", "kind", "duration_s", "nominal_voltage_v", "nominal_frequency_hz")
    return {name: result.facts[name] for name in (*names, "repairs", "gaps")}


def _print(code: GridCode, asked: tuple[Demand, ...], results: list[Result], out: Path | None) -> None:
    from v2glab.cli._common import console
    from v2glab.views import one_line, rich_demands, rich_verdicts

    facts = _facts(results[0])
    print(one_line(f"{facts['recording']}, {facts['duration_s']:.4g} s, by {code.standard}, {code.edition}"))
    for repair in facts["repairs"]:
        print(one_line(f"  {repair}"))
    screen = console()
    screen.print(rich_demands(asked))
    for demand in asked:
        for reason in demand.reasons:
            print(one_line(f"  category {demand.assessment.category}: {reason}"))
        if demand.left_out:
            print(
                one_line(f"  category {demand.assessment.category}: not judged: {', '.join(demand.left_out)}")
            )
    if any(name.startswith("current") for name in results[0].facts["channels"]):
        # Only with currents can the recording show whether the plant did what was asked.
        screen.print(rich_verdicts({r.facts["category"]: _applicable(r) for r in results}))
    if out:
        print(f"written: {out}")


def _shown(result: Result) -> list[Any]:
    return [v for v in result.verdicts if any(k in v.criterion.id for k in (".ride-through.", ".trip."))]


def _applicable(result: Result) -> list[Any]:
    from v2glab.evidence import Outcome

    return [v for v in _shown(result) if v.outcome is not Outcome.NOT_APPLICABLE]


def _print_json(code: GridCode, asked: tuple[Demand, ...], results: list[Result]) -> None:
    document = {
        "code": code.id,
        "edition": code.edition,
        "recording": _facts(results[0]),
        "categories": [_entry(d, r) for d, r in zip(asked, results, strict=True)],
    }
    json.dump(document, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")


def _entry(demand: Demand, result: Result) -> dict[str, Any]:
    seen = demand.assessment
    return {
        "category": seen.category,
        "asked": demand.asked,
        "conclusive": demand.conclusive,
        "reasons": list(demand.reasons),
        "may_trip_at_s": demand.may_trip_at_s,
        "must_trip_at_s": demand.must_trip_at_s,
        "margin_s": demand.margin_s,
        "u_margin_s": demand.u_margin_s,
        "margin_region": demand.margin_region,
        "trip_margin_s": demand.trip_margin_s,
        "u_trip_margin_s": demand.u_trip_margin_s,
        "trip": demand.trip,
        "not_judged": list(demand.left_out),
        "regions": [
            {"name": u.region.name, "mode": u.region.mode, "time_s": u.time_s, "longest_s": u.longest_s}
            | {"required_s": u.required_s, "may_trip_at_s": u.may_trip_at_s, "u_time_s": u.u_time_s}
            for u in seen.regions
            if u.entered
        ],
        "verdicts": [v.to_json() for v in _shown(result)],
    }
