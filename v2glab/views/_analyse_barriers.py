"""The figures of a barrier analysis and of a comparison of rule books, each by its name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from v2glab.evidence import Result

#: Figures by name, and the tables that each draws.
FIGURES: dict[str, tuple[str, ...]] = {
    "waterfall": ("waterfall",),
    "forest": ("rules",),
    "interactions": ("interactions",),
    "tornado": ("settings",),
    "sankey": ("energy",),
    "duration": ("duration",),
    "books": ("books",),
    "matrix": ("matrix",),
    "latency": ("latency", "latency_samples"),
}


def plot_analyse_barriers(result: Result) -> Any:  # noqa: ANN401 -- a Bokeh layout
    """Return all figures that the record has tables for, one below the other: their labels need the width.

    Parameters
    ----------
    result
        Result of ``analyse_barriers``.
    """
    from bokeh.layouts import column

    panels = [barrier_figure(result, name) for name in figures_of(result)]
    return column(*panels, sizing_mode="stretch_width")


def figures_of(result: Result) -> list[str]:
    """Return the names of the figures that the record has tables with rows for."""
    return [
        name
        for name, tables in FIGURES.items()
        if all(table in result.tables and len(result.tables[table]) for table in tables)
    ]


def barrier_figure(result: Result, name: str) -> Any:  # noqa: ANN401 -- a Bokeh figure
    """Return one figure of a barrier analysis.

    Raises
    ------
    UsageError
        The record has no tables for it.
    """
    from v2glab.evidence import UsageError
    from v2glab.views import _analyse_barriers_heat_maps as heat_maps
    from v2glab.views import _analyse_barriers_money as money
    from v2glab.views import _analyse_barriers_parts as parts

    if name not in figures_of(result):
        raise UsageError(
            f"figure {name!r}", f"one of: {', '.join(figures_of(result))}", "choose one of those"
        )
    module = next(m for m in (money, heat_maps, parts) if hasattr(m, name))
    return getattr(module, name)(result)


def export_barrier_figures(result: Result, folder: Path, *, pages: bool = True) -> list[Path]:
    """Write each figure as a drawing (SVG) with its data beside it (CSV); return the files.

    Parameters
    ----------
    pages
        Whether to write each also as a page with hover and zoom that opens offline (HTML, about 1 MB).
    """
    from v2glab.evidence import write_atomic
    from v2glab.views._page import embedded, html_page
    from v2glab.views._svg import figure_svg

    written = []
    for name in figures_of(result):
        figure = barrier_figure(result, name)
        files = {f"{name}.svg": figure_svg(figure)}
        if pages:
            script, drawn = embedded({name: figure})
            files[f"{name}.html"] = html_page(
                name, drawn[name], script, footer=f"Data: {', '.join(FIGURES[name])}"
            )
        for table in FIGURES[name]:
            data = f"{name}.csv" if len(FIGURES[name]) == 1 else f"{name}.{table}.csv"
            files[data] = result.tables[table].to_csv(index=False)
        for file, text in files.items():
            written.append(folder / file)
            write_atomic(written[-1], text.encode())
    return written
