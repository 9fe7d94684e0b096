"""Figures of energy, power and time of a barrier analysis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from v2glab.views._analyse_barriers_common import (
    BLUE,
    GREEN,
    GREY,
    HEIGHT,
    RED,
    VIOLET,
    first_year,
    legend_above,
    panel,
)

if TYPE_CHECKING:
    from v2glab.evidence import Result

#: Steps that take less than this share of the energy are drawn as one.
_SLIGHT = 0.002


def sankey(result: Result) -> Any:  # noqa: ANN401 -- a Bokeh figure
    """Flow of exported energy: from what could be, by what each rule takes, to what is left.

    A step that adds energy takes nothing away; the title says how much such steps add in all.
    """
    table = result.tables["energy"]
    whole = float(table["exported_kwh"].iloc[0])
    left = float(table["exported_kwh"].iloc[-1])
    flows = [("still exported", left, BLUE), *_losses(result, whole)]
    added = float(table["change_kwh"].iloc[1:].clip(lower=0.0).sum())
    title = f"Where {whole:.0f} kWh of export per vehicle and year go as rules come one by one"
    title += first_year(result)
    if added >= 0.5:
        title += f"; some rules add {added:.0f} kWh, not drawn"
    out = panel(title, tools="reset")
    total = max(sum(kwh for _, kwh, _ in flows), 1e-9)
    gap, line = 0.02 * total, 0.075 * total
    start = end = label = 0.0
    for name, kwh, colour in flows:
        _band(out, (start, start + kwh), (end, end + kwh), colour)
        middle = end + kwh / 2
        label = max(middle, label)  # a label never stands on the one below
        out.line([1.0, 1.04], [middle, label], line_color=colour, line_width=1)
        words = {"text_baseline": "middle", "text_font_size": "12px", "text_color": "#1c2430"}
        out.text([1.05], [label], [f"{name}: {kwh:.0f} kWh"], **words)
        start, end, label = start + kwh, end + kwh + gap, label + line
    out.x_range.start, out.x_range.end = -0.02, 1.5
    out.y_range.start, out.y_range.end = -0.04 * total, max(end, label)
    out.axis.visible = False
    out.grid.grid_line_color = None
    return out


def _losses(result: Result, whole: float) -> list[tuple[str, float, str]]:
    """Return what each rule takes, costliest first, and at the end what slight ones take together."""
    table = result.tables["energy"].iloc[1:]
    lost = [
        (str(step), -float(change)) for step, change in zip(table["step"], table["change_kwh"], strict=True)
    ]
    lost = [(name, kwh) for name, kwh in lost if kwh > 0]
    slight = [(name, kwh) for name, kwh in lost if kwh < _SLIGHT * whole]
    flows = [(name, kwh, RED) for name, kwh in lost if kwh >= _SLIGHT * whole]
    if slight:
        name = slight[0][0] if len(slight) == 1 else f"{len(slight)} more rules"
        flows.append((name, sum(kwh for _, kwh in slight), RED))
    return flows


def _band(out: Any, left: tuple[float, float], right: tuple[float, float], colour: str) -> None:  # noqa: ANN401
    import numpy as np

    x = np.linspace(0.0, 1.0, 41)
    bend = x * x * (3 - 2 * x)
    low, high = (left[i] + (right[i] - left[i]) * bend for i in (0, 1))
    out.varea(x=x, y1=low, y2=high, color=colour, alpha=0.6)


def duration(result: Result) -> Any:  # noqa: ANN401 -- a Bokeh figure
    """Power at the meter that is exceeded in each share of the year."""
    table = result.tables["duration"]
    out = panel(
        f"Power at the meter, sorted; positive towards the grid, mean over vehicles{first_year(result)}",
        x_axis_label="share of the year, %",
        y_axis_label="kW",
        tooltips=[("", "@x{0} %"), ("", "@y{0.00} kW")],
    )
    share = (100 * table["share_of_year"]).tolist()
    for column, label, colour in (("no_rules_kw", "no rules", BLUE), ("all_rules_kw", "all rules", RED)):
        out.line(share, table[column].tolist(), line_color=colour, line_width=2, legend_label=label)
    return legend_above(out)


def latency(result: Result) -> Any:  # noqa: ANN401 -- a Bokeh figure
    """Empirical distribution of measured latencies, and the limits of markets as named lines."""
    import numpy as np
    from bokeh.models import Span

    samples = result.tables["latency_samples"]
    limits = result.tables["latency"].drop_duplicates("limit").sort_values("limit_s")
    every = np.concatenate([samples["latency_s"].to_numpy(), limits["limit_s"].to_numpy()])
    every = every[every > 0]
    low, high = float(every.min()) / 2, float(every.max()) * 4
    out = panel(
        "Share of measured latencies up to each time, and limits of markets",
        height=HEIGHT + 40,
        x_axis_type="log",
        x_axis_label="s",
        y_axis_label="share",
        x_range=(low, high),
        y_range=(-0.02, 1.38),
    )
    out.yaxis.ticker = [0.0, 0.25, 0.5, 0.75, 1.0]
    for (kind, group), colour in zip(samples.groupby("kind"), (BLUE, GREEN, VIOLET, GREY), strict=False):
        values = np.maximum(np.sort(group["latency_s"].to_numpy()), low)
        share = np.arange(values.size + 1) / values.size
        x, y = [values[0], *values, high], [*share, 1.0]
        out.step(x, y, mode="after", color=colour, line_width=2, legend_label=f"{kind} (n = {values.size})")
    columns = (limits["limit"], limits["limit_s"].astype(float), limits["confidence"])
    for place, (identity, limit_s, confidence) in enumerate(zip(*columns, strict=True)):
        out.add_layout(Span(location=limit_s, dimension="height", line_color=RED, line_dash="dashed"))
        name = f"{identity}{'' if confidence == 'read' else ' (unverified)'}"
        words = {"text_font_size": "10px", "text_color": RED, "text_baseline": "middle", "x_offset": 4}
        right = limit_s > high / 60  # near the right edge the name stands before its line
        words |= {"text_align": "right", "x_offset": -4} if right else {}
        out.text([limit_s], [1.33 - 0.06 * (place % 5)], [name], **words)
    return legend_above(out)
