"""Heating of the heat sink with its fit, and the measured foldback against the law."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from v2glab.evidence import Result


def plot_calibrate_thermal(result: Result) -> Any:  # noqa: ANN401 -- a Bokeh layout
    """Return two panels: temperature over time with its fit, and allowed current over share of rise.

    Parameters
    ----------
    result
        Result of ``calibrate_thermal``; its tables ``heating`` and ``foldback`` are drawn.
    """
    from bokeh.layouts import row

    return row(_heating(result), _foldback(result), sizing_mode="stretch_width")


def _heating(result: Result) -> Any:  # noqa: ANN401 -- a Bokeh figure
    import numpy as np
    from bokeh.plotting import figure

    heating, facts = result.tables["heating"], result.facts
    time_s = heating["time_s"].to_numpy()
    elapsed = time_s - time_s[0]
    fit = facts["start_celsius"] + facts["rise_k"] * -np.expm1(-elapsed / facts["time_constant_s"])
    panel = figure(
        height=300,
        sizing_mode="stretch_width",
        title="Heating at rated power",
        x_axis_label="time / s",
        y_axis_label="temperature / °C",
        tools="pan,wheel_zoom,reset",
    )
    panel.scatter(time_s, heating["heatsink_temperature"], size=4, color="#c8553d", legend_label="heat sink")
    panel.line(time_s, fit, color="#1f4e79", line_width=2, legend_label="fit")
    panel.line(time_s, heating["ambient"], color="#588157", legend_label="ambient")
    panel.legend.location = "bottom_right"
    return panel


def _foldback(result: Result) -> Any:  # noqa: ANN401 -- a Bokeh figure
    import numpy as np
    from bokeh.plotting import figure

    from v2glab.control import allowed_current_pu

    table = result.tables["foldback"]
    shares = np.linspace(0.65, 1.05, 201)
    panel = figure(
        height=300,
        sizing_mode="stretch_width",
        title="Current foldback",
        x_axis_label="share of the permitted temperature rise",
        y_axis_label="allowed current / rated",
        tools="pan,wheel_zoom,reset",
    )
    law = [allowed_current_pu(float(share)) for share in shares]
    panel.line(shares, law, color="#888888", line_width=2, legend_label="law")
    panel.scatter(table["share"], table["allowed_pu"], size=7, color="#c8553d", legend_label="measured")
    panel.legend.location = "bottom_left"
    return panel
