"""Reactive power, per unit of rated apparent power, injection positive (IEEE 1547-2018, 5.3)."""

from __future__ import annotations

from v2glab.gridcodes.der._filters import lag, ramp, settle
from v2glab.gridcodes.der._jit import Array, jit, jit_apart
from v2glab.gridcodes.der._places import Mode, U, X
from v2glab.gridcodes.der._places_settings import P

_NONE = int(Mode.NONE)
_POWER_FACTOR = int(Mode.POWER_FACTOR)
_VOLT_VAR = int(Mode.VOLT_VAR)
_WATT_VAR = int(Mode.WATT_VAR)
_CONSTANT_Q = int(Mode.CONSTANT_Q)
_VV_E, _PF_E, _WV_E, _Q_E = int(P.VV_E), int(P.PF_E), int(P.WV_E), int(P.Q_E)


@jit_apart
def rest_reactive(x: Array, u: Array, p: Array) -> None:
    """Reset what must not outlive a trip; a constant reactive power is kept."""
    x[X.Q_RAMP] = 0.0
    x[X.Q_RAMPING] = 0.0
    settle(x, X.VREF_U, X.VREF_Y, u[U.MEAN])
    if int(x[X.Q_MODE]) != _CONSTANT_Q:
        settle(x, X.Q_U, X.Q_Y, 0.0)


@jit
def _volt_var(x: Array, u: Array, p: Array) -> float:
    """Return the curve's value; it moves with the reference, which may follow the voltage (5.3.3)."""
    ref = p[P.VREF]
    if p[P.VREF_AUTO] > 0.5:
        ref = lag(x, X.VREF_U, X.VREF_Y, u[U.MEAN], p, P.VREF_E)
        ref = min(max(ref, p[P.VREF_LOW]), p[P.VREF_HIGH])
    v = u[U.MEAN] - (ref - 1.0)
    if v < p[P.VV_V0]:
        return float(p[P.VV_Q0])
    if v < p[P.VV_V1]:
        return float(p[P.VV_Q0] + (v - p[P.VV_V0]) * p[P.VV_S0])
    if v < p[P.VV_V2]:
        return float(p[P.VV_Q1] + (v - p[P.VV_V1]) * p[P.VV_S1])
    if v < p[P.VV_V3]:
        return float(p[P.VV_Q2] + (v - p[P.VV_V2]) * p[P.VV_S2])
    return float(p[P.VV_Q3])


@jit
def _watt_var(power: float, p: Array) -> float:
    """Return the curve's value; charging counts as a share of the rated charging power (5.3.4)."""
    if power < 0.0 and p[P.CHARGE_RATIO] > 0.0:
        power = power / p[P.CHARGE_RATIO]
    if power <= p[P.WV_P]:
        return float(p[P.WV_Q])
    for i in range(5):
        if power <= p[P.WV_P + i + 1]:
            return float(p[P.WV_Q + i] + (power - p[P.WV_P + i]) * p[P.WV_S + i])
    return float(p[P.WV_Q5])


@jit
def _aim(x: Array, u: Array, p: Array, mode: int, power: float) -> float:
    if mode == _VOLT_VAR:
        return _volt_var(x, u, p)
    if mode == _POWER_FACTOR:
        return float(power * p[P.PF_FACTOR])
    if mode == _WATT_VAR:
        return _watt_var(power, p)
    return float(p[P.Q_FIXED])


@jit
def _weights(mode: int) -> int:
    if mode == _VOLT_VAR:
        return _VV_E
    if mode == _POWER_FACTOR:
        return _PF_E
    if mode == _WATT_VAR:
        return _WV_E
    return _Q_E


@jit
def reactive_power(x: Array, u: Array, p: Array, power: float) -> float:
    """Return the wanted reactive power; after a change of mode it moves there at a limited rate (4.6.3)."""
    mode = int(p[P.MODE])
    changed = mode != int(x[X.Q_MODE])
    q = 0.0
    if mode != _NONE:
        if changed:
            settle(x, X.VREF_U, X.VREF_Y, u[U.MEAN])
            aim = _aim(x, u, p, mode, power)
            settle(x, X.Q_U, X.Q_Y, aim)
            q = aim
        else:
            q = lag(x, X.Q_U, X.Q_Y, _aim(x, u, p, mode, power), p, _weights(mode))
    if changed:
        x[X.Q_MODE] = mode
        x[X.Q_RAMPING] = 1.0
    if x[X.Q_RAMPING] > 0.5:
        x[X.Q_RAMP] = ramp(x[X.Q_RAMP], q, p[P.MODE_RATE])
        if x[X.Q_RAMP] == q:
            x[X.Q_RAMPING] = 0.0
        return float(x[X.Q_RAMP])
    x[X.Q_RAMP] = q * p[P.MODE_START]
    return q
