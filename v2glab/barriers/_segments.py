"""A convex piecewise-linear cost to go: segments by rising slope, and what one step does to them.

``edge[k]`` is the upper end, in kWh, of the segment with ``slope[k]``; the first begins at ``low``. A window
``start … end`` of longer arrays is in use, so that segments can be put in at either end. Loops run over views
that begin at zero: compilers vectorise those.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from v2glab.barriers._jit import jit_inner

Floats = NDArray[np.float64]
#: Room for rounding when a state is compared with a bound, kWh.
TOLERANCE_KWH = 1e-9


@jit_inner
def rank(slope: Floats, start: int, end: int, bound: float) -> int:
    """Return how many of the slopes ``start … end`` are at most ``bound``: a search that halves without
    branching, since no branch of it could be foreseen.
    """
    place, count = start, end - start
    if count == 0:
        return 0
    while count > 1:
        half = count >> 1
        place += half * (slope[place + half - 1] <= bound)
        count -= half
    return int(place - start + (slope[place] <= bound))


@jit_inner
def put_above(
    edge: Floats, slope: Floats, end: int, place: int, joins: bool, at: float, size: float, steepness: float
) -> int:
    """Insert a segment at ``place``, whose lower end is ``at``; what lies above moves up. Return the new end.

    A segment that ``joins`` has the slope of its lower neighbour and melts into it.
    """
    if joins:
        longer = edge[place - 1 : end]
        for k in range(longer.size):
            longer[k] += size
        return end
    edges, slopes = edge[place : end + 1], slope[place : end + 1]
    for k in range(end - place - 1, -1, -1):
        edges[k + 1] = edges[k] + size
        slopes[k + 1] = slopes[k]
    edge[place] = at + size
    slope[place] = steepness
    return end + 1


@jit_inner
def put_below(
    edge: Floats, slope: Floats, start: int, place: int, joins: bool, at: float, size: float, steepness: float
) -> int:
    """Insert a segment that ends at ``at``, before ``place``; what lies below moves down. Return the new
    start.
    """
    if joins:
        lower = edge[start : place - 1]
        for k in range(lower.size):
            lower[k] -= size
        return start
    edges, slopes = edge[start - 1 : place], slope[start - 1 : place]
    for k in range(place - start):
        edges[k] = edges[k + 1] - size
        slopes[k] = slopes[k + 1]
    edge[place - 1] = at
    slope[place - 1] = steepness
    return start - 1


@jit_inner
def trim_low(
    edge: Floats, slope: Floats, start: int, end: int, low: float, value: float, bound: float
) -> tuple[int, float, float]:
    """Cut off what lies below ``bound``; return start, lowest energy and the value there."""
    while low < bound:
        if start == end:
            return start, bound, value
        top = min(edge[start], bound)
        value += slope[start] * (top - low)
        low = top
        if edge[start] <= bound:
            start += 1
    return start, low, value


@jit_inner
def trim_high(edge: Floats, start: int, end: int, low: float, bound: float) -> int:
    """Cut off what lies above ``bound``; return the new end."""
    while end > start and edge[end - 1] > bound:
        below = low if end - 1 == start else edge[end - 2]
        if below >= bound:
            end -= 1
        else:
            edge[end - 1] = bound
    return end


@jit_inner
def recentre(edge: Floats, slope: Floats, start: int, end: int) -> tuple[int, int]:
    """Move the window to the middle of its arrays; return its start and end there."""
    count = end - start
    first = (edge.size - count) // 2
    for k in range(count):
        j = k if first < start else count - 1 - k
        edge[first + j] = edge[start + j]
        slope[first + j] = slope[start + j]
    return first, first + count


@jit_inner
def evaluate(
    edge: Floats, slope: Floats, start: int, end: int, low: float, value: float, energy: float
) -> float:
    """Return the cost to go at one energy, NaN below its domain."""
    if energy < low - TOLERANCE_KWH:
        return np.nan
    for k in range(start, end):
        if energy <= edge[k]:
            return float(value + slope[k] * max(energy - low, 0.0))
        value += slope[k] * (edge[k] - low)
        low = edge[k]
    return value
