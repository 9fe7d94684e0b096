"""The charger's answers in the loop: set-points in, the plant's measured values and limits out."""

from __future__ import annotations

from dataclasses import replace

from v2glab.links.sessions._message import Body, Message
from v2glab.links.sessions._offer import Bounds
from v2glab.links.sessions._plant import ChargerReading, PowerLimits
from v2glab.links.sessions._serve import Answer
from v2glab.links.sessions.iso20._charger import ChargerSide
from v2glab.links.sessions.iso20._modes import limits_of, loop_limits
from v2glab.links.sessions.iso20._numbers import number, phases_sum, rational

_NOTICES = {"stop": "Terminate", "pause": "Pause", "renegotiate": "ScheduleRenegotiation"}
#: At this share of a limit it counts as reached.
_REACHED = 0.999


async def dc_loop(side: ChargerSide, request: Message) -> Answer:
    """Follow the vehicle's target (scheduled), or the dispatcher's (dynamic)."""
    block = _block(side, request)
    before = await _healthy(side)
    if side.mode.scheduled:
        target_v, current_a = number(block["EVTargetVoltage"]), -number(block["EVTargetCurrent"])
        power_w = before.voltage_v * current_a
    else:
        limits = _with_current(side.limits, before.voltage_v)
        power_w = side.offer.dispatch(Bounds(limits, number(block["EVTargetEnergyRequest"])))
        target_v, current_a = side.limits.high_v, power_w / max(before.voltage_v, 1.0)
    _check(side, power_w, current_a)
    await side.plant.set_dc(target_v, current_a)
    reading = await _healthy(side)
    own = side.plant.limits
    return _answer(
        side,
        request,
        reading,
        {side.mode.loop("Res"): loop_limits(own, side.mode, "EVSE")},
        EVSEPresentCurrent=rational(-reading.current_a),
        EVSEPresentVoltage=rational(reading.voltage_v),
        EVSEPowerLimitAchieved=_reached(reading.voltage_v * reading.current_a, own.export_w, own.charge_w),
        EVSECurrentLimitAchieved=_reached(reading.current_a, own.export_a, own.charge_a),
        EVSEVoltageLimitAchieved=reading.voltage_v >= own.high_v * _REACHED,
    )


async def ac_loop(side: ChargerSide, request: Message) -> Answer:
    """Take what the vehicle says that it does (scheduled), or tell it what to do (dynamic)."""
    block = _block(side, request)
    await _healthy(side)
    told: Body = {}
    if side.mode.scheduled:
        power_w = -phases_sum(block, "EVPresentActivePower")
    else:
        power_w = side.offer.dispatch(Bounds(side.limits, number(block["EVTargetEnergyRequest"])))
        told["EVSETargetActivePower"] = rational(-power_w, "zero")
        told["EVSETargetReactivePower"] = rational(0.0)
    _check(side, power_w, 0.0)
    await side.plant.set_power(power_w)
    reading = await _healthy(side)
    told["EVSEPresentActivePower"] = rational(-reading.power_w)
    return _answer(side, request, reading, {side.mode.loop("Res"): told})


def _block(side: ChargerSide, request: Message) -> Body:
    wanted = side.mode.loop("Req")
    if wanted not in request.body:
        raise side.rules.refuse("wrong-control", f"no {wanted}")
    block: Body = request.body[wanted]
    side.vehicle_limits = limits_of(block, side.mode, "EV", side.vehicle_limits)
    return block


async def _healthy(side: ChargerSide) -> ChargerReading:
    reading = await side.plant.read()
    if refusal := side.refusal_of_fault(reading):
        raise refusal
    if not reading.contactor_closed:
        raise side.rules.refuse("contactor", "the contactor opened in the loop")
    return reading


def _with_current(limits: PowerLimits, voltage_v: float) -> PowerLimits:
    return replace(
        limits,
        charge_w=min(limits.charge_w, limits.charge_a * voltage_v),
        export_w=min(limits.export_w, limits.export_a * voltage_v),
    )


def _check(side: ChargerSide, power_w: float, current_a: float) -> None:
    # Of both ends: a vehicle that asks for more than it says it can is refused too.
    limits, slack = side.limits, 1 + side.rules.figures.power_slack
    if not -slack * limits.charge_w <= power_w <= slack * limits.export_w:
        told = f"{power_w:g} W, export positive, allowed -{limits.charge_w:g} to {limits.export_w:g} W"
        raise side.rules.refuse("outside-limits", told)
    if not -limits.charge_a <= current_a <= limits.export_a:
        told = f"{current_a:g} A, export positive, allowed -{limits.charge_a:g} to {limits.export_a:g} A"
        raise side.rules.refuse("outside-limits", told)


def _reached(value: float, export: float, charge: float) -> bool:
    return value >= _REACHED * export if value > 0 else value < 0 and -value >= _REACHED * charge


def _answer(
    side: ChargerSide, request: Message, reading: ChargerReading, block: Body, **values: object
) -> Answer:
    body: Body = {**values, **block}
    name, notice = f"{side.kind}_ChargeLoop", _NOTICES.get(side.offer.notice(), "")
    said = [name]
    if request.body["MeterInfoRequested"]:
        body["MeterInfo"] = side.meter_info(reading)
    if not notice and side.offer.confirm_metering and side.way == "pnc" and side.metering != "confirmed":
        notice, side.metering = "MeteringConfirmation", "asked"
        said.append("metering")
    if notice:
        body["EVSEStatus"] = {"NotificationMaxDelay": 0, "EVSENotification": notice}
    return side.answer(*said, body=body)
