"""The charger's end of the vehicle link: discovery, ISO 15118-20 in TLS, part 2 and DIN in clear."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import Awaitable, Callable
from ipaddress import IPv6Address
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from v2glab.evidence import DeviceError, V2GError
from v2glab.links import SdpRequest, SdpResponse
from v2glab.links.sdp import Direct, SdpServer, serve_sdp

if TYPE_CHECKING:
    from v2glab.links.pki import PkiFiles
    from v2glab.links.sessions import Served, SessionsListener
    from v2glab.links.tls import TlsSettings
    from v2glab.twin._logs import ChargerLog
    from v2glab.twin._plant import Plant
    from v2glab.twin._vehicle_charger import Claim

_HOST = "::1"
T = TypeVar("T")


class VehicleLink:
    """Waits for vehicles on loopback.

    It wakes with the first question of a vehicle, as a charger does when it is plugged in: certificates are
    made then, and questions stay without answer until it listens. A vehicle asks again, as the standards have
    it.

    Parameters
    ----------
    port
        Preferred port of TLS, and of discovery; dynamic ones are taken when it is not free.
    folder
        Where its certificates will lie, the vehicle's among them; what lies there is removed.
    lockstep
        Whether the plant's time passes by the station's clock.
    """

    def __init__(self, plant: Plant, log: ChargerLog, port: int, folder: Path, *, lockstep: bool) -> None:
        self._plant, self._log, self._port, self.folder = plant, log, port, folder
        self._lockstep = lockstep
        self._sdp: SdpServer | None = None
        self._waking: asyncio.Task[None] | None = None
        self._listeners: dict[str, SessionsListener] = {}

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
        shutil.rmtree(self.folder, ignore_errors=True)
        self._sdp = await _first(self._port, lambda port: serve_sdp(Direct(_HOST, port), self._answer))

    async def close(self) -> None:
        """Stop; sessions under way end, and leave the plant safe."""
        if self._waking is not None:
            self._waking.cancel()
            await asyncio.gather(self._waking, return_exceptions=True)
        for listener in self._listeners.values():
            await listener.close()
        if self._sdp is not None:
            await self._sdp.close()

    def _answer(self, request: SdpRequest) -> SdpResponse | None:
        if self._waking is None:
            self._waking = asyncio.create_task(self._wake())
        security = "tls" if request.security == "tls" else "none"
        listener = self._listeners.get(security)
        if listener is None:
            return None
        return SdpResponse(IPv6Address(_HOST), listener.port, security, request.transport)

    async def _wake(self) -> None:
        try:
            files = await asyncio.get_running_loop().run_in_executor(None, _make_certificates, self.folder)
            await self._listen(files)
        except V2GError as error:
            self._log.now("ERROR", "vehicle_link_down", reason=error.found)

    async def _listen(self, files: PkiFiles) -> None:
        from v2glab.links.tls import TlsSettings
        from v2glab.twin._vehicle_charger import Claim

        claim = Claim()
        tls = TlsSettings("secc", files)
        _ = tls.context
        encrypted = await _first(
            self._port, lambda port: self._serve(claim, files, port, tls, ("iso20-dc", "iso20-ac"))
        )
        plain = await self._serve(claim, files, 0, None, ("iso2", "din"))
        self._listeners |= {"tls": encrypted, "none": plain}

    async def _serve(
        self, claim: Claim, files: PkiFiles, port: int, tls: TlsSettings | None, protocols: tuple[str, ...]
    ) -> SessionsListener:
        from v2glab.links.sessions import Offer, ServeSettings, serve_sessions
        from v2glab.twin._vehicle_charger import VehicleCharger

        charger = VehicleCharger(self._plant, claim, lockstep=self._lockstep)
        offer = Offer(authorise=charger.authorise)
        if tls is not None:
            offer.authorisation, offer.roots = ("eim", "pnc"), files
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


def _make_certificates(folder: Path) -> PkiFiles:
    from v2glab.links.pki import make_pki, write_pki

    return write_pki(make_pki(), folder)


async def _first(port: int, serve: Callable[[int], Awaitable[T]]) -> T:
    """Serve on a port, or on a dynamic one when it is taken."""
    with contextlib.suppress(DeviceError):
        return await serve(port)
    return await serve(0)
