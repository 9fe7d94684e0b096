"""Time beyond a threshold, with the crossing found on the straight line between two samples.

Inputs run straight between the events of the timeline, so the crossings are exact there and independent of
the step; between samples from outside they are as good as the straight line is.
"""

from __future__ import annotations

import math

from v2glab.gridcodes.der._jit import Array, jit, jit_apart
from v2glab.gridcodes.der._places import U, X
from v2glab.gridcodes.der._places_settings import TRIP_AFTER, TRIP_LEVEL, TRIP_SIDE, P


@jit
def good_span(lo: float, hi: float, d0: float, d1: float, ta: float, tb: float) -> tuple[float, float]:
    """Narrow the span ``lo…hi`` to where a distance that runs from ``d0`` to ``d1`` is not negative."""
    if d0 >= 0.0:
        if d1 >= 0.0:
            return lo, hi
        return lo, min(hi, ta + (tb - ta) * d0 / (d0 - d1))
    if d1 < 0.0:
        return math.inf, hi
    return max(lo, ta + (tb - ta) * d0 / (d0 - d1)), hi


@jit_apart
def span(side: int, level: float, x: Array, u: Array, p: Array, ta: float, tb: float) -> tuple[float, float]:
    """Return from when to when the quantity is on the good side; empty when the first exceeds the second.

    Low voltage counts the least phase, high voltage the greatest (IEEE 1547-2018, 6.4.1): the good span is
    where all phases are good.
    """
    lo, hi = ta, tb
    if side >= 3:
        sign = 1.0 if side == 3 else -1.0
        return good_span(lo, hi, sign * (x[X.HZ] - level), sign * (u[U.HZ] - level), ta, tb)
    sign = 1.0 if side == 1 else -1.0
    if p[P.WITH_LINE] > 0.5:
        at_x, at_u = (X.LOW, U.LOW) if side == 1 else (X.HIGH, U.HIGH)
        return good_span(lo, hi, sign * (x[at_x] - level), sign * (u[at_u] - level), ta, tb)
    lo, hi = good_span(lo, hi, sign * (x[X.VA] - level), sign * (u[U.VA] - level), ta, tb)
    if p[P.SINGLE] < 0.5:
        lo, hi = good_span(lo, hi, sign * (x[X.VB] - level), sign * (u[U.VB] - level), ta, tb)
        lo, hi = good_span(lo, hi, sign * (x[X.VC] - level), sign * (u[U.VC] - level), ta, tb)
    return lo, hi


@jit_apart
def beyond(since: float, lo: float, hi: float, after: float, ta: float, tb: float) -> tuple[float, float]:
    """Return since when the quantity is beyond at ``tb``, and when ``after`` seconds were first full."""
    began = since if since < math.inf else ta
    if lo > hi:
        return began, began + after if began + after <= tb else math.inf
    full = math.inf
    if lo > ta and began + after <= lo:
        full = began + after
    if hi < tb:
        if full == math.inf and hi + after <= tb:
            full = hi + after
        return hi, full
    return math.inf, full


@jit_apart
def _watch(at: int, side: int, level: float, x: Array, u: Array, p: Array, ta: float, tb: float) -> None:
    lo, hi = span(side, level, x, u, p, ta, tb)
    x[at], _ = beyond(x[at], lo, hi, math.inf, ta, tb)
    if x[at] < math.inf:
        x[X.PENDING] = 1.0


@jit_apart
def _watch_both(at: int, low: float, high: float, x: Array, u: Array, p: Array, ta: float, tb: float) -> None:
    lo, hi = span(1, low, x, u, p, ta, tb)
    lo2, hi2 = span(2, high, x, u, p, ta, tb)
    x[at], _ = beyond(x[at], max(lo, lo2), min(hi, hi2), math.inf, ta, tb)
    if x[at] < math.inf:
        x[X.PENDING] = 1.0


@jit_apart
def _enter(x: Array, u: Array, p: Array, ta: float, tb: float) -> None:
    """Keep since when all criteria for entering service hold (IEEE 1547-2018, 4.10.2)."""
    lo, hi = span(1, p[P.ES_V_LOW], x, u, p, ta, tb)
    for side, level in ((2, p[P.ES_V_HIGH]), (3, p[P.ES_HZ_LOW]), (4, p[P.ES_HZ_HIGH])):
        lo2, hi2 = span(side, level, x, u, p, ta, tb)
        lo, hi = max(lo, lo2), min(hi, hi2)
    if lo > hi or hi < tb or u[U.PERMIT] < 0.5 or p[P.PERMIT] < 0.5:
        x[X.ES_SINCE] = math.inf
    elif lo > ta or x[X.ES_SINCE] == math.inf:
        x[X.ES_SINCE] = lo


@jit
def calm(u: Array, x: Array, p: Array) -> bool:
    """Whether nothing is near a threshold at either end of the stretch."""
    return bool(
        u[U.LOW] >= p[P.SAFE_V_LOW]
        and x[X.LOW] >= p[P.SAFE_V_LOW]
        and u[U.HIGH] <= p[P.SAFE_V_HIGH]
        and x[X.HIGH] <= p[P.SAFE_V_HIGH]
        and p[P.SAFE_HZ_LOW] <= u[U.HZ] <= p[P.SAFE_HZ_HIGH]
        and p[P.SAFE_HZ_LOW] <= x[X.HZ] <= p[P.SAFE_HZ_HIGH]
    )


@jit
def stretch(x: Array, u: Array, p: Array, tb: float) -> None:
    """Run all timers over the straight stretch from the state's inputs to those in ``u``."""
    ta = x[X.TIME]
    if x[X.TRIPPED] > 0.5:
        _enter(x, u, p, ta, tb)
    if x[X.PENDING] > 0.5 or not calm(u, x, p):
        x[X.PENDING] = 0.0
        for i in range(int(p[P.TRIPS])):
            lo, hi = span(int(p[TRIP_SIDE + i]), p[TRIP_LEVEL + i], x, u, p, ta, tb)
            at = X.TRIP_SINCE + i
            x[at], full = beyond(x[at], lo, hi, p[TRIP_AFTER + i], ta, tb)
            x[X.TRIP_AT] = min(x[X.TRIP_AT], full)
            if x[at] < math.inf:
                x[X.PENDING] = 1.0
        _watch(X.LOW_SINCE, 1, p[P.V_CALM_LOW], x, u, p, ta, tb)
        _watch(X.HIGH_SINCE, 2, p[P.V_CALM_HIGH], x, u, p, ta, tb)
        _watch(X.UNDER_SINCE, 3, p[P.HZ_CALM_LOW], x, u, p, ta, tb)
        _watch(X.OVER_SINCE, 4, p[P.HZ_CALM_HIGH], x, u, p, ta, tb)
        _watch_both(X.MC_SINCE, p[P.MC_LOW], p[P.MC_HIGH], x, u, p, ta, tb)
        _watch_both(X.CEASE_SINCE, p[P.CEASE_LOW], p[P.CEASE_HIGH], x, u, p, ta, tb)
    remember(x, u, tb)


@jit
def remember(x: Array, u: Array, t: float) -> None:
    """Take the inputs as where the next stretch begins."""
    x[X.TIME] = t
    x[X.VA] = u[U.VA]
    x[X.VB] = u[U.VB]
    x[X.VC] = u[U.VC]
    x[X.HZ] = u[U.HZ]
    x[X.LOW] = u[U.LOW]
    x[X.HIGH] = u[U.HIGH]
