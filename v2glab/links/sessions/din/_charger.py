"""The charger in DIN SPEC 70121."""

from __future__ import annotations

from v2glab.links.sessions._message import Body, Message
from v2glab.links.sessions._offer import Offer
from v2glab.links.sessions._plant import ChargerPlant
from v2glab.links.sessions._serve import Answer
from v2glab.links.sessions.edition1 import CHARGE_SERVICE, DC_MODE
from v2glab.links.sessions.edition1._charger_dc import DcService
from v2glab.links.sessions.edition1._identity import evse_octets
from v2glab.links.sessions.edition1._rules import Edition1Rules

#: Largest power of a schedule, W: PMax is a short without exponent (DIN SPEC 70121:2014, 9.5.2.11).
_MOST_W = 32767
_SECONDS_OF_DAY = 86400


class DinService(DcService):
    """Direct current, authorised at the charger."""

    dialect = "din"
    time_element = "DateTimeNow"

    def __init__(self, plant: ChargerPlant, offer: Offer, rules: Edition1Rules | None = None) -> None:
        super().__init__(plant, offer, rules)
        for name, handler in {
            "ServiceDiscovery": self._service_discovery,
            "ServiceDetail": self._service_detail,
            "ServicePaymentSelection": self._selection,
            "ContractAuthentication": self._authentication,
            "ChargeParameterDiscovery": self._parameters,
            "PowerDelivery": self._power_delivery,
            "SessionStop": self._session_stop,
        }.items():
            self._serve(name, handler)

    def _evse_id(self) -> str:
        return evse_octets(self.offer.evse_id)

    async def _service_discovery(self, request: Message) -> Answer:
        tag = {"ServiceID": CHARGE_SERVICE, "ServiceCategory": "EVCharging"}
        return self.granted("ServiceDiscovery", {
            "PaymentOptions": {"PaymentOption": ["ExternalPayment"]},
            "ChargeService": {"ServiceTag": tag, "FreeService": False, "EnergyTransferType": DC_MODE},
        })  # fmt: skip

    async def _selection(self, request: Message) -> Answer:
        way = request.body["SelectedPaymentOption"]
        if way != "ExternalPayment":
            raise self.refusal("payment-not-offered", way)
        self._selected(request, CHARGE_SERVICE)
        return self.granted("ServicePaymentSelection", {})

    async def _authentication(self, request: Message) -> Answer:
        return await self._ask_grant("ContractAuthentication")

    async def _parameters(self, request: Message) -> Answer:
        mode, told = request.body["EVRequestedEnergyTransferType"], request.body.get("DC_EVChargeParameter")
        if mode != DC_MODE or "dc" not in self.offer.services:
            raise self.refusal("energy-mode", mode)
        if told is None:
            raise self.refusal("charge-parameter", "those of AC")
        self._take_dc(told)
        entry = {
            "RelativeTimeInterval": {"start": 0, "duration": _SECONDS_OF_DAY},
            "PMax": min(_MOST_W, int(self.plant.limits.charge_w)),
        }
        schedule = {"PMaxScheduleID": 1, "PMaxScheduleEntry": [entry]}
        # The schedule has its place in the message before there is one.
        processing = "Finished" if self.offer.ready() else "Ongoing"
        return self.granted("ChargeParameterDiscovery", {
            "EVSEProcessing": processing,
            "SAScheduleList": {"SAScheduleTuple": [{"SAScheduleTupleID": 1, "PMaxSchedule": schedule}]},
            "DC_EVSEChargeParameter": await self._dc_parameter(),
        }, processing)  # fmt: skip

    async def _power_delivery(self, request: Message) -> Answer:
        start = request.body["ReadyToChargeState"]
        if start:
            self._check_profile(request.body.get("ChargingProfile"))
            await self._connect_dc()
        else:
            await self._disconnect()
        status = self._dc_status(await self.plant.read(), "" if start else "EVSE_Shutdown")
        return self.granted("PowerDelivery", {"DC_EVSEStatus": status}, "Start" if start else "Stop")

    def _check_profile(self, profile: Body | None) -> None:
        if profile is None:
            return
        if profile["SAScheduleTupleID"] != 1:
            raise self.refusal("schedule", f"tuple {profile['SAScheduleTupleID']}, offered 1")
        most = max(e["ChargingProfileEntryMaxPower"] for e in profile["ProfileEntry"])
        if most > self.plant.limits.charge_w:
            raise self.refusal("profile", f"{most} W, at most {self.plant.limits.charge_w:g} W")
