"""A session that the workbench opened as a vehicle: what flowed, and every message against its limit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from v2glab.views._vehicle_trace import plot_vehicle_trace

if TYPE_CHECKING:
    import pandas as pd

    from v2glab.evidence import Result


def plot_open_vehicle_session(result: Result) -> Any:  # noqa: ANN401 -- a Bokeh layout
    """Return current and state of charge over station time, and below the time line of the messages.

    Parameters
    ----------
    result
        Result of ``open_vehicle_session``; its tables ``samples`` and ``messages`` are drawn.
    """
    from bokeh.layouts import column

    messages = result.tables["messages"]
    parts = [_flow(result.tables["samples"])]
    if len(messages):
        split, limit_s = _negotiation(result)
        parts.append(plot_vehicle_trace(messages, timing=split, limit_s=limit_s))
    return column(*parts, sizing_mode="stretch_width")


def _flow(samples: pd.DataFrame) -> Any:  # noqa: ANN401 -- a Bokeh figure
    from bokeh.models import LinearAxis, Range1d
    from bokeh.plotting import figure

    panel = figure(
        height=220,
        sizing_mode="stretch_width",
        title="Through the connector, and in the battery" if len(samples) else "Nothing was measured",
        x_axis_label="station time / s",
        y_axis_label="DC current / A, export positive",
        tools="pan,xwheel_zoom,box_zoom,reset",
    )
    if not len(samples):
        return panel
    panel.line(samples["time_s"], samples["dc_current"], color="#1f4e79", legend_label="DC current")
    low, high = samples["soc"].min(), samples["soc"].max()
    panel.extra_y_ranges = {"soc": Range1d(low - 0.2, high + 0.2)}
    panel.add_layout(LinearAxis(y_range_name="soc", axis_label="state of charge / %"), "right")
    panel.line(
        samples["time_s"], samples["soc"], y_range_name="soc", color="#c8553d", legend_label="state of charge"
    )
    panel.legend.location = "top_right"
    return panel


def _negotiation(result: Result) -> tuple[Any, float | None]:
    """Return the split of the negotiation of TLS, and its limit; None without TLS."""
    from v2glab.links.tls import Timing, load_tls_rules

    facts = result.facts.get("negotiation")
    return (Timing(**facts), load_tls_rules().criterion.upper) if facts else (None, None)
