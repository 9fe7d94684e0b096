"""Grid codes side by side: regions and trips, volt-var, volt-watt, watt-var, response to frequency."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from v2glab.evidence import UsageError
from v2glab.gridcodes import CategoryRules, GridCode, NormalRules, droop_power_pu
from v2glab.views._region_plot import frequency_regions, region_record, say_unknown, voltage_regions

_LINE, _OTHER = "#1f5fa8", "#c2571a"
_SIZE = {"width": 460, "height": 280}
#: How far to both sides of nominal frequency figures reach.
SPAN_HZ = 5.0


@dataclass(frozen=True)
class Selected:
    """A code with the categories that are looked at; ``None`` where the code has no such categories."""

    code: GridCode
    rules: CategoryRules | None
    normal: NormalRules | None

    @property
    def label(self) -> str:
        """Code and categories in a few words."""
        names = [r.name for r in (self.rules, self.normal) if r is not None]
        return " ".join([self.code.id, *dict.fromkeys(names)])


def select_code(code: GridCode, category: str = "", normal: str = "") -> Selected:
    """Choose categories of a code, by default its default ones.

    Raises
    ------
    UsageError
        The code has no such category; a category of normal operation of the same name is taken along.
    """
    known = category or code.default_category
    rules = code.category(known) if known else None
    if not normal and category.lower() in {name.lower() for name in code.normal}:
        normal = category
    usual = code.normal_category(normal or None) if normal or code.normal else None
    return Selected(code, rules, usual)


def code_figures(codes: Sequence[Selected]) -> dict[str, Any]:
    """Return one row of figures for each function, a column for each code.

    Raises
    ------
    UsageError
        There is no code to draw.
    """
    from bokeh.layouts import row

    if not codes:
        raise UsageError("no grid code", "one or more", "name a code")
    drawers: dict[str, Callable[[Selected], Any]] = {
        "Voltage: ride-through and trips": _voltage,
        "Frequency: ride-through and trips": _frequency,
        "Volt-var": lambda s: _curves(s, "volt_var", "voltage (p.u.)", "reactive power (p.u.)"),
        "Volt-watt": lambda s: _curves(s, "volt_watt", "voltage (p.u.)", "greatest power (p.u.)"),
        "Watt-var": lambda s: _curves(s, "watt_var", "active power (p.u.)", "reactive power (p.u.)"),
        "Response to frequency": _droop,
    }
    out = {}
    for name, draw in drawers.items():
        figures = [draw(selected) for selected in codes]
        for other in figures[1:]:
            other.x_range, other.y_range = figures[0].x_range, figures[0].y_range
        out[name] = row(*figures)
    return out


def _voltage(selected: Selected) -> Any:  # noqa: ANN401
    rules = selected.rules
    regions = rules.ride_through_voltage if rules else ()
    trips = rules.voltage_trips if rules else ()
    plot = voltage_regions(selected.label, map(region_record, regions), trips)
    if not trips:
        say_unknown(plot, "trips", (0.0013, 1.32))
    return plot


def _frequency(selected: Selected) -> Any:  # noqa: ANN401
    rules, nominal = selected.rules, selected.code.nominal_frequency_hz
    regions = rules.ride_through_frequency if rules else ()
    trips = rules.frequency_trips if rules else ()
    plot = frequency_regions(selected.label, map(region_record, regions), trips, nominal, SPAN_HZ)
    if not trips:
        say_unknown(plot, "trips", (0.0013, 0.9 * SPAN_HZ))
    return plot


def _curves(selected: Selected, name: str, x_label: str, y_label: str) -> Any:  # noqa: ANN401
    from bokeh.plotting import figure

    ends = (-1.0, 1.0) if name == "watt_var" else (0.85, 1.15)
    plot = figure(title=selected.label, x_axis_label=x_label, y_axis_label=y_label, x_range=ends, **_SIZE)
    curve = getattr(selected.normal, name) if selected.normal else None
    if curve is None:
        say_unknown(plot, name.replace("_", "-"), (ends[0] * 0.98 if ends[0] < 0 else ends[0] * 1.01, 0.0))
        return plot
    points = sorted([*getattr(curve, "load_points", ()), *curve.points])
    x, y = _flat_ends(points, ends)
    plot.line(x, y, color=_LINE, line_width=2)
    plot.scatter([p[0] for p in points], [p[1] for p in points], color=_LINE, size=6)
    absorbing = getattr(curve, "absorbing_points", curve.points)
    if absorbing != curve.points:
        x, y = _flat_ends(list(absorbing), ends)
        plot.line(x, y, color=_OTHER, line_width=2, line_dash="dashed", legend_label="plant that can absorb")
        plot.legend.location = "bottom_left"
    return plot


def _flat_ends(
    points: list[tuple[float, float]], ends: tuple[float, float]
) -> tuple[list[float], list[float]]:
    """Return the corners of a characteristic, flat from its last point to the end of the figure."""
    x, y = [p[0] for p in points], [p[1] for p in points]
    return [min(ends[0], x[0]), *x, max(ends[1], x[-1])], [y[0], *y, y[-1]]


def _droop(selected: Selected) -> Any:  # noqa: ANN401
    from bokeh.plotting import figure

    label = f"frequency − {selected.code.nominal_frequency_hz:g} Hz (Hz)"
    ends = (-SPAN_HZ, SPAN_HZ)
    plot = figure(
        title=selected.label, x_axis_label=label, y_axis_label="change of power (p.u.)", x_range=ends, **_SIZE
    )
    deviation = np.linspace(*ends, 1001)
    power = response_pu(selected, deviation)
    if power is None:
        say_unknown(plot, "response to frequency", (-0.95 * SPAN_HZ, 0.0))
        return plot
    plot.line(deviation, power, color=_LINE, line_width=2)
    return plot


def response_pu(selected: Selected, deviation_hz: np.ndarray) -> np.ndarray | None:
    """Return the change of power at each deviation from nominal frequency; NaN where nothing is known.

    A plant at no power that can give and take rated power; ``None`` when the code names no response.
    """
    rules, nominal = selected.rules, selected.code.nominal_frequency_hz
    if rules is None:
        return None
    sides = _sides(rules, nominal)
    if not any(sides):
        return None
    out = np.full(deviation_hz.shape, np.nan)
    for sign, side in zip((1, -1), sides, strict=True):
        if side is not None:
            band, droop = side
            settings = {"deadband_over_hz": band, "deadband_under_hz": band}
            settings |= {"droop_over": droop, "droop_under": droop, "nominal_hz": nominal, "minimum_pu": -1.0}
            for k in np.flatnonzero(sign * deviation_hz >= 0):
                out[k] = droop_power_pu(nominal + float(deviation_hz[k]), 0.0, **settings)
    return out


def _sides(
    rules: CategoryRules, nominal: float
) -> tuple[tuple[float, float] | None, tuple[float, float] | None]:
    """Dead band and droop above and below nominal."""
    if rules.droop is not None:
        d = rules.droop
        return (d.deadband_over_hz.default, d.droop_over.default), (
            d.deadband_under_hz.default,
            d.droop_under.default,
        )
    pair: list[tuple[float, float] | None] = []
    for response in (rules.response_over_frequency, rules.response_under_frequency):
        droop = response.droop_pu(nominal) if response else None
        pair.append(
            (abs(response.start_hz.default - nominal), droop) if response is not None and droop else None
        )
    return pair[0], pair[1]
