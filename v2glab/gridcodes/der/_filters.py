"""Small parts of the kernel: lags, ramps and straight-line curves."""

from __future__ import annotations

from v2glab.gridcodes.der._jit import Array, jit


@jit
def lag(x: Array, at_u: int, at_y: int, u: float, p: Array, at_e: int) -> float:
    """Advance a first-order lag whose three weights stand in a row from ``at_e`` on.

    ``y = e·y' + b0·u + b1·u'``; the front chooses the weights (exact for straight input, or trapezoidal).
    """
    y = p[at_e] * x[at_y] + p[at_e + 1] * u + p[at_e + 2] * x[at_u]
    x[at_u] = u
    x[at_y] = y
    return float(y)


@jit
def settle(x: Array, at_u: int, at_y: int, u: float) -> None:
    """Set a lag to its steady state at an input."""
    x[at_u] = u
    x[at_y] = u


@jit
def ramp(value: float, target: float, rate: float) -> float:
    """Move towards a target by at most ``rate``."""
    if target > value + rate:
        return value + rate
    if target < value - rate:
        return value - rate
    return target


@jit
def line(v: float, v1: float, v2: float, y1: float, y2: float, slope: float) -> float:
    """Return a curve of two points, level outside them."""
    if v <= v1:
        return y1
    if v >= v2:
        return y2
    return y1 + (v - v1) * slope
