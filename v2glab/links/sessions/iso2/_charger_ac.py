"""The charger's AC answers in ISO 15118-2."""

from __future__ import annotations

from abc import abstractmethod

from v2glab.links.sessions._message import Body, Message
from v2glab.links.sessions._plant import ChargerReading
from v2glab.links.sessions._serve import Answer
from v2glab.links.sessions.edition1._charger import Edition1Service
from v2glab.links.sessions.edition1._values import bound, number, physical


class AcAnswers(Edition1Service):
    """Alternating current. The vehicle's charging profile sets the power; the loop only reports."""

    mode = ""
    _vehicle_a = 0.0

    def _take_ac(self, told: Body) -> None:
        """Refuse limits of a vehicle that this charger cannot serve."""
        volts, most = number(told["EVMaxVoltage"]), number(told["EVMaxCurrent"])
        least, nominal = number(told["EVMinCurrent"]), self.plant.limits.phase_v
        if volts < nominal or most <= 0 or least > min(most, self._most_a()):
            text = f"{volts:g} V, {least:g} to {most:g} A; charger {nominal:g} V, {self._most_a():g} A"
            raise self.refusal("charge-parameter", text)
        self._vehicle_a = most

    def _most_a(self) -> float:
        """Return the largest current of a phase, A."""
        limits = self.plant.limits
        return limits.charge_w / (self.rules.ac[self.mode] * limits.phase_v)

    def _most_ac_w(self) -> float:
        """Return what a vehicle of that current can take, W."""
        return self._vehicle_a * self.rules.ac[self.mode] * self.plant.limits.phase_v

    async def _ac_parameter(self) -> Body:
        return {
            "AC_EVSEStatus": self._ac_status(await self.plant.read()),
            "EVSENominalVoltage": physical(self.plant.limits.phase_v, "V"),
            "EVSEMaxCurrent": bound(self._most_a(), "A"),
        }

    async def _charging_status(self, request: Message) -> Answer:
        reading = await self.plant.read()
        if reading.fault:
            await self.plant.make_safe()
        meter, state = self._meter(reading)
        body = {
            "EVSEID": self.offer.evse_id, "SAScheduleTupleID": 1,
            "EVSEMaxCurrent": bound(self._most_a(), "A"),
            "AC_EVSEStatus": self._ac_status(reading), **meter,
        }  # fmt: skip
        return self.granted("ChargingStatus", body, state)

    def _ac_status(self, reading: ChargerReading) -> Body:
        # This status has no code for a fault: a tripped RCD is the one that ends the flow at once.
        notification = self._notification()
        return {"NotificationMaxDelay": 0, "EVSENotification": notification, "RCD": bool(reading.fault)}

    @abstractmethod
    def _meter(self, reading: ChargerReading) -> tuple[Body, str]:
        """Return MeterInfo with ReceiptRequired, and the state of the sequence that follows."""
