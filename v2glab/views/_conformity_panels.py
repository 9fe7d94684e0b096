"""The panels that show one test: grid, response with its limits, and how much of each limit is used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from v2glab.views._conformity_data import MOST_PERCENT, RESPONSE, Columns, SuiteColumns

#: Width of the ladder in pixels; the other panels take what the page leaves, and no less than a curve needs.
_RIGHT, _LEAST_LEFT = 340, 380
_SHORT, _TALL, _HEADINGS = 130, 300, 58
_GRID = "#222222"
_SMALL = {"text_font_size": "8pt"}


@dataclass(frozen=True)
class Panels:
    """Figures of one test, the sources that they draw, and the ranges by the columns that hold their ends."""

    layout: Any
    samples: Any
    verdicts: Any
    ladder: Any
    ranges: dict[str, Any]
    heading: Any
    subheading: Any


def test_panels(columns: SuiteColumns, place: int) -> Panels:
    """Draw one test of a suite."""
    from bokeh.layouts import column, row
    from bokeh.models import ColumnDataSource, Range1d, Title

    test = columns.row(place)
    samples = ColumnDataSource(cut(columns.samples, test["first_sample"], test["last_sample"]))
    verdicts = ColumnDataSource(cut(columns.verdicts, test["first_verdict"], test["last_verdict"]))
    ranges = {n: Range1d(float(test[f"{n}_low"]), float(test[f"{n}_high"])) for n in ("t", "v", "f", "y")}
    volts = _grid(samples, ranges, "v", "voltage (p.u.)", ("v_least_pu", "v_greatest_pu"))
    hertz = _grid(samples, ranges, "f", "frequency (Hz)", ("f_hz",))
    response = _response(samples, verdicts, ranges)
    ladder = _ladder(verdicts)
    heading = Title(text=test["heading"], text_color=test["colour"], text_font_size="10pt")
    subheading = Title(text=subtitle(test), text_font_style="normal", **_SMALL)
    volts.add_layout(subheading, "above")
    volts.add_layout(heading, "above")
    left = column(volts, hertz, response, sizing_mode="stretch_width")
    layout = row(left, ladder, sizing_mode="stretch_width")
    return Panels(layout, samples, verdicts, ladder, ranges, heading, subheading)


def subtitle(test: dict[str, Any]) -> str:
    """Return the name and clause of a test, and why it is not a pass."""
    reason = f"\n{test['reason']}" if test["reason"] else ""
    return f"{test['test']}, {test['clause']}{reason}"


def cut(columns: Columns, first: int, last: int) -> Columns:
    """Return some rows of columns."""
    return {name: values[first:last] for name, values in columns.items()}


def _figure(border: int = 60, **more: Any) -> Any:  # noqa: ANN401
    from bokeh.plotting import figure

    # A border of fixed width keeps the panels in line whatever their labels.
    plot = figure(toolbar_location=None, output_backend="canvas", min_border_left=border, **more)
    for axis in plot.axis:
        axis.axis_label_text_font_size = "8pt"
        axis.axis_label_text_font_style = "normal"
    plot.grid.grid_line_color = "#eceff1"
    return plot


def _grid(samples: Any, ranges: dict[str, Any], name: str, label: str, channels: tuple[str, ...]) -> Any:  # noqa: ANN401
    """Draw what the source played; of the voltages the least and the greatest phase."""
    tall = _SHORT + (_HEADINGS if name == "v" else 0)  # the first panel carries both headings
    plot = _figure(
        sizing_mode="stretch_width",
        min_width=_LEAST_LEFT,
        height=tall,
        x_range=ranges["t"],
        y_range=ranges[name],
        y_axis_label=label,
        tools="xpan,xwheel_zoom,reset",
    )
    for channel in channels:
        plot.line("time_s", channel, source=samples, color=_GRID, line_width=1.5)
    plot.xaxis.major_label_text_font_size = "0pt"
    return plot


def _response(samples: Any, verdicts: Any, ranges: dict[str, Any]) -> Any:  # noqa: ANN401
    """Draw what the plant did over the limits of its verdicts; a strip at the bottom shows it in service."""
    from bokeh.models import Range1d

    plot = _figure(
        sizing_mode="stretch_width",
        min_width=_LEAST_LEFT,
        height=_TALL,
        x_range=ranges["t"],
        y_range=ranges["y"],
        x_axis_label="time (s)",
        y_axis_label="output (p.u.), limits shaded",
        tools="xpan,xwheel_zoom,reset",
    )
    plot.extra_y_ranges = {"service": Range1d(0.0, 30.0)}
    plot.quad(
        "left", "right", "top", "bottom", source=verdicts,
        fill_color="tint", fill_alpha=0.16, line_color="colour", line_alpha=0.8, line_width=1.2,
    )  # fmt: skip
    plot.varea("time_s", 0.0, "connected", source=samples, color="#1b6b3a", alpha=0.45,
               y_range_name="service", legend_label="in service")  # fmt: skip
    names = {"p": "active power", "q": "reactive power", "i": "current"}
    for channel, colour in RESPONSE.items():
        dash = "dotted" if channel == "i" else "solid"
        plot.line("time_s", f"{channel}_pu", source=samples, color=colour, line_width=1.6, line_dash=dash,
                  legend_label=names[channel])  # fmt: skip
    plot.add_layout(plot.legend[0], "below")
    legend = plot.legend[0]
    legend.orientation, legend.label_text_font_size = "horizontal", "8pt"
    legend.border_line_color, legend.padding, legend.spacing = None, 0, 14
    return plot


def _ladder(verdicts: Any) -> Any:  # noqa: ANN401
    """Draw of each verdict how much of its limit the value uses, with the expanded uncertainty."""
    from bokeh.models import BoxAnnotation, FactorRange, HoverTool, Span

    plot = _figure(
        120,
        width=_RIGHT,
        height=2 * _SHORT + _HEADINGS + _TALL,
        x_range=(0.0, MOST_PERCENT),
        y_range=FactorRange(factors=list(verdicts.data["row"])[::-1]),
        x_axis_label="share of the limit that is used (%), with ± U",
        title="Verdicts",
        tools="",
    )
    plot.title.text_font_size = "9pt"
    plot.yaxis.major_label_text_font_size = "8pt"
    plot.add_layout(BoxAnnotation(right=100.0, fill_color="#1b6b3a", fill_alpha=0.06))
    plot.add_layout(Span(location=100.0, dimension="height", line_color="#a4161a", line_dash="dashed"))
    plot.segment("low", "row", "high", "row", source=verdicts, color="colour", line_width=3, line_alpha=0.5)
    dots = plot.scatter("share", "row", source=verdicts, size=8, color="colour")
    tips = [(n, f"@{n}") for n in ("title", "rule", "value", "limit", "outcome", "reason")]
    plot.add_tools(HoverTool(tooltips=tips, renderers=[dots]))
    return plot
