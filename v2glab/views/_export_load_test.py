"""Power, voltage and heat over the export, and each ride-through window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from v2glab.evidence import Result

_PHASE_COLOURS = {"a": "#1f4e79", "b": "#c8553d", "c": "#588157"}


def plot_export_load_test(result: Result) -> Any:  # noqa: ANN401 -- a Bokeh layout
    """Return stacked panels: exported power, phase voltages, heat sink and SoC, then one panel of windows.

    Parameters
    ----------
    result
        Result of ``export_load_test``; its tables ``samples`` and, when played, ``ride_through`` are drawn.
    """
    from bokeh.layouts import column

    samples = result.tables["samples"]
    power = _panel("exported power / kW", "Export at the set-point")
    power.line(
        samples["time_s"], samples["power"] / 1000, color="#1f4e79", line_width=2, legend_label="meter"
    )
    power.line(
        samples["time_s"],
        samples["power_analyser"] / 1000,
        color="#c8553d",
        line_dash="dashed",
        legend_label="analyser",
    )
    voltage = _panel("phase voltage / V")
    for phase, colour in _PHASE_COLOURS.items():
        voltage.line(samples["time_s"], samples[f"voltage_{phase}"], color=colour, legend_label=phase)
    heat = _panel("heat sink / °C,  SoC / %")
    heat.line(samples["time_s"], samples["heatsink_temperature"], color="#c8553d", legend_label="heat sink")
    heat.line(samples["time_s"], samples["soc"], color="#588157", legend_label="state of charge")
    heat.xaxis.axis_label = "time since start of export / s"
    panels = [power, voltage, heat]
    for panel in panels[1:]:
        panel.x_range = power.x_range
    if "ride_through" in result.tables:
        panels.append(_windows(result.tables["ride_through"]))
    return column(*panels, sizing_mode="stretch_width")


def _windows(table: pd.DataFrame) -> Any:  # noqa: ANN401 -- a Bokeh figure
    from bokeh.palettes import Category10

    panel = _panel("exported power / kW", "Ride-through windows: power while the voltage is abnormal")
    names = list(dict.fromkeys(table["window"]))
    for name, colour in zip(names, Category10[10], strict=False):
        rows = table[table["window"] == name]
        panel.line(rows["time_s"], rows["power"] / 1000, color=colour, line_width=2, legend_label=name)
    panel.xaxis.axis_label = "time since the voltage changed / s"
    return panel


def _panel(label: str, title: str = "") -> Any:  # noqa: ANN401 -- a Bokeh figure
    from bokeh.plotting import figure

    panel = figure(
        height=200,
        sizing_mode="stretch_width",
        y_axis_label=label,
        title=title or None,
        tools="pan,wheel_zoom,reset",
    )
    panel.add_layout(_legend(), "right")
    return panel


def _legend() -> Any:  # noqa: ANN401 -- a Bokeh legend
    from bokeh.models import Legend

    return Legend(border_line_color=None, label_text_font_size="9pt")
