"""The shapes of a Bokeh figure as SVG elements."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from html import escape
from typing import Any

from v2glab.evidence import UsageError
from v2glab.views._svg_scale import Scale

#: Properties of each glyph that hold horizontal and vertical places.
PLACES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "VBar": (("x",), ("top", "bottom")),
    "HBar": (("left", "right"), ("y",)),
    "Segment": (("x0", "x1"), ("y0", "y1")),
    "Scatter": (("x",), ("y",)),
    "Rect": (("x",), ("y",)),
    "Text": (("x",), ("y",)),
    "Line": (("x",), ("y",)),
    "Step": (("x",), ("y",)),
    "VArea": (("x",), ("y1", "y2")),
}


def column(renderer: Any, name: str) -> list[Any]:  # noqa: ANN401 -- a Bokeh renderer
    """Return a property of a glyph for each of its rows, colours mapped."""
    data = renderer.data_source.data
    count = max((len(values) for values in data.values()), default=0)
    spec = getattr(renderer.glyph, name)
    field, transform = getattr(spec, "field", None), getattr(spec, "transform", None)
    if field is None and isinstance(spec, str) and spec in data:
        field = spec
    if field is None:
        return [getattr(spec, "value", spec)] * count
    values = [value.item() if hasattr(value, "item") else value for value in data[field]]
    return [mapped(transform, value) for value in values] if hasattr(transform, "palette") else values


def mapped(mapper: Any, value: float) -> str:  # noqa: ANN401 -- a Bokeh colour mapper
    """Return the colour that a linear mapper gives a value."""
    share = (value - mapper.low) / (mapper.high - mapper.low)
    return str(mapper.palette[min(max(int(share * len(mapper.palette)), 0), len(mapper.palette) - 1)])


def draw(renderer: Any, x: Scale, y: Scale) -> Iterator[str]:  # noqa: ANN401 -- a Bokeh renderer
    """Yield the elements of one renderer.

    Raises
    ------
    UsageError
        Its glyph is one that is not drawn here; leaving it out would change what the figure says.
    """
    name = type(renderer.glyph).__name__
    if name not in _DRAW:
        raise UsageError(f"glyph {name}", f"one of: {', '.join(_DRAW)}", "draw it with one of those")
    yield from _DRAW[name](renderer, x, y)


def place(value: float) -> str:
    """Return a pixel with two decimals at most."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _rows(renderer: Any, *names: str) -> Iterator[tuple[Any, ...]]:  # noqa: ANN401
    yield from zip(*(column(renderer, name) for name in names), strict=True)


def _box(x0: float, x1: float, y0: float, y1: float, fill: str, alpha: float) -> str:
    left, top = min(x0, x1), min(y0, y1)
    size = f'width="{place(abs(x1 - x0))}" height="{place(abs(y1 - y0))}"'
    return f'<rect x="{place(left)}" y="{place(top)}" {size} fill="{fill}" fill-opacity="{alpha:g}"/>'


def _vbar(r: Any, x: Scale, y: Scale) -> Iterator[str]:  # noqa: ANN401
    for at, top, bottom, width, fill, alpha in _rows(
        r, "x", "top", "bottom", "width", "fill_color", "fill_alpha"
    ):
        half = width / 2
        yield _box(x.pixel(at, -half), x.pixel(at, half), y.pixel(bottom), y.pixel(top), fill, alpha)


def _hbar(r: Any, x: Scale, y: Scale) -> Iterator[str]:  # noqa: ANN401
    for at, left, right, height, fill, alpha in _rows(
        r, "y", "left", "right", "height", "fill_color", "fill_alpha"
    ):
        if all(map(math.isfinite, (left, right))):
            half = height / 2
            yield _box(x.pixel(left), x.pixel(right), y.pixel(at, -half), y.pixel(at, half), fill, alpha)


def _rect(r: Any, x: Scale, y: Scale) -> Iterator[str]:  # noqa: ANN401
    for at, row, width, height, fill in _rows(r, "x", "y", "width", "height", "fill_color"):
        x0, x1 = x.pixel(at, -width / 2), x.pixel(at, width / 2)
        yield _box(x0, x1, y.pixel(row, -height / 2), y.pixel(row, height / 2), fill, 1.0)


def _segment(r: Any, x: Scale, y: Scale) -> Iterator[str]:  # noqa: ANN401
    for x0, y0, x1, y1, colour, width in _rows(r, "x0", "y0", "x1", "y1", "line_color", "line_width"):
        yield _path([(x.pixel(x0), y.pixel(y0)), (x.pixel(x1), y.pixel(y1))], colour, width)


def _scatter(r: Any, x: Scale, y: Scale) -> Iterator[str]:  # noqa: ANN401
    for at, row, size, fill in _rows(r, "x", "y", "size", "fill_color"):
        middle = f'cx="{place(x.pixel(at))}" cy="{place(y.pixel(row))}"'
        yield f'<circle {middle} r="{place(size / 2)}" fill="{fill}"/>'


def _text(r: Any, x: Scale, y: Scale) -> Iterator[str]:  # noqa: ANN401
    names = ("x", "y", "text", "text_color", "text_align", "text_font_size", "x_offset", "y_offset")
    for at, row, words, colour, align, size, right, down in _rows(r, *names):
        anchor = {"center": "middle", "right": "end"}.get(align, "start")
        where = f'x="{place(x.pixel(at) + right)}" y="{place(y.pixel(row) + down)}" dy="0.35em"'
        style = f'text-anchor="{anchor}" fill="{colour}" font-size="{size}"'
        yield f"<text {where} {style}>{escape(str(words))}</text>"


def _line(r: Any, x: Scale, y: Scale) -> Iterator[str]:  # noqa: ANN401
    points = [(x.pixel(a), y.pixel(b)) for a, b in _rows(r, "x", "y")]
    yield _path(points, r.glyph.line_color, r.glyph.line_width)


def _step(r: Any, x: Scale, y: Scale) -> Iterator[str]:  # noqa: ANN401
    points: list[tuple[float, float]] = []
    for a, b in _rows(r, "x", "y"):
        if points:  # mode "after": the value holds until the next
            points.append((x.pixel(a), points[-1][1]))
        points.append((x.pixel(a), y.pixel(b)))
    yield _path(points, r.glyph.line_color, r.glyph.line_width)


def _varea(r: Any, x: Scale, y: Scale) -> Iterator[str]:  # noqa: ANN401
    rows = list(_rows(r, "x", "y1", "y2"))
    edge = [(x.pixel(a), y.pixel(b)) for a, b, _ in rows]
    edge += [(x.pixel(a), y.pixel(c)) for a, _, c in reversed(rows)]
    points = " ".join(f"{place(a)},{place(b)}" for a, b in edge)
    yield f'<polygon points="{points}" fill="{r.glyph.fill_color}" fill-opacity="{r.glyph.fill_alpha:g}"/>'


def _path(points: Sequence[tuple[float, float]], colour: str, width: float) -> str:
    line = " ".join(f"{place(a)},{place(b)}" for a, b in points)
    return f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="{width:g}"/>'


_DRAW: dict[str, Callable[[Any, Scale, Scale], Iterator[str]]] = {
    "VBar": _vbar,
    "HBar": _hbar,
    "Segment": _segment,
    "Scatter": _scatter,
    "Rect": _rect,
    "Text": _text,
    "Line": _line,
    "Step": _step,
    "VArea": _varea,
}
