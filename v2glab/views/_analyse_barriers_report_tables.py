"""The tables in the report of a barrier analysis: which columns, under which heading, in which format."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from v2glab.views._report_parts import text

#: Column of a table, its heading, and the format of its numbers; empty where it holds words.
Columns = Sequence[tuple[str, str, str]]

SECTIONS: dict[str, tuple[str, Columns]] = {
    "rules": (
        "What each rule costs",
        (
            ("title", "Rule", ""),
            ("setting", "Setting", ".4g"),
            ("unit", "", ""),
            ("shapley", "Shapley", ".2f"),
            ("shapley_low", "from", ".2f"),
            ("shapley_high", "to", ".2f"),
            ("first_in", "First in", ".2f"),
            ("last_in", "Last in", ".2f"),
            ("evidence_quality", "Source", ""),
        ),
    ),
    "books": (
        "What each place leaves",
        (
            ("name", "Rule book", ""),
            ("on", "On", ""),
            ("value", "Left", ".2f"),
            ("value_low", "from", ".2f"),
            ("value_high", "to", ".2f"),
            ("lost", "Lost", ".2f"),
            ("rules", "Rules", ""),
            ("not_in_force", "Not in force", ""),
        ),
    ),
    "minimal_sets": (
        "Least sets of rules whose lifting frees value",
        (("share", "Share of the loss", ".1f"), ("rules", "Rules to lift", ""), ("freed", "Freed", ".2f")),
    ),
    "latency": (
        "Measured times against limits of markets",
        (
            ("product", "Market", ""),
            ("kind", "Limit on", ""),
            ("limit_s", "Limit, s", "g"),
            ("measured", "Measured", ""),
            ("count", "n", "g"),
            ("share", "Within", ".1%"),
            ("low", "from", ".1%"),
            ("high", "to", ".1%"),
            ("p95_s", "95th percentile, s", ".3g"),
            ("confidence", "Limit's source", ""),
        ),
    ),
    "left_out": (
        "Who could not be priced, and why",
        (
            ("user", "User", ""),
            ("row", "Row", "g"),
            ("kind", "Why", ""),
            ("found", "Found", ""),
            ("remedy", "Remedy", ""),
        ),
    ),
}
EVIDENCE: Columns = (
    ("barrier", "Barrier", ""),
    ("state", "State", ""),
    ("number", "Number", ""),
    ("origin", "Verdict or quantity", ""),
    ("records", "Procedure and records", ""),
    ("reason", "Reason", ""),
)


def evidence_rows(rows: Sequence[dict[Any, Any]]) -> list[dict[Any, Any]]:
    """Return what a run says, each number with its uncertainty and its way back to the record."""
    out = []
    for row in rows:
        number = ""
        if not math.isnan(row["value"]):
            spread = row["uncertainty"]
            known = "u not known" if math.isnan(spread) else f"u = {spread:.2g}"
            unit = "" if row["unit"] == "1" else f" {row['unit']}"
            number = f"{row['value']:.4g}{unit} ({known})"
        outcome = f" ({row['outcome']})" if row["outcome"] else ""
        out.append(
            {
                "barrier": row["barrier"],
                "state": row["state"],
                "number": number,
                "origin": f"{row['verdict'] or row['quantity']}{outcome}",
                "records": f"{row['procedure']}: {row['records'] or 'result.json'}",
                "reason": row["reason"],
            }
        )
    return out


def html_table(rows: Sequence[dict[Any, Any]], columns: Columns) -> str:
    """Return rows as a table of HTML; columns that they do not have are left out."""
    known = [column for column in columns if rows and column[0] in rows[0]]
    head = "".join(f"<th{_right(form)}>{text(heading)}</th>" for _, heading, form in known)
    body = "".join(
        "<tr>"
        + "".join(f"<td{_right(form)}>{text(_cell(row[name], form))}</td>" for name, _, form in known)
        + "</tr>"
        for row in rows
    )
    return f"<div class=wide><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def _right(form: str) -> str:
    return " class=number" if form else ""


def _cell(value: Any, form: str) -> str:  # noqa: ANN401 -- whatever a table holds
    if not form:
        return "" if value in (None, "1") else str(value)
    return "\N{EN DASH}" if value is None or math.isnan(value) else f"{value:{form}}"
