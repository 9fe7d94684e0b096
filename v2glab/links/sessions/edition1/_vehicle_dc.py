"""The vehicle's DC messages of DIN 70121 and ISO 15118-2: from the cable check to the test for welds."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

from v2glab.evidence import LimitError
from v2glab.links.sessions._message import Body, Message
from v2glab.links.sessions._plant import VehicleReading
from v2glab.links.sessions._vehicle import LoopState
from v2glab.links.sessions.edition1._values import bound, number, optional, physical
from v2glab.links.sessions.edition1._vehicle import Edition1Vehicle

#: A comparison must not fail on the last digit that a message can carry.
_ROUNDING = 1.001


@dataclass
class ChargerBounds:
    """What the charger announced: A, V and W; ``power_w`` is None where it told none."""

    current_a: float
    least_a: float
    low_v: float
    high_v: float
    power_w: float | None


class DcVehicle(Edition1Vehicle):
    """Direct current."""

    kind = "dc"
    bounds: ChargerBounds
    _present_v = 0.0
    _ready = False

    async def _arrange(self) -> None:
        self.progress.tell("ChargeParameterDiscovery")
        self.bounds = await self._discover()
        self._ready = True
        self.progress.tell("CableCheck")
        await self._cable_check()
        self.progress.tell("PreCharge")
        await self._pre_charge()
        self.progress.tell("PowerDelivery")
        await self.plant.close_contactor()
        answer = await self.asker.ask("PowerDelivery", await self._delivery("Start"))
        self._heed(answer, answer.body["DC_EVSEStatus"])
        self._flows = True

    async def _discover(self) -> ChargerBounds:
        """Tell the battery's limits until the charger has decided on its own."""
        answer, told = await self._discover_parameters(self._parameters)
        self._take_schedule(answer)
        bounds = ChargerBounds(
            number(told["EVSEMaximumCurrentLimit"]),
            number(told["EVSEMinimumCurrentLimit"]),
            number(told["EVSEMinimumVoltageLimit"]),
            number(told["EVSEMaximumVoltageLimit"]),
            optional(told, "EVSEMaximumPowerLimit"),
        )
        volts = (await self.plant.read()).voltage_v
        if not bounds.low_v <= volts <= bounds.high_v or bounds.current_a <= 0:
            text = (
                f"{bounds.low_v:g} to {bounds.high_v:g} V and {bounds.current_a:g} A, battery {volts:.4g} V"
            )
            raise self.asker.fail("limits", answer, text)
        return bounds

    @abstractmethod
    async def _parameters(self) -> Body:
        """Return the body of ChargeParameterDiscoveryReq."""

    @abstractmethod
    def _take_schedule(self, answer: Message) -> None:
        """Choose a schedule of ChargeParameterDiscoveryRes."""

    @abstractmethod
    async def _delivery(self, progress: str) -> Body:
        """Return the body of PowerDeliveryReq: ``Start``, ``Stop`` or ``Renegotiate``."""

    async def _charge_parameter(self) -> Body:
        reading, limits, needs = await self.plant.read(), self.plant.limits, self.plant.needs
        return {
            "DC_EVStatus": self._status(reading),
            "EVMaximumCurrentLimit": bound(limits.charge_a, "A"),
            "EVMaximumPowerLimit": bound(limits.charge_w, "W"),
            "EVMaximumVoltageLimit": bound(limits.high_v, "V"),
            "EVEnergyCapacity": physical(needs.capacity_wh, "Wh"),
            "EVEnergyRequest": physical(self._energy_wh(reading), "Wh"),
            "FullSOC": round(needs.most_soc_percent),
            "BulkSOC": round(needs.target_soc_percent),
        }

    def _energy_wh(self, reading: VehicleReading) -> float:
        needs = self.plant.needs
        return max(0.0, (needs.target_soc_percent - reading.soc_percent) / 100 * needs.capacity_wh)

    async def _cable_check(self) -> None:
        async def body() -> Body:
            return {"DC_EVStatus": self._status(await self.plant.read())}

        answer = await self._until_finished("CableCheck", body, self._limits.cable_check_s, "insulation")
        status = answer.body["DC_EVSEStatus"]
        self._heed(answer, status)
        insulation = status.get("EVSEIsolationStatus", "Invalid")
        if insulation not in {"Valid", "Warning"}:
            raise self.asker.fail("insulation", answer, insulation)

    async def _pre_charge(self) -> None:
        choice, patience = self.rules.choice, self._patience(self._limits.pre_charge_s)
        while True:
            reading = await self.plant.read()
            answer = await self.asker.ask("PreCharge", {
                "DC_EVStatus": self._status(reading),
                "EVTargetVoltage": physical(reading.voltage_v, "V"),
                "EVTargetCurrent": physical(choice.pre_charge_current_a, "A"),
            })  # fmt: skip
            self._heed(answer, answer.body["DC_EVSEStatus"])
            self._present_v = number(answer.body["EVSEPresentVoltage"])
            apart = abs(self._present_v - reading.voltage_v)
            if apart <= choice.pre_charge_tolerance_v:
                return
            if not await patience.wait():
                text = f"{apart:.4g} V apart after {patience.spent_s:.3g} s"
                raise self.asker.fail("pre-charge", answer, text)

    async def _check(self, charge_w: float) -> None:
        limits, bounds = self.plant.limits, self.bounds
        most_w = min(limits.charge_w, bounds.power_w if bounds.power_w is not None else limits.charge_w)
        most_a = min(limits.charge_a, bounds.current_a)
        current_a = self._current_a(charge_w)
        if charge_w > most_w * _ROUNDING or current_a > most_a * _ROUNDING:
            raise LimitError(
                f"{charge_w:g} W, {current_a:.4g} A",
                f"at most {most_w:g} W and {most_a:g} A, the lower of both ends",
                "ask for less",
            )
        if 0 < current_a < bounds.least_a:
            found, required = f"{current_a:.4g} A", f"0 or at least {bounds.least_a:g} A (charger)"
            raise LimitError(found, required, "ask for more, or for nothing")

    def _current_a(self, charge_w: float) -> float:
        if charge_w and self._present_v <= 0:
            found = f"{self._present_v:g} V at the charger"
            raise LimitError(found, "a voltage at which a current gives power", "look at the pre-charge")
        return charge_w / self._present_v if charge_w else 0.0

    async def _cycle(self, charge_w: float) -> LoopState:
        reading, limits = await self.plant.read(), self.plant.limits
        answer = await self.asker.ask("CurrentDemand", {
            "DC_EVStatus": self._status(reading),
            "EVTargetCurrent": physical(self._current_a(charge_w), "A"),
            "EVMaximumVoltageLimit": bound(limits.high_v, "V"),
            "EVMaximumCurrentLimit": bound(limits.charge_a, "A"),
            "EVMaximumPowerLimit": bound(limits.charge_w, "W"),
            "ChargingComplete": reading.soc_percent >= self.plant.needs.most_soc_percent,
            "EVTargetVoltage": bound(min(limits.high_v, self.bounds.high_v), "V"),
        })  # fmt: skip
        body = answer.body
        notice = self._heed(answer, body["DC_EVSEStatus"])
        volts, current_a = number(body["EVSEPresentVoltage"]), number(body["EVSEPresentCurrent"])
        self._plausible(answer, volts, reading)
        self._present_v = volts
        self._renew(body)
        import_wh = await self._meter(answer)
        limit_w = self.bounds.power_w
        # Both protocols count charging positive.
        return LoopState(
            volts, -current_a, -volts * current_a, import_wh, None, notice, limit_charge_w=limit_w
        )

    def _plausible(self, answer: Message, volts: float, reading: VehicleReading) -> None:
        if abs(volts - reading.voltage_v) > self.rules.choice.plausible_v:
            text = f"charger {volts:.4g} V, battery {reading.voltage_v:.4g} V"
            raise self.asker.fail("measurement", answer, text)

    def _renew(self, body: Body) -> None:
        """Take limits that the charger changed meanwhile."""
        current_a = optional(body, "EVSEMaximumCurrentLimit")
        self.bounds.current_a = self.bounds.current_a if current_a is None else current_a
        power_w = optional(body, "EVSEMaximumPowerLimit")
        self.bounds.power_w = self.bounds.power_w if power_w is None else power_w

    async def _meter(self, answer: Message) -> float | None:
        """Return the meter's reading, Wh, None where the protocol tells none."""
        return None

    async def _end_flow(self) -> None:
        answer = await self.asker.ask("PowerDelivery", await self._delivery("Stop"))
        self._flows = False
        await self.plant.open_contactor()
        self._ready = False
        await self._test_for_welds(answer)

    async def _test_for_welds(self, answer: Message) -> None:
        choice = self.rules.choice
        patience = self._patience(choice.weld_s)
        self.progress.tell("WeldingDetection")
        while True:
            status = self._status(await self.plant.read())
            answer = await self.asker.ask("WeldingDetection", {"DC_EVStatus": status})
            volts = number(answer.body["EVSEPresentVoltage"])
            if volts <= choice.safe_voltage_v:
                return
            if not await patience.wait():
                text = f"{volts:.4g} V {patience.spent_s:.3g} s after opening"
                raise self.asker.fail("contactor", answer, text)

    def _status(self, reading: VehicleReading) -> Body:
        error = "FAILED_EVRESSMalfunction" if reading.fault else "NO_ERROR"
        return {"EVReady": self._ready, "EVErrorCode": error, "EVRESSSOC": self._soc(reading)}
