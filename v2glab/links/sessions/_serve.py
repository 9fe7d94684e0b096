"""The charger's side of every protocol: agree on one, take requests in order, answer, and end safely."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol as Shape

from v2glab.links.exi import blank
from v2glab.links.sessions._failure import SessionFailure, failure, is_loop
from v2glab.links.sessions._message import NEW_SESSION, Body, Message, known_messages, namespace_of
from v2glab.links.sessions._plant import ChargerPlant
from v2glab.links.sessions._rules import Protocol
from v2glab.links.sessions._wire import MessageLink


@dataclass(frozen=True)
class Answer:
    """What the charger says, and what it then expects.

    Parameters
    ----------
    body
        Of the answer, response code included.
    expects
        Requests that may follow, without suffix; empty ends the session.
    signature
        Of the answer's header.
    """

    body: Body
    expects: tuple[str, ...] = ()
    signature: Body | None = None


class Refusal(Exception):  # noqa: N818 -- an answer, not an error of this program
    """A request that is refused with a response code; the session ends, for the cause that is named."""

    def __init__(self, code: str, cause: str = "refused", *evidence: str) -> None:
        super().__init__(code, cause, *evidence)
        self.code, self.cause, self.evidence = code, cause, evidence


Handler = Callable[[Message], Awaitable[Answer]]


class Service(Shape):
    """What one protocol answers. ``handlers`` by request without suffix; the first is SessionSetup."""

    handlers: Mapping[str, Handler]
    #: Elements that an empty answer prefers where the table asks for one of several, such as DC_EVSEStatus.
    prefers: tuple[str, ...]

    @property
    def session_id(self) -> str:
        """Identifier that the session was given."""


class SessionServer:
    """Serves one connection from supportedAppProtocol to the end; leaves the plant safe whatever happens.

    Parameters
    ----------
    services
        By protocol, the preferred first: each makes the service of one session.
    """

    def __init__(
        self,
        link: MessageLink,
        plant: ChargerPlant,
        services: Mapping[str, Callable[[], Service]],
    ) -> None:
        self.link, self._plant, self._services = link, plant, services
        self.service: Service | None = None

    async def run(self) -> None:
        """Serve until the vehicle ends the session.

        Raises
        ------
        SessionFailure
            It ended otherwise; the plant is safe by then.
        """
        try:
            await self._serve(*await self._agree())
        finally:
            await self._plant.make_safe()
            await self.link.close()

    async def _agree(self) -> tuple[Service, Protocol]:
        limits = self.link.rules.limits["sap"]
        request = await self.link.receive(limits.sequence_s, "supportedAppProtocolReq")
        if request.name != "supportedAppProtocolReq":
            raise failure("unexpected-message", request.name, "secc", trace=self.link.trace)
        offers = sorted(request.body["AppProtocol"], key=lambda o: o["Priority"])
        chosen = _common(offers, self.link, tuple(self._services))
        if chosen is None:
            await self._say(Message("supportedAppProtocolRes", {"ResponseCode": "Failed_NoNegotiation"}))
            told = ", ".join(str(o["ProtocolNamespace"]) for o in offers)
            raise failure("no-common-protocol", request.name, "secc", told, trace=self.link.trace)
        name, schema, code = chosen
        await self._say(Message("supportedAppProtocolRes", {"ResponseCode": code, "SchemaID": schema}))
        self.service = self._services[name]()
        return self.service, self.link.agree(name)

    async def _serve(self, service: Service, protocol: Protocol) -> None:
        limits = self.link.rules.limits[protocol.limits]
        expects: tuple[str, ...] = ("SessionSetup",)
        loop = False
        while expects:
            timeout = limits.sequence_loop_s if loop else limits.sequence_s
            request = await self.link.receive(timeout, " or ".join(f"{e}Req" for e in expects))
            answer, refused = await self._answer(request, expects, service, protocol)
            name = f"{request.name.removesuffix('Req')}Res"
            await self._say(
                Message(name, answer.body, service.session_id or NEW_SESSION, answer.signature),
                limits.served_s(request.name),
            )
            if refused is not None:
                raise refused
            expects, loop = answer.expects, is_loop(request.name)

    async def _answer(
        self, request: Message, expects: Sequence[str], service: Service, protocol: Protocol
    ) -> tuple[Answer, SessionFailure | None]:
        name = request.name.removesuffix("Req")
        if not request.name.endswith("Req") or f"{name}Res" not in known_messages(protocol):
            raise failure("unexpected-message", request.name, "secc", trace=self.link.trace)
        try:
            if name not in expects or name not in service.handlers:
                wanted = " or ".join(f"{e}Req" for e in expects)
                raise Refusal("FAILED_SequenceError", "unexpected-message", f"instead of {wanted}")
            if name != "SessionSetup" and request.session_id != service.session_id:
                told = f"{request.session_id}, not {service.session_id}"
                raise Refusal("FAILED_UnknownSession", "wrong-session", told)
            return await service.handlers[name](request), None
        except Refusal as refusal:
            body = blank(namespace_of(f"{name}Res", protocol), f"{name}Res", service.prefers)
            body.pop("Header", None)
            body["ResponseCode"] = refusal.code
            found = failure(
                refusal.cause,
                request.name,
                "secc",
                *refusal.evidence,
                trace=self.link.trace,
                response_code=refusal.code,
            )
            return Answer(body), found

    async def _say(self, message: Message, limit_s: float | None = None) -> None:
        await self.link.send(message, limit_s=limit_s)


def _common(offers: Sequence[Body], link: MessageLink, served: Sequence[str]) -> tuple[str, int, str] | None:
    """Return protocol, SchemaID and response code of the vehicle's first offer that this end serves too."""
    for offer in offers:
        for name in served:
            protocol = link.rules.of_protocol(name)
            same = offer["VersionNumberMajor"] == protocol.version[0]
            if offer["ProtocolNamespace"] in protocol.offers and same:
                exact = offer["VersionNumberMinor"] == protocol.version[1]
                code = "OK_SuccessfulNegotiation" if exact else "OK_SuccessfulNegotiationWithMinorDeviation"
                return name, int(offer["SchemaID"]), code
    return None


def session_identifier(random: Callable[[int], bytes]) -> str:
    """Return a new identifier of eight octets, hexadecimal, never that of a new session."""
    while True:
        made = random(8).hex().upper()
        if made != NEW_SESSION:
            return made
