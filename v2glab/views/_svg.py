"""A Bokeh figure as an SVG drawing, for print: made here, with neither browser nor network.

The same figure gives the same bytes. What is not drawn here raises instead of being left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from html import escape
from typing import Any

from v2glab.views._svg_glyphs import PLACES, column, draw, place
from v2glab.views._svg_scale import Scale, number, scale_of

WIDTH = 900.0
_INK, _GRID = "#1c2430", "#dfe4ea"
_FONT = 'font-family="Liberation Sans, Arial, Helvetica, sans-serif"'
#: Width of a letter as a share of the font's size; enough for labels never to be cut.
_LETTER = 0.56
_LABEL = 11


def figure_svg(figure: Any, width: float = WIDTH) -> str:  # noqa: ANN401 -- a Bokeh figure
    """Return a figure as an SVG document.

    Raises
    ------
    UsageError
        The figure holds a glyph that is not drawn here.
    """
    height = float(figure.height or 360)
    shown = [axis.visible for axis in (figure.xaxis[0], figure.yaxis[0])]
    x0, x1, y0, y1 = _inside(figure, width, height, shown)
    x, y = _scale(figure, 0, x0, x1), _scale(figure, 1, y1, y0)
    shapes = [element for renderer in figure.renderers for element in draw(renderer, x, y)]
    frame = f'x="{place(x0)}" y="{place(y0)}" width="{place(x1 - x0)}" height="{place(y1 - y0)}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" height="{height:g}" {_FONT} fill="{_INK}">',
        f"<title>{escape(figure.title.text)}</title>",
        f'<rect width="{width:g}" height="{height:g}" fill="white"/>',
        f'<text x="{place(x0)}" y="18" font-size="13" font-weight="bold">{escape(figure.title.text)}</text>',
        *_legend(figure, x0),
        *(_grid(figure, x, y) if all(shown) else ()),
        f'<clipPath id="inside"><rect {frame}/></clipPath><g clip-path="url(#inside)">',
        *shapes,
        *_spans(figure, x, y),
        "</g>",
        *(_axes(figure, x, y, height) if all(shown) else ()),
        *_colour_bar(figure, x1, y0, y1),
        "</svg>\n",
    ]
    return "\n".join(parts)


def _inside(figure: Any, width: float, height: float, shown: list[bool]) -> tuple[float, ...]:  # noqa: ANN401
    """Return left, right, top and bottom of the plot, so that every label has room."""
    rows = [str(f) for f in getattr(figure.y_range, "factors", ()) or ("−0000",)]
    columns = [str(f) for f in getattr(figure.x_range, "factors", ()) or ()]
    left = 12 + _length(rows) + (20 if figure.yaxis[0].axis_label else 0) if shown[1] else 12
    bottom = (18.0 if shown[0] else 8.0) + (22 if figure.xaxis[0].axis_label else 0)
    if columns and shown[0]:
        # Slanted by 45 degrees: the longest reaches down, the first to the left.
        bottom = 12 + 0.71 * _length(columns)
        left = max(left, 0.71 * _length(columns[:1]) - 0.5 * (width - left) / len(columns) + 8)
    right = width - (70 if figure.right else 12)
    top = 30 + (22 if _legend_of(figure) else 0)
    return left, right, float(top), height - bottom


def _length(words: list[str]) -> float:
    return max((len(word) for word in words), default=0) * _LETTER * _LABEL


def _scale(figure: Any, side: int, start: float, end: float) -> Scale:  # noqa: ANN401
    range_ = (figure.x_range, figure.y_range)[side]
    log = type((figure.x_scale, figure.y_scale)[side]).__name__ == "LogScale"
    values = [
        value
        for renderer in figure.renderers
        for name in PLACES.get(type(renderer.glyph).__name__, ((), ()))[side]
        for value in column(renderer, name)
        if isinstance(value, int | float)
    ]
    axis = (figure.xaxis, figure.yaxis)[side][0]
    scale = scale_of(range_, values, start, end, log=log)
    fixed = axis.ticker.ticks if type(axis.ticker).__name__ == "FixedTicker" else ()
    return replace(scale, fixed=tuple(fixed))


def _grid(figure: Any, x: Scale, y: Scale) -> Iterator[str]:  # noqa: ANN401
    if figure.xgrid[0].grid_line_color is None:
        return
    for at, _ in x.ticks():
        yield _stroke(at, y.start, at, y.end, _GRID)
    for at, _ in y.ticks():
        yield _stroke(x.start, at, x.end, at, _GRID)


def _axes(figure: Any, x: Scale, y: Scale, height: float) -> Iterator[str]:  # noqa: ANN401
    yield _stroke(x.start, y.start, x.end, y.start, _INK)
    yield _stroke(x.start, y.start, x.start, y.end, _INK)
    for at, label in x.ticks():
        if x.factors:
            turn = f'transform="translate({place(at)} {place(y.start + 12)}) rotate(-45)" text-anchor="end"'
            yield f'<text {turn} font-size="{_LABEL}">{escape(label)}</text>'
        else:
            yield _label(at, y.start + 14, label, "middle")
    for at, label in y.ticks():
        yield _label(x.start - 6, at + 4, label, "end")
    if figure.xaxis[0].axis_label:
        yield _label((x.start + x.end) / 2, height - 6, figure.xaxis[0].axis_label, "middle")
    if figure.yaxis[0].axis_label:
        turn = f'transform="translate(14 {place((y.start + y.end) / 2)}) rotate(-90)" text-anchor="middle"'
        yield f'<text {turn} font-size="{_LABEL}">{escape(figure.yaxis[0].axis_label)}</text>'


def _legend_of(figure: Any) -> list[tuple[str, str]]:  # noqa: ANN401
    """Return label and colour of each entry."""
    found = []
    for item in figure.legend.items if figure.legend else ():
        glyph = item.renderers[0]
        name = "fill_color" if hasattr(glyph.glyph, "fill_color") else "line_color"
        found.append((str(getattr(item.label, "value", item.label)), str((column(glyph, name) or [_INK])[0])))
    return found


def _legend(figure: Any, left: float) -> Iterator[str]:  # noqa: ANN401
    at = left
    for label, colour in _legend_of(figure):
        yield f'<rect x="{place(at)}" y="29" width="12" height="10" fill="{colour}"/>'
        yield _label(at + 17, 38, label, "start")
        at += 40 + len(label) * _LETTER * _LABEL


def _spans(figure: Any, x: Scale, y: Scale) -> Iterator[str]:  # noqa: ANN401
    for span in (item for item in figure.center if type(item).__name__ == "Span"):
        dash = "" if span.line_dash == [] else ' stroke-dasharray="5 4"'
        at = (x if span.dimension == "height" else y).pixel(span.location)
        ends = (at, y.start, at, y.end) if span.dimension == "height" else (x.start, at, x.end, at)
        yield _stroke(*ends, str(span.line_color), dash)


def _colour_bar(figure: Any, right: float, top: float, bottom: float) -> Iterator[str]:  # noqa: ANN401
    for bar in (item for item in figure.right if type(item).__name__ == "ColorBar"):
        mapper, colours = bar.color_mapper, list(bar.color_mapper.palette)
        step = (bottom - top) / len(colours)
        for position, colour in enumerate(colours):
            box = f'y="{place(bottom - (position + 1) * step)}" width="12" height="{place(step)}"'
            yield f'<rect x="{place(right + 10)}" {box} fill="{colour}"/>'
        for at, value in ((bottom, mapper.low), ((top + bottom) / 2, None), (top + 8, mapper.high)):
            middle = (mapper.low + mapper.high) / 2
            yield _label(right + 26, at, number(float(f"{middle if value is None else value:.3g}")), "start")


def _label(x: float, y: float, words: str, anchor: str) -> str:
    where = f'x="{place(x)}" y="{place(y)}"'
    return f'<text {where} text-anchor="{anchor}" font-size="{_LABEL}">{escape(words)}</text>'


def _stroke(x0: float, y0: float, x1: float, y1: float, colour: str, more: str = "") -> str:
    ends = f'x1="{place(x0)}" y1="{place(y0)}" x2="{place(x1)}" y2="{place(y1)}"'
    return f'<line {ends} stroke="{colour}"{more}/>'
