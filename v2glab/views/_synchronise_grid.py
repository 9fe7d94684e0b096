"""How frequency, voltage and phase came together before the contactor closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from v2glab.evidence import Result

_PANELS = (
    ("frequency_difference_hz", "u_frequency_hz", "frequency_hz", "Δf / Hz"),
    ("voltage_difference_pu", "u_voltage_pu", "voltage_pu", "ΔV / p.u."),
    ("phase_difference_rad", "u_phase_rad", "phase_rad", "Δφ / rad"),
)


def plot_synchronise_grid(result: Result) -> Any:  # noqa: ANN401 -- a Bokeh layout
    """Return three stacked panels: each difference with its expanded uncertainty and its permitted band.

    Parameters
    ----------
    result
        Result of ``synchronise_grid``; its table ``approach`` is drawn.
    """
    from bokeh.layouts import column
    from bokeh.models import BoxAnnotation, ColumnDataSource, Whisker
    from bokeh.plotting import figure

    frame = result.tables["approach"].copy()
    for name, spread, _, _ in _PANELS:
        frame[f"{name}_high"] = frame[name] + 2 * frame[spread]
        frame[f"{name}_low"] = frame[name] - 2 * frame[spread]
    source = ColumnDataSource({str(name): column for name, column in frame.items()})
    panels: list[Any] = []
    for name, _, limit_name, label in _PANELS:
        limit = result.facts["limits"][limit_name]
        options: dict[str, Any] = {"x_range": panels[0].x_range} if panels else {}
        panel = figure(
            height=170,
            sizing_mode="stretch_width",
            y_axis_label=label,
            tools="pan,wheel_zoom,reset,hover",
            **options,
        )
        panel.add_layout(BoxAnnotation(bottom=-limit, top=limit, fill_color="#2a9d4a", fill_alpha=0.12))
        panel.line("time_s", name, source=source, color="#1f4e79", line_width=2)
        panel.scatter("time_s", name, source=source, color="#1f4e79", size=5)
        panel.add_layout(Whisker(base="time_s", upper=f"{name}_high", lower=f"{name}_low", source=source))
        panels.append(panel)
    panels[0].title.text = "Inverter minus grid; the band is what closing permits"
    panels[-1].xaxis.axis_label = "station time since start / s"
    return column(*panels, sizing_mode="stretch_width")
