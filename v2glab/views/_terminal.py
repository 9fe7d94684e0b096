"""The table of verdicts that ends a campaign in the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from v2glab.evidence import Outcome, Verdict
from v2glab.views._numbers import SYMBOL, limit_text, rounded, spread_text, with_unit

if TYPE_CHECKING:
    from rich.table import Table

_COLOUR = {
    Outcome.PASS: "green",
    Outcome.FAIL: "bold red",
    Outcome.INCONCLUSIVE: "yellow",
    Outcome.NOT_APPLICABLE: "dim",
}


def by_rule(verdicts_by_procedure: Mapping[str, Iterable[Verdict]]) -> dict[str, list[tuple[str, Verdict]]]:
    """Return procedure and verdict by rule, rules in the order of their first verdict."""
    rules: dict[str, list[tuple[str, Verdict]]] = {}
    for procedure, verdicts in verdicts_by_procedure.items():
        for verdict in verdicts:
            rules.setdefault(verdict.criterion.rule, []).append((procedure, verdict))
    return rules


def rich_verdicts(verdicts_by_procedure: Mapping[str, Iterable[Verdict]]) -> Table:
    """Return one row a verdict, grouped by rule; the outcome stands as symbol, word and colour."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for name in ("rule", "criterion"):
        table.add_column(name, overflow="fold")
    table.add_column("outcome", no_wrap=True)
    table.add_column("value ± U", justify="right", overflow="fold")
    table.add_column("limit", overflow="fold")
    for rule, entries in by_rule(verdicts_by_procedure).items():
        for position, (_, verdict) in enumerate(entries):
            # Text objects, not markup: titles come from data files and may hold brackets.
            table.add_row(
                Text(rule if position == 0 else "", style="bold"),
                Text(verdict.criterion.title),
                Text(f"{SYMBOL[verdict.outcome]} {verdict.outcome}", style=_COLOUR[verdict.outcome]),
                Text(value_text(verdict)),
                Text(limit_text(verdict.criterion)),
                end_section=position == len(entries) - 1,
            )
    return table


def value_text(verdict: Verdict) -> str:
    """Return value, expanded uncertainty and unit in one line, or a dash."""
    quantity, spread = verdict.quantity, verdict.expanded_uncertainty
    if quantity is None:
        return "–"
    value = rounded(quantity.value, spread)
    return with_unit(value if spread is None else f"{value} ± {spread_text(spread)}", quantity.unit)
