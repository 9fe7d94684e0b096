"""Figures of money: waterfall, forest of three measures, tornado, and what is left in each place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from v2glab.views._analyse_barriers_common import (
    BLUE,
    GREEN,
    HEIGHT,
    RED,
    first_year,
    legend_above,
    panel,
    shown,
    unit,
)

if TYPE_CHECKING:
    import pandas as pd

    from v2glab.evidence import Result

#: Column of the table, label, colour, and offset from the row's middle.
_MEASURES = (
    ("first_in", "alone (first in)", GREEN, 0.22),
    ("shapley", "Shapley value", BLUE, 0.0),
    ("last_in", "lifted last (last in)", RED, -0.22),
)
#: Rows of a forest or tornado need this many pixels each.
_ROW = 38


def waterfall(result: Result) -> Any:  # noqa: ANN401 -- a Bokeh figure
    """Bars from the value without rules to that with all; each in between is what one more rule takes."""
    table = result.tables["waterfall"]
    steps = [str(step) for step in table["step"]]
    after = [float(value) for value in table["value_after"]]
    # The first and last bar stand on zero; the others hang between two values.
    before = [0.0, *after[:-2], 0.0]
    changes = [float(change) for change in table["change"]]
    out = panel(
        f"Value of bidirectional charging as rules come one by one, {result.facts['vehicles']} vehicles",
        x_range=steps,
        height=HEIGHT + 60,
        y_axis_label=unit(result),
        tooltips=[("", "@x"), ("from", "@bottom{0.00}"), ("to", "@top{0.00}")],
    )
    inner = [GREEN if change > 0 else RED for change in changes[1:-1]]
    out.vbar(x=steps, bottom=before, top=after, width=0.7, color=[BLUE, *inner, BLUE])
    tops = [max(a, b) for a, b in zip(before, after, strict=True)]
    words = {"text_align": "center", "text_baseline": "middle", "text_font_size": "11px", "y_offset": -9}
    out.text(steps, tops, [shown(change) for change in changes], text_color="#1c2430", **words)
    out.xaxis.major_label_orientation = 0.8
    out.y_range.start, out.y_range.end = min(0.0, *after), 1.08 * max(*tops, 1e-9)
    return out


def forest(result: Result) -> Any:  # noqa: ANN401 -- a Bokeh figure
    """Three measures of each rule, with their intervals."""
    table = result.tables["rules"]
    rules = [str(rule) for rule in table["rule"]]
    out = panel(
        "Value lost by rule, with 95 % interval",
        **_rows(rules, result),
        tooltips=[("", "@y"), ("", "@x{0.00}")],
    )
    for name, label, colour, offset in _MEASURES:
        places = [(rule, offset) for rule in rules]
        low, high = table[f"{name}_low"].tolist(), table[f"{name}_high"].tolist()
        out.segment(low, places, high, places, color=colour, line_width=2)
        out.scatter(table[name].tolist(), places, size=8, color=colour, legend_label=label)
    return legend_above(out)


def tornado(result: Result) -> Any:  # noqa: ANN401 -- a Bokeh figure
    """Bars from the loss at a low to that at a high setting of the car, widest on top."""
    from bokeh.models import Span

    table = _by_width(result.tables["settings"])
    columns = (table["setting"], table["low_setting"], table["base"], table["high_setting"])
    names = [f"{name}: {low:g}, {now:g}, {high:g}" for name, low, now, high in zip(*columns, strict=True)]
    base = float(table["loss"].iloc[0])
    out = panel(
        f"Value lost to all rules by setting of the car (low, now, high); now {shown(base)}"
        + first_year(result),
        **_rows(names, result),
        tooltips=[("", "@y"), ("from", "@left{0.00}"), ("to", "@right{0.00}")],
    )
    for name, colour, label in (("loss_low", BLUE, "low setting"), ("loss_high", RED, "high setting")):
        ends = {"left": table["loss"].tolist(), "right": table[name].tolist()}
        out.hbar(y=names, **ends, height=0.6, color=colour, alpha=0.85, legend_label=label)
    out.add_layout(Span(location=base, dimension="height", line_color="#1c2430"))
    return legend_above(out)


def _rows(names: list[str], result: Result) -> dict[str, Any]:
    """Return the options of a panel with a row a name, the first on top, and money along it."""
    return {
        "y_range": names[::-1],
        "height": 110 + _ROW * max(len(names), 4),
        "x_axis_label": unit(result),
    }


def _by_width(table: pd.DataFrame) -> pd.DataFrame:
    width = (table[["loss_low", "loss_high"]].sub(table["loss"], axis=0)).abs().max(axis=1)
    return table.assign(width=width.fillna(0.0)).sort_values("width", ascending=False, kind="stable")


def books(result: Result) -> Any:  # noqa: ANN401 -- a Bokeh figure
    """Value left in each place with all its rules, with its interval."""
    table = result.tables["books"]
    names = [str(name) for name in table["jurisdiction"]]
    out = panel(
        "Value left with all rules, with 95 % interval",
        **_rows(names, result),
        tooltips=[("", "@y"), ("", "@right{0.00}")],
    )
    out.hbar(y=names, left=0, right=table["value"].tolist(), height=0.6, color=BLUE, alpha=0.85)
    low, high = table["value_low"].tolist(), table["value_high"].tolist()
    out.segment(low, names, high, names, color="#1c2430", line_width=2)
    out.x_range.start = min(0.0, *low)
    return out
