"""Axes of a figure drawn as SVG: from values and categories to pixels, and the ticks between."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

#: Share of the span that is left free at each end, as Bokeh does.
_PADDING = 0.05


@dataclass(frozen=True)
class Scale:
    """One axis: ``low`` and ``high`` lie at the pixels ``start`` and ``end``.

    With ``factors`` the values are categories, or pairs of category and offset in widths of a category; with
    ``fixed`` the ticks are those and no others.
    """

    low: float
    high: float
    start: float
    end: float
    log: bool = False
    factors: tuple[str, ...] = ()
    fixed: tuple[float, ...] = ()

    def position(self, value: Any) -> float:  # noqa: ANN401 -- a number, a category, or a category with offset
        """Return a value in the axis's own numbers; categories have their middle at index + 0.5."""
        if isinstance(value, tuple | list):
            return self.position(value[0]) + float(value[1])
        return self.factors.index(str(value)) + 0.5 if self.factors else float(value)

    def pixel(self, value: Any, shift: float = 0.0) -> float:  # noqa: ANN401 -- as for position
        """Return the pixel of a value, moved by ``shift`` in the axis's numbers."""
        at = self.position(value) + shift
        low, high = self.low, self.high
        if self.log:
            at, low, high = math.log10(max(at, 1e-300)), math.log10(low), math.log10(high)
        return self.start + (at - low) / (high - low) * (self.end - self.start)

    def ticks(self) -> list[tuple[float, str]]:
        """Return pixel and label of each tick."""
        if self.factors:
            return [(self.pixel(name), name) for name in self.factors]
        if self.fixed:
            return [(self.pixel(value), number(value)) for value in self.fixed]
        values = _decades(self.low, self.high) if self.log else _steps(self.low, self.high)
        return [(self.pixel(value), number(value)) for value in values]


def scale_of(range_: Any, values: Iterable[Any], start: float, end: float, *, log: bool) -> Scale:  # noqa: ANN401
    """Return the scale of a Bokeh range: its categories, its own ends, or else those of the values."""
    factors = tuple(str(f) for f in getattr(range_, "factors", ()) or ())
    if factors:
        return Scale(0.0, float(len(factors)), start, end, factors=factors)
    known = [float(v) for v in values if v is not None and math.isfinite(v) and (v > 0 or not log)]
    low, high = (min(known), max(known)) if known else (1.0, 10.0)
    if log:
        factor = max(high / low, 1.2) ** _PADDING
        low, high = low / factor, high * factor
    else:
        margin = _PADDING * (high - low) or 0.5
        low, high = low - margin, high + margin
    own_low, own_high = (getattr(range_, name, None) for name in ("start", "end"))
    return Scale(_own(own_low, low), _own(own_high, high), start, end, log)


def _own(value: float | None, otherwise: float) -> float:
    return float(value) if value is not None and math.isfinite(value) else otherwise


def _steps(low: float, high: float) -> Sequence[float]:
    """Return multiples of 1, 2 or 5 times a power of ten, at most eight."""
    rough = (high - low) / 7
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * m for m in (1, 2, 5, 10) if power * m >= rough)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(n * step, 12) for n in range(first, last + 1)]


def _decades(low: float, high: float) -> Sequence[float]:
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    factors = (1, 2, 5) if last - first < 3 else (1,)
    found = [m * 10.0**n for n in range(first, last + 1) for m in factors]
    return [value for value in found if low <= value <= high]


def number(value: float) -> str:
    """Return a number as an axis shows it, with a true minus sign."""
    return f"{value:g}".replace("-", "\N{MINUS SIGN}")
