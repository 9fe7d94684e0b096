"""Find a charger, connect, agree on a protocol; each step a phase with its duration."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from v2glab.links.sessions._ask import Asker
from v2glab.links.sessions._failure import failure
from v2glab.links.sessions._phases import PhaseClock
from v2glab.links.sessions._settings import Fixed, OpenSettings
from v2glab.links.sessions._trace import Trace
from v2glab.links.sessions._wire import MessageLink

if TYPE_CHECKING:
    from v2glab.links.tls import PlainStream


@dataclass(frozen=True)
class Opened:
    """A connection whose ends have agreed on a protocol."""

    asker: Asker
    link: MessageLink


async def connect(settings: OpenSettings, phases: PhaseClock, trace: Trace) -> Opened:
    """Open the connection, within the time that the offered protocols give it.

    Raises
    ------
    DiscoveryError, HandshakeError, SessionFailure
        No charger, no connection, no protocol in common, or not in time.
    """
    rules = settings.rules
    limit_s = min(rules.limits[rules.of_protocol(name).limits].setup_s for name in settings.offered)
    try:
        async with asyncio.timeout(limit_s):
            return await _opened(settings, phases, trace)
    except TimeoutError as error:
        told = f"after {limit_s:g} s"
        raise failure("setup-too-long", "supportedAppProtocolReq", "evcc", told, trace=trace) from error


async def _opened(settings: OpenSettings, phases: PhaseClock, trace: Trace) -> Opened:
    host, port = await _find(settings, phases)
    stream = await _connect(settings, host, port, phases)
    link = MessageLink(stream, "evcc", trace, tamper=settings.tamper, rules=settings.rules)
    try:
        phases.begin("agreement")
        asker = Asker(link, settings.session_id)
        await asker.agree(settings.offered)
    except BaseException:
        await link.close()
        raise
    return Opened(asker, link)


async def _find(settings: OpenSettings, phases: PhaseClock) -> tuple[str, int]:
    if isinstance(settings.way, Fixed):
        return settings.way.host, settings.way.port
    from v2glab.links import SdpRequest
    from v2glab.links.sdp import discover

    phases.begin("SDP")
    request = SdpRequest("tls" if settings.tls else "none", "tcp")
    found = await discover(settings.way, request, rules=settings.discovery)
    if settings.tls is None and found.response.security == "tls":
        message = "SDP response"
        raise failure("no-common-protocol", message, "evcc", "the charger wants TLS, none was configured")
    return found.host, found.response.port


async def _connect(settings: OpenSettings, host: str, port: int, phases: PhaseClock) -> PlainStream:
    from v2glab.links.pki import check_profile
    from v2glab.links.tls import connect_plain, connect_tls

    if settings.tls is None:
        phases.begin("TCP")
        return await connect_plain(host, port)
    # Made before: loading certificates and what checks them is no part of the negotiation.
    _ = (settings.tls.context, settings.tls.roots, check_profile)
    phases.begin("TLS")
    stream = await connect_tls(host, port, settings.tls)
    if stream.timing is not None and stream.timing.connect_s is not None:
        phases.note("TCP", stream.timing.connect_s)
    return stream
