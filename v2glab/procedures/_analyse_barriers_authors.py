"""The table for authors: one row a rule, as CSV and as LaTeX, with its caveats."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from v2glab.barriers import load_catalogue
from v2glab.evidence import Result

if TYPE_CHECKING:
    import pandas as pd

_SPECIAL = str.maketrans(
    {"&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}"}
    | {"~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\\": r"\textbackslash{}"}
    # In the old font encoding these print as other signs; a bracket after a line's end is an argument.
    | {"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': "''", "[": "{[}", "]": "{]}"}
    | {"±": r"\ensuremath{\pm}", "≤": r"\ensuremath{\le}", "≥": r"\ensuremath{\ge}", "…": r"\dots{}"}
    | {"−": "--", "–": "--", "×": r"\ensuremath{\times}", "°": r"\ensuremath{^\circ}", "§": r"\S{}"}
)
_MEASURES = (("shapley", "Shapley"), ("first_in", "first in"), ("last_in", "last in"))


def authors_table(result: Result) -> pd.DataFrame:
    """Return rule, setting, measures with 95 % intervals, and source, costliest first."""
    import pandas as pd

    table = result.tables["rules"]
    settings = zip(table["setting"], table["unit"], strict=True)
    rows: dict[str, list[str]] = {
        "rule": table["title"].astype(str).tolist(),
        "setting": [f"{v:.4g}" if u == "1" else f"{v:g} {u}" for v, u in settings],
    }
    for name, title in _MEASURES:
        columns = (table[name], table[f"{name}_low"], table[f"{name}_high"])
        rows[title] = [f"{_short(m)} ({_short(a)} to {_short(b)})" for m, a, b in zip(*columns, strict=True)]
    rows["set by"] = table["value_source"].astype(str).tolist()
    rows["source"] = table["sources"].astype(str).tolist()
    rows["source quality"] = table["evidence_quality"].astype(str).tolist()
    return pd.DataFrame(rows)


def authors_latex(result: Result) -> str:
    """Return the same as a LaTeX table (package booktabs); caption and notes hold what must be known.

    An interval stands below its number, so that the table fits a page.
    """
    facts = result.facts
    caption = f"{facts['currency']} per vehicle and year, {facts['vehicles']} vehicles, prices of "
    lines = [
        "% Needs \\usepackage{booktabs} and UTF-8.",
        r"\begin{table}",
        r"\caption{Value of bidirectional charging lost to each rule, "
        + _tex(f"{caption}{facts['price_year']};")
        + r" 95\,\% intervals below.}",
        r"\footnotesize",
        r"\begin{tabular}{p{0.3\linewidth}lrrrp{0.16\linewidth}}",
        r"\toprule",
        " & ".join(["rule", "setting", *(title for _, title in _MEASURES), "source"]) + r" \\",
        r"\midrule",
        *_rows(result),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    lines += [rf"\par\smallskip {_tex(note)}" for note in _notes(result)]
    return "\n".join([*lines, r"\end{table}"]) + "\n"


def _rows(result: Result) -> Iterable[str]:
    plain = authors_table(result).to_dict("records")
    for row, own in zip(result.tables["rules"].to_dict("records"), plain, strict=True):
        numbers = [
            rf"\shortstack[r]{{{_short(row[n])}\\{_short(row[f'{n}_low'])} to {_short(row[f'{n}_high'])}}}"
            for n, _ in _MEASURES
        ]
        source = ", ".join(str(row["sources"]).split()) or "none"
        quality = "" if row["evidence_quality"] == "read" else f" ({row['evidence_quality']})"
        cells = [_tex(own["rule"]), _tex(own["setting"]), *numbers, _tex(source + quality)]
        yield " & ".join(cells) + r" \\"


def _notes(result: Result) -> Iterable[str]:
    sources = load_catalogue().sources
    cited = dict.fromkeys(name for text in result.tables["rules"]["sources"] for name in str(text).split())
    if cited:
        yield "Sources: " + "; ".join(f"{name}: {sources.get(name, 'not listed')}" for name in cited) + "."
    caveats = result.facts["caveats"]
    if isinstance(caveats, list):
        yield " ".join(map(str, caveats))


def _short(value: float) -> str:
    text = f"{value:.1f}"
    return text if float(text) else text.lstrip("-")


def _tex(text: str) -> str:
    """Return a text that LaTeX sets as it stands; blank lines, which end a paragraph, become spaces."""
    return " ".join(str(text).split()).translate(_SPECIAL)
