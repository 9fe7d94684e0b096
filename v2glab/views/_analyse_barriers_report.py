"""``report.html`` of a barrier analysis, in one file: findings in words, figures, evidence, all caveats."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from v2glab.views._analyse_barriers_report_tables import EVIDENCE, SECTIONS, evidence_rows, html_table
from v2glab.views._page import embedded, html_page
from v2glab.views._report_parts import pairs, text

if TYPE_CHECKING:
    from v2glab.evidence import Result

#: Parts of a finding, and what stands before each.
_PARTS = (("setting_text", ""), ("evidence", ""), ("source", ""), ("change", ""))
#: More rows than these are only in the CSV beside the report.
_MOST_ROWS = 60


def barrier_report(result: Result) -> str:
    """Return the report of an analysis, or of a comparison of rule books, as a page that stands alone.

    Parameters
    ----------
    result
        Result of ``analyse_barriers`` or ``compare_jurisdictions``.
    """
    from v2glab.views._analyse_barriers import barrier_figure, figures_of

    names = figures_of(result)
    script, drawn = embedded({name: barrier_figure(result, name) for name in names})
    body = [
        _head(result),
        _section(result, "books"),
        _section(result, "rules"),
        barrier_notes(result),
        "<h2>Figures</h2>",
        *(f"<div class=figure>{drawn[name]}</div>" for name in names),
        _section(result, "minimal_sets"),
        _section(result, "latency"),
        _left_out(result),
        f"<h2>Parameters</h2><details><summary>All of them</summary>{pairs(result.parameters)}</details>",
    ]
    footer = "Written by v2glab. Numbers are rounded here; result.json and the CSV files hold them whole."
    return html_page(_title(result), "".join(body), script, footer=footer)


def barrier_notes(result: Result, level: int = 2) -> str:
    """Return findings by barrier, what a run measured, and everything to know before a number is quoted.

    ``level`` is that of the headings, 1 to 5; each barrier has one of the next.
    """
    out = []
    if "findings" in result.tables:
        out.append(f"<h{level}>Findings</h{level}>")
        out += [_finding(row, level + 1) for row in result.tables["findings"].to_dict("records")]
    out.append(_evidence(result, level))
    caveats = result.facts.get("caveats")
    if isinstance(caveats, list) and caveats:
        items = "".join(f"<li>{text(caveat)}</li>" for caveat in caveats)
        out.append(f"<h{level}>Before you quote a number</h{level}><ul class=check>{items}</ul>")
    return "".join(out)


def _finding(row: dict[Any, Any], level: int) -> str:
    if "cost" not in row:  # of an older record
        return f"<h{level}>{text(row['rule'])}</h{level}><p>{text(row['finding'])}</p>"
    cost = str(row["cost"])
    items = "".join(f"<li>{text(row[name])}</li>" for name, _ in _PARTS if row[name])
    return (
        f"<h{level}>{text(row['title'])}</h{level}><p>{text(cost[:1].upper() + cost[1:])}</p>"
        f"<ul class='check note'>{items}</ul>"
    )


def _title(result: Result) -> str:
    return "The same cars under several rule books" if "books" in result.tables else "What each rule costs"


def _head(result: Result) -> str:
    facts = result.facts
    entries = {
        "Vehicles": facts["vehicles"],
        "Prices of": facts["price_year"],
        "Tariff": facts["tariff"],
        "Without rules": _value(result, 0),
        "With all rules": _value(result, -1),
    }
    cells = "".join(f"<div><dt>{text(k)}</dt><dd>{text(v)}</dd></div>" for k, v in entries.items() if v)
    return (
        f"<header><h1>{_title(result)}</h1><p class=sub>Money in {text(facts['currency'])} per vehicle and "
        f"year; intervals cover 95 %.</p><dl class=meta>{cells}</dl></header>"
    )


def _value(result: Result, row: int) -> str:
    """Return the value of the first or last set of rules, with its interval."""
    table = result.tables.get("rule_sets")
    if table is None:
        quantity = result.quantity("value_without_rules")
        return f"{quantity.value:.2f}" if row == 0 else ""
    mean, low, high = (float(table[name].iloc[row]) for name in ("value", "value_low", "value_high"))
    return f"{mean:.2f} ({low:.2f} to {high:.2f})"


def _section(result: Result, name: str) -> str:
    table = result.tables.get(name)
    if table is None or not len(table):
        return ""
    title, columns = SECTIONS[name]
    more = len(table) - _MOST_ROWS
    note = f"<p class=note>{more} more rows in {name}.csv.</p>" if more > 0 else ""
    return f"<h2>{title}</h2>{html_table(table.head(_MOST_ROWS).to_dict('records'), columns)}{note}"


def _evidence(result: Result, level: int) -> str:
    run, table = result.facts.get("evidence_run"), result.tables.get("barrier_evidence")
    if table is None or not len(table) or not isinstance(run, dict) or not run:
        return ""
    digest = f", verdicts.json with SHA-256 {text(run['verdicts_sha256'])}" if run["verdicts_sha256"] else ""
    where = f"Run {text(run['run'])}{digest}. Records lie in results/, in the folder of the procedure."
    rows = evidence_rows(table.to_dict("records"))
    heading = f"<h{level}>What the lab measured</h{level}>"
    return f"{heading}<p class=note>{where}</p>{html_table(rows, EVIDENCE)}"


def _left_out(result: Result) -> str:
    section = _section(result, "left_out")
    if not section:
        return ""
    counts = result.tables["left_out"]["kind"].value_counts().items()
    said = ", ".join(f"{number} {text(kind)}" for kind, number in counts)
    heading, _, rest = section.partition("</h2>")
    return f"{heading}</h2><p>{said}.</p><details><summary>Row by row</summary>{rest}</details>"
