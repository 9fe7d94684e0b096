"""Active power: what operator, voltage, frequency, start, battery and authorisation allow.

All powers are per unit of rated active power, export positive.
"""

from __future__ import annotations

from v2glab.gridcodes.der._filters import lag, line, ramp, settle
from v2glab.gridcodes.der._jit import Array, jit, jit_apart
from v2glab.gridcodes.der._places import U, X
from v2glab.gridcodes.der._places_settings import P
from v2glab.gridcodes.der._status import Status

_ENTERING = int(Status.ENTERING_SERVICE)
_FULL_RAMP = 1.1  # a little above 1, so that the end of the start can be told
_DROOP_ENDS = 1e-3


@jit
def _watt_aim(u: Array, p: Array) -> float:
    if p[P.WATT_ENABLED] < 0.5:
        return 1.0
    return line(u[U.MEAN], p[P.WATT_V1], p[P.WATT_V2], p[P.WATT_P1], p[P.WATT_P2], p[P.WATT_SLOPE])


@jit
def _charge_aim(u: Array, p: Array) -> float:
    if p[P.CHARGE_ENABLED] < 0.5:
        return 1.0
    return line(u[U.MEAN], p[P.CHARGE_V1], p[P.CHARGE_V2], p[P.CHARGE_P1], p[P.CHARGE_P2], p[P.CHARGE_SLOPE])


@jit
def _limit_aim(u: Array, p: Array) -> float:
    return float(min(u[U.LIMIT], p[P.LIMIT] if p[P.LIMIT_ENABLED] > 0.5 else 1.0))


@jit_apart
def rest_active(x: Array, u: Array, p: Array) -> None:
    """Reset what must not outlive a trip; limits wait where they stand, so that a start keeps to them."""
    open_ = p[P.COMPATIBLE] > 0.5
    x[X.ES_RAMP] = 0.0
    x[X.DEMAND] = 0.0
    x[X.OVER_ACTIVE] = 0.0 if not open_ else x[X.OVER_ACTIVE]
    x[X.UNDER_ACTIVE] = 0.0 if not open_ else x[X.UNDER_ACTIVE]
    x[X.LIMIT] = 1.0 if open_ else _limit_aim(u, p)
    settle(x, X.WATT_U, X.WATT_Y, 1.0 if open_ else _watt_aim(u, p))
    settle(x, X.CHARGE_U, X.CHARGE_Y, 1.0 if open_ else _charge_aim(u, p))
    settle(x, X.DROOP_U, X.DROOP_Y, 0.0)


@jit
def _volt_watt(x: Array, u: Array, p: Array) -> float:
    """Limit by voltage (IEEE 1547-2018, 5.4.2), lagged by its open-loop response time."""
    if p[P.WATT_ENABLED] < 0.5:
        settle(x, X.WATT_U, X.WATT_Y, 1.0)
        return 1.0
    return lag(x, X.WATT_U, X.WATT_Y, _watt_aim(u, p), p, P.WATT_E)


@jit
def _charge_share(x: Array, u: Array, p: Array) -> float:
    """Return the share of rated charging power that the voltage allows."""
    if p[P.CHARGE_ENABLED] < 0.5:
        settle(x, X.CHARGE_U, X.CHARGE_Y, 1.0)
        return 1.0
    return lag(x, X.CHARGE_U, X.CHARGE_Y, _charge_aim(u, p), p, P.WATT_E)


@jit
def _limit(x: Array, u: Array, p: Array) -> float:
    """Follow the operator's limit (IEEE 1547-2018, 4.6.2) at its rate of change."""
    aim = _limit_aim(u, p)
    if aim >= 1.0 and p[P.LIMIT_ENABLED] < 0.5 and p[P.COMPATIBLE] > 0.5:
        x[X.LIMIT] = 1.0
    else:
        x[X.LIMIT] = ramp(x[X.LIMIT], aim, p[P.LIMIT_RATE])
    return float(x[X.LIMIT])


@jit
def _flag(active: float, on: bool, near: bool) -> float:
    """Stay active after the frequency has returned until the output has come back to its reference."""
    if on:
        return 1.0
    return 0.0 if near else active


@jit
def _droop(x: Array, u: Array, p: Array, normal: float) -> float:
    """Frequency droop (IEEE 1547-2018, 6.5.2.7, Table 23) from the output before the disturbance.

    The formula runs from charging through zero to discharging; the bounds are the ratings.
    """
    above = u[U.HZ] - (p[P.HZ_NOMINAL] + p[P.DROOP_OVER_HZ])
    below = (p[P.HZ_NOMINAL] - p[P.DROOP_UNDER_HZ]) - u[U.HZ]
    over, under = above > 0.0, below > 0.0
    if not ((under and x[X.UNDER] > 0.5) or (over and x[X.OVER] > 0.5)):
        x[X.DROOP_PRE] = x[X.P_OUT] / p[P.P_RATIO]
    aim = normal
    if over:
        aim = max(x[X.DROOP_PRE] - above * p[P.DROOP_OVER_GAIN], -p[P.CHARGE_RATIO])
    elif under:
        aim = min(x[X.DROOP_PRE] + below * p[P.DROOP_UNDER_GAIN], 1.0)
    if over or under or x[X.OVER_ACTIVE] > 0.5 or x[X.UNDER_ACTIVE] > 0.5:
        y = lag(x, X.DROOP_U, X.DROOP_Y, aim, p, P.DROOP_E)
        near = abs(y - aim) < _DROOP_ENDS
        x[X.OVER_ACTIVE] = _flag(x[X.OVER_ACTIVE], over, near)
        x[X.UNDER_ACTIVE] = _flag(x[X.UNDER_ACTIVE], under, near)
    else:
        settle(x, X.DROOP_U, X.DROOP_Y, aim)
        y = aim
    x[X.OVER] = 1.0 if over else 0.0
    x[X.UNDER] = 1.0 if under else 0.0
    return y


@jit
def charge(x: Array, p: Array) -> None:
    """Count the energy of the step before into the state of charge."""
    power = x[X.P_OUT]
    share = power if power > 0.0 else power * p[P.CHARGE_EFFICIENCY]
    x[X.SOC] = max(x[X.SOC] - share * p[P.SOC_GAIN], 0.0)


@jit
def _within_battery(power: float, x: Array, p: Array) -> float:
    """Keep the next step from leaving the bounds of the state of charge."""
    if p[P.SOC_ENABLED] < 0.5:
        return power
    gain = p[P.SOC_GAIN] * p[P.P_RATIO]
    if power > 0.0:
        return float(min(power, max((x[X.SOC] - p[P.SOC_MIN]) / gain, 0.0)))
    return float(max(power, min((x[X.SOC] - p[P.SOC_MAX]) / (gain * p[P.CHARGE_EFFICIENCY]), 0.0)))


@jit
def active_power(x: Array, u: Array, p: Array, status: int) -> float:
    """Return the wanted active power while the plant is in service."""
    watt = _volt_watt(x, u, p)
    share = _charge_share(x, u, p)
    limit = _limit(x, u, p)
    demand = ramp(x[X.DEMAND], u[U.DEMAND], p[P.DEMAND_RATE])
    x[X.DEMAND] = demand
    cap = min(limit, watt)
    wanted = 0.0
    if p[P.DROOP_ENABLED] > 0.5:
        normal = x[X.P_OUT] / p[P.P_RATIO] if status == _ENTERING else u[U.DEMAND]
        wanted = _droop(x, u, p, min(normal, cap))
    if x[X.ES_DONE] < 0.5:
        x[X.ES_RAMP] = min(x[X.ES_RAMP] + p[P.ES_RATE], _FULL_RAMP)
    if x[X.OVER_ACTIVE] > 0.5:
        power = min(wanted, watt, 1.0)
        if p[P.COMPATIBLE] > 0.5 and p[P.WATT_ENABLED] > 0.5:
            power = min(power, u[U.DEMAND])
    elif x[X.UNDER_ACTIVE] > 0.5:
        power = min(wanted, watt, 1.0)
    else:
        power = min(max(min(demand, x[X.ES_RAMP]), -x[X.ES_RAMP]), cap, 1.0)
    if x[X.ES_RAMP] > 1.0:
        x[X.ES_DONE] = 1.0
    power = max(power, -share * p[P.CHARGE_RATIO])
    power = _within_battery(power, x, p)
    if u[U.AUTHORISED] < 0.5 or p[P.AUTHORISED] < 0.5:
        power = min(power, 0.0)
    return float(power)
