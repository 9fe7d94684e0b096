"""Heat maps of a barrier analysis: pairs of rules, and jurisdictions by rule."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from v2glab.views._analyse_barriers_common import panel, shown, unit

if TYPE_CHECKING:
    from v2glab.evidence import Result

Cell = tuple[str, str, float]
#: Pixels of a row, and of the slanted labels below all.
_ROW, _LABELS = 34, 170


def interactions(result: Result) -> Any:  # noqa: ANN401 -- a Bokeh figure
    """Heat map of pairs: red where two rules cost more together, blue where one stands in for the other."""
    table = result.tables["interactions"]
    rules = [str(rule) for rule in result.tables["rules"]["rule"]]
    both = [
        (str(a), str(b), float(value))
        for x, y, value in zip(table["rule"], table["with_rule"], table["interaction"], strict=True)
        for a, b in ((x, y), (y, x))
    ]
    title = f"Interaction of pairs, {unit(result)} (below zero: one stands in for the other)"
    return heat_map(title, rules, rules[::-1], both)


def matrix(result: Result) -> Any:  # noqa: ANN401 -- a Bokeh figure
    """Heat map of jurisdictions and barriers: the Shapley value of each where it holds, a dash elsewhere."""
    table = result.tables["matrix"]
    columns = (table["rule"].tolist(), table["jurisdiction"].tolist(), table["shapley"].tolist())
    cells = [(str(rule), str(place), float(loss)) for rule, place, loss in zip(*columns, strict=True)]
    rules = list(dict.fromkeys(table["rule"].astype(str)))
    places = list(dict.fromkeys(table["jurisdiction"].astype(str)))
    title = f"Value lost by rule, {unit(result)} (dash: not in force)"
    return heat_map(title, rules, places[::-1], cells)


def luminance(colour: str) -> float:
    """Return the relative luminance of ``#rrggbb``, 0 for black to 1 for white (WCAG 2.2, definition)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def ink_on(colour: str) -> str:
    """Return black or white, whichever has the larger contrast ratio on the colour (WCAG 2.2, 1.4.3)."""
    light = luminance(colour) + 0.05
    return "#ffffff" if 1.05 / light > light / 0.05 else "#000000"


def heat_map(title: str, x: list[str], y: list[str], cells: list[Cell]) -> Any:  # noqa: ANN401
    """Return a heat map; a cell that is not a number is empty but for a dash.

    Colours run from blue through white at zero to red; where nothing lies below zero, from white to red.
    """
    from bokeh.models import ColorBar, ColumnDataSource, LinearColorMapper
    from bokeh.palettes import RdBu11

    from v2glab.views._svg_glyphs import mapped

    values = [value for *_, value in cells if math.isfinite(value)]
    most = max(map(abs, values), default=0.0) or 1.0
    one_sided = min(values, default=0.0) >= 0
    palette = list(RdBu11[5:] if one_sided else RdBu11)
    mapper = LinearColorMapper(palette=palette, low=0.0 if one_sided else -most, high=most)
    fills = [mapped(mapper, v) if math.isfinite(v) else "#ffffff" for *_, v in cells]
    source = ColumnDataSource(
        {
            "x": [cell[0] for cell in cells],
            "y": [cell[1] for cell in cells],
            "value": [cell[2] for cell in cells],
            "fill": fills,
            "text": [shown(v) if math.isfinite(v) else "\N{EN DASH}" for *_, v in cells],
            "ink": [ink_on(fill) for fill in fills],
        }
    )
    height = _LABELS + _ROW * max(len(y), 4)
    out = panel(title, x_range=x, y_range=y, height=height, tooltips=[("", "@x, @y"), ("", "@value{0.00}")])
    out.rect("x", "y", 1, 1, source=source, fill_color="fill", line_color=None)
    words = {"text_align": "center", "text_baseline": "middle", "text_font_size": "11px"}
    out.text("x", "y", "text", source=source, text_color="ink", **words)
    out.add_layout(ColorBar(color_mapper=mapper, width=10), "right")
    out.xaxis.major_label_orientation = 0.8
    out.grid.grid_line_color = None
    return out
