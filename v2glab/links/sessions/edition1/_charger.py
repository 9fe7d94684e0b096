"""Answers of a charger in DIN 70121 and ISO 15118-2: order, refusals, status; subclasses fill in the rest."""

from __future__ import annotations

from abc import ABC
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import ClassVar

from v2glab.evidence import DeviceError, LimitError
from v2glab.links.sessions._message import Body, Message
from v2glab.links.sessions._offer import Identification, Offer
from v2glab.links.sessions._paused import Paused
from v2glab.links.sessions._plant import ChargerPlant, ChargerReading
from v2glab.links.sessions._serve import Answer, Handler, Refusal
from v2glab.links.sessions.edition1._identity import is_new
from v2glab.links.sessions.edition1._rules import Dialect, Edition1Rules, load_edition1_rules

Plain = Callable[[Message], Awaitable[Answer]]


class Edition1Service(ABC):
    """Answers one session. Subclasses add handlers by request, without suffix."""

    dialect: ClassVar[Dialect]
    #: Element of SessionSetupRes that carries the time.
    time_element: ClassVar[str]

    def __init__(self, plant: ChargerPlant, offer: Offer, rules: Edition1Rules | None = None) -> None:
        self.plant, self.offer = plant, offer
        self.rules = rules or load_edition1_rules()
        self.session_id, self.vehicle, self.contract = offer.paused.new_id(offer.random), "", ""
        self.kind = "dc"
        self.kept: Paused | None = None
        self._insulation = "Invalid"
        self.handlers: dict[str, Handler] = {}
        self._serve("SessionSetup", self._session_setup)

    @property
    def prefers(self) -> tuple[str, ...]:
        """Elements of an answer that only refuses."""
        return (
            f"{self.kind.upper()}_EVSEStatus",
            f"{self.kind.upper()}_EVSEChargeParameter",
            "SAScheduleList",
        )

    def _serve(self, name: str, handler: Plain) -> None:
        """Answer a request by a handler; what the plant cannot do becomes a response code."""

        async def guarded(request: Message) -> Answer:
            try:
                return await handler(request)
            except LimitError as error:
                raise self.refusal("set-point", error.found) from error
            except DeviceError as error:
                raise self.refusal("device", error.found) from error

        self.handlers[name] = guarded

    def refusal(self, why: str, *evidence: str) -> Refusal:
        """Return the refusal of that name in ``edition1.toml``."""
        rule = self.rules.refusal[why]
        return Refusal(rule.code(self.dialect), rule.cause, *evidence)

    def granted(self, request: str, body: Body, *states: str, code: str = "OK") -> Answer:
        """Return an answer that grants, and what may follow it.

        ``states`` narrow that down where the sequence has an entry for them.
        """
        sequence, told = self.rules.sequence[self.dialect], [state for state in states if state]
        keys = (".".join((request, *told[:count])) for count in range(len(told), -1, -1))
        key = next(key for key in keys if key in sequence)
        return Answer({"ResponseCode": code, **body}, sequence[key])

    def moment(self) -> datetime:
        """Return the time, UTC."""
        return self.offer.moment() if self.offer.moment else datetime.now(UTC)

    def timestamp(self) -> int:
        """Return the time in seconds since 1970."""
        return int(self.moment().timestamp())

    async def _session_setup(self, request: Message) -> Answer:
        self.vehicle, code = request.body["EVCCID"], "OK_NewSessionEstablished"
        if not is_new(request.session_id):
            self.kept = self.offer.paused.join(request.session_id, self.vehicle, self.dialect)
        if self.kept is not None:
            self.session_id, code = self.kept.session_id, "OK_OldSessionJoined"
        body = {"EVSEID": self._evse_id(), self.time_element: self.timestamp()}
        return self.granted("SessionSetup", body, code=code)

    def _evse_id(self) -> str:
        return self.offer.evse_id

    async def _service_detail(self, request: Message) -> Answer:
        """Refuse: no service but charging is offered, and that one has no details."""
        raise self.refusal("service-unknown", f"service {request.body['ServiceID']}")

    def _selected(self, request: Message, charge: int) -> None:
        """Refuse a choice of services that was not offered."""
        chosen = [s["ServiceID"] for s in request.body["SelectedServiceList"]["SelectedService"]]
        if charge not in chosen:
            raise self.refusal("no-charge-service", f"services {chosen}")
        if unknown := [c for c in chosen if c != charge]:
            raise self.refusal("service-not-offered", f"services {unknown}")

    async def _ask_grant(self, request: str, waiting: str = "Ongoing") -> Answer:
        """Ask who authorises; ``waiting`` is the word for waiting for a person."""
        who = Identification(self.vehicle, "pnc" if self.contract else "eim", self.contract)
        match await self.offer.authorise(who):
            case "granted":
                return self.granted(request, {"EVSEProcessing": "Finished"})
            case "ongoing":
                return self.granted(request, {"EVSEProcessing": "Ongoing"}, "Ongoing")
            case "waiting":
                return self.granted(request, {"EVSEProcessing": waiting}, "Ongoing")
            case _:
                raise self.refusal("not-authorised", self.contract or self.vehicle)

    async def _session_stop(self, request: Message) -> Answer:
        return self.granted("SessionStop", {})

    def _notification(self) -> str:
        notice = self.offer.notice()
        return self.rules.notice[self.dialect][notice] if notice else "None"

    def _dc_status(self, reading: ChargerReading, code: str = "") -> Body:
        fault = reading.fault or "none"
        known = self.rules.status.get(fault, self.rules.status["emergency"])
        status = known if reading.fault or not code else code
        return {
            "EVSEIsolationStatus": "Fault" if fault == "insulation" else self._insulation,
            "EVSEStatusCode": status, "NotificationMaxDelay": 0, "EVSENotification": self._notification(),
        }  # fmt: skip
