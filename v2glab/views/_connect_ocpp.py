"""The conversation between station and gateway over time, and its round trips."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from v2glab.evidence import Result


def plot_connect_ocpp(result: Result) -> Any:  # noqa: ANN401 -- a Bokeh layout
    """Return two panels: each request at its time by action, and the distribution of round trips.

    Parameters
    ----------
    result
        Result of ``connect_ocpp``; its tables ``messages`` and ``round_trips`` are drawn.
    """
    from bokeh.layouts import row

    return row(_messages(result), _round_trips(result), sizing_mode="stretch_width")


def _messages(result: Result) -> Any:  # noqa: ANN401 -- a Bokeh figure
    from bokeh.plotting import figure

    table = result.tables["messages"]
    calls = table[table["kind"] == "CALL"]
    actions = list(dict.fromkeys(calls["action"]))
    panel = figure(
        height=300,
        sizing_mode="stretch_width",
        title="Requests, by action" if actions else "No message passed",
        x_axis_label="time / s",
        y_range=actions[::-1] or ["–"],
        tools="pan,wheel_zoom,reset,hover",
    )
    for direction, colour, marker, name in (
        ("in", "#1f4e79", "circle", "station to gateway"),
        ("out", "#c8553d", "triangle", "gateway to station"),
    ):
        part = calls[calls["direction"] == direction]
        if len(part):
            panel.scatter(
                part["time_s"], part["action"], size=8, color=colour, marker=marker, legend_label=name
            )
    if actions:
        panel.legend.location = "bottom_right"
    return panel


def _round_trips(result: Result) -> Any:  # noqa: ANN401 -- a Bokeh figure
    import numpy as np
    from bokeh.models import Span
    from bokeh.plotting import figure

    times_ms = np.sort(result.tables["round_trips"]["round_trip_s"].to_numpy()) * 1e3
    panel = figure(
        height=300,
        sizing_mode="stretch_width",
        title="Round trips of requests to the station" if times_ms.size else "No round trip was measured",
        x_axis_label="round trip / ms",
        y_axis_label="share at or below",
        y_range=(0.0, 1.02),
        tools="pan,wheel_zoom,reset,hover",
    )
    if times_ms.size:
        shares = np.arange(1, times_ms.size + 1) / times_ms.size
        panel.step(times_ms, shares, mode="after", color="#1f4e79", line_width=2)
        panel.scatter(times_ms, shares, color="#1f4e79", size=4)
        for name, dash in (("round_trip_median", "dashed"), ("round_trip_p95", "dotted")):
            limit = result.quantity(name).value * 1e3
            panel.add_layout(Span(location=limit, dimension="height", line_dash=dash, line_color="#c8553d"))
    return panel
