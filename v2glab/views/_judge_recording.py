"""Figure of a judged recording: the disturbance on the ride-through regions, RMS over time, waveform."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from v2glab.evidence import Result

if TYPE_CHECKING:
    import pandas as pd

COLOUR = {
    "continuous": "#e8f5e9",
    "mandatory": "#fff3cd",
    "permissive": "#fde2c4",
    "momentary cessation": "#d9e8f6",
    "cease to energize": "#f4c7c3",
    "not required": "#f4c7c3",
    "not known": "#eceff1",
}
PHASE = {"a": "#1f5fa8", "b": "#c2571a", "c": "#2e7d32"}
SHORTEST_S, HIGHEST_PU = 1e-3, 1.4
MOST_POINTS = 4000


def plot_judge_recording(result: Result) -> Any:  # noqa: ANN401 -- a bokeh layout
    """Draw what the recording did on the regions of its category.

    Left, over logarithmic time since the voltage left continuous operation, the governing voltage inside the
    regions: a curve that crosses a region's right edge left the time that must be ridden through. Right, RMS
    and waveform.
    """
    from bokeh.layouts import column, row

    right = [_rms(result)]
    if "waveform" in result.tables:
        right.append(_waveform(result.tables["waveform"]))
    return row(_regions(result), column(*right))


def _regions(result: Result) -> Any:  # noqa: ANN401
    from bokeh.plotting import figure

    code, category = result.facts["code"], result.facts["category"]
    plot = figure(
        title=f"Ride-through, {code}, category {category}",
        x_axis_type="log",
        x_axis_label="time since leaving continuous operation (s)",
        y_axis_label="governing RMS voltage (p.u.)",
        width=460,
        height=460,
        x_range=(SHORTEST_S, 100.0),
        y_range=(0, HIGHEST_PU),
    )
    table = result.tables["regions"]
    for region in table[table["quantity"] == "voltage"].to_dict("records"):
        _shade(plot, region)
    for time_s, volts in excursions(result.tables["rms"], table):
        plot.line(np.maximum(time_s, SHORTEST_S), volts, color="#222222", line_width=2)
    return plot


def _shade(plot: Any, region: Mapping[Any, Any]) -> None:  # noqa: ANN401
    lower = 0.0 if _missing(region["lower"]) else region["lower"]
    upper = HIGHEST_PU if _missing(region["upper"]) else region["upper"]
    colour, bounded = COLOUR[region["mode"]], not _missing(region["minimum_s"])
    if bounded:
        first = region["minimum_s"]
        last = first + region["slope_s_per_unit"] * (upper - lower)
        plot.patch([SHORTEST_S, first, last, SHORTEST_S], [lower, lower, upper, upper], color=colour)
    else:
        end = 1e4 if region["mode"] == "continuous" else SHORTEST_S * 1.5
        plot.patch([SHORTEST_S, end, end, SHORTEST_S], [lower, lower, upper, upper], color=colour)
    plot.text(
        [SHORTEST_S * 1.15],
        [(lower + upper) / 2],
        [f"{region['region']}: {region['mode']}"],
        text_font_size="8pt",
        text_baseline="middle",
        text_color="#444444",
    )


def excursions(rms: pd.DataFrame, regions: pd.DataFrame) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return, for each stay outside continuous operation, time since it began and the governing voltage."""
    rows = regions[(regions["quantity"] == "voltage") & (regions["mode"] == "continuous")]
    if rows.empty:
        return []
    lower, upper = float(rows["lower"].iloc[0]), float(rows["upper"].iloc[0])
    time = rms["time_s"].to_numpy()
    volts = rms.drop(columns="time_s").to_numpy()
    low, high = volts.min(axis=1), volts.max(axis=1)
    outside = (low < lower) | (high > upper)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], outside.astype(int), [0]])))
    governing = np.where(low < lower, low, high)
    return [(time[a:b] - time[a], governing[a:b]) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _rms(result: Result) -> Any:  # noqa: ANN401
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


def _missing(value: float | None) -> bool:
    return value is None or bool(np.isnan(value))
