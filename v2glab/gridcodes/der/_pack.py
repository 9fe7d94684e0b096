"""From settings to the kernel's row of numbers, for one step width."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from v2glab.gridcodes.der._pack_state import pack_regions, pack_trips
from v2glab.gridcodes.der._places import Mode
from v2glab.gridcodes.der._places_settings import SETTINGS, P
from v2glab.gridcodes.der._settings import DerSettings

Row = NDArray[np.float64]
_LAGS = (P.V_E, P.WATT_E, P.DROOP_E, P.PF_E, P.Q_E, P.VV_E, P.VREF_E, P.WV_E, P.I_E)
_RATES = (P.LIMIT_RATE, P.DEMAND_RATE, P.MODE_RATE)
_TUSTIN_LEAST = 1.15  # OpenDER passes an input through when its response time is shorter than that many steps


def pack(settings: DerSettings, step_s: float, *, compatible: bool = False) -> Row:
    """Return the row of settings for one step width.

    Parameters
    ----------
    settings
        Of one plant.
    step_s
        Step width in seconds.
    compatible
        Take trapezoidal lags and counted timers, as OpenDER 2.2.0 does.
    """
    row = np.zeros(SETTINGS)
    row[P.STEP] = step_s
    row[P.COMPATIBLE] = compatible
    _plate(row, settings)
    pack_trips(row, settings)
    pack_regions(row, settings, compatible=compatible)
    _enter(row, settings)
    _disturbances(row, settings, compatible=compatible)
    _active(row, settings, compatible=compatible)
    _reactive(row, settings, compatible=compatible)
    return row


def settled(row: Row) -> Row:
    """Return the row for the very first step: every lag and ramp is where its input is."""
    first = row.copy()
    for at in _LAGS:
        first[at : at + 3] = (0.0, 1.0, 0.0)
    for at in _RATES:
        first[at] = math.inf
    first[P.RESTORE_RATE] = math.inf
    return first


def lag_weights(response_s: float, step_s: float, *, compatible: bool = False) -> tuple[float, float, float]:
    """Return the three weights of a lag that reaches 90 % of a step after ``response_s``.

    Exact for an input that runs straight between samples, with the time constant ``response_s/ln 10``. The
    compatible weights are trapezoidal with the time constant ``response_s/2.3``.
    """
    if compatible:
        if response_s < _TUSTIN_LEAST * step_s:
            return 0.0, 1.0, 0.0
        double = response_s / _TUSTIN_LEAST
        gain = step_s / (step_s + double)
        return (double - step_s) / (step_s + double), gain, gain
    if response_s <= 0.0:
        return 0.0, 1.0, 0.0
    ratio = step_s * math.log(10.0) / response_s
    keep = math.exp(-ratio)
    mean = -math.expm1(-ratio) / ratio
    return keep, 1.0 - mean, mean - keep


def _rate(step_s: float, time_s: float) -> float:
    return step_s / time_s if time_s > 0.0 else math.inf


def _lag(row: Row, at: int, response_s: float) -> None:
    row[at : at + 3] = lag_weights(response_s, row[P.STEP], compatible=row[P.COMPATIBLE] > 0.5)


def _plate(row: Row, settings: DerSettings) -> None:
    np_ = settings.nameplate
    row[P.SINGLE] = np_.phases == 1
    row[P.WITH_LINE] = np_.applicable_voltage == "phase and line" and np_.phases == 3
    row[P.POSITIVE] = np_.unbalanced_voltage == "positive sequence"
    row[P.HZ_NOMINAL] = np_.f_nominal_hz
    row[P.P_RATIO] = np_.p_max_w / np_.s_max_va
    row[P.CHARGE_RATIO] = np_.p_charge_max_w / np_.p_max_w
    row[P.S_CHARGE] = np_.s_charge_max_va / np_.s_max_va
    row[P.Q_INJECT] = np_.q_inject_max_var / np_.s_max_va
    row[P.Q_ABSORB] = np_.q_absorb_max_var / np_.s_max_va
    row[P.Q_NEED_INJECT] = np_.q_required_inject_pu
    row[P.Q_NEED_ABSORB] = np_.q_required_absorb_pu
    row[P.I_MAX] = np_.current_max_pu
    row[P.SUSCEPTANCE] = np_.susceptance_pu
    _lag(row, P.I_E, np_.inverter_delay_s)
    row[P.V_LAGGED] = np_.voltage_delay_s > 0.0
    _lag(row, P.V_E, np_.voltage_delay_s)
    soc = settings.soc
    row[P.SOC_ENABLED] = soc.enabled and np_.soc_capacity_wh is not None
    row[P.SOC_MIN], row[P.SOC_MAX] = soc.minimum, soc.maximum
    if np_.soc_capacity_wh is not None:
        row[P.SOC_GAIN] = np_.s_max_va * row[P.STEP] / 3600.0 / np_.soc_capacity_wh
    row[P.CHARGE_EFFICIENCY] = np_.charge_efficiency


def _enter(row: Row, settings: DerSettings) -> None:
    es = settings.enter_service
    row[P.ES_ENABLED] = es.enabled
    row[P.PERMIT] = es.permit_service
    row[P.AUTHORISED] = settings.v2g_authorised
    row[P.ES_V_LOW], row[P.ES_V_HIGH] = es.v_low_pu, es.v_high_pu
    row[P.ES_HZ_LOW], row[P.ES_HZ_HIGH] = es.f_low_hz, es.f_high_hz
    row[P.ES_DELAY] = es.delay_s
    below = es.randomised_below_va
    small = below is None or settings.nameplate.s_max_va < below
    row[P.ES_RANDOM] = es.randomised_delay_s if es.ramp_s == 0.0 and small else 0.0
    row[P.ES_RATE] = _rate(row[P.STEP], es.ramp_s)


def _disturbances(row: Row, settings: DerSettings, *, compatible: bool) -> None:
    step, many = row[P.STEP], settings.consecutive_disturbances
    row[P.COUNT_MAX] = many.count if many.enabled and not compatible else math.inf
    row[P.COUNT_RESET] = many.reset_s
    rocof, jump = settings.rocof_hz_s, settings.phase_jump_deg
    row[P.ROCOF_MAX] = math.inf if rocof is None or compatible else rocof
    keep = math.exp(-step / settings.rocof_window_s)
    row[P.ROCOF_KEEP], row[P.ROCOF_GAIN] = keep, (1.0 - keep) / step
    row[P.JUMP_MAX] = math.inf if jump is None or compatible else math.radians(jump)
    row[P.RESTORE_RATE] = _rate(step, settings.restore.ramp_s) if settings.restore.enabled else math.inf
    row[P.RESTORE_ALWAYS] = compatible
    row[P.SUPPORT_ENABLED] = settings.dynamic_voltage_support.enabled
    row[P.SUPPORT_K] = settings.dynamic_voltage_support.k


def _active(row: Row, settings: DerSettings, *, compatible: bool) -> None:
    step, watt, ratio = row[P.STEP], settings.volt_watt, row[P.CHARGE_RATIO]
    row[P.WATT_ENABLED] = watt.enabled
    (v1, p1), (v2, p2) = watt.points
    p1, p2 = (p if p > 0.0 else p * ratio for p in (p1, p2))
    row[P.WATT_V1 : P.WATT_SLOPE + 1] = (v1, v2, p1, p2, _slope(v1, v2, p1, p2))
    _lag(row, P.WATT_E, watt.olrt_s)
    row[P.CHARGE_ENABLED] = watt.charge_enabled
    (v1, p1), (v2, p2) = watt.charge_points
    row[P.CHARGE_V1 : P.CHARGE_SLOPE + 1] = (v1, v2, p1, p2, _slope(v1, v2, p1, p2))
    limit = settings.p_limit
    row[P.LIMIT_ENABLED] = limit.enabled
    row[P.LIMIT] = limit.limit_pu if limit.limit_pu > 0.0 else limit.limit_pu * ratio
    row[P.LIMIT_RATE] = _rate(step, limit.response_s)
    row[P.DEMAND_RATE] = _rate(step, settings.nameplate.demand_ramp_s)
    droop, hertz = settings.droop, settings.nameplate.f_nominal_hz
    row[P.DROOP_ENABLED] = droop.enabled
    row[P.DROOP_OVER_HZ], row[P.DROOP_UNDER_HZ] = droop.deadband_over_hz, droop.deadband_under_hz
    row[P.DROOP_OVER_GAIN] = 1.0 / (hertz * droop.droop_over)
    row[P.DROOP_UNDER_GAIN] = 1.0 / (hertz * droop.droop_under)
    _lag(row, P.DROOP_E, droop.olrt_s)
    row[P.MODE_START] = 1.0 / settings.nameplate.s_max_va if compatible else 1.0


def _slope(x0: float, x1: float, y0: float, y1: float) -> float:
    return (y1 - y0) / (x1 - x0) if x1 > x0 else 0.0


def _mode(settings: DerSettings) -> Mode:
    if settings.constant_pf.enabled:
        return Mode.POWER_FACTOR
    if settings.volt_var.enabled:
        return Mode.VOLT_VAR
    if settings.watt_var.enabled:
        return Mode.WATT_VAR
    return Mode.CONSTANT_Q if settings.constant_q.enabled else Mode.NONE


def _reactive(row: Row, settings: DerSettings, *, compatible: bool) -> None:
    step = row[P.STEP]
    row[P.MODE] = _mode(settings)
    row[P.MODE_RATE] = _rate(step, settings.mode_transition_s)
    row[P.REACTIVE_FIRST] = settings.priority == "reactive"
    pf, cq, vv, wv = settings.constant_pf, settings.constant_q, settings.volt_var, settings.watt_var
    tangent = math.sqrt(1.0 - pf.pf**2) / pf.pf * row[P.P_RATIO]
    row[P.PF_FACTOR] = tangent if pf.excitation == "inject" else -tangent
    _lag(row, P.PF_E, pf.olrt_s)
    row[P.Q_FIXED] = cq.q_pu
    _lag(row, P.Q_E, cq.olrt_s)
    row[P.VV_V0 : P.VV_V0 + 4] = [v for v, _ in vv.points]
    row[P.VV_Q0 : P.VV_Q0 + 4] = [q for _, q in vv.points]
    _slopes(row, P.VV_S0, vv.points)
    _lag(row, P.VV_E, vv.olrt_s)
    row[P.VREF], row[P.VREF_AUTO] = vv.vref_pu, vv.vref_auto
    row[P.VREF_LOW], row[P.VREF_HIGH] = vv.vref_low_pu, vv.vref_high_pu
    # the time constant of the reference, not its response time, is set (IEEE 1547-2018, 5.3.3)
    _lag(row, P.VREF_E, vv.vref_time_s * (2.3 if compatible else math.log(10.0)))
    row[P.WV_P : P.WV_P + 6] = [p for p, _ in wv.points]
    row[P.WV_Q : P.WV_Q + 6] = [q for _, q in wv.points]
    _slopes(row, P.WV_S, wv.points)
    _lag(row, P.WV_E, wv.olrt_s)


def _slopes(row: Row, at: int, points: tuple[tuple[float, float], ...]) -> None:
    for i in range(len(points) - 1):
        (x0, y0), (x1, y1) = points[i], points[i + 1]
        row[at + i] = _slope(x0, x1, y0, y1)
