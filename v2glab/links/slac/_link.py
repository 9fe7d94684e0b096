"""Ways for frames: what all of them share, and raw Ethernet.

A modem of the field is reached through :class:`RawLink` on the interface that it hangs on: it answers
CM_SET_KEY.REQ and reports CM_ATTEN_PROFILE.IND by itself, as :class:`~v2glab.links.slac.EmulatedModem` does.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from typing import Protocol

from v2glab.evidence import DeviceError
from v2glab.links.slac._frame import ETHER_TYPE, LONGEST
from v2glab.links.slac._messages import BROADCAST

#: Frames that wait to be taken; further ones are lost, as on a real interface.
WAITING = 1024


class Link(Protocol):
    """Carries Ethernet frames; one interface for raw sockets, relay and modem."""

    @property
    def address(self) -> bytes:
        """The own address, 6 bytes."""
        ...

    def send(self, data: bytes) -> None:
        """Put a frame on the wire; raises DeviceError when it cannot."""
        ...

    async def receive(self, timeout_s: float | None) -> bytes | None:
        """Return the next frame for this address, or None after the time has passed."""
        ...

    def close(self) -> None:
        """Give the transport back."""
        ...


class Inbox:
    """Frames that came in, for one reader."""

    def __init__(self) -> None:
        self._frames: deque[bytes] = deque()
        self._reader: asyncio.Future[None] | None = None
        self.lost = 0

    def put(self, data: bytes) -> None:
        """Add a frame, or count it as lost when nobody takes any."""
        if len(self._frames) >= WAITING:
            self.lost += 1
            return
        self._frames.append(data)
        self._wake()

    async def get(self, timeout_s: float | None) -> bytes | None:
        """Return the next frame, or None after the time has passed."""
        if not self._frames:
            await self._sleep(timeout_s)
        return self._frames.popleft() if self._frames else None

    async def _sleep(self, timeout_s: float | None) -> None:
        if timeout_s is not None and timeout_s <= 0:
            # Others must have their turn, or a sender without pause would starve its own receiver.
            await asyncio.sleep(0)
            return
        loop = asyncio.get_running_loop()
        self._reader = loop.create_future()
        timer = None if timeout_s is None else loop.call_later(timeout_s, self._wake)
        try:
            await self._reader
        finally:
            self._reader = None
            if timer is not None:
                timer.cancel()

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)


def for_us(data: bytes, address: bytes) -> bool:
    """Return whether a frame is for an address, and not from it."""
    return data[:6] in (address, BROADCAST) and data[6:12] != address


class RawLink:
    """Raw Ethernet on an interface (Linux, AF_PACKET).

    Parameters
    ----------
    interface
        Name of the interface, such as ``eth1``.

    Raises
    ------
    DeviceError
        There is no such interface, or raw sockets are not permitted.
    """

    def __init__(self, interface: str) -> None:
        try:
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETHER_TYPE))
        except PermissionError as error:
            required = "the right to open raw sockets (CAP_NET_RAW)"
            raise DeviceError(
                f"{interface}: {error}", required, "run as root, or use a frame relay"
            ) from error
        try:
            self._socket.bind((interface, 0))
        except OSError as error:
            self._socket.close()
            remedy = "name an interface that 'ip link' lists, and set it up"
            raise DeviceError(f"{interface}: {error}", "an Ethernet interface that is up", remedy) from error
        self._socket.setblocking(False)
        self._address: bytes = self._socket.getsockname()[4]
        self._interface = interface
        self._inbox = Inbox()
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def address(self) -> bytes:
        """The address of the interface."""
        return self._address

    def send(self, data: bytes) -> None:
        """Put a frame on the wire."""
        try:
            self._socket.send(data)
        except OSError as error:
            raise DeviceError(
                f"{self._interface}: {error}", "an interface that is up", "set it up"
            ) from error

    async def receive(self, timeout_s: float | None) -> bytes | None:
        """Return the next frame for this address, or None after the time has passed."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self._loop.add_reader(self._socket.fileno(), self._read)
        return await self._inbox.get(timeout_s)

    def close(self) -> None:
        """Close the socket."""
        if self._loop is not None:
            self._loop.remove_reader(self._socket.fileno())
            self._loop = None
        self._socket.close()

    def _read(self) -> None:
        try:
            data, origin = self._socket.recvfrom(LONGEST + 1)
        except OSError:
            return  # the interface went down; the law's timers tell
        if origin[2] != socket.PACKET_OUTGOING and for_us(data, self._address):
            self._inbox.put(data)
