"""What each rule says, and the frequency that was watched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from v2glab.evidence import Result

#: States of a conclusion with their colours.
_COLOURS = {
    "established": "#c8553d",
    "suspected": "#e9a23b",
    "cannot tell": "#888888",
    "not applicable": "#c8c8c8",
    "clear": "#588157",
}
_LIMIT = "v2glab.diagnosis.drift"


def plot_diagnose_faults(result: Result) -> Any:  # noqa: ANN401 -- a Bokeh layout
    """Return two panels: the state of each rule, and frequency over time with its limits.

    Parameters
    ----------
    result
        Result of ``diagnose_faults``; its tables ``rules`` and ``readings`` are drawn.
    """
    from bokeh.layouts import row

    return row(_states(result), _frequency(result), sizing_mode="stretch_width")


def _states(result: Result) -> Any:  # noqa: ANN401 -- a Bokeh figure
    from bokeh.plotting import figure

    rules = result.tables["rules"]
    states = list(_COLOURS)
    panel = figure(
        height=300,
        sizing_mode="stretch_width",
        title="Faults by rule",
        x_range=states,
        y_range=list(rules["code"])[::-1],
        tools="",
    )
    for state, code in zip(rules["state"], rules["code"], strict=True):
        panel.scatter([state], [code], size=14, color=_COLOURS.get(state, "#888888"))
    return panel


def _frequency(result: Result) -> Any:  # noqa: ANN401 -- a Bokeh figure
    from bokeh.plotting import figure

    readings = result.tables["readings"]
    seen = readings[readings["name"] == "grid_frequency"]
    panel = figure(
        height=300,
        sizing_mode="stretch_width",
        title="Frequency of the grid, with U",
        x_axis_label="time / s",
        y_axis_label="frequency / Hz",
        tools="pan,wheel_zoom,reset",
    )
    nominal_hz = float(result.facts["site"]["nominal_frequency_hz"])
    limits = [v.criterion.upper for v in result.verdicts if v.criterion.id == _LIMIT]
    for limit in (x for x in limits if x is not None):
        for edge_hz in (nominal_hz - limit, nominal_hz + limit):
            panel.hspan(y=[edge_hz], line_color="#888888", line_dash="dashed")
    if seen.empty:
        return panel
    spread = 2 * seen["uncertainty"].astype(float).fillna(0.0)
    panel.segment(
        seen["time_s"], seen["value"] - spread, seen["time_s"], seen["value"] + spread, color="#1f4e79"
    )
    panel.scatter(seen["time_s"], seen["value"], size=6, color="#1f4e79")
    return panel
