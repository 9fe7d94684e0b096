"""Control pilot: state from voltage, current from duty."""

from __future__ import annotations

from dataclasses import dataclass, replace

from v2glab.evidence import InputError, LimitError, Quantity, Verdict, judge
from v2glab.links.pilot._rules import DutyRow, PilotRules, load_pilot_rules


@dataclass(frozen=True)
class PilotReading:
    """What the voltage of the control pilot says.

    ``state`` is None where it cannot be said, with ``reason``.
    """

    voltage: Quantity
    state: str | None
    meaning: str
    reason: str = ""


@dataclass(frozen=True)
class DutyMeaning:
    """What a duty says: ``current``, ``digital``, ``none``, or ``unknown`` with reason."""

    duty: Quantity
    kind: str
    meaning: str
    current: Quantity | None = None
    reason: str = ""


def pilot_state(
    voltage: Quantity, low_level: Quantity | None = None, rules: PilotRules | None = None
) -> PilotReading:
    """Return the state that a voltage of the upper level stands for.

    A state is only given when the voltage with its expanded uncertainty lies within one band.

    Parameters
    ----------
    voltage
        Upper level, or the steady one without pulses, in V.
    low_level
        Lower level of the pulses, in V, where there are pulses; the diode of a vehicle leaves it at −12 V.

    Raises
    ------
    InputError
        A unit is not V.
    """
    rules = load_pilot_rules() if rules is None else rules
    voltage = _with_uncertainty(voltage, "V", rules.parameters.uncertainty_v)
    low, high = _interval(voltage)
    inside = [row for row in rules.state if row.low_v <= low and high <= row.high_v]
    if not inside:
        touched = [row.name for row in rules.state if low <= row.high_v and row.low_v <= high]
        where = f"may be {' or '.join(touched)}, or none" if touched else "lies in no state's band"
        return PilotReading(voltage, None, "unknown", f"{low:.2f} to {high:.2f} V {where}")
    (row,) = inside
    if low_level is not None and row.name in "BCD":
        fault = _diode_fault(low_level, rules)
        if fault:
            return PilotReading(voltage, None, "unknown", fault)
    return PilotReading(voltage, row.name, row.meaning)


def duty_meaning(duty: Quantity, rules: PilotRules | None = None) -> DutyMeaning:
    """Return what a duty in per cent says.

    Raises
    ------
    InputError
        The unit is not %, or the value is not 0 to 100.
    """
    rules = load_pilot_rules() if rules is None else rules
    duty = _with_uncertainty(duty, "%", rules.parameters.uncertainty_percent)
    if not 0 <= duty.value <= 100:
        raise InputError(f"duty {duty.value:g} %", "0 to 100 %", "check how the pulses were measured")
    low, high = _interval(duty)
    row = _row(duty.value, rules)
    if row is None:
        reason = f"no row of pilot.toml holds {duty.value:g} %"
        return DutyMeaning(duty, "unknown", "unknown", reason=reason)
    kinds = {r.kind for r in rules.duty if r.low_percent < high and low < r.high_percent}
    if kinds - {row.kind}:
        reason = f"{low:.2f} to {high:.2f} % may be {' or '.join(sorted(kinds | {row.kind}))}"
        return DutyMeaning(duty, "unknown", "unknown", reason=reason)
    if row.kind != "current":
        return DutyMeaning(duty, row.kind, row.meaning)
    uncertainty = None if duty.uncertainty is None else duty.uncertainty * row.slope_a_per_percent
    value_a = row.current_a(duty.value)
    current = replace(duty, name="offered_current", value=value_a, unit="A", uncertainty=uncertainty)
    return DutyMeaning(duty, row.kind, row.meaning, current)


def duty_for_current(current_a: float, rules: PilotRules | None = None) -> float:
    """Return the duty in per cent that offers a current.

    Raises
    ------
    LimitError
        No duty offers it; nothing is rounded to the next one that does.
    """
    rules = load_pilot_rules() if rules is None else rules
    rows = [row for row in rules.duty if row.kind == "current"]
    for row in rows:
        duty = round(current_a / row.slope_a_per_percent + row.offset_percent, 9)
        # Where rows touch, the first one holds the duty: it must be the one that gave it.
        if row.holds(duty) and _row(duty, rules) is row:
            return duty
    offers = " or ".join(f"{r.current_a(r.low_percent):g} to {r.current_a(r.high_percent):g} A" for r in rows)
    raise LimitError(
        f"{current_a:g} A by control pilot", offers, "offer another current, or use 5 % and digital"
    )


def check_state(voltage: Quantity | None, expected: str, rules: PilotRules | None = None) -> Verdict:
    """Judge whether the control pilot is in the state that is expected.

    Raises
    ------
    InputError
        There is no such state, or the unit is not V.
    """
    rules = load_pilot_rules() if rules is None else rules
    if voltage is not None:
        voltage = _with_uncertainty(voltage, "V", rules.parameters.uncertainty_v)
    return judge(rules.criterion(expected), voltage)


def _row(duty_percent: float, rules: PilotRules) -> DutyRow | None:
    return next((row for row in rules.duty if row.holds(duty_percent)), None)


def _diode_fault(low_level: Quantity, rules: PilotRules) -> str:
    low_level = _with_uncertainty(low_level, "V", rules.parameters.uncertainty_v)
    band = rules.criterion("F")
    low, high = _interval(low_level)
    if band.lower is not None and band.upper is not None and band.lower <= low and high <= band.upper:
        return ""
    return f"lower level {low_level.value:g} V is not −12 V: no vehicle's diode, or a fault of the pilot"


def _interval(quantity: Quantity) -> tuple[float, float]:
    spread = quantity.expanded()
    half = 0.0 if spread is None else spread[0]
    return quantity.value - half, quantity.value + half


def _with_uncertainty(quantity: Quantity, unit: str, default: float) -> Quantity:
    if quantity.unit != unit:
        found = f"{quantity.name} in {quantity.unit!r}"
        raise InputError(found, f"a quantity in {unit!r}", "convert it first")
    if quantity.uncertainty is not None:
        return quantity
    return replace(quantity, uncertainty=default, no_uncertainty="")
