"""The vehicle in ISO 15118-2: services, payment, authorisation, schedules, receipts; whatever the current."""

from __future__ import annotations

from abc import abstractmethod

from v2glab.evidence import InputError
from v2glab.links.sessions._contract import Identity, chain_body, load_identity
from v2glab.links.sessions._message import Body, Message
from v2glab.links.sessions._signature import Part, sign
from v2glab.links.sessions._vehicle import DriverParts
from v2glab.links.sessions.edition1 import CHARGE_SERVICE
from v2glab.links.sessions.edition1._rules import Edition1Rules
from v2glab.links.sessions.edition1._values import number
from v2glab.links.sessions.edition1._vehicle import Edition1Vehicle

NAMESPACE = "urn:iso:15118:2:2013:MsgDef"
EDITION = "iso15118-2"
_ID = "id1"


class Iso2Vehicle(Edition1Vehicle):
    """ISO 15118-2, by external means or by contract."""

    dialect = "iso2"
    _schedule = 1
    #: Largest power that the schedule grants now, W.
    _granted_w = 0.0

    def __init__(self, parts: DriverParts, rules: Edition1Rules | None = None) -> None:
        super().__init__(parts, rules)
        pays = self.wishes.authorisation == "pnc"
        self._contract = load_identity(self.wishes.contract, "contract") if pays else None

    @abstractmethod
    def _mode(self, offered: list[str]) -> str | None:
        """Return the energy transfer mode to take of those offered; None if none fits."""

    async def renegotiate(self) -> None:
        """Agree on a new schedule: the power goes, parameters are told anew, and the flow starts again."""
        async with self._safe():
            self.progress.tell("Renegotiation")
            await self._renegotiate()

    @abstractmethod
    async def _renegotiate(self) -> None: ...

    async def _authorise(self) -> None:
        self.progress.tell("ServiceDiscovery")
        offer = await self.asker.ask("ServiceDiscovery")
        ways = offer.body["PaymentOptionList"]["PaymentOption"]
        way = "Contract" if self._contract else "ExternalPayment"
        if way not in ways:
            raise self.asker.fail("not-authorised", offer, f"payment by {', '.join(ways)} only")
        modes = offer.body["ChargeService"]["SupportedEnergyTransferMode"]["EnergyTransferMode"]
        mode = self._mode(modes)
        if mode is None:
            raise self.asker.fail("no-common-service", offer, ", ".join(modes))
        self.mode = mode
        await self.asker.ask("PaymentServiceSelection", {
            "SelectedPaymentOption": way,
            "SelectedServiceList": {"SelectedService": [{"ServiceID": CHARGE_SERVICE}]},
        })  # fmt: skip
        request, signature = await self._prove() if self._contract else ({}, None)
        self.progress.tell("Authorization")

        async def body() -> Body:
            return request

        limit_s = self._limits.ongoing_s
        await self._until_finished("Authorization", body, limit_s, "not-authorised", signature)

    async def _prove(self) -> tuple[Body, Body]:
        """Show the contract; return the signed body that answers the charger's challenge."""
        contract = self._held()
        self.progress.tell("PaymentDetails")
        details = {"eMAID": contract.name, "ContractSignatureCertChain": chain_body(contract.chain)}
        answer = await self.asker.ask("PaymentDetails", details)
        request = {"Id": _ID, "GenChallenge": answer.body["GenChallenge"]}
        return request, self._sign("AuthorizationReq", request)

    def _sign(self, element: str, content: Body) -> Body:
        return sign([Part(NAMESPACE, element, content)], self._held().key, edition=EDITION)

    def _held(self) -> Identity:
        if self._contract is None:
            raise InputError("no contract", "one to sign with", "set Wishes.contract")
        return self._contract

    def _take_schedule(self, answer: Message) -> None:
        """Take the first schedule that the charger offers; it must cover the present."""
        offered = answer.body.get("SAScheduleList", {}).get("SAScheduleTuple", [])
        if not offered:
            raise self.asker.fail("limits", answer, "finished without a schedule")
        entry = offered[0]["PMaxSchedule"]["PMaxScheduleEntry"][0]
        self._schedule, self._granted_w = offered[0]["SAScheduleTupleID"], number(entry["PMax"])

    async def _settle_meter(self, answer: Message) -> float | None:
        """Return the meter's reading, Wh, and sign for it when the charger wants a receipt."""
        meter: Body | None = answer.body.get("MeterInfo")
        if meter and answer.body.get("ReceiptRequired") and self._contract:
            receipt = {
                "Id": _ID, "SessionID": self.asker.session_id,
                "SAScheduleTupleID": self._schedule, "MeterInfo": meter,
            }  # fmt: skip
            signature = self._sign("MeteringReceiptReq", receipt)
            await self.asker.ask("MeteringReceipt", receipt, signature=signature)
        return float(meter["MeterReading"]) if meter and "MeterReading" in meter else None

    def _farewell(self, *, pause: bool) -> Body:
        return {"ChargingSession": "Pause" if pause else "Terminate"}
