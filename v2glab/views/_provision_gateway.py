"""How writing a firmware image went on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from v2glab.evidence import Result

_PHASES = ("check", "write", "read back")


def plot_provision_gateway(result: Result) -> Any:  # noqa: ANN401 -- a Bokeh figure
    """Return bytes done over time, with the three thirds named: check, write, read back.

    Parameters
    ----------
    result
        Result of ``provision_gateway``; its table ``progress`` is drawn.
    """
    from bokeh.models import BoxAnnotation, Label
    from bokeh.plotting import figure

    frame, size = result.tables["progress"], result.quantity("image_size").value / 1e6
    panel = figure(
        height=280,
        sizing_mode="stretch_width",
        title=f"{result.facts['name']} {result.facts['version']}, {size:.3g} MB",
        x_axis_label="time / s",
        y_axis_label="passed through / MB",
        tools="pan,wheel_zoom,reset,hover",
    )
    start = float(frame["time_s"].iloc[0]) if len(frame) else 0.0
    for place, phase in enumerate(_PHASES):
        colour = ("#dbe7f3", "#fdf0d5", "#d8f0de")[place]
        panel.add_layout(
            BoxAnnotation(bottom=place * size, top=(place + 1) * size, fill_color=colour, fill_alpha=0.6)
        )
        panel.add_layout(Label(x=start, y=(place + 0.4) * size, text=phase, text_font_size="12px"))
    panel.line(frame["time_s"], frame["bytes_done"] / 1e6, color="#1f4e79", line_width=2)
    panel.scatter(frame["time_s"], frame["bytes_done"] / 1e6, color="#1f4e79", size=5)
    return panel
