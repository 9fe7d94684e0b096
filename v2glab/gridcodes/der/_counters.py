"""Timers of the compatibility discretisation: time is counted in samples, as OpenDER 2.2.0 does.

Kept as accumulated seconds in the same places as the exact timers; ``inf`` stands for "not so".
"""

from __future__ import annotations

import math

from v2glab.gridcodes.der._jit import Array, jit, jit_apart
from v2glab.gridcodes.der._places import U, X
from v2glab.gridcodes.der._places_settings import TRIP_AFTER, TRIP_LEVEL, TRIP_SIDE, P


@jit
def _count(x: Array, at: int, active: bool, step: float) -> float:
    if not active:
        x[at] = math.inf
        return 0.0
    x[at] = step if x[at] == math.inf else x[at] + step
    x[X.PENDING] = 1.0
    return float(x[at])


@jit
def _is_beyond(side: int, level: float, u: Array) -> bool:
    if side == 1:
        return bool(u[U.LOW] < level)
    if side == 2:
        return bool(u[U.HIGH] > level)
    if side == 3:
        return bool(u[U.HZ] < level)
    return bool(u[U.HZ] > level)


@jit_apart
def count_timers(x: Array, u: Array, p: Array, t: float) -> None:
    """Count one sample on every timer; a trip is due when the count reaches its time."""
    step = p[P.STEP]
    x[X.PENDING] = 0.0
    for i in range(int(p[P.TRIPS])):
        active = _is_beyond(int(p[TRIP_SIDE + i]), p[TRIP_LEVEL + i], u)
        if active and _count(x, X.TRIP_SINCE + i, True, step) >= p[TRIP_AFTER + i]:
            x[X.TRIP_AT] = t
        elif not active:
            x[X.TRIP_SINCE + i] = math.inf
    for at, side, level in (
        (X.LOW_SINCE, 1, p[P.V_CALM_LOW]),
        (X.HIGH_SINCE, 2, p[P.V_CALM_HIGH]),
        (X.UNDER_SINCE, 3, p[P.HZ_CALM_LOW]),
        (X.OVER_SINCE, 4, p[P.HZ_CALM_HIGH]),
    ):
        _count(x, at, _is_beyond(side, level, u), step)
    good = (
        u[U.LOW] >= p[P.ES_V_LOW]
        and u[U.HIGH] <= p[P.ES_V_HIGH]
        and p[P.ES_HZ_LOW] <= u[U.HZ] <= p[P.ES_HZ_HIGH]
        and u[U.PERMIT] > 0.5
        and p[P.PERMIT] > 0.5
    )
    if not good:
        x[X.ES_SINCE] = math.inf
    else:
        x[X.ES_SINCE] = step if x[X.ES_SINCE] == math.inf else x[X.ES_SINCE] + step
