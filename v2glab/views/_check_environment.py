"""Which prerequisites this machine meets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from v2glab.evidence import Result

_COLOURS = {"ok": "#2a9d4a", "degraded": "#e9a23b", "unknown": "#8d99ae", "missing": "#c8553d"}


def plot_check_environment(result: Result) -> Any:  # noqa: ANN401 -- a Bokeh figure
    """Return one coloured row per prerequisite with what was found.

    Parameters
    ----------
    result
        Result of ``check_environment``; its table ``checks`` is drawn.
    """
    from bokeh.models import ColumnDataSource
    from bokeh.plotting import figure

    frame = result.tables["checks"].copy()
    # Only what is needed may look like a failure; the rest is merely absent.
    absent = (frame["status"] == "missing") & ~frame["needed"]
    frame["colour"] = frame["status"].where(~absent, "unknown").map(_COLOURS)
    source = ColumnDataSource(frame)
    panel = figure(
        y_range=list(frame["check"])[::-1],
        x_range=(0, 10),
        height=40 + 26 * len(frame),
        sizing_mode="stretch_width",
        title="Prerequisites: green met, amber degraded, grey absent or unknown, red needed and missing",
        tools="hover",
        tooltips=[("required", "@required"), ("remedy", "@remedy")],
    )
    panel.rect(x=0.8, y="check", width=1.4, height=0.8, source=source, color="colour")
    panel.text(x=0.2, y="check", text="status", source=source, text_color="white", **_text())
    panel.text(x=1.7, y="check", text="found", source=source, text_color="#222222", **_text())
    panel.xaxis.visible = False
    panel.grid.visible = False
    return panel


def _text() -> dict[str, str]:
    return {"text_baseline": "middle", "text_font_size": "12px"}
