"""The vehicle's requests from charge parameters to the grant of PowerDelivery."""

from __future__ import annotations

import time

from v2glab.links.sessions._message import Body, Message
from v2glab.links.sessions.iso20._modes import contradiction, limits_body, limits_of
from v2glab.links.sessions.iso20._numbers import number, rational
from v2glab.links.sessions.iso20._vehicle_side import VehicleSide, Waiting

_POINTS = 1024


async def agree(side: VehicleSide) -> None:
    """Exchange limits and a schedule."""
    mode = side.mode
    told = limits_body(side.plant.limits, mode, "EV")
    if mode.kind == "DC":
        told["TargetSOC"] = round(side.plant.needs.target_soc_percent)
    answer = await side.ask(f"{mode.kind}_ChargeParameterDiscovery", {mode.discovery("Req"): told})
    block = answer.body.get(mode.discovery("Res"))
    if block is None:
        raise side.asker.fail("limits", answer, f"no {mode.discovery('Res')}")
    side.charger = limits_of(block, mode, "EVSE")
    wrong = contradiction(side.charger, mode)
    if not wrong and mode.kind == "DC" and side.limits.low_v > side.limits.high_v:
        wrong = "no voltage in common"
    if wrong:
        raise side.asker.fail("limits", answer, wrong)
    await exchange_schedule(side)


async def exchange_schedule(side: VehicleSide) -> None:
    """Ask for a schedule and take the first."""
    mode, needs = side.mode, side.plant.needs
    soc = (await side.plant.read()).soc_percent
    wanted_wh = (needs.target_soc_percent - soc) * needs.capacity_wh / 100
    most_wh = (needs.most_soc_percent - soc) * needs.capacity_wh / 100
    least_wh = (needs.least_soc_percent - soc) * needs.capacity_wh / 100
    body: Body = {
        "EVTargetEnergyRequest": rational(wanted_wh),
        "EVMaximumEnergyRequest": rational(most_wh),
        "EVMinimumEnergyRequest": rational(least_wh),
    }
    if needs.departure_s is not None or not mode.scheduled:
        body["DepartureTime"] = int(needs.departure_s or side.rules.figures.schedule_s)
    if not mode.scheduled:
        body["TargetSOC"], body["MinimumSOC"] = (
            round(needs.target_soc_percent), round(needs.least_soc_percent),
        )  # fmt: skip
    request = {"MaximumSupportingPoints": _POINTS, f"{mode.control_name}_SEReqControlMode": body}
    limit_s = side.asker.link.rules.limits["iso20"].ongoing_s
    answer = await side.ask_until("ScheduleExchange", request, limit_s, "ongoing-too-long")
    _take_schedule(side, answer)


def _take_schedule(side: VehicleSide, answer: Message) -> None:
    block = answer.body.get(f"{side.mode.control_name}_SEResControlMode")
    if block is None:
        raise side.asker.fail("unexpected-message", answer, f"no {side.mode.control_name} schedule")
    if not side.mode.scheduled:
        return
    first = block["ScheduleTuple"][0]
    side.schedule_id = first["ScheduleTupleID"]
    export = _largest(first["DischargingSchedule"]) if "DischargingSchedule" in first else 0.0
    side.schedule_w = _largest(first["ChargingSchedule"]), export


def _largest(schedule: Body) -> float:
    entries = schedule["PowerSchedule"]["PowerScheduleEntries"]["PowerScheduleEntry"]
    return max(abs(number(e["Power"])) for e in entries)


async def prepare_dc(side: VehicleSide) -> None:
    """Have the insulation tested and the voltage brought to that of the battery; close the contactor."""
    limits = side.asker.link.rules.limits["iso20"]
    await side.ask_until("DC_CableCheck", None, limits.cable_check_s, "insulation")
    await _pre_charge(side, limits.pre_charge_s)
    await side.plant.close_contactor()


async def _pre_charge(side: VehicleSide, limit_s: float) -> None:
    waited = Waiting(side.sleep, side.rules.figures.poll_s)
    window_v = side.rules.figures.pre_charge_window_v
    while True:
        target_v = (await side.plant.read()).voltage_v
        body = {
            "EVProcessing": "Ongoing",
            "EVPresentVoltage": rational(target_v),
            "EVTargetVoltage": rational(target_v),
        }
        answer = await side.ask("DC_PreCharge", body)
        found_v = number(answer.body["EVSEPresentVoltage"])
        if abs(found_v - target_v) < window_v:
            break
        if waited.passed_s >= limit_s:
            told = f"{found_v:g} V after {limit_s:g} s, battery at {target_v:g} V"
            raise side.asker.fail("pre-charge", answer, told)
        await waited.once()
    await side.ask("DC_PreCharge", body | {"EVProcessing": "Finished"})
    side.voltage_v = found_v


async def start_power(side: VehicleSide) -> None:
    """Ask for power."""
    await deliver(side, "Start")
    side.live = True


async def deliver(side: VehicleSide, progress: str) -> Message:
    """Ask PowerDelivery for a progress, with the vehicle's profile where one is due."""
    body: Body = {"EVProcessing": "Finished", "ChargeProgress": progress}
    if side.mode.scheduled and progress in {"Start", "ScheduleRenegotiation"}:
        body["EVPowerProfile"] = _profile(side)
    return await side.ask("PowerDelivery", body)


def _profile(side: VehicleSide) -> Body:
    # What the vehicle may take at most: it decides within that in the loop.
    power_w = min(side.limits.charge_w, side.schedule_w[0])
    entry = {"Duration": side.rules.figures.schedule_s, "Power": rational(power_w, "down")}
    return {
        "TimeAnchor": int(time.time()),
        "Scheduled_EVPPTControlMode": {
            "SelectedScheduleTupleID": side.schedule_id,
            # Optional, but an open charger refuses a profile without it; the vehicle keeps to its profile.
            "PowerToleranceAcceptance": "PowerToleranceConfirmed",
        },
        "EVPowerProfileEntries": {"EVPowerProfileEntry": [entry]},
    }
