"""The vehicle's requests in the loop."""

from __future__ import annotations

import math

from v2glab.evidence import LimitError
from v2glab.links.sessions._failure import failure
from v2glab.links.sessions._message import Body, Message
from v2glab.links.sessions._plant import PowerLimits, VehicleReading
from v2glab.links.sessions._vehicle import LoopState, Notice
from v2glab.links.sessions.iso20._modes import limits_of, loop_limits
from v2glab.links.sessions.iso20._numbers import number, phases_sum, rational
from v2glab.links.sessions.iso20._pnc import confirm_metering
from v2glab.links.sessions.iso20._vehicle_side import VehicleSide

_NOTICES: dict[str, Notice] = {
    "Terminate": "stop",
    "Pause": "pause",
    "ScheduleRenegotiation": "renegotiate",
    "ServiceRenegotiation": "renegotiate",
}


async def loop_once(side: VehicleSide, power_w: float) -> LoopState:
    """Exchange one pair of messages with a power wanted, export positive, W at the connector."""
    reading = await side.plant.read()
    if reading.fault:
        name = f"{side.mode.kind}_ChargeLoopReq"
        raise failure("emergency", name, "evcc", f"the vehicle's fault: {reading.fault}")
    side.check(power_w, reading.soc_percent)
    block = _scheduled(side, reading, power_w) if side.mode.scheduled else _dynamic(side, reading, power_w)
    body: Body = {
        "DisplayParameters": _shown(side, reading),
        "MeterInfoRequested": True,
        side.mode.loop("Req"): block,
    }
    if side.mode.kind == "DC":
        body["EVPresentVoltage"] = rational(reading.voltage_v)
    answer = await side.ask(f"{side.mode.kind}_ChargeLoop", body)
    state = _state(side, answer, reading)
    await _confirm(side, answer)
    return state


def _scheduled(side: VehicleSide, reading: VehicleReading, power_w: float) -> Body:
    mode = side.mode
    block = loop_limits(side.plant.limits, mode, "EV")
    if mode.kind == "AC":
        return block | {"EVPresentActivePower": rational(-power_w, "zero")}
    # The voltage of the last answer: where the charger measures its limits.
    volts = side.voltage_v or reading.voltage_v
    current_a = power_w / volts
    bound = side.limits.export_a if current_a > 0 else side.limits.charge_a
    if abs(current_a) > bound:
        found = f"{abs(current_a):.4g} A for {power_w:g} W"
        raise LimitError(found, f"at most {bound:g} A", "ask for less power")
    target_v = side.limits.high_v
    return block | {
        "EVTargetCurrent": rational(-current_a, "zero"),
        "EVTargetVoltage": rational(target_v, "down"),
    }


def _dynamic(side: VehicleSide, reading: VehicleReading, power_w: float) -> Body:
    """Leave the charger one choice: bounds that hold the wanted power alone."""
    own = side.plant.limits
    charge, export = max(0.0, -power_w), max(0.0, power_w)
    narrowed = PowerLimits(
        charge, export, own.charge_a, own.export_a, own.low_v, own.high_v, 0.0, 0.0, own.least_a
    )
    # An hour of the wanted power: its sign says which way, its size what is asked for.
    wanted_wh = rational(-power_w)
    needs = side.plant.needs
    room_wh = (needs.most_soc_percent - reading.soc_percent) * needs.capacity_wh / 100
    block = loop_limits(narrowed, side.mode, "EV") | {
        "EVTargetEnergyRequest": wanted_wh,
        "EVMaximumEnergyRequest": rational(room_wh),
        "EVMinimumEnergyRequest": rational(min(0.0, -power_w)),
    }
    if side.mode.kind == "AC":
        block |= {
            "EVPresentActivePower": rational(-power_w, "zero"),
            "EVPresentReactivePower": rational(0.0),
        }
    return block


def _shown(side: VehicleSide, reading: VehicleReading) -> Body:
    needs = side.plant.needs
    return {
        "PresentSOC": min(100, max(0, round(reading.soc_percent))),
        "MinimumSOC": round(needs.least_soc_percent),
        "TargetSOC": round(needs.target_soc_percent),
        "MaximumSOC": round(needs.most_soc_percent),
        "ChargingComplete": reading.soc_percent >= needs.most_soc_percent,
        "BatteryEnergyCapacity": rational(needs.capacity_wh),
    }


def _state(side: VehicleSide, answer: Message, reading: VehicleReading) -> LoopState:
    body, mode = answer.body, side.mode
    block = body.get(mode.loop("Res"))
    if block is None:
        raise side.asker.fail("unexpected-message", answer, f"no {mode.loop('Res')}")
    if mode.kind == "DC":
        side.charger = limits_of(block, mode, "EVSE", side.charger)
        volts, amperes = number(body["EVSEPresentVoltage"]), 0.0 - number(body["EVSEPresentCurrent"])
        _check_measured(side, answer, volts, amperes, reading)
        side.voltage_v, power_w = volts, volts * amperes
    else:
        volts = amperes = math.nan  # no message of AC carries them
        told = "EVSEPresentActivePower"
        power_w = 0.0 - phases_sum(block, told) if told in block else math.nan
    side.meter = body.get("MeterInfo")
    meter, limits = side.meter or {}, side.charger
    notice = body.get("EVSEStatus", {}).get("EVSENotification", "")
    return LoopState(
        volts,
        amperes,
        power_w,
        _energy(meter, "ChargedEnergyReadingWh"),
        _energy(meter, "BPT_DischargedEnergyReadingWh"),
        _NOTICES.get(notice, ""),
        limits.charge_w if limits else None,
        limits.export_w if limits else None,
    )


def _energy(meter: Body, name: str) -> float | None:
    return float(meter[name]) if name in meter else None


def _check_measured(
    side: VehicleSide, answer: Message, volts: float, amperes: float, reading: VehicleReading
) -> None:
    share = side.rules.figures.voltage_agreement
    if abs(volts - reading.voltage_v) > share * reading.voltage_v:
        raise side.asker.fail("measurement", answer, f"{volts:g} V, battery {reading.voltage_v:g} V")
    limits = side.limits
    most = max(limits.charge_a, limits.export_a)
    if abs(amperes) > (1 + share) * most:
        raise side.asker.fail("measurement", answer, f"{amperes:g} A, at most {most:g} A")


async def _confirm(side: VehicleSide, answer: Message) -> None:
    asked = answer.body.get("EVSEStatus", {}).get("EVSENotification") == "MeteringConfirmation"
    if asked and side.meter is not None:
        await confirm_metering(side, side.meter)
