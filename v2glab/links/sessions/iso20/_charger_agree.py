"""The charger's answers from charge parameters to PreCharge."""

from __future__ import annotations

import time

from v2glab.links.sessions._message import Body, Message
from v2glab.links.sessions._plant import PowerLimits
from v2glab.links.sessions._serve import Answer
from v2glab.links.sessions.iso20._charger import ChargerSide
from v2glab.links.sessions.iso20._modes import contradiction, limits_body, limits_of
from v2glab.links.sessions.iso20._numbers import number, rational


async def charge_parameters(side: ChargerSide, request: Message) -> Answer:
    """Exchange limits; refuse those that contradict each other or leave nothing in common."""
    asked = side.mode.discovery("Req")
    if asked not in request.body:
        raise side.rules.refuse("wrong-parameters", f"no {asked}")
    vehicle = limits_of(request.body[asked], side.mode, "EV")
    wrong = contradiction(vehicle, side.mode) or _apart(vehicle, side)
    if wrong:
        raise side.rules.refuse("wrong-parameters", wrong)
    side.vehicle_limits = vehicle
    told = limits_body(side.plant.limits, side.mode, "EVSE")
    if side.kind == "AC":
        reading = await side.plant.read()
        # Nominal: 50 or 60 Hz, whatever the grid has at this moment.
        told["EVSENominalFrequency"] = rational(60.0 if reading.frequency_hz > 55 else 50.0)
        told["EVSEPresentActivePower"] = rational(-reading.power_w)
    return side.answer(f"{side.kind}_ChargeParameterDiscovery", body={side.mode.discovery("Res"): told})


def _apart(vehicle: PowerLimits, side: ChargerSide) -> str:
    own = side.plant.limits
    if side.kind == "DC" and (vehicle.high_v < own.low_v or vehicle.low_v > own.high_v):
        return f"vehicle {vehicle.low_v:g} to {vehicle.high_v:g} V, charger {own.low_v:g} to {own.high_v:g} V"
    least = max(own.least_charge_w, vehicle.least_charge_w)
    if least > min(own.charge_w, vehicle.charge_w):
        return f"a smallest power of {least:g} W above the largest in common"
    return ""


async def schedule_exchange(side: ChargerSide, request: Message) -> Answer:
    """Offer what both ends can do, as one schedule, or keep the decision (dynamic)."""
    asked = f"{side.mode.control_name}_SEReqControlMode"
    if asked not in request.body:
        raise side.rules.refuse("wrong-control", f"no {asked}")
    side.schedule, side.schedule_id = side.limits, side.schedule_id + 1
    body: Body = {}
    if side.mode.scheduled:
        entry = {
            "ScheduleTupleID": side.schedule_id,
            "ChargingSchedule": _power(side, side.schedule.charge_w),
        }
        if side.mode.bidirectional:
            entry["DischargingSchedule"] = _power(side, side.schedule.export_w)
        body["ScheduleTuple"] = [entry]
    elif "DepartureTime" in request.body[asked]:
        body["DepartureTime"] = request.body[asked]["DepartureTime"]
    told = {f"{side.mode.control_name}_SEResControlMode": body}
    if not side.offer.ready():
        return side.answer("ScheduleExchange", "ongoing", body=told, EVSEProcessing="Ongoing")
    said = "again" if side.live else side.kind
    return side.answer("ScheduleExchange", said, body=told, EVSEProcessing="Finished")


def _power(side: ChargerSide, power_w: float) -> Body:
    entry = {"Duration": side.rules.figures.schedule_s, "Power": rational(power_w, "down")}
    entries = {"PowerScheduleEntry": [entry]}
    power = {"TimeAnchor": int(time.time()), "PowerScheduleEntries": entries}
    return {"PowerSchedule": power, "PriceLevelSchedule": _level(side)}


def _level(side: ChargerSide) -> Body:
    """Return prices of one level: optional, but an open vehicle refuses a schedule without any."""
    entry = {"Duration": side.rules.figures.schedule_s, "PriceLevel": 0}
    return {
        "TimeAnchor": int(time.time()),
        "PriceScheduleID": side.schedule_id,
        "NumberOfPriceLevels": 1,
        "PriceLevelScheduleEntries": {"PriceLevelScheduleEntry": [entry]},
    }


async def cable_check(side: ChargerSide, request: Message) -> Answer:
    """Test the insulation at the highest voltage that both ends have (IEC 61851-23)."""
    found = await side.plant.insulation(side.limits.high_v)
    if found == "fault":
        raise side.rules.refuse("insulation", "the charger's own test")
    if found == "ongoing":
        return side.answer("DC_CableCheck", "ongoing", EVSEProcessing="Ongoing")
    return side.answer("DC_CableCheck", "finished", EVSEProcessing="Finished")


async def pre_charge(side: ChargerSide, request: Message) -> Answer:
    """Bring the output to the battery's voltage, as often as the vehicle asks."""
    target_v, limits = number(request.body["EVTargetVoltage"]), side.limits
    if not 0 <= target_v <= limits.high_v:
        raise side.rules.refuse("pre-charge", f"target of {target_v:g} V, at most {limits.high_v:g} V")
    finished = request.body["EVProcessing"] == "Finished"
    if not finished:
        await side.plant.pre_charge(target_v, 0.0)
    reading = await side.plant.read()
    if finished:
        side.ready = abs(reading.voltage_v - target_v) <= side.rules.figures.pre_charge_window_v
        if not side.ready:
            told = f"finished at {reading.voltage_v:g} V, target {target_v:g} V"
            raise side.rules.refuse("pre-charge", told)
    said = "finished" if finished else "ongoing"
    return side.answer("DC_PreCharge", said, EVSEPresentVoltage=rational(reading.voltage_v))
