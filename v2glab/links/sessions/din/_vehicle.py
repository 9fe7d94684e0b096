"""The vehicle in DIN SPEC 70121."""

from __future__ import annotations

from v2glab.evidence import InputError
from v2glab.links.sessions._message import Body, Message
from v2glab.links.sessions._vehicle import DriverParts
from v2glab.links.sessions.edition1 import DC_MODE
from v2glab.links.sessions.edition1._rules import Edition1Rules
from v2glab.links.sessions.edition1._vehicle_dc import DcVehicle

_DIN = "DIN SPEC 70121"


class DinVehicle(DcVehicle):
    """Direct current, authorised at the charger; no pause, no renegotiation, no discharge."""

    dialect = "din"

    def __init__(self, parts: DriverParts, rules: Edition1Rules | None = None) -> None:
        wishes = parts.wishes
        if wishes.service.startswith("ac") or wishes.authorisation != "eim":
            found = f"{wishes.service} by {wishes.authorisation} in {_DIN}"
            raise InputError(
                found, "direct current, authorised at the charger", "agree on ISO 15118-2 or -20"
            )
        super().__init__(parts, rules)

    async def renegotiate(self) -> None:
        """Refuse: this protocol cannot.

        Raises
        ------
        InputError
            Always.
        """
        raise InputError(
            f"renegotiation in {_DIN}", "a protocol that has it", "stop, or agree on ISO 15118-2 or -20"
        )

    async def stop(self, *, pause: bool = False) -> None:
        """End the session; it cannot be paused.

        Raises
        ------
        InputError
            A pause was asked for; nothing was sent.
        """
        if pause:
            raise InputError(
                f"a pause in {_DIN}", "a protocol that has it", "end the session, or agree on ISO 15118-2"
            )
        await super().stop()

    async def _authorise(self) -> None:
        self.progress.tell("ServiceDiscovery")
        offer = await self.asker.ask("ServiceDiscovery")
        charge, ways = offer.body["ChargeService"], offer.body["PaymentOptions"]["PaymentOption"]
        if charge["EnergyTransferType"] != DC_MODE:
            raise self.asker.fail("no-common-service", offer, charge["EnergyTransferType"])
        if "ExternalPayment" not in ways:
            raise self.asker.fail("not-authorised", offer, f"payment by {', '.join(ways)} only")
        service = {"ServiceID": charge["ServiceTag"]["ServiceID"]}
        await self.asker.ask("ServicePaymentSelection", {
            "SelectedPaymentOption": "ExternalPayment",
            "SelectedServiceList": {"SelectedService": [service]},
        })  # fmt: skip
        self.progress.tell("ContractAuthentication")

        async def body() -> Body:
            return {}

        limit_s = self._limits.ongoing_s
        await self._until_finished("ContractAuthentication", body, limit_s, "not-authorised")

    async def _parameters(self) -> Body:
        return {
            "EVRequestedEnergyTransferType": DC_MODE,
            "DC_EVChargeParameter": await self._charge_parameter(),
        }

    def _take_schedule(self, answer: Message) -> None:
        """Do nothing: without a profile the vehicle stays within the limits, not within a schedule."""

    async def _delivery(self, progress: str) -> Body:
        reading = await self.plant.read()
        return {
            "ReadyToChargeState": progress == "Start",
            "DC_EVPowerDeliveryParameter": {
                "DC_EVStatus": self._status(reading),
                "ChargingComplete": reading.soc_percent >= self.plant.needs.most_soc_percent,
            },
        }

    def _farewell(self, *, pause: bool) -> Body:
        return {}
