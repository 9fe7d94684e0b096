"""The charger's side of discovery."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable

from v2glab.links._closing import Closing
from v2glab.links._v2gtp import SdpRequest, SdpResponse, V2gtpError, build_sdp, parse_sdp
from v2glab.links.sdp._ways import Address, Direct, Multicast, count, server_socket


class SdpServer(Closing, asyncio.DatagramProtocol):
    """Answers requests; made by :func:`serve_sdp`.

    ``answered`` counts answers, ``ignored`` what was passed over and why.
    """

    def __init__(self, answer: Callable[[SdpRequest], SdpResponse | None]) -> None:
        self._answer = answer
        self._transport: asyncio.DatagramTransport | None = None
        self.answered = 0
        self.ignored: Counter[str] = Counter()

    @property
    def port(self) -> int:
        """UDP port that it listens on."""
        return int(self._transport.get_extra_info("sockname")[1]) if self._transport else 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the socket."""
        self._transport = transport  # type: ignore[assignment]

    def datagram_received(self, data: bytes, addr: Address) -> None:
        """Answer a request; pass over everything else."""
        try:
            message = parse_sdp(data)
        except V2gtpError as error:
            count(self.ignored, error.found)
            return
        if not isinstance(message, SdpRequest):
            count(self.ignored, "a response, not a request")
            return
        response = self._answer(message)
        if response is None:
            count(self.ignored, "a request that is not answered")
        elif self._transport is not None:
            self._transport.sendto(build_sdp(response), addr)
            self.answered += 1

    def error_received(self, exc: Exception) -> None:
        """Count an asker that is gone."""
        count(self.ignored, f"sending: {exc}")

    async def close(self) -> None:
        """Stop answering."""
        if self._transport is not None:
            self._transport.close()


async def serve_sdp(way: Multicast | Direct, answer: Callable[[SdpRequest], SdpResponse | None]) -> SdpServer:
    """Answer vehicles that look for a charger.

    Parameters
    ----------
    way
        With :class:`Direct`, port 0 takes a free one.
    answer
        From request to response; ``None`` keeps silent.

    Raises
    ------
    InputError
        Address or port cannot be used.
    DeviceError
        There is no such interface, or the port is taken.
    """
    link = server_socket(way)
    _, server = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: SdpServer(answer), sock=link
    )
    return server
