"""What the figures of a barrier analysis share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from v2glab.evidence import Result

BLUE, RED, GREEN, VIOLET, GREY = "#1f4e79", "#c8553d", "#588157", "#7b5ea7", "#5b6675"
HEIGHT = 360


def panel(title: str, **options: Any) -> Any:  # noqa: ANN401 -- a Bokeh figure
    """Return an empty figure of the common kind."""
    from bokeh.plotting import figure

    common = {"height": HEIGHT, "sizing_mode": "stretch_width", "tools": "hover,reset", "title": title}
    out = figure(**(common | options))
    out.toolbar.logo = None
    return out


def legend_above(figure: Any) -> Any:  # noqa: ANN401 -- a Bokeh figure
    """Move the legend out of the plot, where it can hide nothing; return the figure."""
    legend = figure.legend[0]
    for place in (figure.center, figure.left, figure.right, figure.below):
        if legend in place:
            place.remove(legend)
    figure.add_layout(legend, "above")
    legend.orientation = "horizontal"
    legend.border_line_color = None
    legend.padding = legend.margin = 2
    legend.spacing = 18
    return figure


def unit(result: Result) -> str:
    """Return what money axes show."""
    return f"{result.facts['currency']} per vehicle and year"


def first_year(result: Result) -> str:
    """Return which price year a table of behaviour is of, for a title; empty where there is one only."""
    first, *others = str(result.facts["price_year"]).split(", ")
    return f", prices of {first}" if others else ""


def shown(value: float, digits: int = 1) -> str:
    """Return a number as figures show it: rounded, a true minus sign, and no zero below zero."""
    text = f"{value:.{digits}f}"
    return (text if float(text) else text.lstrip("-")).replace("-", "\N{MINUS SIGN}")
