"""Grid codes as tables for the terminal and as a page that stands alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from v2glab.gridcodes import GridCode, Pair, Row, code_rows, compare_rows, unverified
from v2glab.views._gridcodes_plot import Selected, code_figures
from v2glab.views._page import embedded, html_page
from v2glab.views._report_parts import text

if TYPE_CHECKING:
    from rich.table import Table

_FOOTER = (
    "Written by v2glab from its data files. Each limit names where it was read; what nobody checked against "
    "the text gives inconclusive verdicts only."
)


def rich_codes(codes: Iterable[GridCode]) -> Table:
    """Return one row a code: edition, frequency, categories, limits, and how many must be checked."""
    table = _table("code", "standard and edition", "Hz", "categories", "limits", "to check", "extends")
    for code in codes:
        rows = code_rows(code)
        names = ", ".join(dict.fromkeys([*code.categories, *code.normal])) or "none transcribed yet"
        cells = (code.id, f"{code.standard}, {code.edition}", f"{code.nominal_frequency_hz:g}", names)
        _add(table, *cells, str(len(rows)), str(len(unverified(rows))), code.extends)
    return table


def rich_rows(rows: Sequence[Row]) -> Table:
    """Return one row a limit."""
    table = _table("group", "category", "limit", "value", "range", "clause", "confidence")
    last = ""
    for row in rows:
        cells = (row.group if row.group != last else "", row.category, row.name, row.value, row.range)
        _add(
            table,
            *cells,
            f"{row.standard}, {row.clause}",
            row.confidence,
            alarm=row.confidence == "unverified",
        )
        last = row.group
    return table


def rich_pairs(pairs: Sequence[Pair], first: str, second: str) -> Table:
    """Return one row a limit of either code; what differs is marked."""
    table = _table("group", "limit", first, second, "", "to check")
    last = ""
    for pair in pairs:
        mark = "≠" if pair.differs else "="
        cells = (pair.group if pair.group != last else "", pair.name, _value(pair.first), _value(pair.second))
        _add(table, *cells, mark, "yes" if pair.unverified else "", alarm=pair.differs)
        last = pair.group
    return table


def selected_rows(selected: Selected) -> tuple[Row, ...]:
    """Return the rows of a code in the categories that were selected."""
    rules, normal = selected.rules, selected.normal
    return code_rows(selected.code, rules.name if rules else None, normal.name if normal else None)


def render_codes(codes: Sequence[Selected]) -> str:
    """Return a page with figures of one code or of several side by side, tables, and what must be checked."""
    scripts, drawn = embedded(code_figures(codes))
    names = [text(selected.label) for selected in codes]
    body = [f"<header><h1>Grid codes</h1><p class=sub>{' and '.join(names)}</p>{_heads(codes)}</header>"]
    body += [f"<h2>{text(name)}</h2><div class=figure>{figure}</div>" for name, figure in drawn.items()]
    if len(codes) == 2:
        pairs = compare_rows(selected_rows(codes[0]), selected_rows(codes[1]))
        body.append(f"<h2>Limits side by side</h2>{_pair_table(pairs, names[0], names[1])}")
    else:
        body += [
            f"<h2>Limits of {n}</h2>{_row_table(selected_rows(s))}" for n, s in zip(names, codes, strict=True)
        ]
    body.append(_check(codes))
    return html_page(f"Grid codes: {', '.join(names)}", "".join(body), scripts, footer=_FOOTER)


def _heads(codes: Sequence[Selected]) -> str:
    items = []
    for selected in codes:
        code = selected.code
        facts = f"{code.standard}, {code.edition}; {code.nominal_frequency_hz:g} Hz"
        items.append(
            f"<div><dt>{text(selected.label)}</dt><dd>{text(code.title)}</dd>"
            f"<p class=note>{text(facts)}. {text(code.note)}</p></div>"
        )
    return f"<dl class=meta>{''.join(items)}</dl>"


def _pair_table(pairs: Sequence[Pair], first: str, second: str) -> str:
    rows = "".join(
        f"<tr><td>{text(p.group)}</td><td>{text(p.name)}</td><td>{text(_value(p.first))}</td>"
        f"<td>{text(_value(p.second))}</td><td>{'≠' if p.differs else '='}</td></tr>"
        for p in pairs
    )
    head = f"<thead><tr><th>Group</th><th>Limit</th><th>{first}</th><th>{second}</th><th></th></tr></thead>"
    return f"<div class=wide><table>{head}<tbody>{rows}</tbody></table></div>"


def _row_table(rows: Sequence[Row]) -> str:
    shown = [
        (r.group, r.category, r.name, r.value, r.range, f"{r.standard}, {r.clause}", r.confidence)
        for r in rows
    ]
    cells = "".join(f"<tr>{''.join(f'<td>{text(cell)}</td>' for cell in row)}</tr>" for row in shown)
    names = ("Group", "Category", "Limit", "Value", "Range", "Clause", "Confidence")
    head = "".join(f"<th>{name}</th>" for name in names)
    return f"<div class=wide><table><thead><tr>{head}</tr></thead><tbody>{cells}</tbody></table></div>"


def _check(codes: Sequence[Selected]) -> str:
    """List what somebody has to hold against the text, a block a code, with the count."""
    blocks = []
    for selected in codes:
        rows = unverified(selected_rows(selected))
        items = "".join(
            f"<li>{text(r.standard)} {text(r.clause)}: {text(r.name)}, {text(r.value)} "
            f"<span class=note>({text(r.source)}{'; ' + text(r.note) if r.note else ''})</span></li>"
            for r in rows
        )
        title = f"{text(selected.label)}: {len(rows)} unverified"
        blocks.append(f"<h3>{title}</h3><ul class=check>{items}</ul>" if rows else f"<h3>{title}</h3>")
    return f"<h2>What must be checked</h2>{''.join(blocks)}"


def _value(row: Row | None) -> str:
    if row is None:
        return "no limit known"
    return f"{row.value} [{row.range}]" if row.range else row.value


def _table(*names: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for name in names:
        table.add_column(name, overflow="fold")
    return table


def _add(table: Table, *cells: str, alarm: bool = False) -> None:
    from rich.text import Text

    # Text objects, not markup: entries come from data files and may hold brackets.
    table.add_row(*(Text(one_line(cell)) for cell in cells), style="yellow" if alarm else None)


def one_line(shown: str) -> str:
    """Return a text on one line; control characters of a foreign file do not reach the terminal."""
    return "".join(c if c.isprintable() else " " for c in shown)
