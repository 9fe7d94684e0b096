"""A frame relay on loopback: a shared medium for runs without privileges.

Every datagram is one Ethernet frame; the relay hands it to all other members, as a power line does. A single
zero byte, which is no frame, asks to become a member, and is answered by the same.
"""

from __future__ import annotations

import asyncio
from typing import Self

from v2glab.evidence import DeviceError
from v2glab.links.slac._frame import LONGEST
from v2glab.links.slac._link import Inbox, for_us

LOOPBACK = "127.0.0.1"
#: Members of one relay; further ones are not let in.
MEMBERS = 64
_HELLO = b"\0"
_JOIN_TRIES, _JOIN_WAIT_S = 5, 0.2

_Peer = tuple[str, int]


class FrameRelay(asyncio.DatagramProtocol):
    """The medium; open it with ``await FrameRelay.open()``."""

    def __init__(self) -> None:
        self._members: dict[_Peer, None] = {}
        self._transport: asyncio.DatagramTransport | None = None

    @classmethod
    async def open(cls, port: int = 0) -> Self:
        """Listen on loopback, on any free port by default.

        Raises
        ------
        DeviceError
            The port is taken.
        """
        loop = asyncio.get_running_loop()
        try:
            _, relay = await loop.create_datagram_endpoint(cls, local_addr=(LOOPBACK, port))
        except OSError as error:
            raise DeviceError(f"port {port}: {error}", "a free UDP port", "choose another port") from error
        return relay

    @property
    def port(self) -> int:
        """The port that it listens on."""
        assert self._transport is not None  # noqa: S101 -- open() has set it
        return int(self._transport.get_extra_info("sockname")[1])

    def close(self) -> None:
        """Stop relaying."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = transport  # type: ignore[assignment]

    def datagram_received(self, data: bytes, addr: _Peer) -> None:
        """Let a member in, or pass a frame on."""
        assert self._transport is not None  # noqa: S101 -- datagrams come after it
        if data == _HELLO:
            if addr in self._members or len(self._members) < MEMBERS:
                self._members[addr] = None
                self._transport.sendto(_HELLO, addr)
            return
        if addr not in self._members or len(data) > LONGEST:
            return
        for member in self._members:
            if member != addr:
                self._transport.sendto(data, member)


class RelayLink(asyncio.DatagramProtocol):
    """A member of a relay; open it with ``await RelayLink.open(port, address)``."""

    def __init__(self, address: bytes) -> None:
        self._address = address
        self._inbox = Inbox()
        self._transport: asyncio.DatagramTransport | None = None
        self._joined = asyncio.Event()

    @classmethod
    async def open(cls, port: int, address: bytes) -> Self:
        """Join the relay on a port of loopback under an address of 6 bytes.

        Raises
        ------
        DeviceError
            No relay answers there, or it is full.
        """
        loop = asyncio.get_running_loop()
        transport, link = await loop.create_datagram_endpoint(
            lambda: cls(address), remote_addr=(LOOPBACK, port)
        )
        for _ in range(_JOIN_TRIES):
            transport.sendto(_HELLO)
            try:
                await asyncio.wait_for(link._joined.wait(), _JOIN_WAIT_S)
            except TimeoutError:
                continue
            return link
        transport.close()
        found = f"no frame relay on port {port} of loopback"
        raise DeviceError(found, "a relay with room for a member", "start the relay first, or name its port")

    @property
    def address(self) -> bytes:
        """The address under which it joined."""
        return self._address

    def send(self, data: bytes) -> None:
        """Put a frame on the medium."""
        if self._transport is None or self._transport.is_closing():
            raise DeviceError("the frame relay is gone", "a link that is open", "open the link again")
        self._transport.sendto(data)

    async def receive(self, timeout_s: float | None) -> bytes | None:
        """Return the next frame for this address, or None after the time has passed."""
        return await self._inbox.get(timeout_s)

    def close(self) -> None:
        """Leave the medium."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = transport  # type: ignore[assignment]

    def datagram_received(self, data: bytes, addr: _Peer) -> None:
        """Take a frame, or the answer to the request to join."""
        if data == _HELLO:
            self._joined.set()
        elif for_us(data, self._address):
            self._inbox.put(data)
