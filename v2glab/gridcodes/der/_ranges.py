"""Ranges that a grid code gives for settings of the model."""

from __future__ import annotations

from collections.abc import Iterator

from v2glab.gridcodes._model import CategoryRules, GridCode, NormalRules, Setting
from v2glab.gridcodes._normal import Characteristic
from v2glab.gridcodes.der._bounds import COORDINATES, SettingRange


def ranges_of(code: GridCode, rules: CategoryRules, normal: NormalRules) -> tuple[SettingRange, ...]:
    """Return the ranges of a code and its categories; those of trips stand with each trip."""
    return tuple(
        r
        for part in (_enter_service(code), _abnormal(rules), _curves(normal), _times(code, normal))
        for r in part
        if r is not None
    )


def _span(path: str, setting: Setting | None, clause: str, *, zero: bool = False) -> SettingRange | None:
    if setting is None or setting.range is None:
        return None
    low, high = setting.range
    return SettingRange(path=path, lower=low, upper=high, zero=zero, clause=clause)


def _up_to(path: str, greatest: float | None, clause: str) -> SettingRange | None:
    return None if greatest is None else SettingRange(path=path, lower=0.0, upper=greatest, clause=clause)


def _enter_service(code: GridCode) -> Iterator[SettingRange | None]:
    rule = code.enter_service
    if rule is None:
        return
    for path, name in (
        ("v_low_pu", "voltage_low_pu"),
        ("v_high_pu", "voltage_high_pu"),
        ("f_low_hz", "frequency_low_hz"),
        ("f_high_hz", "frequency_high_hz"),
        ("delay_s", "delay_s"),
    ):
        yield _span(f"enter_service.{path}", getattr(rule, name), rule.clause)
    # either of both may be left out for the other
    yield _span("enter_service.randomised_delay_s", rule.randomised_delay_s, rule.clause, zero=True)
    yield _span("enter_service.ramp_s", rule.ramp_s, rule.clause, zero=True)


def _abnormal(rules: CategoryRules) -> Iterator[SettingRange | None]:
    droop, pause, restore = rules.droop, rules.momentary_cessation, rules.restore_output
    if droop is not None:
        for name in ("deadband_over_hz", "deadband_under_hz", "droop_over", "droop_under"):
            yield _span(f"droop.{name}", getattr(droop, name), droop.clause)
        yield _span("droop.olrt_s", droop.response_s, droop.clause)
    for side, response in (
        ("over", rules.response_over_frequency),
        ("under", rules.response_under_frequency),
    ):
        if response is not None and droop is None:
            yield _span(f"droop.droop_{side}", response.droop, response.clause)
    if pause is not None:
        clause = pause.regions[0].clause
        yield _up_to("momentary_cessation.response_s", pause.response_s, clause)
    ramp = restore and (restore.current_ramp or restore.time)
    if ramp:
        yield _up_to("restore.ramp_s", ramp.limit, ramp.clause)
    support = rules.dynamic_voltage_support
    if support is not None:
        yield _span("dynamic_voltage_support.k", support.gain, support.clause)


def _curves(normal: NormalRules) -> Iterator[SettingRange | None]:
    var, by_watt, watt = normal.volt_var, normal.watt_var, normal.volt_watt
    if var is not None:
        yield from _points("volt_var", var)
        yield _span("volt_var.olrt_s", var.response_s, var.clause)
        yield _span("volt_var.vref_pu", var.v_ref, var.clause)
        if var.reference_time_s:
            low, high = var.reference_time_s
            yield SettingRange(path="volt_var.vref_time_s", lower=low, upper=high, clause=var.clause)
    if by_watt is not None:
        yield from _points("watt_var", by_watt)
        yield _span("watt_var.olrt_s", by_watt.response_s, by_watt.clause)
        yield _up_to("watt_var.olrt_s", by_watt.greatest_response_s, by_watt.clause)
    if watt is not None:
        yield from _points("volt_watt", watt)
        yield _span("volt_watt.olrt_s", watt.response_s, watt.clause)


def _points(group: str, curve: Characteristic) -> Iterator[SettingRange]:
    """Ranges of coordinates; a second power while absorbing takes the place of the other."""
    coordinates = curve.coordinates()
    if "p2_absorbing" in coordinates:
        coordinates["p2"] = coordinates.pop("p2_absorbing")
    for name, point in coordinates.items():
        if point.lower is not None or point.upper is not None:
            path = f"{group}.{COORDINATES[group][name]}"
            yield SettingRange(path=path, lower=point.lower, upper=point.upper, clause=curve.clause)


def _times(code: GridCode, normal: NormalRules) -> Iterator[SettingRange | None]:
    for name, rule in (("constant_pf", normal.constant_pf), ("constant_q", normal.constant_q)):
        if rule is not None:
            yield _span(f"{name}.olrt_s", rule.response_s, rule.clause)
            yield _up_to(f"{name}.olrt_s", rule.greatest_response_s, rule.clause)
    limit, control = normal.active_power_limit, code.control
    if limit is not None:
        yield _up_to("p_limit.response_s", limit.greatest_response_s, limit.clause)
    if control is None:
        return
    yield _up_to("execution_delay_s", control.mode_execution_s, control.clause)
    if control.mode_transition_s:
        low, high = control.mode_transition_s
        yield SettingRange(path="mode_transition_s", lower=low, upper=high, clause=control.clause)
