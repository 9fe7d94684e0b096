"""What a grid code says about each setting of the model, by dotted path; ``None`` where it says nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from v2glab.gridcodes._model import CategoryRules, FrequencyResponse, GridCode, NormalRules, Setting

Figures = dict[str, Any]
_TRIP = ("name", "quantity", "side", "threshold", "time_s", "averaging_s", "threshold_range", "time_range_s")
_REGION = ("name", "quantity", "lower", "upper", "mode", "minimum_s", "slope_s_per_unit", "clause")
_RAMP_PERCENT_S = 100.0 * 60.0  # seconds to rated power, times percent per minute


def figures(code: GridCode, rules: CategoryRules, normal: NormalRules, plate: Mapping[str, Any]) -> Figures:
    """Return the figures of a code for settings of the model.

    Parameters
    ----------
    code, rules, normal
        Code, its category, and its category of normal operation.
    plate
        Nameplate as far as it is known: ratings and number of phases.
    """
    limit = normal.active_power_limit
    return {
        "trips": [{n: getattr(t, n) for n in _TRIP} | {"clause": t.clause} for t in rules.trips] or None,
        **_enter_service(code),
        **_droop(code, rules),
        **_disturbances(code, rules, plate),
        **_voltage_curves(normal, plate),
        **_reactive(normal, plate),
        "p_limit.limit_pu": _default(limit.limit_pu) if limit else None,
        "p_limit.response_s": _limit_response(code, normal),
    }


def _default(setting: Setting | None) -> float | None:
    return setting.default if setting else None


def _enter_service(code: GridCode) -> Figures:
    """Window, delay and ramp; a randomised delay only where there is no ramp that it stands in for."""
    window, back = code.enter_service, code.enter_service or code.reconnection
    if back is None:
        return {}
    ramp = window and _default(window.ramp_s)
    percent = _default(back.ramp_percent_per_minute)
    if ramp is None and percent:
        ramp = _RAMP_PERCENT_S / percent
    answer: Figures = {"enter_service.delay_s": back.delay_s.default, "enter_service.ramp_s": ramp}
    if window is None:
        return answer
    return answer | {
        "enter_service.v_low_pu": window.voltage_low_pu.default,
        "enter_service.v_high_pu": window.voltage_high_pu.default,
        "enter_service.f_low_hz": window.frequency_low_hz.default,
        "enter_service.f_high_hz": window.frequency_high_hz.default,
        "enter_service.randomised_delay_s": _default(window.randomised_delay_s) if ramp is None else None,
        "enter_service.randomised_below_va": window.randomised_below_va,
    }


def _droop(code: GridCode, rules: CategoryRules) -> Figures:
    if rules.droop is not None:
        names = ("deadband_over_hz", "deadband_under_hz", "droop_over", "droop_under")
        answer: Figures = {f"droop.{n}": getattr(rules.droop, n).default for n in names}
        return answer | {"droop.olrt_s": rules.droop.response_s.default}
    over, under = rules.response_over_frequency, rules.response_under_frequency
    times = [_default(side.response_s) for side in (over, under) if side]
    return {
        **_droop_side(over, "over", code.nominal_frequency_hz),
        **_droop_side(under, "under", code.nominal_frequency_hz),
        "droop.olrt_s": max((t for t in times if t is not None), default=None),
    }


def _droop_side(response: FrequencyResponse | None, side: str, nominal_hz: float) -> Figures:
    """Dead band and droop of one side; neither without the other."""
    droop = response and response.droop_pu(nominal_hz)
    if response is None or not droop:
        return {}
    band = abs(response.start_hz.default - nominal_hz)
    return {f"droop.deadband_{side}_hz": band, f"droop.droop_{side}": droop}


def _disturbances(code: GridCode, rules: CategoryRules, plate: Mapping[str, Any]) -> Figures:
    regions = rules.ride_through_voltage + rules.ride_through_frequency
    cease = [r.max_response_s for r in regions if r.mode == "cease to energize" and r.max_response_s]
    pause, restore, jump = rules.momentary_cessation, rules.restore_output, code.phase_jump
    many, support, ends = rules.consecutive_disturbances, rules.dynamic_voltage_support, rules.rocof_trip
    rocof, deg = rules.rocof_hz_s, "single_phase_deg" if plate["phases"] == 1 else "multi_phase_deg"
    return {
        "ride_through.regions": [{n: getattr(r, n) for n in _REGION} for r in regions] or None,
        "ride_through.cease_response_s": min(cease, default=None),
        "momentary_cessation.v_low_pu": pause and pause.low_pu,
        "momentary_cessation.v_high_pu": pause and pause.high_pu,
        "momentary_cessation.response_s": pause and pause.response_s,
        "restore.ramp_s": restore and restore.time and restore.time.limit,
        "consecutive_disturbances.count": many and many.sets,
        "rocof_hz_s": rocof.limit if rocof else ends and ends.limit,
        "rocof_window_s": ends.time_s if ends and not rocof else None,
        "phase_jump_deg": jump and getattr(jump, deg),
        "dynamic_voltage_support.k": support and support.gain.default,
    }


def _voltage_curves(normal: NormalRules, plate: Mapping[str, Any]) -> Figures:
    var, watt, charging = normal.volt_var, normal.volt_watt, normal.volt_watt_charging
    answer: Figures = {"volt_watt.charge_points": charging and charging.points}
    if var is not None:
        low, high = (var.v_ref and var.v_ref.range) or (None, None)
        answer |= {
            "volt_var.points": var.points,
            "volt_var.olrt_s": _default(var.response_s),
            "volt_var.vref_pu": _default(var.v_ref),
            "volt_var.vref_low_pu": low,
            "volt_var.vref_high_pu": high,
            "volt_var.vref_time_s": var.reference_time_s and var.reference_time_s[0],
        }
    if watt is not None:
        # a lag that has done 90 % after its response time has done 99 % after twice that
        end = watt.complete_s / 2.0 if watt.complete_s else None
        answer |= {
            "volt_watt.points": watt.absorbing_points if plate["p_charge_max_w"] > 0.0 else watt.points,
            "volt_watt.olrt_s": end if watt.response_s is None else watt.response_s.default,
        }
    return answer


def _reactive(normal: NormalRules, plate: Mapping[str, Any]) -> Figures:
    able, watt = normal.reactive_capability, normal.watt_var
    pf, var = normal.constant_pf, normal.constant_q
    share = 1.0
    if able is not None and able.relative_to == "rated active power":
        share = plate["p_max_w"] / plate["s_max_va"]
    # without points of the charging side there is no reactive power while charging
    load = watt and (watt.load_points or tuple((-p, 0.0) for p, _ in watt.points))
    return {
        "nameplate.q_required_inject_pu": able and able.injection_pu * share,
        "nameplate.q_required_absorb_pu": able and able.absorption_pu * share,
        "watt_var.points": watt and (load or ())[::-1] + watt.points,
        "watt_var.olrt_s": watt and _response(watt.response_s, watt.greatest_response_s),
        "constant_pf.pf": pf and _default(pf.power_factor),
        "constant_pf.olrt_s": pf and _response(pf.response_s, pf.greatest_response_s),
        "constant_q.q_pu": var and _default(var.reactive_pu),
        "constant_q.olrt_s": var and _response(var.response_s, var.greatest_response_s),
    }


def _response(setting: Setting | None, greatest: float | None) -> float | None:
    return greatest if setting is None else setting.default


def _limit_response(code: GridCode, normal: NormalRules) -> float | None:
    if normal.active_power_limit is not None:
        return normal.active_power_limit.greatest_response_s
    return code.control.active_power_limit_s if code.control else None


def greatest_reactive(values: Figures) -> tuple[float, float]:
    """Return the reactive power (p.u., injected and absorbed) that the code's own curves reach."""
    curves = [*(values.get("volt_var.points") or ()), *(values.get("watt_var.points") or ())]
    numbers = [q for _, q in curves if math.isfinite(q)]
    return max([0.0, *numbers]), max([0.0, *(-q for q in numbers)])
