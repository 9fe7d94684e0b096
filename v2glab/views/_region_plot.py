"""Ride-through regions over logarithmic time, and the trips that bound them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from v2glab.gridcodes import Region, Trip

COLOUR = {
    "continuous": "#e8f5e9",
    "mandatory": "#fff3cd",
    "permissive": "#fde2c4",
    "momentary cessation": "#d9e8f6",
    "cease to energize": "#f4c7c3",
    "not required": "#f4c7c3",
    "not known": "#eceff1",
}
TRIP_COLOUR = "#a4161a"
SHORTEST_S, LONGEST_S, HIGHEST_PU = 1e-3, 1e4, 1.4
_LABEL = {"text_font_size": "8pt", "text_baseline": "middle", "text_color": "#444444"}


def voltage_regions(title: str, regions: Iterable[Mapping[Any, Any]], trips: Sequence[Trip] = ()) -> Any:  # noqa: ANN401 -- a bokeh figure
    """Draw voltage regions; each maps ``region, mode, lower, upper, minimum_s, slope_s_per_unit``.

    A region's right edge is the time that must be ridden through; a dashed line the time by which a trip must
    have ended energising.
    """
    plot = _figure(title, "governing RMS voltage (p.u.)", (0.0, HIGHEST_PU), 100.0)
    _shade_all(plot, list(regions), (0.0, HIGHEST_PU), 0.0)
    for side, end in (("low", 0.0), ("high", HIGHEST_PU)):
        trip_line(plot, [t for t in trips if t.side == side], end)
    return plot


def frequency_regions(
    title: str,
    regions: Iterable[Mapping[Any, Any]],
    trips: Sequence[Trip],
    nominal_hz: float,
    span_hz: float,
) -> Any:  # noqa: ANN401
    """Draw frequency regions as deviation from nominal, ``span_hz`` to both sides."""
    plot = _figure(title, f"frequency − {nominal_hz:g} Hz (Hz)", (-span_hz, span_hz), LONGEST_S)
    _shade_all(plot, list(regions), (-span_hz, span_hz), nominal_hz)
    for side, end in (("low", -span_hz), ("high", span_hz)):
        trip_line(plot, [t for t in trips if t.side == side], end, nominal_hz)
    return plot


def region_record(region: Region) -> dict[str, Any]:
    """Return a region as the mapping that the figures take."""
    return {"region": region.name, **region.model_dump(include={"mode", "lower", "upper"})} | {
        "minimum_s": region.minimum_s,
        "slope_s_per_unit": region.slope_s_per_unit,
    }


def say_unknown(plot: Any, what: str, at: tuple[float, float]) -> None:  # noqa: ANN401
    """Say on a figure that no limit is known; an empty figure would look like freedom."""
    plot.text([at[0]], [at[1]], [f"no {what} known"], text_font_size="9pt", text_color="#8a5a00")


def _shade_all(plot: Any, regions: list[Mapping[Any, Any]], ends: tuple[float, float], zero: float) -> None:  # noqa: ANN401
    for region in regions:
        shade(plot, region, ends, zero)
    if not regions:
        say_unknown(plot, "ride-through", (SHORTEST_S * 1.3, ends[0] + 0.03 * (ends[1] - ends[0])))


def shade(
    plot: Any,  # noqa: ANN401
    region: Mapping[Any, Any],
    ends: tuple[float, float],
    zero: float = 0.0,
) -> None:
    """Draw one region; ``zero`` is taken from its bounds, ``ends`` stand for open ones."""
    lower = ends[0] if _missing(region["lower"]) else region["lower"] - zero
    upper = ends[1] if _missing(region["upper"]) else region["upper"] - zero
    colour = COLOUR[region["mode"]]
    if not _missing(region["minimum_s"]):
        first = region["minimum_s"]
        last = first + region["slope_s_per_unit"] * (upper - lower)
        plot.patch([SHORTEST_S, first, last, SHORTEST_S], [lower, lower, upper, upper], color=colour)
    else:
        endless = region["mode"] in ("continuous", "not known")
        end = LONGEST_S if endless else SHORTEST_S * 1.5
        plot.patch([SHORTEST_S, end, end, SHORTEST_S], [lower, lower, upper, upper], color=colour)
    label = f"{region['region']}: {region['mode']}"
    plot.text([SHORTEST_S * 1.15], [(lower + upper) / 2], [label], **_LABEL)


def trip_line(plot: Any, trips: Sequence[Trip], end: float, zero: float = 0.0) -> None:  # noqa: ANN401
    """Draw the boundary beyond which energising must have ended; trips on means over minutes are left out."""
    times, values = trip_boundary(trips, end, zero)
    if times.size:
        plot.line(times, values, color=TRIP_COLOUR, line_width=2, line_dash="dashed")


def trip_boundary(trips: Sequence[Trip], end: float, zero: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Return times and values of the corners of the boundary, from the fastest trip to the slowest.

    A value beyond several thresholds must go by the shortest of their times.
    """
    times, values, last = [], [], end
    for trip in sorted((t for t in trips if not t.averaging_s), key=lambda t: t.time_s):
        value = trip.threshold - zero
        nearer = value > last if trip.side == "low" else value < last
        if not nearer:
            continue
        times += [trip.time_s, trip.time_s]
        values += [last, value]
        last = value
    if times:
        times.append(LONGEST_S)
        values.append(last)
    return np.array(times), np.array(values)


def _figure(title: str, label: str, ends: tuple[float, float], longest_s: float) -> Any:  # noqa: ANN401
    from bokeh.plotting import figure

    return figure(
        title=title,
        x_axis_type="log",
        x_axis_label="time since leaving continuous operation (s)",
        y_axis_label=label,
        width=460,
        height=460,
        x_range=(SHORTEST_S, longest_s),
        y_range=ends,
    )


def _missing(value: float | None) -> bool:
    return value is None or bool(np.isnan(value))
