"""What ``v2glab barriers`` prints."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from v2glab.evidence import Result


def print_result(result: Result, out: Path | None) -> None:
    """Print what each rule costs, the findings in words, and everything to know before quoting a number."""
    from v2glab.cli._common import console

    screen = console()
    rows = [
        [
            str(row.rule),
            _with_unit(row.setting, row.unit),
            f"{row.shapley:.2f}",
            f"{row.shapley_low:.2f} … {row.shapley_high:.2f}",
            f"{row.first_in:.2f}",
            f"{row.last_in:.2f}",
        ]
        for row in result.tables["rules"].itertuples()
    ]
    print_table(["rule", "setting", "Shapley", "95 % interval", "first in", "last in"], rows)
    before, after = (
        result.quantity("value_without_rules").value,
        result.quantity("value_with_all_rules").value,
    )
    facts = result.facts
    screen.print(
        f"{facts['currency']} per vehicle and year, {facts['vehicles']} vehicles, "
        f"prices of {facts['price_year']}: "
        f"{before:.2f} without rules, {after:.2f} with all of them; {facts['left_out']} users left out.",
        markup=False,
    )
    left_out = result.tables["left_out"]["kind"].value_counts()
    screen.print("Left out: " + (", ".join(f"{n} {kind}" for kind, n in left_out.items()) or "nothing") + ".")
    _print_services(result)
    screen.print("Findings:")
    for row in result.tables["findings"].itertuples():
        screen.print(f"- {row.finding}", markup=False)
    for verdict in result.verdicts:
        screen.print(f"{verdict.criterion.title}: {verdict.outcome}", markup=False)
    _print_evidence(result)
    _print_end(facts["caveats"], out)


def _print_services(result: Result) -> None:
    """Print what each choice of services earns, how plans were found, and what foresight is worth."""
    from v2glab.cli._common import console

    screen, services = console(), result.tables.get("services")
    if services is not None:
        print_table(
            ["services", "value without rules"],
            [[str(row.services), f"{row.value:.2f}"] for row in services.itertuples()],
        )
    methods = ", ".join(f"{name} {count}" for name, count in result.facts["methods"].items())
    screen.print(f"Plans by method: {methods or 'none'}.", markup=False)
    table = result.tables["foresight"]
    if len(table):
        perfect, rolled = table["perfect"].mean(), table["rolling"].mean()
        gap = "not rolled" if math.isnan(rolled) else f"{rolled:.2f}, {perfect - rolled:.2f} less"
        screen.print(
            f"Foresight: {perfect:.2f} without rules with it; planning {int(table['horizon_h'].iloc[0])} h "
            f"ahead: {gap} ({'; '.join(dict.fromkeys(table['method']))}).",
            markup=False,
        )


def _print_evidence(result: Result) -> None:
    from v2glab.cli._common import console

    run, table = result.facts.get("evidence_run"), result.tables.get("barrier_evidence")
    rows = [
        [
            str(item["barrier"]),
            str(item["state"]),
            "" if math.isnan(item["value"]) else _with_unit(item["value"], item["unit"]),
            str(item["verdict"]) or f"quantity {item['quantity']}",
            str(item["outcome"]),
            f"{item['procedure']}: {item['records'] or 'result.json'}",
        ]
        for item in (table.to_dict("records") if table is not None else ())
    ]
    if rows and isinstance(run, dict):
        console().print(f"What {run['run']} measured:", markup=False)
        print_table(["barrier", "state", "value", "verdict", "outcome", "records"], rows)
    if "latency" in result.tables:
        rows = [
            [
                str(row.limit),
                f"{row.limit_s:g} s",
                str(row.measured),
                f"{row.share:.1%} of {row.count}",
                f"{row.low:.1%} … {row.high:.1%}",
                str(row.confidence),
            ]
            for row in result.tables["latency"].itertuples()
        ]
        print_table(
            ["market limit", "at most", "measured", "within", "95 % interval", "limit's source"], rows
        )


def _print_end(caveats: object, out: Path | None) -> None:
    from v2glab.cli._common import console

    console().print("Before you quote a number:")
    for caveat in caveats if isinstance(caveats, list) else []:
        console().print(f"- {caveat}", markup=False)
    if out is not None:
        console().print(f"Written to {out}", markup=False)


def _with_unit(value: Any, unit: Any) -> str:  # noqa: ANN401 -- cells of a table
    return f"{value:g}" if unit == "1" else f"{value:g} {unit}"


def print_table(columns: list[str], rows: list[list[str]]) -> None:
    """Print a table at its full width."""
    from rich.box import SIMPLE
    from rich.table import Table

    from v2glab.cli._common import console

    table = Table(box=SIMPLE)
    for column in columns:
        table.add_column(column, no_wrap=True)
    for row in rows:
        table.add_row(*row)
    screen = console()
    # A table cut to a narrow or unknown terminal loses numbers; it is better wide.
    widths = [max(map(len, cells)) for cells in zip(columns, *rows, strict=True)]
    screen.width = max(screen.width, sum(widths) + 3 * len(widths) + 2)
    screen.print(table)


def print_books(result: Result, out: Path | None) -> None:
    """Print what each place leaves and takes, rule by rule, and the caveats."""
    from v2glab.cli._common import console

    rows = [
        [
            str(row.jurisdiction),
            str(row.on),
            f"{row.value:.2f}",
            f"{row.value_low:.2f} … {row.value_high:.2f}",
            f"{row.lost:.2f}",
            str(row.rules),
            str(row.not_in_force),
        ]
        for row in result.tables["books"].itertuples()
    ]
    print_table(["place", "on", "left", "95 % interval", "lost", "rules", "not in force"], rows)
    matrix = result.tables["matrix"]
    held = matrix[matrix["in_force"].astype(bool)]
    rows = [
        [
            str(row.jurisdiction),
            str(row.rule),
            f"{row.shapley:.2f}",
            f"{row.shapley_low:.2f} … {row.shapley_high:.2f}",
        ]
        for row in held.itertuples()
    ]
    print_table(["place", "rule", "Shapley", "95 % interval"], rows)
    screen = console()
    facts = result.facts
    screen.print(
        f"{facts['currency']} per vehicle and year, {facts['vehicles']} vehicles, prices of "
        f"{facts['price_year']}: {result.quantity('value_without_rules').value:.2f} without rules.",
        markup=False,
    )
    _print_evidence(result)
    _print_end(facts["caveats"], out)
