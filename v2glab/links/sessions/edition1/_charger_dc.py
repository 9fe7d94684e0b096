"""The charger's DC answers of DIN 70121 and ISO 15118-2; every one is what the plant does and measures."""

from __future__ import annotations

from collections.abc import Mapping

from v2glab.evidence import DeviceError
from v2glab.links.sessions._message import Body, Message
from v2glab.links.sessions._offer import Offer
from v2glab.links.sessions._plant import ChargerPlant, ChargerReading
from v2glab.links.sessions._serve import Answer
from v2glab.links.sessions.edition1._charger import Edition1Service
from v2glab.links.sessions.edition1._rules import Edition1Rules
from v2glab.links.sessions.edition1._values import bound, number, optional, physical

#: A request must not fail on the last digit that a message can carry.
_ROUNDING = 1.001


class DcService(Edition1Service):
    """Cable check, pre-charge, loop and test for welds."""

    def __init__(self, plant: ChargerPlant, offer: Offer, rules: Edition1Rules | None = None) -> None:
        super().__init__(plant, offer, rules)
        self._target_v = self._test_v = 0.0
        for name, handler in {
            "CableCheck": self._cable_check,
            "PreCharge": self._pre_charge,
            "CurrentDemand": self._current_demand,
            "WeldingDetection": self._welding_detection,
        }.items():
            self._serve(name, handler)

    def _take_dc(self, told: Body) -> None:
        """Refuse limits of a battery that this charger cannot serve."""
        limits, volts = self.plant.limits, number(told["EVMaximumVoltageLimit"])
        ampere, watt = number(told["EVMaximumCurrentLimit"]), optional(told, "EVMaximumPowerLimit")
        if volts < limits.low_v or ampere <= 0 or (watt is not None and watt <= 0):
            text = f"{volts:g} V, {ampere:g} A, {watt} W; charger from {limits.low_v:g} V"
            raise self.refusal("charge-parameter", text)
        self._test_v = min(volts, limits.high_v)
        self._insulation = "Invalid"

    async def _dc_parameter(self) -> Body:
        limits = self.plant.limits
        return {
            "DC_EVSEStatus": self._dc_status(await self.plant.read(), "EVSE_NotReady"),
            "EVSEMaximumCurrentLimit": bound(limits.charge_a, "A"),
            "EVSEMaximumPowerLimit": bound(limits.charge_w, "W"),
            "EVSEMaximumVoltageLimit": bound(limits.high_v, "V"),
            "EVSEMinimumCurrentLimit": physical(limits.least_a, "A"),
            "EVSEMinimumVoltageLimit": physical(limits.low_v, "V"),
            "EVSEPeakCurrentRipple": physical(self.rules.choice.peak_ripple_a, "A"),
        }

    async def _cable_check(self, request: Message) -> Answer:
        self._healthy(request)
        found = await self.plant.insulation(self._test_v)
        if found == "fault":
            raise self.refusal("insulation", f"tested at {self._test_v:g} V")
        reading = await self.plant.read()
        if found == "ongoing":
            status = self._dc_status(reading, "EVSE_IsolationMonitoringActive")
            body = {"DC_EVSEStatus": status, "EVSEProcessing": "Ongoing"}
            return self.granted("CableCheck", body, "Ongoing")
        self._insulation = "Valid"
        body = {"DC_EVSEStatus": self._dc_status(reading), "EVSEProcessing": "Finished"}
        return self.granted("CableCheck", body)

    async def _pre_charge(self, request: Message) -> Answer:
        self._healthy(request)
        volts, ampere = number(request.body["EVTargetVoltage"]), number(request.body["EVTargetCurrent"])
        limits, most_a = self.plant.limits, self.rules.choice.pre_charge_current_a
        if not limits.low_v <= volts <= limits.high_v:
            raise self.refusal("set-point", f"{volts:g} V, {limits.low_v:g} to {limits.high_v:g} V possible")
        if ampere > most_a * _ROUNDING:
            raise self.refusal("set-point", f"pre-charge with {ampere:g} A, at most {most_a:g} A")
        self._target_v = volts
        await self.plant.pre_charge(volts, most_a)
        return self.granted("PreCharge", await self._told())

    async def _connect_dc(self) -> None:
        """Close the contactor on a battery whose voltage the output has reached."""
        reading = await self.plant.read()
        if abs(reading.voltage_v - self._target_v) > self.rules.choice.pre_charge_tolerance_v:
            text = f"output {reading.voltage_v:.4g} V, battery {self._target_v:.4g} V"
            raise self.refusal("voltage-apart", text)
        await self._connect()

    async def _connect(self) -> None:
        try:
            await self.plant.connect()
        except DeviceError as error:
            raise self.refusal("contactor", error.found) from error
        if not (await self.plant.read()).contactor_closed:
            raise self.refusal("contactor", "it did not close")

    async def _disconnect(self) -> None:
        try:
            await self.plant.disconnect()
        except DeviceError as error:
            raise self.refusal("contactor", error.found) from error
        if (await self.plant.read()).contactor_closed:
            raise self.refusal("contactor", "it did not open")

    async def _current_demand(self, request: Message) -> Answer:
        self._healthy(request)
        volts, ampere = number(request.body["EVTargetVoltage"]), number(request.body["EVTargetCurrent"])
        limits = self.plant.limits
        if not 0 <= ampere <= limits.charge_a * _ROUNDING or volts > limits.high_v * _ROUNDING:
            text = f"{ampere:g} A up to {volts:g} V, charger {limits.charge_a:g} A up to {limits.high_v:g} V"
            raise self.refusal("set-point", text)
        before = await self.plant.read()
        reading, at_power = before, False
        if not before.fault:
            # The charger alone knows the voltage: where voltage and current together are more than its power,
            # both protocols have it hold its power and say so (EVSEPowerLimitAchieved).
            most_a = limits.charge_w / before.voltage_v if before.voltage_v > 0 else ampere
            at_power = ampere > most_a
            await self.plant.set_dc(volts, -min(ampere, most_a, limits.charge_a))
            reading = await self.plant.read()
        if reading.fault:
            await self.plant.make_safe()
        return self._loop_answer(request, reading, {
            "DC_EVSEStatus": self._dc_status(reading),
            "EVSEPresentVoltage": physical(max(0.0, reading.voltage_v), "V"),
            # Both protocols count charging positive.
            "EVSEPresentCurrent": physical(-reading.current_a, "A"),
            "EVSECurrentLimitAchieved": ampere * _ROUNDING >= limits.charge_a,
            "EVSEVoltageLimitAchieved": reading.voltage_v >= volts,
            "EVSEPowerLimitAchieved": at_power,
            "EVSEMaximumVoltageLimit": bound(limits.high_v, "V"),
            "EVSEMaximumCurrentLimit": bound(limits.charge_a, "A"),
            "EVSEMaximumPowerLimit": bound(limits.charge_w, "W"),
        })  # fmt: skip

    def _loop_answer(self, request: Message, reading: ChargerReading, body: Body) -> Answer:
        return self.granted("CurrentDemand", body)

    async def _welding_detection(self, request: Message) -> Answer:
        return self.granted("WeldingDetection", await self._told())

    async def _told(self) -> Body:
        reading = await self.plant.read()
        volts = physical(max(0.0, reading.voltage_v), "V")
        return {"DC_EVSEStatus": self._dc_status(reading), "EVSEPresentVoltage": volts}

    def _healthy(self, request: Message) -> None:
        status: Mapping[str, object] = request.body["DC_EVStatus"]
        if status["EVErrorCode"] != "NO_ERROR":
            raise self.refusal("vehicle-fault", str(status["EVErrorCode"]))
