"""The table for authors: one row a rule, as CSV and as LaTeX, with its caveats."""

from __future__ import annotations

from typing import TYPE_CHECKING

from v2glab.evidence import Result

if TYPE_CHECKING:
    import pandas as pd

_SPECIAL = str.maketrans(
    {"&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}"}
    | {"~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\\": r"\textbackslash{}"}
)


def authors_table(result: Result) -> pd.DataFrame:
    """Return rule, setting, measures with 95 % intervals, and source, costliest first."""
    import pandas as pd

    table = result.tables["rules"]
    rows: dict[str, list[str]] = {
        "rule": table["title"].astype(str).tolist(),
        "setting": [f"{v:g} {u}" for v, u in zip(table["setting"], table["unit"], strict=True)],
    }
    for name, title in (("shapley", "Shapley"), ("first_in", "first in"), ("last_in", "last in")):
        columns = (table[name], table[f"{name}_low"], table[f"{name}_high"])
        rows[title] = [f"{m:.1f} ({a:.1f} to {b:.1f})" for m, a, b in zip(*columns, strict=True)]
    rows["source"] = table["sources"].astype(str).tolist()
    rows["source quality"] = table["evidence_quality"].astype(str).tolist()
    return pd.DataFrame(rows)


def authors_latex(result: Result) -> str:
    """Return the same as a LaTeX table (package booktabs); caption and note hold what must be known."""
    table = authors_table(result)
    currency, years = str(result.facts["currency"]), str(result.facts["price_year"])
    lines = [
        r"\begin{table}",
        r"\caption{Value of bidirectional charging lost to each rule, "
        + _tex(f"{currency} per vehicle and year, {result.facts['vehicles']} vehicles, prices of {years}; ")
        + r"95\,\% intervals.}",
        r"\begin{tabular}{ll" + "r" * 3 + "ll}",
        r"\toprule",
        " & ".join(_tex(str(name)) for name in table.columns) + r" \\",
        r"\midrule",
    ]
    lines += [" & ".join(_tex(str(cell)) for cell in row) + r" \\" for row in table.itertuples(index=False)]
    lines += [r"\bottomrule", r"\end{tabular}"]
    caveats = result.facts["caveats"]
    notes = caveats if isinstance(caveats, list) else []
    lines += [r"\par\footnotesize " + " ".join(_tex(str(note)) for note in notes), r"\end{table}"]
    return "\n".join(lines) + "\n"


def _tex(text: str) -> str:
    return text.translate(_SPECIAL)
