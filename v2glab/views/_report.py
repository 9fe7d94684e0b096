"""``report.html``: what a run found, in one file that needs no network."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from v2glab.evidence import InputError, Result, V2GError, check_document
from v2glab.procedures import NAMES, load_procedure
from v2glab.views import _report_parts as parts
from v2glab.views._analyse_barriers_report import barrier_notes
from v2glab.views._page import embedded, html_page
from v2glab.views._registry import figure_function

_FOOTER = (
    "Written by v2glab from the records in this folder. Numbers are rounded here; "
    "the records hold them whole."
)


def render_report(run_folder: Path) -> str:
    """Return the report of one run as a page that stands alone.

    Figures are drawn anew from the recorded tables, never taken from a notebook.

    Parameters
    ----------
    run_folder
        A sealed run, or one that is just being sealed and already has its ``run.json``.

    Raises
    ------
    InputError
        The folder holds no readable run.
    """
    from v2glab.campaigns import RunFolder

    path = run_folder / "run.json"
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: {error}", "the record of a run", "name a sealed run") from error
    check_document("run-1", record, str(path))
    run = RunFolder(run_folder, record)
    return render(record, run.results(), run.verdicts())


def render(record: Mapping[str, Any], results: Mapping[str, Result], verdicts: parts.Verdicts) -> str:
    """Return the report of a record, its results and its verdicts by procedure."""
    order = sorted(results, key=lambda name: (NAMES.index(name) if name in NAMES else len(NAMES), name))
    figures, faults = _figures({name: results[name] for name in order})
    scripts, drawn = embedded(figures)
    body = [parts.head(record, verdicts), parts.verdict_section(verdicts), parts.check_section(verdicts)]
    body += [
        parts.procedure_section(_title(name), results[name], drawn.get(name, faults.get(name, "")))
        + barrier_notes(results[name], level=3)
        for name in order
    ]
    body.append(parts.provenance_section(record))
    title = f"v2glab run {parts.text(record.get('id', ''))}".strip()
    return html_page(title, "".join(body), scripts, footer=_FOOTER)


def _figures(results: Mapping[str, Result]) -> tuple[dict[str, Any], dict[str, str]]:
    """Draw each result; a record that does not hold what its figure needs costs that figure only."""
    figures, faults = {}, {}
    for name, result in results.items():
        function = figure_function(name)
        if function is None:
            continue
        try:
            figures[name] = function(result)
        except Exception as error:
            faults[name] = (
                f"<p class=alarm>No figure: the record does not hold what it needs "
                f"({parts.text(type(error).__name__)}: {parts.text(error)}).</p>"
            )
    return figures, faults


def _title(name: str) -> str:
    try:
        return load_procedure(name).title
    except (V2GError, ImportError):
        return name
