"""Figures of a barrier analysis beyond waterfall and forest: each draws one table of the record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from v2glab.evidence import Result

_BLUE, _RED, _GREEN = "#1f4e79", "#c8553d", "#588157"
_HEIGHT = 360


def panel(title: str, **options: Any) -> Any:  # noqa: ANN401 -- a Bokeh figure
    """Return an empty figure of the common kind."""
    from bokeh.plotting import figure

    common = {"height": _HEIGHT, "sizing_mode": "stretch_width", "tools": "hover,reset", "title": title}
    return figure(**(common | options))


def unit(result: Result) -> str:
    """Return what money axes show."""
    return f"{result.facts['currency']} per vehicle and year"


def interactions(result: Result) -> Any:  # noqa: ANN401 -- a Bokeh figure
    """Heat map of pairs: red where two rules cost more together, blue where one stands in for the other."""
    table = result.tables["interactions"]
    rules = [str(rule) for rule in result.tables["rules"]["rule"]]
    both = [
        (str(a), str(b), float(value))
        for x, y, value in zip(table["rule"], table["with_rule"], table["interaction"], strict=True)
        for a, b in ((x, y), (y, x))
    ]
    return _heat_map(f"Interaction of pairs, {unit(result)}", rules, rules, both)


def matrix(result: Result) -> Any:  # noqa: ANN401 -- a Bokeh figure
    """Heat map of jurisdictions and barriers: the Shapley value of each where it holds."""
    table = result.tables["matrix"]
    held = table[table["in_force"].astype(bool)]
    columns = (held["rule"].tolist(), held["jurisdiction"].tolist(), held["shapley"].tolist())
    cells = [(str(rule), str(place), float(loss)) for rule, place, loss in zip(*columns, strict=True)]
    rules = list(dict.fromkeys(table["rule"].astype(str)))
    places = list(dict.fromkeys(table["jurisdiction"].astype(str)))
    return _heat_map(f"Value lost by rule, {unit(result)}", rules, places[::-1], cells)


def _heat_map(title: str, x: list[str], y: list[str], cells: list[tuple[str, str, float]]) -> Any:  # noqa: ANN401
    from bokeh.models import ColorBar, ColumnDataSource, LinearColorMapper
    from bokeh.palettes import RdBu11

    most = max((abs(value) for *_, value in cells), default=0.0) or 1.0
    mapper = LinearColorMapper(palette=list(RdBu11), low=-most, high=most)
    columns = list(zip(*cells, strict=True)) or [(), (), ()]
    source = ColumnDataSource(
        {
            "x": columns[0],
            "y": columns[1],
            "value": columns[2],
            "text": [f"{v:.1f}" for v in columns[2]],
            "ink": ["white" if abs(v) > 0.6 * most else "black" for v in columns[2]],
        }
    )
    out = panel(title, x_range=x, y_range=y, tooltips=[("", "@x, @y"), ("", "@value{0.00}")])
    out.rect(
        "x", "y", 1, 1, source=source, fill_color={"field": "value", "transform": mapper}, line_color=None
    )
    out.text(
        "x", "y", "text", source=source, text_align="center", text_baseline="middle", text_font_size="8pt"
    )
    out.add_layout(ColorBar(color_mapper=mapper, width=10), "right")
    out.xaxis.major_label_orientation = 0.8
    out.grid.grid_line_color = None
    return out


def tornado(result: Result) -> Any:  # noqa: ANN401 -- a Bokeh figure
    """Bars from the loss at a low to that at a high setting of the car, widest on top."""
    table = _by_width(result.tables["settings"])
    names = [str(name) for name in table["setting"]]
    out = panel(
        "Value lost to all rules, by setting of the car",
        y_range=names[::-1],
        x_axis_label=unit(result),
        tooltips=[("", "@y"), ("from", "@left{0.00}"), ("to", "@right{0.00}")],
    )
    for column, colour, label in (("loss_low", _BLUE, "low"), ("loss_high", _RED, "high")):
        out.hbar(
            y=names,
            left=table["loss"].tolist(),
            right=table[column].tolist(),
            height=0.6,
            color=colour,
            alpha=0.8,
            legend_label=label,
        )
    return out


def _by_width(table: pd.DataFrame) -> pd.DataFrame:
    width = (table[["loss_low", "loss_high"]].sub(table["loss"], axis=0)).abs().max(axis=1)
    return table.assign(width=width.fillna(0.0)).sort_values("width", ascending=False, kind="stable")


def sankey(result: Result) -> Any:  # noqa: ANN401 -- a Bokeh figure
    """Flow of exported energy: from what could be, by what each rule takes, to what is left."""
    table = result.tables["energy"]
    whole = float(table["exported_kwh"].iloc[0])
    left = float(table["exported_kwh"].iloc[-1])
    steps = zip(table["step"].tolist()[1:], table["change_kwh"].tolist()[1:], strict=True)
    lost = [(str(step), -float(change)) for step, change in steps]
    flows = [(f"exported: {left:.0f} kWh", left, _BLUE)]
    flows += [(f"{name}: {kwh:.0f} kWh", kwh, _RED) for name, kwh in lost if kwh > 0]
    out = panel(f"Energy exported without rules, {whole:.0f} kWh per vehicle and year", tools="reset")
    gap = 0.03 * max(whole, 1.0)
    start = end = 0.0
    for label, kwh, colour in flows:
        _band(out, (start, start + kwh), (end, end + kwh), colour)
        out.text([1.02], [end + kwh / 2], [label], text_baseline="middle", text_font_size="9pt")
        start, end = start + kwh, end + kwh + gap
    out.x_range.start, out.x_range.end = -0.02, 1.6
    out.axis.visible = False
    out.grid.grid_line_color = None
    return out


def _band(out: Any, left: tuple[float, float], right: tuple[float, float], colour: str) -> None:  # noqa: ANN401
    import numpy as np

    x = np.linspace(0.0, 1.0, 41)
    bend = x * x * (3 - 2 * x)
    low, high = (left[i] + (right[i] - left[i]) * bend for i in (0, 1))
    out.varea(x=x, y1=low, y2=high, color=colour, alpha=0.6)


def duration(result: Result) -> Any:  # noqa: ANN401 -- a Bokeh figure
    """Power at the meter that is exceeded in each share of the year."""
    table = result.tables["duration"]
    out = panel(
        "Duration curve of power at the meter, towards the grid positive, mean over vehicles",
        x_axis_label="share of the year, %",
        y_axis_label="kW",
        tooltips=[("", "@x{0} %"), ("", "@y{0.00} kW")],
    )
    share = (100 * table["share_of_year"]).tolist()
    for column, label, colour in (("no_rules_kw", "no rules", _BLUE), ("all_rules_kw", "all rules", _RED)):
        out.line(share, table[column].tolist(), color=colour, line_width=2, legend_label=label)
    return out


def latency(result: Result) -> Any:  # noqa: ANN401 -- a Bokeh figure
    """Empirical distribution of measured latencies, with the limits of markets."""
    import numpy as np
    from bokeh.models import Span

    samples, limits = result.tables["latency_samples"], result.tables["latency"]
    out = panel(
        "Share of latencies up to each value", x_axis_type="log", x_axis_label="s", y_axis_label="share"
    )
    for (kind, group), colour in zip(samples.groupby("kind"), (_BLUE, _GREEN, "#7b5ea7") * 9, strict=False):
        values = np.sort(group["latency_s"].to_numpy())
        share = np.arange(1, values.size + 1) / values.size
        out.step(values, share, mode="after", color=colour, line_width=2, legend_label=str(kind))
    for limit in sorted(set(limits["limit_s"])):
        out.add_layout(Span(location=float(limit), dimension="height", line_color=_RED, line_dash="dashed"))
    return out
