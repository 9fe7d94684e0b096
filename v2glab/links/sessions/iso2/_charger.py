"""The charger in ISO 15118-2: services, payment, schedules, start, stop and renegotiation of the flow."""

from __future__ import annotations

from v2glab.links.sessions._message import Body, Message
from v2glab.links.sessions._offer import Offer
from v2glab.links.sessions._paused import Paused
from v2glab.links.sessions._plant import ChargerPlant, ChargerReading
from v2glab.links.sessions._serve import Answer
from v2glab.links.sessions.edition1 import CHARGE_SERVICE, DC_MODE
from v2glab.links.sessions.edition1._charger_dc import DcService
from v2glab.links.sessions.edition1._rules import Edition1Rules
from v2glab.links.sessions.edition1._values import bound, number
from v2glab.links.sessions.iso2._charger_ac import AcAnswers
from v2glab.links.sessions.iso2._charger_pnc import ContractAnswers

_SCHEDULE = 1
_SECONDS_OF_DAY = 86400
_PAYMENTS = {"eim": "ExternalPayment", "pnc": "Contract"}


class Iso2Service(ContractAnswers, AcAnswers, DcService):
    """AC and DC, at the charger or by contract."""

    dialect = "iso2"
    time_element = "EVSETimeStamp"

    def __init__(self, plant: ChargerPlant, offer: Offer, rules: Edition1Rules | None = None) -> None:
        super().__init__(plant, offer, rules)
        self.mode = ""
        for name, handler in {
            "ServiceDiscovery": self._service_discovery,
            "ServiceDetail": self._service_detail,
            "PaymentServiceSelection": self._selection,
            "PaymentDetails": self._payment_details,
            "Authorization": self._authorization,
            "ChargeParameterDiscovery": self._parameters,
            "PowerDelivery": self._power_delivery,
            "ChargingStatus": self._charging_status,
            "MeteringReceipt": self._metering_receipt,
            "SessionStop": self._session_stop,
        }.items():
            self._serve(name, handler)

    @property
    def payments(self) -> list[str]:
        """Ways to pay that are offered: of a session that was joined again, its own."""
        if self.kept is not None and "payment" in self.kept.facts:
            return [str(self.kept.facts["payment"])]
        return [_PAYMENTS[way] for way in self.offer.authorisation]

    @property
    def modes(self) -> list[str]:
        """Energy transfer modes that are offered."""
        limits, services = self.plant.limits, self.offer.services
        dc = [DC_MODE] if limits.charge_a > 0 and "dc" in services else []
        return dc + (list(self.rules.ac) if limits.phase_v > 0 and "ac" in services else [])

    async def _service_discovery(self, request: Message) -> Answer:
        return self.granted("ServiceDiscovery", {
            "PaymentOptionList": {"PaymentOption": self.payments},
            "ChargeService": {
                "ServiceID": CHARGE_SERVICE, "ServiceName": "AC_DC_Charging", "ServiceCategory": "EVCharging",
                "FreeService": False, "SupportedEnergyTransferMode": {"EnergyTransferMode": self.modes},
            },
        })  # fmt: skip

    async def _selection(self, request: Message) -> Answer:
        way = request.body["SelectedPaymentOption"]
        if way not in self.payments:
            raise self.refusal("payment-not-offered", way)
        self._selected(request, CHARGE_SERVICE)
        self.payment = way
        return self.granted("PaymentServiceSelection", {}, way)

    async def _authorization(self, request: Message) -> Answer:
        if self.payment == "Contract":
            self._check_proof(request)
        return await self._ask_grant("Authorization", "Ongoing_WaitingForCustomerInteraction")

    async def _parameters(self, request: Message) -> Answer:
        mode = request.body["RequestedEnergyTransferMode"]
        if mode not in self.modes:
            raise self.refusal("energy-mode", mode)
        self.mode, self.kind = mode, "ac" if mode in self.rules.ac else "dc"
        told = request.body.get(f"{self.kind.upper()}_EVChargeParameter")
        if told is None:
            raise self.refusal("charge-parameter", f"not those of {mode}")
        if self.kind == "ac":
            self._take_ac(told)
            parameter = {"AC_EVSEChargeParameter": await self._ac_parameter()}
        else:
            self._take_dc(told)
            parameter = {"DC_EVSEChargeParameter": await self._dc_parameter()}
        if not self.offer.ready():
            body = {"EVSEProcessing": "Ongoing", **parameter}
            return self.granted("ChargeParameterDiscovery", body, "Ongoing")
        return self.granted(
            "ChargeParameterDiscovery",
            {"EVSEProcessing": "Finished", "SAScheduleList": self._schedules(), **parameter},
            self.kind,
        )

    def _schedules(self) -> Body:
        interval = {"start": 0, "duration": _SECONDS_OF_DAY}
        entry = {"RelativeTimeInterval": interval, "PMax": bound(self._most_w(), "W")}
        schedule = {"PMaxScheduleEntry": [entry]}
        return {"SAScheduleTuple": [{"SAScheduleTupleID": _SCHEDULE, "PMaxSchedule": schedule}]}

    def _most_w(self) -> float:
        """Return what the schedule grants, W."""
        limits = self.plant.limits
        if self.kind == "ac":
            return min(limits.charge_w, self._most_ac_w())
        return limits.charge_w

    async def _power_delivery(self, request: Message) -> Answer:
        progress, body = request.body["ChargeProgress"], request.body
        if body["SAScheduleTupleID"] != _SCHEDULE:
            raise self.refusal("schedule", f"tuple {body['SAScheduleTupleID']}, offered {_SCHEDULE}")
        if progress == "Start":
            await self._start(self._profile_w(body.get("ChargingProfile")))
        else:
            await self._disconnect()
        status = await self._status(stopped=progress == "Stop")
        return self.granted("PowerDelivery", status, progress, self.kind)

    async def _start(self, profile_w: float) -> None:
        if self.kind == "dc":
            await self._connect_dc()
            return
        await self._connect()
        await self.plant.set_power(-profile_w)

    def _profile_w(self, profile: Body | None) -> float:
        """Return the power of a profile's first entry, W; without a profile nothing flows in AC."""
        if profile is None:
            return 0.0
        powers = [number(entry["ChargingProfileEntryMaxPower"]) for entry in profile["ProfileEntry"]]
        if min(powers) < 0 or max(powers) > self._most_w():
            raise self.refusal(
                "profile", f"{min(powers):g} to {max(powers):g} W, granted {self._most_w():g} W"
            )
        return powers[0]

    async def _status(self, *, stopped: bool = False) -> Body:
        reading = await self.plant.read()
        if self.kind == "ac":
            return {"AC_EVSEStatus": self._ac_status(reading)}
        return {"DC_EVSEStatus": self._dc_status(reading, "EVSE_Shutdown" if stopped else "")}

    def _loop_answer(self, request: Message, reading: ChargerReading, body: Body) -> Answer:
        facts = {"EVSEID": self.offer.evse_id, "SAScheduleTupleID": _SCHEDULE}
        meter, state = self._meter(reading)
        return self.granted("CurrentDemand", {**body, **facts, **meter}, state)

    async def _session_stop(self, request: Message) -> Answer:
        if request.body["ChargingSession"] == "Pause":
            facts = {"payment": self.payment, "mode": self.mode}
            self.offer.paused.keep(Paused(self.session_id, self.vehicle, self.dialect, facts))
        return await super()._session_stop(request)
