"""A run of SLAC as figures: phases, attenuation of each carrier group, SNR and losses, answers and limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from v2glab.views._vehicle_trace import BAD, GOOD, NEAR

if TYPE_CHECKING:
    from v2glab.links.slac import PlcChannel, Report, Seen

_COLOURS = ("#1f4e79", "#c8553d", "#588157", "#8a6d3b")
_LANE_PX = 24
_PHASES = (
    ("parameters", ("CM_SLAC_PARM",)),
    ("sounding", ("CM_START_ATTEN_CHAR", "CM_MNBC_SOUND", "CM_ATTEN_PROFILE")),
    ("attenuation", ("CM_ATTEN_CHAR",)),
    ("validation", ("CM_VALIDATE",)),
    ("match", ("CM_SLAC_MATCH",)),
    ("key", ("CM_SET_KEY",)),
)


@dataclass(frozen=True)
class SlacPhase:
    """A phase of a run: begin and end in seconds since its first frame."""

    name: str
    began_s: float
    ended_s: float


def slac_phases(trace: Sequence[Seen]) -> list[SlacPhase]:
    """Return the phases of a run, seen from the vehicle; each begins where the one before ended."""
    found: list[SlacPhase] = []
    for seen in trace:
        name = next((n for n, starts in _PHASES if seen.name.rpartition(".")[0] in starts), None)
        if name is None:
            continue
        if found and found[-1].name == name:
            found[-1] = SlacPhase(name, found[-1].began_s, seen.at_s)
        elif name not in {p.name for p in found}:
            # A late report of attenuation does not open its phase again.
            found.append(SlacPhase(name, found[-1].ended_s if found else seen.at_s, seen.at_s))
    return found


def plot_slac(
    trace: Sequence[Seen],
    reports: Sequence[tuple[str, Report]],
    channels: Sequence[tuple[str, PlcChannel]] = (),
    thresholds: Sequence[tuple[str, float]] = (),
) -> Any:  # noqa: ANN401 -- a Bokeh layout
    """Draw a run.

    Parameters
    ----------
    reports
        Name of a charger and what it reported.
    channels
        Name of a charger and the line to it, where that is known.
    thresholds
        Names and levels of attenuation in dB to draw.
    """
    from bokeh.layouts import column

    parts = [_phases(slac_phases(trace)), _timers(trace)]
    if reports:
        parts.append(_profiles(reports, thresholds))
    if channels:
        parts.append(_lines(channels))
    return column(*parts, sizing_mode="stretch_width")


def _phases(phases: Sequence[SlacPhase]) -> Any:  # noqa: ANN401
    from bokeh.plotting import figure

    plot = figure(
        height=80 + _LANE_PX * max(len(phases), 2), sizing_mode="stretch_width",
        y_range=[p.name for p in phases][::-1] or ["nothing"], x_axis_label="time since start / s",
        title="Phases", tools="pan,xwheel_zoom,reset",
    )  # fmt: skip
    plot.hbar(
        y=[p.name for p in phases], left=[p.began_s for p in phases],
        right=[max(p.ended_s, p.began_s + 1e-4) for p in phases], height=0.7, color=_COLOURS[0],
    )  # fmt: skip
    plot.ygrid.grid_line_color = None
    return plot


def _timers(trace: Sequence[Seen]) -> Any:  # noqa: ANN401
    from bokeh.models import ColumnDataSource
    from bokeh.plotting import figure

    worst: dict[str, Seen] = {}
    for seen in trace:
        known = worst.get(seen.name)
        if seen.margin_s is not None and (known is None or seen.margin_s < (known.margin_s or 0.0)):
            worst[seen.name] = seen
    shares = [(s.elapsed_s or 0.0) / (s.limit_s or 1.0) for s in worst.values()]
    data: dict[str, list[Any]] = {
        "name": list(worst),
        "took": [max(s.elapsed_s or 0.0, 1e-5) * 1e3 for s in worst.values()],
        "limit": [(s.limit_s or 0.0) * 1e3 for s in worst.values()],
        "colour": [BAD if x > 1 else NEAR if x > 0.5 else GOOD for x in shares],
    }
    plot = figure(
        height=80 + _LANE_PX * max(len(worst), 2), sizing_mode="stretch_width",
        y_range=list(worst)[::-1] or ["none"], x_axis_type="log", x_axis_label="ms",
        title="Answers (dot) against their timers (bar)", tools="pan,xwheel_zoom,reset,hover",
        tooltips=[("", "@name"), ("took", "@took{0.00} ms"), ("limit", "@limit ms")],
    )  # fmt: skip
    source = ColumnDataSource(data)
    plot.segment("took", "name", "limit", "name", source=source, color="colour", line_width=4, alpha=0.35)
    plot.scatter("took", "name", source=source, size=9, color="colour")
    plot.scatter(
        "limit", "name", source=source, size=16, color=BAD, marker="dash", angle=1.5708, line_width=3
    )
    return plot


def _profiles(reports: Sequence[tuple[str, Report]], thresholds: Sequence[tuple[str, float]]) -> Any:  # noqa: ANN401
    from bokeh.models import Label, Span
    from bokeh.plotting import figure

    plot = figure(
        height=280, sizing_mode="stretch_width", title="Attenuation as the chargers reported it",
        x_axis_label="carrier group", y_axis_label="attenuation / dB", tools="pan,wheel_zoom,reset,hover",
    )  # fmt: skip
    for place, (name, report) in enumerate(reports):
        colour = _COLOURS[place % len(_COLOURS)]
        groups = list(range(1, len(report.groups_db) + 1))
        mean = report.attenuation
        label = name if mean is None else f"{name}: {mean.value:.1f} dB"
        plot.step(
            groups, list(report.groups_db), mode="center", color=colour, line_width=2, legend_label=label
        )
        plot.scatter(groups, list(report.groups_db), color=colour, size=4)
    for name, level in thresholds:
        plot.add_layout(Span(location=level, dimension="width", line_color="#5b6675", line_dash="dotted"))
        words = {"text_font_size": "8pt", "text_color": "#5b6675"}
        plot.add_layout(Label(x=1, y=level, text=f"{name} {level:g} dB", **words))
    plot.legend.location = "top_center"
    plot.legend.background_fill_alpha = 0.6
    plot.y_range.start = 0
    return plot


def _lines(channels: Sequence[tuple[str, PlcChannel]]) -> Any:  # noqa: ANN401
    from bokeh.layouts import row
    from bokeh.plotting import figure

    label = "frequency / MHz"
    tools = {"tools": "pan,wheel_zoom,reset,hover", "height": 240, "sizing_mode": "stretch_width"}
    snr = figure(title="Signal to noise", x_axis_label=label, y_axis_label="SNR / dB", **tools)
    loss = figure(
        title="Loss of a group alone",
        x_axis_label=label,
        y_axis_label="probability",
        y_range=(-0.02, 1.02),
        **tools,
    )
    for place, (name, channel) in enumerate(channels):
        colour, at = _COLOURS[place % len(_COLOURS)], channel.frequency_hz / 1e6
        snr.line(at, channel.snr_db, color=colour, line_width=2, legend_label=name)
        told = f"{name}: frame loss {channel.frame_loss():.2g}"
        loss.line(at, channel.group_loss(), color=colour, line_width=2, legend_label=told)
    for plot in (snr, loss):
        plot.legend.background_fill_alpha, plot.legend.location = 0.6, "center"
    return row(snr, loss, sizing_mode="stretch_width")
