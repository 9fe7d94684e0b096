"""Figures of a conformity suite: one small plot a test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from v2glab.evidence import Result, UsageError

if TYPE_CHECKING:
    import pandas as pd

_COLOUR = {"pass": "#2e7d32", "fail": "#b3261e", "inconclusive": "#8a6d00", "not applicable": "#666666"}
_LINES = (("p_pu", "#1f5fa8", "P"), ("q_pu", "#c2571a", "Q"), ("connected", "#999999", "in service"))
_WIDTH, _HEIGHT = 330, 210


def plot_conformity(result: Result) -> Any:  # noqa: ANN401 -- a Bokeh layout
    """Draw every test that ran: grid over time, what the plant did, and the outcome in the title."""
    from bokeh.layouts import gridplot

    samples, tests = result.tables["samples"], result.tables["tests"]
    by_test = dict(iter(samples.groupby("test", observed=True)))
    figures = [
        _figure(row, by_test[row["test"]]) for row in tests.to_dict("records") if row["test"] in by_test
    ]
    return gridplot(figures, ncols=3, toolbar_location=None)


def plot_conformity_test(result: Result, test: str) -> Any:  # noqa: ANN401 -- a Bokeh figure
    """Draw one test.

    Raises
    ------
    UsageError
        It did not run.
    """
    samples, tests = result.tables["samples"], result.tables["tests"]
    rows = samples[samples["test"] == test]
    if rows.empty:
        raise UsageError(f"test {test!r} has no samples", "a test that ran", "see the table of tests")
    return _figure(tests[tests["test"] == test].to_dict("records")[0], rows, width=820, height=320)


def _figure(row: dict[Any, Any], samples: pd.DataFrame, width: int = _WIDTH, height: int = _HEIGHT) -> Any:  # noqa: ANN401
    from bokeh.plotting import figure

    plot = figure(
        width=width,
        height=height,
        title=f"{row['outcome']}: {row['test']}",
        tools="",
        x_axis_label="time (s)",
        output_backend="canvas",
    )
    plot.title.text_color = _COLOUR.get(row["outcome"], "#222222")
    plot.title.text_font_size = "8pt"
    time = samples["time_s"].to_numpy()
    for column, colour, name in _LINES:
        plot.line(time, samples[column].to_numpy(), color=colour, legend_label=name)
    values, name = _grid(samples)
    plot.line(time, values, color="#222222", line_dash="dashed", legend_label=name)
    plot.legend.label_text_font_size = "7pt"
    plot.legend.padding = plot.legend.spacing = 1
    plot.legend.background_fill_alpha = 0.6
    plot.legend.location = "bottom_left"
    return plot


def _grid(samples: pd.DataFrame) -> tuple[Any, str]:
    """Return the grid's quantity that moved most: least voltage, or frequency over its first value."""
    volts = samples[["v_a_pu", "v_b_pu", "v_c_pu"]].to_numpy().min(axis=1)
    hertz = samples["f_hz"].to_numpy()
    share = hertz / hertz[0] if hertz[0] else hertz
    if np.ptp(share) > np.ptp(volts):
        return 1 + 10 * (share - 1), "f (10 ×)"
    return volts, "V"
