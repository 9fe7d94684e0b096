"""The vehicle's side of discovery."""

from __future__ import annotations

import asyncio
import socket
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from v2glab.evidence import DeviceError
from v2glab.links._v2gtp import SdpRequest, SdpResponse, V2gtpError, build_sdp, parse_sdp
from v2glab.links.sdp._ways import Direct, Multicast, SdpRules, client_socket, count, load_sdp_rules


@dataclass(frozen=True)
class Discovery:
    """Where the charger listens. ``host`` carries the interface of a link-local address.

    ``duration_s`` runs from the first request to the answer. ``ignored`` counts what else came.
    """

    response: SdpResponse
    host: str
    attempts: int
    duration_s: float
    ignored: Mapping[str, int]


class DiscoveryError(DeviceError):
    """No charger was found; phase SDP. ``ignored`` counts what came and did not fit."""

    def __init__(self, found: str, required: str, remedy: str, ignored: Mapping[str, int]) -> None:
        super().__init__(f"SDP: {found}", required, remedy)
        self.ignored = ignored


async def discover(
    way: Multicast | Direct,
    request: SdpRequest | None = None,
    *,
    accept_plain: bool = False,
    rules: SdpRules | None = None,
) -> Discovery:
    """Look for the charger; ask again after each wait without a fit answer.

    Parameters
    ----------
    request
        TLS over TCP by default.
    accept_plain
        Take an answer that offers no TLS though TLS was asked for. It may be forged: part 20 forbids it.

    Raises
    ------
    InputError
        Address or port cannot be used.
    DeviceError
        There is no such interface.
    DiscoveryError
        Nobody answered fitly in all attempts, or nothing could be sent.
    """
    request, rules = request or SdpRequest(), rules or load_sdp_rules()
    link, target = client_socket(way)
    octets, ignored, loop = build_sdp(request), Counter[str](), asyncio.get_running_loop()
    began = time.perf_counter()
    with link:
        for attempt in range(1, rules.attempts + 1):
            try:
                await loop.sock_sendto(link, octets, target)
                async with asyncio.timeout(rules.response_s):
                    response = await _fit_answer(link, way, request, accept_plain, ignored)
            except TimeoutError:
                continue
            except ConnectionError as error:
                # A direct request to a port where nobody listens yet: wait as for silence.
                count(ignored, str(error))
                await asyncio.sleep(rules.response_s)
                continue
            except OSError as error:
                raise _cannot_send(way, error, ignored) from error
            host = _with_scope(response, way)
            return Discovery(response, host, attempt, time.perf_counter() - began, dict(ignored))
    raise _nobody(way, rules, ignored)


async def _fit_answer(
    link: socket.socket,
    way: Multicast | Direct,
    request: SdpRequest,
    accept_plain: bool,
    ignored: Counter[str],
) -> SdpResponse:
    loop = asyncio.get_running_loop()
    while True:
        data, _ = await loop.sock_recvfrom(link, 2048)
        try:
            message = parse_sdp(data)
        except V2gtpError as error:
            count(ignored, error.found)
            continue
        if isinstance(message, SdpRequest):
            # On the loopback interface the own request comes back; another vehicle's may come too.
            continue
        if fault := _unfit(message, way, request, accept_plain):
            count(ignored, fault)
        else:
            return message


def _unfit(response: SdpResponse, way: Multicast | Direct, request: SdpRequest, accept_plain: bool) -> str:
    address = response.address
    if address.is_multicast or address.is_unspecified:
        return "an answer with an address that nobody can have"
    if isinstance(way, Multicast) and not address.is_link_local:
        return "an answer with an address that is not link-local"
    if response.transport != request.transport:
        return f"an answer for {response.transport}, not {request.transport}"
    if request.security == "tls" and response.security != "tls" and not accept_plain:
        return "an answer without TLS, though TLS was asked for"
    return ""


def _with_scope(response: SdpResponse, way: Multicast | Direct) -> str:
    if isinstance(way, Multicast) and response.address.is_link_local:
        return f"{response.address}%{way.interface}"
    return str(response.address)


def _told(ignored: Mapping[str, int]) -> str:
    return "; ".join(f"{count} x {what}" for what, count in ignored.items())


def _nobody(way: Multicast | Direct, rules: SdpRules, ignored: Mapping[str, int]) -> DiscoveryError:
    what = f"no fit answer to {rules.attempts} requests by {way}"
    if ignored:
        return DiscoveryError(
            f"{what}, but {_told(ignored)}",
            "an answer that fits the request",
            "look at who answers on this link, and whether the charger offers TLS",
            ignored,
        )
    remedy = "check SLAC and the link, that UDP 15118, multicast ff02::1 and ICMPv6 pass the firewall"
    return DiscoveryError(what, "an answer of the charger", remedy, ignored)


def _cannot_send(way: Multicast | Direct, error: OSError, ignored: Mapping[str, int]) -> DiscoveryError:
    remedy = "give the interface a link-local address and set it up; on lo see the notes on multicast"
    return DiscoveryError(f"{way}: {error.strerror or error}", "a way to the other end", remedy, ignored)
