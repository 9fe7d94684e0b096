"""``v2glab conformity``: type tests of a grid code, with verdicts."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from v2glab.cli._common import console
from v2glab.cli._procedure import Approve, Clock, Faults, Json, Seed, Strict

if TYPE_CHECKING:
    from v2glab.evidence import Result


def conformity(
    code: Annotated[
        str, typer.Option("--code", help="Grid code; see v2glab gridcodes list.")
    ] = "ieee1547-2018",
    category: Annotated[str, typer.Option("--category", help="Abnormal performance category.")] = "III",
    normal_category: Annotated[
        str, typer.Option("--normal-category", help="Normal performance category, A or B.")
    ] = "B",
    bench: Annotated[
        str, typer.Option("--bench", help="'model' in memory, 'twin', or a station file.")
    ] = "model",
    only: Annotated[
        list[str],
        typer.Option("--only", help="Family or test, such as trip or trip.time.*; may be repeated."),
    ] = [],  # noqa: B006 -- typer wants a list
    evidence: Annotated[str, typer.Option("--evidence", help="TOML file of laboratory evidence.")] = "",
    list_tests: Annotated[bool, typer.Option("--list", help="List the tests and run none.")] = False,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder of the runs; default: papermill_runs.")
    ] = None,
    approve_energise: Approve = False,
    clock: Clock = None,
    seed: Seed = 7,
    fault: Faults = [],  # noqa: B006 -- typer wants a list
    json_output: Json = False,
    strict: Strict = False,
) -> int:
    """Run the type tests of a grid code and judge them, with uncertainty.

    The run folder holds verdicts.json, results/conformity/junit.xml and report.html with a plot per test. A
    test that the bench cannot run is inconclusive and says why; laboratory evidence is imported from entries
    like:  [[evidence]] test = "laboratory.surge", document = "…", date = 2026-01-31, laboratory = "…",
    verdict = "pass"  (with schema = 1 at the top of the file).

    On a model the whole suite takes seconds. On the twin it plays about seven hours of station time, which
    take it ten minutes and more; choose with --only, such as --only trip.time.*.default. In a laboratory
    those seven hours are real.

    Examples:

      v2glab conformity --code ieee1547-2018 --category III

      v2glab conformity --bench twin --only droop --only volt-var.characteristic-2

      v2glab conformity --only trip --only volt-var --json

      v2glab conformity --bench my-site.toml --approve-energise --evidence laboratory.toml
    """
    # Small matrices only: threads of the linear algebra would cost more than they give. Before numpy loads.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    if list_tests:
        return _list(code, category, normal_category, only)
    values: dict[str, Any] = {
        "code": code,
        "category": category,
        "normal_category": normal_category,
        "bench": "model" if bench == "model" else "station",
        "only": tuple(only),
        "evidence": evidence,
        "station": bench,
        "clock": clock or "lockstep",
        "seed": seed,
        "faults": tuple(fault),
        "approve_energise": approve_energise,
    }
    result, folder = _run(values, out, quiet=json_output)
    if json_output:
        _print_json(result, folder)
    else:
        _print_result(result, folder)
    from v2glab.evidence import Outcome

    return 1 if strict and result.count(Outcome.FAIL) else 0


def _list(code: str, category: str, normal_category: str, only: list[str]) -> int:
    from v2glab.gridcodes import load_code
    from v2glab.gridcodes.conformity import Rules, list_cases

    loaded = load_code(code)
    rules = Rules(loaded, loaded.category(category).name, normal_category)
    for case in list_cases(rules, only):
        sys.stdout.write(f"{case.id:45}  {case.clause:22}  {case.title}\n")
    return 0


def _run(values: Mapping[str, Any], out: Path | None, *, quiet: bool) -> tuple[Result, Path]:
    from v2glab.campaigns import run_single
    from v2glab.views import render_report

    return run_single("conformity", values, progress=_progress(quiet), render=render_report, root=out)


def _progress(quiet: bool) -> Callable[[Mapping[str, float]], None] | None:
    """Return what shows how far the suite is, on a terminal only."""
    if quiet or not sys.stderr.isatty():
        return None

    def show(sample: Mapping[str, float]) -> None:
        done, count = int(sample["test"]), int(sample["tests"])
        filled = round(30 * done / count)
        sys.stderr.write(f"\r  [{'#' * filled}{'.' * (30 - filled)}] {done}/{count}")
        sys.stderr.write("\n" if done == count else "")
        sys.stderr.flush()

    return show


def _print_json(result: Result, folder: Path) -> None:
    from v2glab.evidence import verdicts_document

    document = verdicts_document({result.procedure: result.verdicts})
    document["facts"] = dict(result.facts)
    document["tests"] = result.tables["tests"].to_dict("records")
    document["run"] = str(folder)
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def _print_result(result: Result, folder: Path) -> None:
    """Print each family's tests by outcome, then every test that failed, then why tests are open."""
    out, tests = console(), result.tables["tests"]
    tests = tests.assign(family=tests["test"].str.partition(".")[0])
    for family, rows in tests.groupby("family", sort=False):
        seen = rows["outcome"].value_counts()
        text = ", ".join(f"{seen[o]} {o}" for o in ("pass", "fail", "inconclusive") if o in seen)
        out.print(f"  {family:24} {text}", markup=False)
    for row in tests[tests["outcome"] == "fail"].to_dict("records"):
        out.print(f"fail  {row['test']}  {row['clause']}: {row['reason']}", markup=False)
    reasons = tests[tests["outcome"] == "inconclusive"].groupby("reason")["test"].agg(["count", "first"])
    for row in reasons.sort_values("count", ascending=False).reset_index().to_dict("records"):
        out.print(f"open  {row['count']} ({row['first']}, …): {row['reason']}", markup=False)
    facts = result.facts
    out.print(
        f"{facts['code']}, category {facts['category']}/{facts['normal_category']}, {facts['bench']}:",
        markup=False,
    )
    out.print("  " + ", ".join(f"{n} {o}" for o, n in facts["tests"].items()), markup=False)
    out.print(f"run: {folder}", markup=False)
