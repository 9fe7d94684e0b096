"""The charger's end of the vehicle link: discovery, ISO 15118-20 and -2 in TLS, -2 and DIN in clear."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import Awaitable, Callable, Mapping, Sequence
from ipaddress import IPv6Address
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from v2glab.evidence import DeviceError, V2GError
from v2glab.links import SdpRequest, SdpResponse
from v2glab.links.sdp import Direct, SdpServer, serve_sdp
from v2glab.twin._vehicle_charger import Claim, VehicleCharger

if TYPE_CHECKING:
    from v2glab.links.sessions import ChargerPlant, Served, SessionsListener
    from v2glab.links.tls import TlsSettings
    from v2glab.twin._logs import ChargerLog
    from v2glab.twin._plant import Plant

_HOST = "::1"
_ENCRYPTED, _PLAIN = ("iso20-dc", "iso20-ac", "iso2"), ("iso2", "din")
T = TypeVar("T")
Security = Literal["tls", "none"]


class VehicleLink:
    """Waits for vehicles on loopback.

    It wakes with the first question of a vehicle, as a charger does when it is plugged in: certificates are
    made then, and questions stay without answer until it listens. A vehicle asks again, as the standards have
    it.

    Parameters
    ----------
    port
        Preferred port of TLS, and of discovery; dynamic ones are taken when it is not free.
    folders
        Where its certificates will lie by edition, the vehicle's among them; what lies there is removed.
    lockstep
        Whether the plant's time passes by the station's clock.
    """

    def __init__(
        self, plant: Plant, log: ChargerLog, port: int, folders: Mapping[str, Path], *, lockstep: bool
    ) -> None:
        self._plant, self._log, self._port, self.folders = plant, log, port, folders
        self._lockstep = lockstep
        self._sdp: SdpServer | None = None
        self._waking: dict[Security, asyncio.Task[None]] = {}
        self._listeners: dict[Security, SessionsListener] = {}
        self._claim = Claim()

    @property
    def address(self) -> str:
        """Where vehicles ask for the charger."""
        return f"[{_HOST}]:{self._sdp.port if self._sdp else 0}"

    async def start(self) -> None:
        """Begin to answer discovery.

        Raises
        ------
        DeviceError
            This machine has no IPv6 loopback.
        """
        for folder in self.folders.values():
            shutil.rmtree(folder, ignore_errors=True)
        self._sdp = await _first(self._port, lambda port: serve_sdp(Direct(_HOST, port), self._answer))

    async def close(self) -> None:
        """Stop; sessions under way end, and leave the plant safe."""
        for task in self._waking.values():
            task.cancel()
        await asyncio.gather(*self._waking.values(), return_exceptions=True)
        for listener in self._listeners.values():
            await listener.close()
        if self._sdp is not None:
            await self._sdp.close()

    def _answer(self, request: SdpRequest) -> SdpResponse | None:
        security: Security = "tls" if request.security == "tls" else "none"
        if security not in self._waking:
            self._waking[security] = asyncio.create_task(self._wake(security))
        listener = self._listeners.get(security)
        if listener is None:
            return None
        return SdpResponse(IPv6Address(_HOST), listener.port, security, request.transport)

    async def _wake(self, security: Security) -> None:
        work = asyncio.get_running_loop().run_in_executor
        charger = VehicleCharger(self._plant, self._claim, lockstep=self._lockstep)
        try:
            if security == "none":
                await work(None, _prepare, _PLAIN, charger)
                self._listeners[security] = await self._serve(charger, 0, (), _PLAIN)
                return
            await work(None, _prepare, _ENCRYPTED, charger)
            tls = await work(None, _encryption, self.folders)
            self._listeners[security] = await _first(
                self._port, lambda port: self._serve(charger, port, tls, _ENCRYPTED)
            )
        except V2GError as error:
            self._log.now("ERROR", "vehicle_link_down", reason=error.found)

    async def _serve(
        self, charger: VehicleCharger, port: int, tls: Sequence[TlsSettings], protocols: tuple[str, ...]
    ) -> SessionsListener:
        from v2glab.links.sessions import Offer, ServeSettings, serve_sessions

        offer = Offer(authorise=charger.authorise)
        if tls:
            offer.authorisation = ("eim", "pnc")
        return await serve_sessions(
            ServeSettings(
                plant=charger,
                offer=offer,
                protocols=protocols,
                host=_HOST,
                port=port,
                tls=tls,
                on_end=self._tell,
            )
        )

    def _tell(self, served: Served) -> None:
        """Log how a session ended."""
        link, failure = served.server.link, served.failure
        if failure is None:
            self._log.now("INFO", "vehicle_session_ended", protocol=link.protocol_name)
            return
        cause = failure.cause
        code = getattr(cause, "code", "")
        fields = {
            "protocol": link.protocol_name,
            "cause": cause.name,
            "phase": str(cause.phase),
            "code": code,
        }
        self._log.now("ERROR", "vehicle_session_failed", reason=failure.found, **fields)


def _prepare(protocols: tuple[str, ...], plant: ChargerPlant) -> None:
    """Load what the first session needs.

    It runs beside the event loop: the charger's watchdog would not forgive a loop that stands still.
    """
    from v2glab.links.exi import prepare
    from v2glab.links.sessions import SAP_NAMESPACE, Offer, load_session_rules, serve_sessions  # noqa: F401
    from v2glab.links.sessions._registry import service_maker

    rules = load_session_rules()
    prepare(SAP_NAMESPACE)
    for name in protocols:
        for namespace in rules.of_protocol(name).namespaces:
            prepare(namespace)
        service_maker(name, plant, Offer())()


def _encryption(folders: Mapping[str, Path]) -> list[TlsSettings]:
    """Make certificates of each edition, and the contexts that show them."""
    from v2glab.links.pki import make_pki, write_pki
    from v2glab.links.tls import TlsSettings

    editions = []
    for edition, folder in folders.items():
        tls = TlsSettings.of_edition("secc", write_pki(make_pki(edition), folder), edition)
        _ = tls.context
        editions.append(tls)
    return editions


async def _first(port: int, serve: Callable[[int], Awaitable[T]]) -> T:
    """Serve on a port, or on a dynamic one when it is taken."""
    with contextlib.suppress(DeviceError):
        return await serve(port)
    return await serve(0)
