"""The time line of a session of the vehicle link: who had the turn, how long answers took, against what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from v2glab.views._vehicle_data import CLOSE, LATE, Exchange, by_message, exchanges, thinned

if TYPE_CHECKING:
    import pandas as pd

#: In time, close to the limit, late, without a limit; of the vehicle's own turn; of events.
GOOD, NEAR, BAD, PLAIN = "#2a9d4a", "#c98a00", "#a4161a", "#5b6675"
_TURN, _EVENT = "#cfd8e3", "#1f4e79"
_LANE_PX, _FLOOR_S = 24, 1e-5


class Happening(Protocol):
    """An event beside the messages, as a capture has them."""

    @property
    def time_ns(self) -> int: ...
    @property
    def layer(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def end(self) -> str: ...


class Split(Protocol):
    """Where the time of a negotiation went, in seconds."""

    @property
    def total_s(self) -> float: ...
    @property
    def local_s(self) -> float: ...
    @property
    def network_s(self) -> float | None: ...
    @property
    def peer_s(self) -> float: ...


def plot_vehicle_trace(
    frame: pd.DataFrame,
    events: Sequence[Happening] = (),
    timing: Split | None = None,
    limit_s: float | None = None,
) -> Any:  # noqa: ANN401 -- a Bokeh layout
    """Draw a session: its time line, answers against their limits, and the loop as a distribution.

    Parameters
    ----------
    frame
        Table of a trace, as ``Trace.frame()`` returns it, of an end or of a capture.
    events
        What happened beside the messages.
    timing, limit_s
        Split of the negotiation of TLS, and how long it may take.
    """
    from bokeh.layouts import column

    several = exchanges(frame)
    start = _start_ns(frame, events)
    shift = (int(frame["time_ns"].iloc[0]) - start) / 1e9 if len(frame) else 0.0
    parts = [timeline(several, events, start, shift)]
    if timing is not None:
        parts.append(negotiation(timing, limit_s))
    if any(e.answer_s is not None for e in several):
        parts.append(answers(several))
    loop = [e for e in several if e.loop and e.answer_s is not None]
    if len(loop) > 1:
        parts.append(loop_distribution(loop))
    return column(*parts, sizing_mode="stretch_width")


def timeline(several: Sequence[Exchange], events: Sequence[Happening], start_ns: int, shift_s: float) -> Any:  # noqa: ANN401 -- a Bokeh figure
    """Draw one lane a message: dark while the charger has the turn, pale while the vehicle has it."""
    from bokeh.models import ColumnDataSource, HoverTool
    from bokeh.plotting import figure

    shown = thinned(list(several))
    layers = list(dict.fromkeys(e.layer for e in events))
    lanes = [*layers, *dict.fromkeys(e.message for e in shown)]
    plot = figure(
        height=90 + _LANE_PX * max(len(lanes), 2),
        sizing_mode="stretch_width",
        y_range=lanes[::-1] or ["no message"],
        x_axis_label="time since start / s",
        title=_title(len(shown), len(several)),
        tools="pan,xwheel_zoom,box_zoom,reset",
    )
    turns = [(e.message, e.answered_s, e.next_s) for e in shown if e.answered_s is not None and e.next_s]
    if turns:
        plot.hbar(
            y=[t[0] for t in turns],
            left=[(t[1] or 0.0) + shift_s for t in turns],
            right=[(t[2] or 0.0) + shift_s for t in turns],
            height=0.32,
            fill_color=_TURN,
            line_color=None,
            legend_label="vehicle's turn",
        )
    source = ColumnDataSource(_bars(shown, shift_s))
    bars = plot.hbar(
        "message", left="left", right="right", height=0.7, source=source, fill_color="colour",
        line_color="colour", legend_label="charger's turn",
    )  # fmt: skip
    tips = [("", "@message @code"), ("answer", "@answer"), ("limit", "@limit"), ("", "@note")]
    plot.add_tools(HoverTool(tooltips=tips, renderers=[bars]))
    if events:
        marks = plot.scatter(
            "at", "layer", source=ColumnDataSource(_marks(events, start_ns)), size=9, marker="diamond",
            color=_EVENT, legend_label="event",
        )  # fmt: skip
        plot.add_tools(HoverTool(tooltips=[("@end", "@name"), ("at", "@at{0.000000} s")], renderers=[marks]))
    plot.legend.orientation = "horizontal"
    plot.legend.label_text_font_size = "8pt"
    plot.add_layout(plot.legend[0], "above")
    plot.ygrid.grid_line_color = None
    return plot


def answers(several: Sequence[Exchange]) -> Any:  # noqa: ANN401 -- a Bokeh figure
    """Draw how long each message's answers took, from quickest to slowest, and the limit; logarithmic."""
    from bokeh.models import ColumnDataSource, HoverTool
    from bokeh.plotting import figure

    rows = [t for t in by_message(list(several)) if t.slowest_s is not None]
    names = [t.message for t in rows]
    plot = figure(
        height=90 + _LANE_PX * max(len(rows), 2),
        sizing_mode="stretch_width",
        y_range=names[::-1],
        x_axis_type="log",
        x_axis_label="answer time / ms",
        title="Answers: quickest, median and slowest, against the limit (bar)",
        tools="pan,xwheel_zoom,reset",
    )
    data: dict[str, list[Any]] = {
        "message": names,
        "least": [_ms(t.quickest_s) for t in rows],
        "middle": [_ms(t.middle_s) for t in rows],
        "most": [_ms(t.slowest_s) for t in rows],
        "limit": [_ms(t.limit_s) if t.limit_s else float("nan") for t in rows],
        "count": [t.count for t in rows],
        "late": [t.late for t in rows],
        "colour": [_colour(None if not t.limit_s else (t.slowest_s or 0.0) / t.limit_s) for t in rows],
    }
    source = ColumnDataSource(data)
    plot.segment(
        "least", "message", "most", "message", source=source, line_width=5, color="colour", alpha=0.55
    )
    plot.scatter("middle", "message", source=source, size=8, color="colour")
    slowest = plot.scatter("most", "message", source=source, size=9, color="colour", marker="triangle")
    plot.scatter(
        "limit", "message", source=source, size=18, color=BAD, marker="dash", angle=1.5708, line_width=3
    )
    tips = [
        ("", "@message, @count times"), ("median", "@middle{0.00} ms"), ("slowest", "@most{0.00} ms"),
        ("limit", "@limit{0.0} ms"), ("late", "@late"),
    ]  # fmt: skip
    plot.add_tools(HoverTool(tooltips=tips, renderers=[slowest]))
    return plot


def loop_distribution(loop: Sequence[Exchange]) -> Any:  # noqa: ANN401 -- a Bokeh figure
    """Draw which share of the loop's answers came within a time."""
    import numpy as np
    from bokeh.models import Label, Span
    from bokeh.plotting import figure

    taken = np.sort(np.array([_ms(e.answer_s) for e in loop]))
    # Thousands of steps that nobody can tell apart would only make the page heavy.
    shares = np.arange(1, len(taken) + 1) / len(taken)
    if len(taken) > 500:
        places = np.unique(np.linspace(0, len(taken) - 1, 500).astype(int))
        taken, shares = taken[places], shares[places]
    plot = figure(
        height=260, sizing_mode="stretch_width", x_axis_type="log", x_axis_label="answer time / ms",
        y_axis_label="share of answers", y_range=(0, 1.02), tools="pan,xwheel_zoom,reset,hover",
        title=f"The loop: {len(loop)} answers",
    )  # fmt: skip
    plot.step(taken, shares, mode="after", line_width=2, color="#1f4e79")
    every = np.array([_ms(e.answer_s) for e in loop])
    # Room for the words beside the last point.
    plot.x_range.start, plot.x_range.end = 0.7 * float(every.min()), 2.5 * float(every.max())
    for share, place in ((0.5, "median"), (0.99, "99 %")):
        at = float(np.quantile(every, share))
        plot.scatter([at], [share], size=8, color="#1f4e79")
        words = {"text_font_size": "8pt", "text_color": "#1f4e79", "x_offset": 6, "y_offset": -12}
        plot.add_layout(Label(x=at, y=share, text=f"{place}: {at:.2f} ms", **words))
    for limit in sorted({e.limit_s for e in loop if e.limit_s}):
        plot.add_layout(Span(location=limit * 1e3, dimension="height", line_color=BAD, line_dash="dashed"))
        words = {"text_font_size": "8pt", "text_color": BAD, "x_offset": 4}
        plot.add_layout(Label(x=limit * 1e3, y=0.04, text=f"limit {limit * 1e3:g} ms", **words))
    return plot


def negotiation(timing: Split, limit_s: float | None) -> Any:  # noqa: ANN401 -- a Bokeh figure
    """Draw where the time of the negotiation went, against its limit."""
    from bokeh.models import Label, Span
    from bokeh.plotting import figure

    shares = [("vehicle", timing.local_s, "#588157"), ("network", timing.network_s or 0.0, "#8a6d3b")]
    peer = "charger" if timing.network_s is not None else "charger and network"
    shares.append((peer, timing.peer_s, "#1f4e79"))
    plot = figure(
        height=130, sizing_mode="stretch_width", y_range=["TLS"], x_axis_label="ms", tools="",
        title=f"Negotiation of TLS: {timing.total_s * 1e3:.1f} ms", toolbar_location=None,
    )  # fmt: skip
    at = 0.0
    for name, taken, colour in shares:
        if taken > 0:
            label = f"{name} {taken * 1e3:.1f} ms"
            plot.hbar(
                y=["TLS"],
                left=[at * 1e3],
                right=[(at + taken) * 1e3],
                height=0.6,
                color=colour,
                legend_label=label,
            )
            at += taken
    plot.x_range.start = 0
    if limit_s is not None:
        plot.x_range.end = 1.2e3 * max(limit_s, at)
        plot.add_layout(Span(location=limit_s * 1e3, dimension="height", line_color=BAD, line_dash="dashed"))
        words = {"text_font_size": "8pt", "text_color": BAD, "x_offset": 4, "y_units": "screen"}
        plot.add_layout(Label(x=limit_s * 1e3, y=4, text=f"limit {limit_s * 1e3:g} ms", **words))
    plot.add_layout(plot.legend[0], "right")
    plot.ygrid.grid_line_color = None
    return plot


def _bars(shown: Sequence[Exchange], shift_s: float) -> dict[str, list[Any]]:
    ends = [e.answered_s if e.answered_s is not None else e.next_s or e.asked_s for e in shown]
    return {
        "message": [e.message for e in shown],
        "left": [e.asked_s + shift_s for e in shown],
        # A bar without length would not be seen.
        "right": [max(end, e.asked_s + _FLOOR_S) + shift_s for e, end in zip(shown, ends, strict=True)],
        "colour": [BAD if e.note or e.code.startswith("FAILED") else _colour(e.share) for e in shown],
        "code": [e.code for e in shown],
        "answer": [_text(e.answer_s) for e in shown],
        "limit": [_text(e.limit_s) for e in shown],
        "note": [e.note for e in shown],
    }


def _marks(events: Sequence[Happening], start_ns: int) -> dict[str, list[Any]]:
    return {
        "at": [(e.time_ns - start_ns) / 1e9 for e in events],
        "layer": [e.layer for e in events],
        "name": [e.name for e in events],
        "end": ["vehicle" if e.end == "evcc" else "charger" for e in events],
    }


def _start_ns(frame: pd.DataFrame, events: Sequence[Happening]) -> int:
    times = [e.time_ns for e in events] + ([int(frame["time_ns"].iloc[0])] if len(frame) else [])
    return min(times, default=0)


def _title(shown: int, whole: int) -> str:
    note = "" if shown == whole else f" ({shown} of {whole} exchanges drawn, the slowest among them)"
    return f"Time line{note}"


def _colour(share: float | None) -> str:
    if share is None:
        return PLAIN
    return BAD if share > LATE else NEAR if share > CLOSE else GOOD


def _ms(value: float | None) -> float:
    """Milliseconds, never zero: a logarithm has none."""
    return max(value or 0.0, _FLOOR_S) * 1e3


def _text(value: float | None) -> str:
    return "–" if value is None else f"{value * 1e3:.2f} ms"
