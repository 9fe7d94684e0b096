"""The vehicle in ISO 15118-2: direct and alternating current."""

from __future__ import annotations

from v2glab.evidence import InputError, LimitError
from v2glab.links.sessions._message import Body, Message
from v2glab.links.sessions._vehicle import LoopState
from v2glab.links.sessions.edition1 import DC_MODE
from v2glab.links.sessions.edition1._values import bound, number, physical
from v2glab.links.sessions.edition1._vehicle_dc import DcVehicle
from v2glab.links.sessions.iso2._vehicle import Iso2Vehicle

_ROUNDING = 1.001


class Iso2DcVehicle(Iso2Vehicle, DcVehicle):
    """Direct current."""

    def _mode(self, offered: list[str]) -> str | None:
        return DC_MODE if DC_MODE in offered else None

    async def _parameters(self) -> Body:
        return {
            "RequestedEnergyTransferMode": self.mode,
            "DC_EVChargeParameter": {**_departure(self), **await self._charge_parameter()},
        }

    async def _delivery(self, progress: str) -> Body:
        reading = await self.plant.read()
        done = reading.soc_percent >= self.plant.needs.most_soc_percent
        body: Body = {"ChargeProgress": progress, "SAScheduleTupleID": self._schedule}
        if progress == "Start":
            most_w = min(self._granted_w, self.plant.limits.charge_w)
            body["ChargingProfile"] = _profile(most_w)
        parameter = {"DC_EVStatus": self._status(reading), "ChargingComplete": done}
        return {**body, "DC_EVPowerDeliveryParameter": parameter}

    async def _renegotiate(self) -> None:
        await self.asker.ask("PowerDelivery", await self._delivery("Renegotiate"))
        self._flows = False
        # The insulation is tested anew, which the battery must not be connected to.
        await self.plant.open_contactor()
        await self._arrange()

    async def _check(self, charge_w: float) -> None:
        _within_schedule(charge_w, self._granted_w)
        await super()._check(charge_w)

    async def _meter(self, answer: Message) -> float | None:
        return await self._settle_meter(answer)


class Iso2AcVehicle(Iso2Vehicle):
    """Alternating current.

    No message of its loop asks for a power: the vehicle announces a charging profile, and another power
    takes another profile, for which it renegotiates.
    """

    kind = "ac"
    #: What the charger announced: A a phase, V, phases.
    current_a = nominal_v = 0.0
    phases = 1
    _asked_w = _profile_w = 0.0

    def _mode(self, offered: list[str]) -> str | None:
        if self.plant.limits.phase_v <= 0:
            raise InputError(
                "a vehicle without phase_v", "the phase voltage of its inlet", "set it in limits"
            )
        fit = [mode for mode in offered if mode in self.rules.ac]
        return max(fit, key=self.rules.ac.__getitem__) if fit else None

    async def _arrange(self) -> None:
        self.phases = self.rules.ac[self.mode]
        self.progress.tell("ChargeParameterDiscovery")
        answer, told = await self._discover_parameters(self._parameters)
        self._take_schedule(answer)
        self.current_a, self.nominal_v = number(told["EVSEMaxCurrent"]), number(told["EVSENominalVoltage"])
        limits = self.plant.limits
        if self.current_a <= 0 or self.nominal_v <= 0:
            raise self.asker.fail("limits", answer, f"{self.current_a:g} A at {self.nominal_v:g} V")
        # By rounding the schedule may be a little lower than what was asked for.
        self._profile_w = min(self._asked_w, self._granted_w, limits.charge_w)
        self.progress.tell("PowerDelivery")
        await self.plant.close_contactor()
        await self._start()

    async def _start(self) -> None:
        answer = await self.asker.ask("PowerDelivery", {
            "ChargeProgress": "Start", "SAScheduleTupleID": self._schedule,
            "ChargingProfile": _profile(self._profile_w),
        })  # fmt: skip
        self._heed(answer, answer.body["AC_EVSEStatus"])
        self._flows = True

    async def _parameters(self) -> Body:
        limits, needs, reading = self.plant.limits, self.plant.needs, await self.plant.read()
        missing = (needs.target_soc_percent - reading.soc_percent) / 100 * needs.capacity_wh
        volts = limits.phase_v
        ampere = limits.charge_w / (self.phases * volts)
        return {
            "RequestedEnergyTransferMode": self.mode,
            "AC_EVChargeParameter": {
                **_departure(self),
                "EAmount": physical(max(0.0, missing), "Wh"),
                "EVMaxVoltage": bound(volts, "V"),
                "EVMaxCurrent": bound(ampere, "A"),
                "EVMinCurrent": physical(limits.least_charge_w / (self.phases * volts), "A"),
            },
        }

    async def _renegotiate(self) -> None:
        body = {"ChargeProgress": "Renegotiate", "SAScheduleTupleID": self._schedule}
        await self.asker.ask("PowerDelivery", body)
        self._flows = False
        await self._arrange()

    async def _check(self, charge_w: float) -> None:
        _within_schedule(charge_w, self._granted_w)
        limits, most_w = self.plant.limits, self.current_a * self.nominal_v * self.phases
        if charge_w > min(most_w, limits.charge_w) * _ROUNDING:
            required = f"at most {min(most_w, limits.charge_w):g} W, the lower of both ends"
            raise LimitError(f"{charge_w:g} W", required, "ask for less")

    async def _cycle(self, charge_w: float) -> LoopState:
        if charge_w != self._asked_w:
            self._asked_w = charge_w
            await self._renegotiate()
        answer = await self.asker.ask("ChargingStatus")
        notice = self._heed(answer, answer.body["AC_EVSEStatus"])
        if "EVSEMaxCurrent" in answer.body:
            self.current_a = number(answer.body["EVSEMaxCurrent"])
        import_wh = await self._settle_meter(answer)
        reading = await self.plant.read()
        # The answer tells neither power nor current: they are the vehicle's own measurement.
        power_w = reading.voltage_v * reading.current_a
        most_w = self.current_a * self.nominal_v * self.phases
        return LoopState(
            self.nominal_v, reading.current_a, power_w, import_wh, None, notice, limit_charge_w=most_w
        )

    async def _end_flow(self) -> None:
        body = {"ChargeProgress": "Stop", "SAScheduleTupleID": self._schedule}
        await self.asker.ask("PowerDelivery", body)
        self._flows = False
        await self.plant.open_contactor()


def _departure(vehicle: Iso2Vehicle) -> Body:
    seconds = vehicle.plant.needs.departure_s
    return {} if seconds is None else {"DepartureTime": round(seconds)}


def _profile(most_w: float) -> Body:
    entry = {"ChargingProfileEntryStart": 0, "ChargingProfileEntryMaxPower": bound(most_w, "W")}
    return {"ProfileEntry": [entry]}


def _within_schedule(charge_w: float, granted_w: float) -> None:
    if charge_w > granted_w * _ROUNDING:
        required = f"at most {granted_w:g} W, as the schedule grants"
        raise LimitError(f"{charge_w:g} W", required, "ask for less, or renegotiate")
