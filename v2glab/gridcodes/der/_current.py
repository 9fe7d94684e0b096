"""From power to current: support, limit, blocking and restoration (IEEE 1547-2018, 6.4.2.6 and 6.4.2.7)."""

from __future__ import annotations

import math

from v2glab.gridcodes.der._filters import lag, settle
from v2glab.gridcodes.der._jit import Array, jit, jit_apart
from v2glab.gridcodes.der._places import Control, U, X
from v2glab.gridcodes.der._places_settings import P
from v2glab.gridcodes.der._status import Status

_TRIP = int(Status.TRIP)
_MANDATORY = int(Status.MANDATORY_OPERATION)
_PERMISSIVE = int(Status.PERMISSIVE_OPERATION)
_CESSATION = int(Status.MOMENTARY_CESSATION)
_CEASE = int(Status.CEASE_TO_ENERGIZE)
_OFF = int(Control.OFF)
_NORMAL = int(Control.NORMAL)
_SUPPORT = int(Control.SUPPORT)
_BLOCKED = int(Control.BLOCKED)
_LEAST_V = 1e-4
_SIN_120 = math.sqrt(0.75)
_GRID = 1e4  # OpenDER searches the remaining active current in steps of 1e-4


@jit
def _held(x: Array, at: int, active: bool, p: Array, since: float, t: float) -> float:
    """Return for how long a state has lasted, and −1 when it does not hold."""
    if not active:
        x[at] = 0.0
        return -1.0
    if p[P.COMPATIBLE] > 0.5:
        x[at] += p[P.STEP]
        return float(x[at])
    return t - since if since < math.inf else 0.0


@jit
def control(x: Array, p: Array, status: int, t: float) -> int:
    """Return what the current control does; blocking and return take their response times."""
    if status == _TRIP:
        x[X.CONTROL] = _OFF
        x[X.CTRL_MC_SINCE] = 0.0
        x[X.CTRL_CEASE_SINCE] = 0.0
        x[X.CTRL_BACK_SINCE] += p[P.STEP]
        return _OFF
    back = status not in (_CESSATION, _CEASE)
    x[X.CTRL_BACK_SINCE] = x[X.CTRL_BACK_SINCE] + p[P.STEP] if back else 0.0
    if back and x[X.CTRL_BACK_SINCE] >= p[P.MC_RETURN]:
        support = p[P.SUPPORT_ENABLED] > 0.5 and status in (_MANDATORY, _PERMISSIVE)
        x[X.CONTROL] = _SUPPORT if support else _NORMAL
    if not back or x[X.CTRL_CEASE_SINCE] > 0.0 or x[X.CTRL_MC_SINCE] > 0.0:
        cease = _held(x, X.CTRL_CEASE_SINCE, status == _CEASE, p, x[X.CEASE_SINCE], t)
        if cease >= p[P.CEASE_RESPONSE]:
            x[X.CONTROL] = _BLOCKED
        cessation = _held(x, X.CTRL_MC_SINCE, status == _CESSATION, p, x[X.MC_SINCE], t)
        if cessation >= p[P.MC_RESPONSE]:
            x[X.CONTROL] = _BLOCKED
    return int(x[X.CONTROL])


@jit_apart
def _greatest(i_d: float, i_q: float, n_re: float, n_im: float) -> float:
    """Return the greatest phase current of a positive- and a negative-sequence current."""
    most = 0.0
    for k in range(3):
        c = 1.0 if k == 0 else -0.5
        s = 0.0 if k == 0 else (-_SIN_120 if k == 1 else _SIN_120)
        re = i_d * c - i_q * s + n_re * c + n_im * s
        im = i_d * s + i_q * c - n_re * s + n_im * c
        most = max(most, math.hypot(re, im))
    return most


@jit_apart
def _active_share(i_d: float, i_q: float, n_re: float, n_im: float, p: Array) -> float:
    """Return the share of active current that fits beside the reactive current, which goes first."""
    low, high = 0.0, 1.0
    for _ in range(48):
        middle = 0.5 * (low + high)
        if _greatest(i_d * middle, i_q, n_re, n_im) < p[P.I_MAX]:
            low = middle
        else:
            high = middle
    if p[P.COMPATIBLE] > 0.5:
        return math.floor(low * _GRID + 1e-9) / _GRID
    return low


@jit
def _limited(i_d: float, i_q: float, n_re: float, n_im: float, p: Array) -> tuple[float, float]:
    """Limit the current; ``i_q`` and the negative sequence are lagging positive."""
    if n_re == 0.0 and n_im == 0.0:
        if i_d * i_d + i_q * i_q <= p[P.I_MAX] * p[P.I_MAX]:
            return i_d, i_q
    elif _greatest(i_d, i_q, n_re, n_im) <= p[P.I_MAX]:
        return i_d, i_q
    reactive = _greatest(0.0, i_q, n_re, n_im)
    if reactive > p[P.I_MAX]:
        return 0.0, i_q * p[P.I_MAX] / reactive
    return i_d * _active_share(i_d, i_q, n_re, n_im, p), i_q


@jit
def _restored(x: Array, i_d: float, p: Array) -> float:
    """Let the active current rise at a limited rate after it was blocked; it may fall at once."""
    before, rate = x[X.ID], p[P.RESTORE_RATE]
    if p[P.RESTORE_ALWAYS] > 0.5:
        # the compatibility way limits by the sign of the current before, at all times
        allowed = max(i_d, before - rate) if math.copysign(1.0, before) < 0.0 else min(i_d, before + rate)
    elif x[X.RESTORING] < 0.5:
        allowed = i_d
    elif i_d >= 0.0:
        allowed = min(i_d, max(before, 0.0) + rate)
    else:
        allowed = max(i_d, min(before, 0.0) - rate)
    if allowed == i_d:
        x[X.RESTORING] = 0.0
    x[X.ID] = allowed
    return float(allowed)


@jit
def _blocked(x: Array) -> None:
    x[X.ID] = math.copysign(0.0, x[X.ID])
    x[X.RESTORING] = 1.0
    settle(x, X.ID_U, X.ID_Y, 0.0)
    settle(x, X.IQ_U, X.IQ_Y, 0.0)


@jit
def output(x: Array, u: Array, p: Array, power: float, q: float, doing: int) -> None:
    """Write the output powers for wanted powers within the ratings."""
    v = max(u[U.V1], _LEAST_V)
    if doing in (_OFF, _BLOCKED):
        _blocked(x)
        x[X.P_OUT] = 0.0
        x[X.Q_OUT] = p[P.SUSCEPTANCE] * u[U.V1] * u[U.V1] if doing == _BLOCKED else 0.0
        return
    i_d, i_q, n_re, n_im = power / v, -q / v, 0.0, 0.0
    if doing == _SUPPORT:
        k = p[P.SUPPORT_K]
        i_q += (u[U.V1] - 1.0) * k
        # the negative sequence relative to the angle of the positive one
        n_re = -k * u[U.V2_IM]
        n_im = k * u[U.V2_RE]
    i_d, i_q = _limited(i_d, i_q, n_re, n_im, p)
    i_d = lag(x, X.ID_U, X.ID_Y, _restored(x, i_d, p), p, P.I_E)
    i_q = lag(x, X.IQ_U, X.IQ_Y, i_q, p, P.I_E)
    x[X.P_OUT] = i_d * u[U.V1]
    x[X.Q_OUT] = -i_q * u[U.V1]
