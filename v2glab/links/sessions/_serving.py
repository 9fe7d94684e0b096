"""A charger that waits for vehicles: discovery, listener, one session a connection, paused sessions kept."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import IPv6Address
from typing import TYPE_CHECKING

from v2glab.links._closing import Closing
from v2glab.links.sdp import Direct, Multicast, SdpServer, serve_sdp
from v2glab.links.sessions._failure import SessionFailure
from v2glab.links.sessions._offer import Offer
from v2glab.links.sessions._registry import load_service, service_maker
from v2glab.links.sessions._rules import SessionRules, load_session_rules, prepare_codec
from v2glab.links.sessions._serve import Service, SessionServer
from v2glab.links.sessions._wire import MessageLink
from v2glab.links.tls import FIXED_PORT, HandshakeError, Listener, serve_plain, serve_tls

if TYPE_CHECKING:
    from v2glab.links import SdpRequest, SdpResponse
    from v2glab.links.sessions._plant import ChargerPlant
    from v2glab.links.sessions._wire import Tamper
    from v2glab.links.tls import PlainStream, TlsSettings

#: Sessions that ended and are kept for inspection.
_REMEMBERED = 256
_DC, _AC = ("iso20-dc", "iso2", "din"), ("iso20-ac", "iso2")


@dataclass(frozen=True)
class Served:
    """A session that ended. ``failure`` is None when the vehicle ended it in order."""

    server: SessionServer
    failure: SessionFailure | HandshakeError | None


@dataclass(frozen=True)
class ServeSettings:
    """How a charger waits for vehicles.

    Parameters
    ----------
    plant
        One charger, which serves one vehicle at a time; or what makes one for each connection.
    offer
        What it offers besides power.
    protocols
        Served ones, the preferred first; by default all that fit the plant's connectors. -20 is left out
        where a vehicle came by an earlier version of TLS.
    host, port
        Where it listens; port 0 takes a dynamic one.
    tls
        Of one edition or of several, of which the vehicle's ClientHello chooses; None to listen in clear.
        Contracts of an edition are judged by its roots, unless the offer names others.
    sdp
        Where it answers discovery; None for no discovery.
    on_end
        Told of each session that ended.
    tamper
        Spoils what this end sends, for tests.
    rules
        Protocols, time limits and causes; those that travel with the package by default.
    """

    plant: ChargerPlant | Callable[[], ChargerPlant]
    offer: Offer = field(default_factory=Offer)
    protocols: Sequence[str] = ()
    host: str = "::1"
    port: int = FIXED_PORT
    tls: TlsSettings | Sequence[TlsSettings] | None = None
    sdp: Multicast | Direct | None = None
    on_end: Callable[[Served], None] = lambda served: None
    tamper: Tamper | None = None
    rules: SessionRules = field(default_factory=load_session_rules, repr=False)

    @property
    def editions(self) -> tuple[TlsSettings, ...]:
        """Settings of TLS, one an edition; empty in clear."""
        if self.tls is None:
            return ()
        return tuple(self.tls) if isinstance(self.tls, Sequence) else (self.tls,)


class SessionsListener(Closing):
    """A waiting charger; made by :func:`serve_sessions`.

    ``ended`` holds the last sessions; ``refused`` the handshakes that failed; ``busy`` counts connections
    that were closed at once because the charger had a vehicle.
    """

    def __init__(self, settings: ServeSettings) -> None:
        self._settings = settings
        self._listener: Listener | None = None
        self._sdp: SdpServer | None = None
        self._taken = False
        self.ended: deque[Served] = deque(maxlen=_REMEMBERED)
        self.refused: deque[HandshakeError] = deque(maxlen=_REMEMBERED)
        self.busy = 0

    @property
    def port(self) -> int:
        """TCP port."""
        return self._listener.port if self._listener else 0

    @property
    def sdp_port(self) -> int:
        """UDP port of discovery; 0 without."""
        return self._sdp.port if self._sdp else 0

    async def open(self) -> None:
        """Begin to listen.

        Raises
        ------
        DeviceError
            A port is taken, or the address is none of this machine.
        """
        settings = self._settings
        protocols = settings.protocols or (*_DC, *_AC)
        prepare_codec(protocols, settings.rules)
        for protocol in dict.fromkeys(protocols):
            load_service(protocol)
        if not settings.editions:
            self._listener = await serve_plain(self._serve, host=settings.host, port=settings.port)
        else:
            from v2glab.links.pki import check_profile

            # Loaded before the first vehicle comes: its negotiation must not wait for that.
            _ = ([tls.roots for tls in settings.editions], check_profile)
            self._listener = await serve_tls(
                settings.editions, self._serve, host=settings.host, port=settings.port,
                on_failure=self.refused.append,
            )  # fmt: skip
        if settings.sdp is not None:
            try:
                self._sdp = await serve_sdp(settings.sdp, self._answer)
            except BaseException:
                await self._listener.close()
                raise

    async def close(self) -> None:
        """Stop listening; sessions under way are ended, their plants left safe."""
        if self._sdp is not None:
            await self._sdp.close()
        if self._listener is not None:
            await self._listener.close()

    def _answer(self, request: SdpRequest) -> SdpResponse | None:
        from v2glab.links import SdpResponse

        security = "tls" if self._settings.editions else "none"
        address = IPv6Address(self._settings.host.split("%")[0])
        return SdpResponse(address, self.port, security, request.transport)

    async def _serve(self, stream: PlainStream) -> None:
        plant = self._settings.plant
        if callable(plant):
            await self._session(stream, plant())
            return
        if self._taken:
            self.busy += 1
            return
        self._taken = True
        try:
            await self._session(stream, plant)
        finally:
            self._taken = False

    async def _session(self, stream: PlainStream, plant: ChargerPlant) -> None:
        settings = self._settings
        link = MessageLink(stream, "secc", tamper=settings.tamper, rules=settings.rules)
        server = SessionServer(link, plant, self._services(plant, getattr(stream, "version", "")))
        found: SessionFailure | HandshakeError | None = None
        try:
            await server.run()
        except (SessionFailure, HandshakeError) as error:
            found = error
        served = Served(server, found)
        self.ended.append(served)
        self._settings.on_end(served)

    def _services(self, plant: ChargerPlant, version: str) -> Mapping[str, Callable[[], Service]]:
        limits, rules = plant.limits, self._settings.rules
        dc = _DC if max(limits.charge_a, limits.export_a) > 0 else ()
        served = tuple(self._settings.protocols) or (*dc, *(_AC if limits.phase_v > 0 else ()))
        return {
            name: service_maker(name, plant, self._offer(rules.of_protocol(name).edition))
            for name in dict.fromkeys(served)
            if rules.of_protocol(name).fits(version)
        }

    def _offer(self, edition: str) -> Offer:
        """Return the offer with the roots of an edition's contracts."""
        offer, editions = self._settings.offer, self._settings.editions
        own = next((tls.files for tls in editions if tls.edition == edition), None)
        return replace(offer, roots=own) if offer.roots is None and own is not None else offer


async def serve_sessions(settings: ServeSettings) -> SessionsListener:
    """Wait for vehicles; an asynchronous context manager that has begun to listen.

    Raises
    ------
    DeviceError
        A port is taken, or the address is none of this machine.
    InputError
        Address, port or certificates cannot be used.
    """
    listener = SessionsListener(settings)
    await listener.open()
    return listener
