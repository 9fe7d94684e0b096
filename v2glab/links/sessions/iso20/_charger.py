"""What the charger's side knows of a session, and what all its answers share."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from v2glab.links.sessions._message import Body
from v2glab.links.sessions._offer import Offer
from v2glab.links.sessions._plant import ChargerPlant, ChargerReading, PowerLimits
from v2glab.links.sessions._serve import Answer, Refusal
from v2glab.links.sessions.iso20._modes import Control, Mode, common
from v2glab.links.sessions.iso20._rules import EnergyService, Iso20Rules, Kind, load_iso20_rules


@dataclass
class ChargerSide:
    """One session at the charger.

    ``live``: power may flow. ``ready``: the DC output has the battery's voltage. ``schedule`` is what both
    ends may use of the power, as last offered; None before.
    """

    plant: ChargerPlant
    offer: Offer
    kind: Kind
    protocol: str
    rules: Iso20Rules = field(default_factory=load_iso20_rules)
    session_id: str = ""
    vehicle: str = ""
    challenge: bytes = b""
    way: str = ""
    contract: str = ""
    contract_key: object = None
    granted: bool = False
    service: EnergyService | None = None
    mode: Mode = field(default=Mode("DC", bidirectional=False))
    vehicle_limits: PowerLimits | None = None
    schedule: PowerLimits | None = None
    schedule_id: int = 0
    live: bool = False
    ready: bool = False
    metering: str = ""
    installing: object = None

    @property
    def services(self) -> dict[str, EnergyService]:
        """Energy services that this charger offers in this protocol."""
        exports = self.plant.limits.export_w > 0
        return {
            name: service
            for name in self.offer.services
            if (service := self.rules.service[name]).kind == self.kind
            and (exports or not service.bidirectional)
        }

    @property
    def controls(self) -> dict[int, Control]:
        """Control modes by the identifier of their parameter set."""
        return dict(enumerate(self.offer.control, 1))

    @property
    def limits(self) -> PowerLimits:
        """What both ends allow."""
        own = self.plant.limits
        return common(own, self.vehicle_limits or own, self.mode)

    def answer(self, *said: str, code: str = "OK", body: Body | None = None, **more: object) -> Answer:
        """Return an answer; ``said`` chooses what may follow."""
        return Answer({"ResponseCode": code, **(body or {}), **more}, self.rules.after(*said))

    async def no_power(self) -> None:
        """Let no power flow, contactors as they are."""
        if self.mode.kind == "DC":
            await self.plant.set_dc((await self.plant.read()).voltage_v, 0.0)
        else:
            await self.plant.set_power(0.0)

    async def disconnect(self) -> None:
        """Take the power away and open the contactor.

        Raises
        ------
        Refusal
            It did not open.
        """
        self.live = self.ready = False
        await self.plant.disconnect()
        if (await self.plant.read()).contactor_closed:
            raise self.rules.refuse("contactor", "the contactor is still closed")

    def refusal_of_fault(self, reading: ChargerReading) -> Refusal | None:
        """Return what a fault of the charger is answered with."""
        if not reading.fault:
            return None
        name = reading.fault if reading.fault in {"contactor", "insulation"} else "emergency"
        return self.rules.refuse(name, f"the charger's fault: {reading.fault}")

    def meter_info(self, reading: ChargerReading) -> Body:
        """Return the meter's reading as a message tells it."""
        info: Body = {
            "MeterID": self.offer.meter_id,
            "ChargedEnergyReadingWh": max(0, round(reading.energy_import_wh)),
        }
        if self.mode.bidirectional:
            info["BPT_DischargedEnergyReadingWh"] = max(0, round(reading.energy_export_wh))
        return info | {"MeterTimestamp": int(time.time())}
