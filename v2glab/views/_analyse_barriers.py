"""What each rule costs: a waterfall from no rules to all, and a forest of three measures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from v2glab.views._analyse_barriers_parts import unit

if TYPE_CHECKING:
    from v2glab.evidence import Result

#: Column of the table, label, colour, and offset from the row's middle.
_MEASURES = (
    ("first_in", "alone (first in)", "#588157", 0.22),
    ("shapley", "Shapley value", "#1f4e79", 0.0),
    ("last_in", "lifted last (last in)", "#c8553d", -0.22),
)


#: Figures by name, and the tables that each draws.
FIGURES: dict[str, tuple[str, ...]] = {
    "waterfall": ("waterfall",),
    "forest": ("rules",),
    "interactions": ("interactions",),
    "tornado": ("settings",),
    "sankey": ("energy",),
    "duration": ("duration",),
    "matrix": ("matrix",),
    "latency": ("latency", "latency_samples"),
}


def plot_analyse_barriers(result: Result) -> Any:  # noqa: ANN401 -- a Bokeh layout
    """Return all figures that the record has tables for, two in a row.

    Parameters
    ----------
    result
        Result of ``analyse_barriers``.
    """
    from bokeh.layouts import gridplot

    panels = [barrier_figure(result, name) for name in figures_of(result)]
    return gridplot(panels, ncols=2, sizing_mode="stretch_width", toolbar_location=None)


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
    from v2glab.views import _analyse_barriers_parts as parts

    if name not in figures_of(result):
        raise UsageError(
            f"figure {name!r}", f"one of: {', '.join(figures_of(result))}", "choose one of those"
        )
    own = {"waterfall": _waterfall, "forest": _forest}
    return own[name](result) if name in own else getattr(parts, name)(result)


def export_barrier_figures(result: Result, folder: Path) -> list[Path]:
    """Write each figure as a page that opens offline, and its data beside it as CSV; return the files."""
    from v2glab.evidence import write_atomic
    from v2glab.views._page import embedded, html_page

    written = []
    for name in figures_of(result):
        script, drawn = embedded({name: barrier_figure(result, name)})
        page = html_page(name, drawn[name], script, footer=f"Data: {', '.join(FIGURES[name])}")
        written.append(folder / f"{name}.html")
        write_atomic(written[-1], page.encode())
        for table in FIGURES[name]:
            data = f"{name}.csv" if len(FIGURES[name]) == 1 else f"{name}.{table}.csv"
            written.append(folder / data)
            write_atomic(written[-1], result.tables[table].to_csv(index=False).encode())
    return written


def _waterfall(result: Result) -> Any:  # noqa: ANN401 -- a Bokeh figure
    from bokeh.plotting import figure

    table = result.tables["waterfall"]
    steps = [str(step) for step in table["step"]]
    after = table["value_after"].to_numpy()
    # The first and last bar stand on zero; the others hang between two values.
    before = [0.0, *after[:-2], 0.0]
    panel = figure(
        x_range=steps,
        height=360,
        sizing_mode="stretch_width",
        title=f"Value of bidirectional charging, {result.facts['vehicles']} vehicles",
        y_axis_label=unit(result),
        tools="hover,reset",
        tooltips=[("", "@x"), ("after", "@top{0.00}")],
    )
    colours = ["#1f4e79", *["#c8553d"] * (len(steps) - 2), "#1f4e79"]
    panel.vbar(x=steps, bottom=before, top=list(after), width=0.7, color=colours)
    panel.xaxis.major_label_orientation = 0.8
    panel.y_range.start = 0
    return panel


def _forest(result: Result) -> Any:  # noqa: ANN401 -- a Bokeh figure
    from bokeh.plotting import figure

    table = result.tables["rules"]
    rules = [str(rule) for rule in reversed(table["rule"].tolist())]
    panel = figure(
        y_range=rules,
        height=360,
        sizing_mode="stretch_width",
        title="Value lost by rule, 95 % interval over vehicles",
        x_axis_label=unit(result),
        tools="xwheel_zoom,xpan,reset",
    )
    for column, label, colour, offset in _MEASURES:
        places = [(str(rule), offset) for rule in table["rule"]]
        panel.segment(
            table[f"{column}_low"].tolist(),
            places,
            table[f"{column}_high"].tolist(),
            places,
            color=colour,
            line_width=2,
        )
        panel.scatter(table[column].tolist(), places, size=8, color=colour, legend_label=label)
    panel.legend.location = "bottom_right"
    return panel
