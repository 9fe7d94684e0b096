"""A trip by the sliding mean of the voltage, such as over ten minutes (EN 50549-1:2019, 4.9.2).

The window moves on in shares of a two-hundredth: three seconds of ten minutes, as that standard allows. What
came before the first sample counts as the first sample.
"""

from __future__ import annotations

import math

from v2glab.gridcodes.der._jit import Array, jit_apart
from v2glab.gridcodes.der._places import BINS, U, X
from v2glab.gridcodes.der._places_settings import P


@jit_apart
def _begin(x: Array, ring: Array, v: float, t: float) -> None:
    for i in range(BINS):
        ring[i] = v
    x[X.MEAN] = v
    x[X.MEAN_BEGAN] = t
    x[X.MEAN_SUM] = 0.0
    x[X.MEAN_LAST] = v
    x[X.MEAN_READY] = 1.0


@jit_apart
def _move_on(x: Array, ring: Array, t: float) -> None:
    """Take the mean of the share that has ended in place of the oldest."""
    at = int(x[X.MEAN_AT])
    ring[at] = x[X.MEAN_SUM] / (t - x[X.MEAN_BEGAN])
    x[X.MEAN_AT] = (at + 1) % BINS
    x[X.MEAN_SUM] = 0.0
    x[X.MEAN_BEGAN] = t
    total = 0.0
    for i in range(BINS):
        total += ring[i]
    x[X.MEAN] = total / BINS


@jit_apart
def mean_trip(x: Array, u: Array, p: Array, ring: Array, t: float) -> None:
    """Follow the mean and trip when it has been beyond its threshold for the time."""
    v = u[U.LOW] if p[P.MEAN_SIDE] == 1.0 else u[U.HIGH]
    if x[X.MEAN_READY] < 0.5:
        _begin(x, ring, v, t - p[P.STEP])
    x[X.MEAN_SUM] += 0.5 * (v + x[X.MEAN_LAST]) * p[P.STEP]
    x[X.MEAN_LAST] = v
    if t - x[X.MEAN_BEGAN] >= p[P.MEAN_WINDOW] / BINS - 1e-9:
        _move_on(x, ring, t)
    low = p[P.MEAN_SIDE] == 1.0
    if (x[X.MEAN] < p[P.MEAN_LEVEL]) if low else (x[X.MEAN] > p[P.MEAN_LEVEL]):
        x[X.MEAN_SINCE] = min(x[X.MEAN_SINCE], t)
        if t - x[X.MEAN_SINCE] >= p[P.MEAN_AFTER]:
            x[X.TRIP_AT] = min(x[X.TRIP_AT], t)
    else:
        x[X.MEAN_SINCE] = math.inf
