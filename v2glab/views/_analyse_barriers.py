"""What each rule costs: a waterfall from no rules to all, and a forest of three measures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from v2glab.evidence import Result

#: Column of the table, label, colour, and offset from the row's middle.
_MEASURES = (
    ("first_in", "alone (first in)", "#588157", 0.22),
    ("shapley", "Shapley value", "#1f4e79", 0.0),
    ("last_in", "lifted last (last in)", "#c8553d", -0.22),
)


def plot_analyse_barriers(result: Result) -> Any:  # noqa: ANN401 -- a Bokeh layout
    """Return two panels: waterfall, and forest with 95 % intervals over vehicles.

    Parameters
    ----------
    result
        Result of ``analyse_barriers``; its tables ``waterfall`` and ``rules`` are drawn.
    """
    from bokeh.layouts import row

    return row(_waterfall(result), _forest(result), sizing_mode="stretch_width")


def _unit(result: Result) -> str:
    return f"{result.facts['currency']} per vehicle and year"


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
        y_axis_label=_unit(result),
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
        x_axis_label=_unit(result),
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
