"""Settings from a grid code: limits from its file, the rest from the data of the functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from v2glab.evidence import InputError
from v2glab.gridcodes._model import CategoryRules, GridCode
from v2glab.gridcodes.der._checks import function_data
from v2glab.gridcodes.der._settings import DerSettings, parse_settings


def settings_for(
    code: GridCode,
    category: str,
    *,
    normal_category: str = "B",
    nameplate: Mapping[str, object] | None = None,
) -> DerSettings:
    """Return the default settings of a code and category.

    Parameters
    ----------
    code
        As ``load_code`` gives it.
    category
        Abnormal performance category, such as ``"III"``.
    normal_category
        Normal performance category, ``"A"`` or ``"B"``.
    nameplate
        Members of the nameplate that differ from the example in ``datasets/der``.

    Raises
    ------
    UsageError
        The code has no such category.
    InputError
        A value does not fit.
    """
    rules = code.category(category)
    data = function_data(code.id)
    if normal_category not in data["normal_category"]:
        known = ", ".join(data["normal_category"])
        raise InputError(f"normal category {normal_category!r}", f"one of: {known}", "choose one of those")
    normal, default = data["normal_category"][normal_category], data["default"]
    return parse_settings(
        {
            "rules": code.id,
            "nameplate": _nameplate(code, rules, data, normal_category, nameplate or {}),
            "trips": _trips(rules),
            "ride_through": {"regions": _regions(rules), "cease_response_s": default["cease_response_s"]},
            "enter_service": _enter_service(code, default),
            "droop": _droop(rules, default),
            **_disturbance(rules, default),
            **_power_functions(default, normal),
        }
    )


def _nameplate(
    code: GridCode,
    rules: CategoryRules,
    data: Mapping[str, Any],
    normal_category: str,
    changes: Mapping[str, object],
) -> dict[str, object]:
    normal, hertz = data["normal_category"][normal_category], code.nominal_frequency_hz
    plate: dict[str, Any] = dict(data["nameplate"]) | {
        "f_nominal_hz": hertz,
        "v_nominal_v": data["nominal_v"].get(f"{hertz:g}", data["nominal_v"]["50"]),
        "normal_category": normal_category,
        "abnormal_category": rules.name,
        "q_required_inject_pu": normal["q_required_inject_pu"],
        "q_required_absorb_pu": normal["q_required_absorb_pu"],
    }
    plate |= changes
    plate.setdefault("q_inject_max_var", plate["s_max_va"] * plate["q_required_inject_pu"])
    plate.setdefault("q_absorb_max_var", plate["s_max_va"] * plate["q_required_absorb_pu"])
    return plate


def _trips(rules: CategoryRules) -> list[dict[str, object]]:
    names = (
        "name",
        "quantity",
        "side",
        "threshold",
        "time_s",
        "averaging_s",
        "threshold_range",
        "time_range_s",
    )
    return [{n: getattr(t, n) for n in names} | {"clause": t.clause} for t in rules.trips]


def _regions(rules: CategoryRules) -> list[dict[str, object]]:
    names = ("name", "quantity", "lower", "upper", "mode", "minimum_s", "slope_s_per_unit", "clause")
    regions = rules.ride_through_voltage + rules.ride_through_frequency
    return [{n: getattr(r, n) for n in names} for r in regions]


def _enter_service(code: GridCode, default: Mapping[str, Any]) -> dict[str, object]:
    rule = code.enter_service
    if rule is None:
        hertz, given = code.nominal_frequency_hz, dict(default["enter_service"])
        low, high = given.pop("f_low_share") * hertz, given.pop("f_high_share") * hertz
        return {**given, "f_low_hz": low, "f_high_hz": high}
    return {
        "v_low_pu": rule.voltage_low_pu.default,
        "v_high_pu": rule.voltage_high_pu.default,
        "f_low_hz": rule.frequency_low_hz.default,
        "f_high_hz": rule.frequency_high_hz.default,
        "delay_s": rule.delay_s.default,
        "ramp_s": rule.ramp_s.default if rule.ramp_s else default["enter_service"]["ramp_s"],
    }


def _droop(rules: CategoryRules, default: Mapping[str, Any]) -> dict[str, object]:
    if rules.droop is None:
        return {"enabled": False, **default["droop"]}
    names = ("deadband_over_hz", "deadband_under_hz", "droop_over", "droop_under")
    return {n: getattr(rules.droop, n).default for n in names} | {"olrt_s": rules.droop.response_s.default}


def _disturbance(rules: CategoryRules, default: Mapping[str, Any]) -> dict[str, object]:
    """Momentary cessation where the category has such regions, restore, counts, ROCOF and phase jumps."""
    cease = [r for r in rules.ride_through_voltage if r.mode == "momentary cessation"]
    lows = [r.upper for r in cease if r.lower is None or r.lower < 1.0]
    highs = [r.lower for r in cease if r.lower is not None and r.lower >= 1.0]
    return {
        "momentary_cessation": {
            "enabled": bool(cease),
            "v_low_pu": lows[-1] if lows else default["cessation_low_pu"],
            "v_high_pu": highs[0] if highs else default["cessation_high_pu"],
            "response_s": default["cessation_response_s"],
        },
        "restore": {"ramp_s": default["restore_ramp_s"]},
        "consecutive_disturbances": {
            "count": default["consecutive_count"].get(rules.name, 3),
            "reset_s": default["consecutive_reset_s"],
        },
        "rocof_hz_s": rules.rocof_hz_s.limit if rules.rocof_hz_s else None,
        "phase_jump_deg": default["phase_jump_deg"],
        "rocof_window_s": default["rocof_window_s"],
    }


def _power_functions(default: Mapping[str, Any], normal: Mapping[str, Any]) -> dict[str, object]:
    vref = {n: default[n] for n in ("vref_pu", "vref_time_s", "vref_low_pu", "vref_high_pu")}
    return {
        "volt_var": {"points": normal["volt_var_points"], "olrt_s": normal["volt_var_olrt_s"], **vref},
        "watt_var": {"points": normal["watt_var_points"], "olrt_s": default["watt_var_olrt_s"]},
        "volt_watt": {
            "points": default["volt_watt_points"],
            "charge_points": default["volt_watt_charge_points"],
            "olrt_s": default["volt_watt_olrt_s"],
        },
        "constant_pf": {"pf": default["constant_pf"], "olrt_s": default["constant_pf_olrt_s"]},
        "constant_q": {"q_pu": default["constant_q_pu"], "olrt_s": default["constant_q_olrt_s"]},
        "p_limit": {"limit_pu": default["limit_pu"], "response_s": default["limit_response_s"]},
        "dynamic_voltage_support": {"k": default["support_k"]},
        "soc": {n: default[f"soc_{n}"] for n in ("initial", "minimum", "maximum")},
        "priority": default["priority"],
        "execution_delay_s": default["execution_delay_s"],
        "mode_transition_s": default["mode_transition_s"],
    }
