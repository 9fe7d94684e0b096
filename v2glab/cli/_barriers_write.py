"""What ``v2glab barriers`` writes: one JSON document, tables, an author's table, figures and a report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from v2glab.evidence import Result


def as_document(result: Result) -> dict[str, Any]:
    """Return the result as plain values; what JSON cannot hold (NaN) becomes null."""
    import json

    return {
        "schema": "v2glab-barriers/1",
        "parameters": dict(result.parameters),
        "facts": dict(result.facts),
        "quantities": [quantity.to_json() for quantity in result.quantities],
        "verdicts": [verdict.to_json() for verdict in result.verdicts],
        "tables": {
            name: json.loads(table.to_json(orient="records", double_precision=15))
            for name, table in result.tables.items()
        },
    }


def write_all(folder: Path, result: Result, document: dict[str, Any]) -> None:
    """Write everything into a folder: each file whole or not at all."""
    from v2glab.evidence import write_atomic, write_json
    from v2glab.procedures._analyse_barriers_authors import authors_latex, authors_table
    from v2glab.views import barrier_report, export_barrier_figures

    write_json(folder / "result.json", document)
    for name, table in result.tables.items():
        write_atomic(folder / f"{name}.csv", table.to_csv(index=False).encode())
    if "rules" in result.tables:
        authors = authors_table(result)
        write_atomic(folder / "authors.csv", authors.to_csv(index=False).encode())
        write_atomic(folder / "authors.tex", authors_latex(result).encode())
    export_barrier_figures(result, folder / "figures")
    write_atomic(folder / "report.html", barrier_report(result).encode())


def print_json(document: object) -> None:
    """Print a document as JSON."""
    import json

    typer.echo(json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False))
