"""Ratings: what of active and reactive power fits, and which gives way. Per unit of rated apparent power."""

from __future__ import annotations

import math

from v2glab.gridcodes.der._jit import Array, jit, jit_apart
from v2glab.gridcodes.der._places import Mode
from v2glab.gridcodes.der._places_settings import P

_POWER_FACTOR = int(Mode.POWER_FACTOR)
_WATT_VAR = int(Mode.WATT_VAR)
_NONE = int(Mode.NONE)


@jit
def _leg(s: float, other: float) -> float:
    """Return what is left of apparent power ``s`` beside the other component."""
    return math.sqrt(max(s * s - other * other, 0.0))


@jit
def _clamp_q(q: float, p: Array) -> float:
    return float(min(p[P.Q_INJECT], max(-p[P.Q_ABSORB], q)))


@jit
def _by_priority(power: float, q: float, s: float, p: Array) -> tuple[float, float]:
    """Limit in volt-var or constant reactive power mode (IEEE 1547-2018, 5.2 and 5.3.1)."""
    q = _clamp_q(q, p)
    if power * power + q * q < s * s:
        return power, q
    if p[P.REACTIVE_FIRST] < 0.5:
        room = _leg(s, power)
        q = min(max(p[P.Q_NEED_INJECT], room), max(-max(p[P.Q_NEED_ABSORB], room), q))
    return math.copysign(min(_leg(s, q), abs(power)), power), q


@jit_apart
def _by_power_factor(power: float, q: float, s: float, p: Array) -> tuple[float, float]:
    """Limit at constant power factor: both shrink; beyond the reactive rating only the reactive power."""
    apparent = math.hypot(power, q)
    share = min(1.0, s / apparent) if apparent >= s else 1.0
    least, q = power * share, q * share
    rating = p[P.Q_INJECT] if q > 0.0 else p[P.Q_ABSORB]
    if abs(q) > rating:
        least = math.copysign(min(_leg(s, rating), abs(power)), power)
    return least, _clamp_q(q, p)


@jit
def _crossing(pa: float, qa: float, pb: float, qb: float, s: float) -> float:
    """Return how far along a straight piece, from inside the circle, its edge is met; above 1 if not."""
    dp, dq = pb - pa, qb - qa
    a = dp * dp + dq * dq
    if a == 0.0:
        return 2.0
    b = pa * dp + qa * dq
    c = pa * pa + qa * qa - s * s
    root = b * b - a * c
    return (-b + math.sqrt(root)) / a if root >= 0.0 else 2.0


@jit_apart
def _on_curve(sign: float, s: float, p: Array) -> tuple[float, float]:
    """Return where the watt-var curve meets the circle of apparent power, on the side of ``sign``."""
    ratio = p[P.P_RATIO] if sign > 0.0 else p[P.P_RATIO] * p[P.CHARGE_RATIO]
    for j in range(2):
        a, b = (3 + j, 4 + j) if sign > 0.0 else (2 - j, 1 - j)
        pa, qa = p[P.WV_P + a] * ratio, p[P.WV_Q + a]
        pb, qb = p[P.WV_P + b] * ratio, p[P.WV_Q + b]
        if pb * pb + qb * qb >= s * s:
            along = _crossing(pa, qa, pb, qb, s)
            return pa + along * (pb - pa), qa + along * (qb - qa)
    last = p[P.WV_Q5] if sign > 0.0 else p[P.WV_Q]
    return sign * _leg(s, last), last


@jit_apart
def _by_watt_var(power: float, q: float, s: float, p: Array) -> tuple[float, float]:
    """Limit in watt-var mode: the point moves along the curve to the circle."""
    if power * power + q * q < s * s:
        return power, _clamp_q(q, p)
    least, most = _on_curve(1.0 if power > 0.0 else -1.0, s, p)
    least = min(least, power) if power > 0.0 else max(least, power)
    return least, _clamp_q(math.copysign(min(abs(most), abs(q)), q), p)


@jit
def limit_pq(power: float, q: float, p: Array, mode: int) -> tuple[float, float]:
    """Return active and reactive power within the ratings."""
    s = 1.0 if power >= 0.0 else p[P.S_CHARGE]
    if mode == _POWER_FACTOR:
        return _by_power_factor(power, q, s, p)
    if mode == _WATT_VAR:
        return _by_watt_var(power, q, s, p)
    if mode == _NONE and q == 0.0:
        return power, 0.0
    return _by_priority(power, q, s, p)
