"""The charger's answers to PowerDelivery, WeldingDetection and SessionStop."""

from __future__ import annotations

from v2glab.links.sessions._message import Body, Message
from v2glab.links.sessions._paused import Paused
from v2glab.links.sessions._plant import PowerLimits
from v2glab.links.sessions._serve import Answer
from v2glab.links.sessions.iso20._charger import ChargerSide
from v2glab.links.sessions.iso20._numbers import number, rational


async def power_delivery(side: ChargerSide, request: Message) -> Answer:
    """Start, stop or rest the flow of energy, or agree on it anew."""
    if request.body["EVProcessing"] != "Finished":
        return side.answer("PowerDelivery", "ongoing")
    progress = request.body["ChargeProgress"]
    code = await _PROGRESS[progress](side, request)
    if code.startswith("WARNING"):
        said = ("Start", side.kind) if side.live else ("ongoing",)
        return side.answer("PowerDelivery", *said, code=code)
    return side.answer("PowerDelivery", progress, side.kind, code=code)


async def _start(side: ChargerSide, request: Message) -> str:
    if side.schedule is None or (side.kind == "DC" and not (side.ready or side.live)):
        raise side.rules.refuse("misplaced-progress", "Start before schedule and pre-charge")
    if side.mode.scheduled:
        _check_profile(side, request.body.get("EVPowerProfile"))
    if not side.live:
        await side.plant.connect()
        reading = await side.plant.read()
        if not reading.contactor_closed:
            raise side.rules.refuse("contactor", "the contactor did not close")
        side.live = True
    return "OK"


def _check_profile(side: ChargerSide, profile: Body | None) -> None:
    if profile is None or "Scheduled_EVPPTControlMode" not in profile:
        raise side.rules.refuse("wrong-profile", "a scheduled session needs the vehicle's power profile")
    chosen = profile["Scheduled_EVPPTControlMode"]["SelectedScheduleTupleID"]
    if chosen != side.schedule_id:
        raise side.rules.refuse("wrong-schedule", f"schedule {chosen}, offered is {side.schedule_id}")
    schedule = side.schedule or PowerLimits(0, 0, 0, 0, 0, 0)
    slack = 1 + side.rules.figures.power_slack
    for entry in profile["EVPowerProfileEntries"]["EVPowerProfileEntry"]:
        power_w = number(entry["Power"])
        if not -slack * schedule.export_w <= power_w <= slack * schedule.charge_w:
            told = f"{power_w:g} W, schedule has -{schedule.export_w:g} to {schedule.charge_w:g} W"
            raise side.rules.refuse("outside-limits", told)


async def _stop(side: ChargerSide, request: Message) -> str:
    await side.disconnect()
    return "OK"


async def _standby(side: ChargerSide, request: Message) -> str:
    if not side.offer.standby:
        return "WARNING_StandbyNotAllowed"
    await side.disconnect()
    return "OK"


async def _renegotiate(side: ChargerSide, request: Message) -> str:
    if not side.live:
        raise side.rules.refuse("misplaced-renegotiation", "no energy flows")
    # Nothing watches the flow until the loop goes on.
    await side.no_power()
    return "OK"


_PROGRESS = {
    "Start": _start,
    "Stop": _stop,
    "Standby": _standby,
    "ScheduleRenegotiation": _renegotiate,
}


async def welding_detection(side: ChargerSide, request: Message) -> Answer:
    """Tell the voltage at the outlet while the vehicle opens its contactor."""
    reading = await side.plant.read()
    return side.answer("DC_WeldingDetection", EVSEPresentVoltage=rational(reading.voltage_v))


async def session_stop(side: ChargerSide, request: Message) -> Answer:
    """End the session, pause it, or go back to the choice of services."""
    wanted = request.body["ChargingSession"]
    if wanted == "ServiceRenegotiation" and not (side.offer.renegotiable and side.granted):
        raise side.rules.refuse("renegotiation-not-served")
    if wanted == "Pause" and not side.granted:
        raise side.rules.refuse("pause-not-served", "nobody is authorised yet")
    if side.live:
        await side.disconnect()
    side.ready = False
    if wanted == "Pause":
        facts = {"way": side.way, "contract": side.contract}
        side.offer.paused.keep(Paused(side.session_id, side.vehicle, side.protocol, facts))
    return side.answer("SessionStop", wanted)
