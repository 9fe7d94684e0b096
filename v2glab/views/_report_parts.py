"""Sections of the report. Everything that comes out of a record is escaped on its way into the page."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from v2glab.evidence import Outcome, Result, Verdict
from v2glab.views._numbers import SYMBOL, spread_text, utc_text, with_unit
from v2glab.views._tables import quantity_row, verdict_row
from v2glab.views._terminal import by_rule

Verdicts = Mapping[str, Iterable[Verdict]]

#: Longest text of one fact in the page; the whole stands in ``result.json``.
LONGEST_FACT = 400


def head(record: Mapping[str, Any], verdicts: Verdicts) -> str:
    """Return title, station, times, status, and how many verdicts there are of each outcome."""
    station = mapping(record.get("station"))
    entries = {
        "Station": f"{station.get('name', '–')} ({station.get('kind', 'kind unknown')})",
        "Started": utc_text(record.get("started_ns")),
        "Duration": _duration(record),
        "Status": record.get("status", "–"),
        "Campaign": record.get("campaign") or "–",
        "Run": record.get("id", "–"),
        "Clock and seed": f"{record.get('clock', '–')}, seed {record.get('seed', '–')}",
        "Faults switched on": _listed(record.get("faults")) or "none",
    }
    cells = "".join(f"<div><dt>{text(k)}</dt><dd>{text(v)}</dd></div>" for k, v in entries.items())
    return (
        "<header><h1>Field validation</h1>"
        f"<p class=sub>What was measured at {text(station.get('name', 'the station'))}, "
        "judged rule by rule.</p>"
        f"{_alarm(record)}<dl class=meta>{cells}</dl>{_counts(verdicts)}</header>"
    )


def verdict_section(verdicts: Verdicts) -> str:
    """Return the table of verdicts, grouped by rule."""
    bodies = []
    for rule, entries in by_rule(verdicts).items():
        rows = "".join(_verdict_cells(verdict) for _, verdict in entries)
        title = f"{text(rule)} <span class=note>{text(entries[0][1].criterion.edition)}</span>"
        bodies.append(f"<tbody><tr><th scope=rowgroup colspan=6>{title}</th></tr>{rows}</tbody>")
    if not bodies:
        return "<h2>Verdicts by rule</h2><p>This run holds no verdict.</p>"
    names = ("Criterion", "Outcome", "Value", "U", "Limit", "Reason")
    return (
        "<h2>Verdicts by rule</h2><p class=note>U is the expanded uncertainty (coverage 95.45 %). "
        "A verdict is <em>pass</em> or <em>fail</em> only where value and limit lie further apart "
        "than the guard band.</p>"
        f"<div class=wide><table>{_header(names, numbers=(2, 3))}{''.join(bodies)}</table></div>"
    )


def check_section(verdicts: Verdicts) -> str:
    """Return what a person has to look at: every verdict that could not be decided, by its reason."""
    reasons: dict[str, list[str]] = {}
    for procedure, several in verdicts.items():
        for verdict in several:
            if verdict.outcome is Outcome.INCONCLUSIVE:
                reasons.setdefault(verdict.reason, []).append(
                    f"<li>{text(verdict.criterion.rule)}: {text(verdict.criterion.title)} <span class=note>"
                    f"({text(procedure)}, <code>{text(verdict.criterion.id)}</code>)</span></li>"
                )
    if not reasons:
        return ""
    blocks = "".join(
        f"<h3>{text(reason[:1].upper() + reason[1:])}</h3><ul class=check>{''.join(items)}</ul>"
        for reason, items in reasons.items()
    )
    return f"<h2>What must be checked</h2>{blocks}"


def procedure_section(title: str, result: Result, figure: str) -> str:
    """Return quantities, figure and facts of one procedure."""
    parts = [f"<h2>{text(title)}</h2>"]
    if result.quantities:
        parts.append(_quantities(result))
    if figure:
        parts.append(f"<div class=figure>{figure}</div>")
    if result.facts:
        parts.append(f"<details><summary>Facts</summary>{pairs(result.facts)}</details>")
    if result.parameters:
        parts.append(f"<details><summary>Parameters</summary>{pairs(result.parameters)}</details>")
    return f"<section>{''.join(parts)}</section>"


def provenance_section(record: Mapping[str, Any]) -> str:
    """Return what is needed to repeat the run."""
    git = mapping(record.get("git"))
    source = (
        f"{git.get('commit') or 'not under version control'}{' (changed files)' if git.get('dirty') else ''}"
    )
    blocks = [pairs({"source": source, "Python": record.get("python", "–"), "seed": record.get("seed", "–")})]
    for key, title in (
        ("machine", "Machine"),
        ("scheduling", "Scheduling"),
        ("datasets", "Data files (SHA-256)"),
        ("versions", "Package versions"),
    ):
        if mapping(record.get(key)):
            blocks.append(f"<h3>{title}</h3>{pairs(mapping(record.get(key)))}")
    blocks.append(_notebooks(record.get("notebooks")))
    return f"<h2>Provenance</h2><details><summary>How to repeat this run</summary>{''.join(blocks)}</details>"


def pairs(values: Mapping[str, Any]) -> str:
    """Return names and values as a table of two columns."""
    rows = "".join(
        f"<tr><td class=key>{text(key)}</td><td class=mono>{text(_fact(value))}</td></tr>"
        for key, value in values.items()
    )
    return f"<div class=wide><table><tbody>{rows}</tbody></table></div>"


def text(value: object) -> str:
    """Return a value as text that cannot become markup."""
    return escape(str(value))


def mapping(value: object) -> Mapping[str, Any]:
    """Return the value when it is a mapping, else an empty one: a record may hold anything."""
    return value if isinstance(value, Mapping) else {}


def outcome_cell(outcome: Outcome) -> str:
    """Return an outcome as symbol, word and colour."""
    name = str(outcome).replace(" ", "-")
    return (
        f"<span class='outcome {name}'><span class=symbol aria-hidden=true>{SYMBOL[outcome]}</span>"
        f"{text(outcome)}</span>"
    )


def _verdict_cells(verdict: Verdict) -> str:
    row = verdict_row(verdict)
    return (
        f"<tr><td>{text(row['criterion'])}</td><td>{outcome_cell(verdict.outcome)}</td>"
        f"<td class=number>{text(row['value'])}</td><td class=number>{text(row['U'])}</td>"
        f"<td>{text(row['limit'])}</td><td class=reason>{text(row['reason'])}</td></tr>"
    )


def _quantities(result: Result) -> str:
    rows = []
    for quantity in result.quantities:
        row = quantity_row(quantity)
        clock = " <span class=note>(wall clock)</span>" if quantity.name in result.timing else ""
        spread = quantity.expanded()
        shown = f"± {spread_text(spread[0])}" if spread else "–"
        rows.append(
            f"<tr><td>{text(quantity.name.replace('_', ' '))}{clock}</td>"
            f"<td class=number>{text(with_unit(row['value'], quantity.unit))}</td>"
            f"<td class=number>{text(shown)}</td><td class=reason>{text(row['source'])}</td></tr>"
        )
    header = _header(("Quantity", "Value", "U", "Instrument and certificate"), numbers=(1, 2))
    return f"<div class=wide><table>{header}<tbody>{''.join(rows)}</tbody></table></div>"


def _counts(verdicts: Verdicts) -> str:
    every = [verdict.outcome for several in verdicts.values() for verdict in several]
    items = "".join(
        f"<li class={str(outcome).replace(' ', '-')}><b>{every.count(outcome)}</b>"
        f"<span>{SYMBOL[outcome]} {text(outcome)}</span></li>"
        for outcome in Outcome
    )
    return f"<ul class=counts>{items}</ul>"


def _alarm(record: Mapping[str, Any]) -> str:
    failed = [entry for entry in sequence(record.get("notebooks")) if mapping(entry).get("error")]
    if record.get("status") == "complete" and not failed:
        return ""
    lines = "".join(f"<br>{text(entry.get('name', '–'))}: {text(_fact(entry['error']))}" for entry in failed)
    status = text(record.get("status", "unknown"))
    problem = text(record.get("problem") or "Read its verdicts with care.")
    return f"<p class=alarm><strong>This run is {status}.</strong> {problem}{lines}</p>"


def _notebooks(entries: object) -> str:
    rows = "".join(
        f"<tr><td>{text(entry.get('name', '–'))}</td><td>{text(entry.get('status', '–'))}</td>"
        f"<td class=number>{_seconds(entry.get('duration_s'))}</td></tr>"
        for entry in map(mapping, sequence(entries))
    )
    header = _header(("Notebook", "Status", "Duration"), numbers=(2,))
    return (
        f"<h3>Notebooks</h3><div class=wide><table>{header}<tbody>{rows}</tbody></table></div>"
        if rows
        else ""
    )


def _header(names: Sequence[str], numbers: Sequence[int] = ()) -> str:
    cells = "".join(
        f"<th{' class=number' if position in numbers else ''}>{name}</th>"
        for position, name in enumerate(names)
    )
    return f"<thead><tr>{cells}</tr></thead>"


def _duration(record: Mapping[str, Any]) -> str:
    start, end = record.get("started_ns"), record.get("ended_ns")
    return _seconds((end - start) / 1e9) if isinstance(start, int) and isinstance(end, int) else "–"


def _seconds(value: object) -> str:
    return f"{value:.1f} s" if isinstance(value, int | float) else "–"


def sequence(value: object) -> list[Any]:
    """Return the value when it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def _listed(value: object) -> str:
    return ", ".join(str(part) for part in value) if isinstance(value, list | tuple) else ""


def _fact(value: object) -> str:
    shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return shown if len(shown) <= LONGEST_FACT else f"{shown[:LONGEST_FACT]} … (whole in the run folder)"
