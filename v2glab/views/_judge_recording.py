"""Figure of a judged recording: the disturbance on the ride-through regions, RMS over time, waveform."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from v2glab.evidence import Result
from v2glab.gridcodes import Trip
from v2glab.views._region_plot import SHORTEST_S, voltage_regions

if TYPE_CHECKING:
    import pandas as pd

PHASE = {"a": "#1f5fa8", "b": "#c2571a", "c": "#2e7d32"}
MOST_POINTS = 4000


def plot_judge_recording(result: Result) -> Any:  # noqa: ANN401 -- a bokeh layout
    """Draw what the recording did on the regions of its category.

    Left, over logarithmic time since the voltage left continuous operation, the governing voltage inside the
    regions: a curve that crosses a region's right edge left the time that must be ridden through. Right, RMS
    and waveform.
    """
    from bokeh.layouts import column, row

    right = [rms_figure(result)]
    if "waveform" in result.tables:
        right.append(_waveform(result.tables["waveform"]))
    return row(regions_figure(result), column(*right))


def regions_figure(result: Result, trips: Sequence[Trip] = ()) -> Any:  # noqa: ANN401
    """Draw voltage regions, trips if given, and each stay outside continuous operation."""
    code, category = result.facts["code"], result.facts["category"]
    table = result.tables["regions"]
    regions = table[table["quantity"] == "voltage"].to_dict("records")
    plot = voltage_regions(f"Ride-through, {code}, category {category}", regions, trips)
    bounds = None if regions else _innermost(trips)
    for time_s, volts in excursions(result.tables["rms"], table, bounds):
        plot.line(np.maximum(time_s, SHORTEST_S), volts, color="#222222", line_width=2)
    return plot


def _innermost(trips: Sequence[Trip]) -> tuple[float, float] | None:
    """Return the thresholds nearest to nominal, for a code without a region of continuous operation."""
    low = max((t.threshold for t in trips if t.side == "low"), default=-np.inf)
    high = min((t.threshold for t in trips if t.side == "high"), default=np.inf)
    return (low, high) if trips else None


def excursions(
    rms: pd.DataFrame, regions: pd.DataFrame, bounds: tuple[float, float] | None = None
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return, for each stay outside continuous operation, time since it began and the governing voltage.

    ``bounds`` stand in where the regions name no continuous operation.
    """
    rows = regions[(regions["quantity"] == "voltage") & (regions["mode"] == "continuous")]
    if not rows.empty:
        bounds = (float(rows["lower"].iloc[0]), float(rows["upper"].iloc[0]))
    if bounds is None:
        return []
    lower, upper = bounds
    time = rms["time_s"].to_numpy()
    volts = rms.drop(columns="time_s").to_numpy()
    low, high = volts.min(axis=1), volts.max(axis=1)
    outside = (low < lower) | (high > upper)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], outside.astype(int), [0]])))
    governing = np.where(low < lower, low, high)
    return [(time[a:b] - time[a], governing[a:b]) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def rms_figure(result: Result) -> Any:  # noqa: ANN401
    """Draw RMS voltage over time."""
    from bokeh.plotting import figure

    table = thinned(result.tables["rms"])
    plot = figure(title="RMS voltage", x_axis_label="time (s)", y_axis_label="p.u.", width=560, height=230)
    for name in table.columns[1:]:
        plot.line(table["time_s"], table[name], color=PHASE.get(name[-1], "#1f5fa8"), legend_label=str(name))
    plot.legend.label_text_font_size = "8pt"
    return plot


def _waveform(table: pd.DataFrame) -> Any:  # noqa: ANN401
    from bokeh.plotting import figure

    plot = figure(
        title="Voltage, longest part", x_axis_label="time (s)", y_axis_label="V", width=560, height=230
    )
    for name in [c for c in table.columns if str(c).startswith("voltage")]:
        plot.line(table["time_s"], table[name], color=PHASE.get(str(name)[-1], "#1f5fa8"))
    return plot


def thinned(table: pd.DataFrame) -> pd.DataFrame:
    """Return at most 4,000 rows, keeping the lowest and highest voltage of each stretch."""
    if len(table) <= MOST_POINTS:
        return table
    volts = table.drop(columns="time_s")
    bins = np.array_split(np.arange(len(table)), MOST_POINTS // 2)
    low, high = volts.min(axis=1).to_numpy(), volts.max(axis=1).to_numpy()
    keep = {int(part[np.argmin(low[part])]) for part in bins}
    keep |= {int(part[np.argmax(high[part])]) for part in bins}
    return table.iloc[sorted(keep)]
