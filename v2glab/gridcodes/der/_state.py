"""Which of the eight states the plant is in."""

from __future__ import annotations

import math

from v2glab.gridcodes.der._jit import Array, jit, jit_apart
from v2glab.gridcodes.der._places import U, X
from v2glab.gridcodes.der._places_settings import (
    REGION_HZ_MINIMUM,
    REGION_HZ_STATUS,
    REGION_HZ_UPPER,
    REGION_V_LOWER,
    REGION_V_MINIMUM,
    REGION_V_SLOPE,
    REGION_V_STATUS,
    REGION_V_UPPER,
    P,
)
from v2glab.gridcodes.der._status import Status

_TRIP = int(Status.TRIP)
_ENTERING = int(Status.ENTERING_SERVICE)
_CONTINUOUS = int(Status.CONTINUOUS_OPERATION)
_MANDATORY = int(Status.MANDATORY_OPERATION)
_PERMISSIVE = int(Status.PERMISSIVE_OPERATION)
_CESSATION = int(Status.MOMENTARY_CESSATION)
_CEASE = int(Status.CEASE_TO_ENERGIZE)
_UNDEFINED = int(Status.NOT_DEFINED)
_PARK_MILLER = 16807.0
_MERSENNE_31 = 2147483647.0


@jit
def _region(value: float, nominal: float, p: Array, at_upper: int, count: int) -> int:
    """Return the place of the region that holds a value; edges belong to the side nearer to nominal."""
    for i in range(count - 1):
        upper = p[at_upper + i]
        if value < upper or (value == upper and upper > nominal):
            return i
    return count - 1


@jit
def _voltage_mode(value: float, since: float, x: Array, p: Array, t: float) -> int:
    """Return the mode that one voltage asks for, and note whether the plant has stayed long enough."""
    i = _region(value, 1.0, p, REGION_V_UPPER, int(p[P.V_REGIONS]))
    status = int(p[REGION_V_STATUS + i])
    if status == _CESSATION:
        status = _MANDATORY
    stay = p[REGION_V_MINIMUM + i] + p[REGION_V_SLOPE + i] * (value - p[REGION_V_LOWER + i])
    if status != _CONTINUOUS and t - since > stay:
        x[X.MAY_TRIP] = 1.0
    return status


@jit
def _frequency_mode(x: Array, u: Array, p: Array, t: float) -> int:
    i = _region(u[U.HZ], p[P.HZ_NOMINAL], p, REGION_HZ_UPPER, int(p[P.HZ_REGIONS]))
    status = int(p[REGION_HZ_STATUS + i])
    since = min(x[X.UNDER_SINCE], x[X.OVER_SINCE])
    if status != _CONTINUOUS and t - since > p[REGION_HZ_MINIMUM + i]:
        x[X.MAY_TRIP] = 1.0
    return status


@jit
def _worse(one: int, other: int) -> int:
    """Return the mode that asks for more; the numbers of the states rise with it."""
    return max(one, other)


@jit_apart
def _abnormal(x: Array, u: Array, p: Array, t: float) -> int:
    """Return the mode outside calm conditions (IEEE 1547-2018, 6.4.2 and 6.5.2); the trip flag besides."""
    if p[P.RT_ENABLED] < 0.5:
        return _CONTINUOUS
    by_hz = _frequency_mode(x, u, p, t) if p[P.HZ_REGIONS] > 0.5 else _CONTINUOUS
    by_v = _CONTINUOUS
    if p[P.V_REGIONS] > 0.5:
        by_v = _worse(
            _voltage_mode(u[U.LOW], x[X.LOW_SINCE], x, p, t),
            _voltage_mode(u[U.HIGH], x[X.HIGH_SINCE], x, p, t),
        )
    if p[P.MC_ENABLED] > 0.5 and by_v != _CEASE and (u[U.LOW] < p[P.MC_LOW] or u[U.HIGH] > p[P.MC_HIGH]):
        by_v = _CESSATION
    if _UNDEFINED in (by_hz, by_v):
        return _UNDEFINED
    if by_v in (_CEASE, _PERMISSIVE, _CESSATION):
        return by_v
    return _MANDATORY if _MANDATORY in (by_v, by_hz) else _CONTINUOUS


@jit_apart
def _count_disturbance(x: Array, p: Array, t: float, abnormal: bool) -> None:
    """Count disturbances that follow each other within the reset time (IEEE 1547-2018, 6.4.2.5)."""
    if abnormal and x[X.DISTURBED] < 0.5:
        x[X.DISTURBANCES] = 1.0 if t - x[X.CALM_SINCE] > p[P.COUNT_RESET] else x[X.DISTURBANCES] + 1.0
        if x[X.DISTURBANCES] > p[P.COUNT_MAX]:
            x[X.TRIP_AT] = min(x[X.TRIP_AT], t)
    if not abnormal and x[X.DISTURBED] > 0.5:
        x[X.CALM_SINCE] = t
    x[X.DISTURBED] = 1.0 if abnormal else 0.0


@jit_apart
def _draw(x: Array, p: Array) -> None:
    """Draw the randomised delay for the next start from the plant's own generator (Park and Miller)."""
    x[X.RANDOM] = (x[X.RANDOM] * _PARK_MILLER) % _MERSENNE_31
    x[X.ES_RANDOM_S] = p[P.ES_RANDOM] * x[X.RANDOM] / _MERSENNE_31


@jit_apart
def enter_trip(x: Array, p: Array, at: float) -> None:
    """Trip at a time; what must not outlive a trip is reset."""
    x[X.TRIPPED] = 1.0
    x[X.TRIP_TIME] = at
    x[X.ES_DONE] = 0.0
    if p[P.COMPATIBLE] < 0.5:
        x[X.ES_SINCE] = math.inf
    _draw(x, p)


@jit_apart
def _start(x: Array, p: Array, t: float) -> None:
    """Leave the trip state when the criteria have held for the delay (IEEE 1547-2018, 4.10.3)."""
    if p[P.ES_ENABLED] < 0.5:
        return
    wait = p[P.ES_DELAY] + x[X.ES_RANDOM_S]
    held = x[X.ES_SINCE] if p[P.COMPATIBLE] > 0.5 else t - x[X.ES_SINCE]
    if x[X.ES_SINCE] == math.inf or held < wait:
        return
    x[X.TRIPPED] = 0.0
    x[X.TRIP_AT] = math.inf
    x[X.ES_RAMP] = 0.0
    if p[P.COMPATIBLE] < 0.5 and p[P.ES_RATE] < math.inf:
        x[X.ES_RAMP] = ((held - wait) / p[P.STEP] - 1.0) * p[P.ES_RATE]


@jit
def _rocof(x: Array, u: Array, p: Array, t: float) -> None:
    """Follow the rate of change of frequency with a first-order lag over the measuring window."""
    before = x[X.ROCOF_HZ]
    x[X.ROCOF_HZ] = u[U.HZ] + p[P.ROCOF_KEEP] * (before - u[U.HZ])
    x[X.ROCOF] = (u[U.HZ] - before) * p[P.ROCOF_GAIN]
    if abs(x[X.ROCOF]) > p[P.ROCOF_MAX]:
        x[X.TRIP_AT] = min(x[X.TRIP_AT], t)


@jit
def decide(x: Array, u: Array, p: Array, t: float) -> int:
    """Return the state at this sample."""
    if p[P.ROCOF_MAX] < math.inf:
        _rocof(x, u, p, t)
    if x[X.TRIPPED] > 0.5:
        _start(x, p, t)
    status = _CONTINUOUS
    if x[X.PENDING] > 0.5:
        status = _abnormal(x, u, p, t)
        if p[P.RT_TRIP] > 0.5 and x[X.MAY_TRIP] > 0.5:
            x[X.TRIP_AT] = min(x[X.TRIP_AT], t)
    if status != _CONTINUOUS or x[X.DISTURBED] > 0.5:
        _count_disturbance(x, p, t, status != _CONTINUOUS)
    if status == _CONTINUOUS:
        x[X.MAY_TRIP] = 0.0
        if x[X.ES_DONE] < 0.5:
            status = _ENTERING
    if u[U.PERMIT] < 0.5 or p[P.PERMIT] < 0.5:
        x[X.TRIP_AT] = min(x[X.TRIP_AT], t)
    if x[X.TRIP_AT] <= t:
        if x[X.TRIPPED] < 0.5:
            enter_trip(x, p, x[X.TRIP_AT])
        x[X.TRIP_AT] = math.inf
    if x[X.TRIPPED] > 0.5:
        status = _TRIP
    x[X.STATUS] = status
    return status
