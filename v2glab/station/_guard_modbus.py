"""The guardian's own Modbus TCP: blocking no longer than told, standard library only.

Frames follow the MODBUS Application Protocol V1.1b3 (6.3 read holding registers, 6.4 read input registers,
6.6 write single register, 6.12 write multiple registers) and the Messaging on TCP/IP Implementation Guide
V1.0b (3.1.3, MBAP header).
"""

from __future__ import annotations

import select
import socket
import struct
import time
from collections.abc import Sequence

_HEADER = struct.Struct(">HHHB")
_LARGEST_FRAME = 260


class LinkError(Exception):
    """The charger did not answer as it must; the text says how."""


class ModbusLink:
    """One connection to one Modbus TCP unit, opened again when it was lost.

    Parameters
    ----------
    host, port, unit
        Where the unit answers.
    timeout_s
        Longest wait for one answer.
    """

    def __init__(self, host: str, port: int, unit: int, *, timeout_s: float = 0.04) -> None:
        self.host, self.port, self.unit, self.timeout_s = host, port, unit, timeout_s
        self._socket: socket.socket | None = None
        self._received = bytearray()
        self._transaction = 0

    def connect(self, timeout_s: float | None = None) -> None:
        """Connect when not connected.

        Raises
        ------
        LinkError
            Nothing listens there.
        """
        if self._socket is not None:
            return
        try:
            link = socket.create_connection((self.host, self.port), timeout=timeout_s or self.timeout_s)
        except OSError as error:
            raise LinkError(f"{self.host}:{self.port}: {error}") from error
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link.setblocking(False)
        self._socket = link
        self._received.clear()

    def close(self) -> None:
        """Drop the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def fileno(self) -> int | None:
        """Return the descriptor to wait on, ``None`` while not connected."""
        return self._socket.fileno() if self._socket is not None else None

    def read(self, function: int, address: int, count: int) -> list[int]:
        """Return ``count`` registers from ``address`` (function 3 or 4)."""
        reply = self._exchange(struct.pack(">BHH", function, address, count))
        if len(reply) != 2 + 2 * count or reply[1] != 2 * count:
            raise LinkError(f"register {address}: answer of {len(reply)} bytes to a read of {count}")
        return list(struct.unpack(f">{count}H", reply[2:]))

    def write(self, address: int, words: Sequence[int]) -> None:
        """Write registers (function 6 or 16) and wait for the answer."""
        self._exchange(_write_request(address, words))

    def post(self, address: int, words: Sequence[int]) -> int:
        """Send a write without waiting; returns its transaction number."""
        return self._send(_write_request(address, words))

    def collect(self) -> list[tuple[int, bytes]]:
        """Return the answers that have come in, as (transaction, body), without waiting."""
        self._fill()
        answers = []
        while (frame := self._frame()) is not None:
            answers.append(frame)
        return answers

    def _exchange(self, request: bytes) -> bytes:
        transaction = self._send(request)
        deadline_s = time.monotonic() + self.timeout_s
        while True:
            for number, body in self.collect():
                if number != transaction:
                    continue  # a late answer to a request that nobody waits for any more
                if body[0] & 0x80:
                    raise LinkError(f"exception {body[1] if len(body) > 1 else '?'} to function {request[0]}")
                if body[0] != request[0]:
                    raise LinkError(f"function {body[0]} answered to function {request[0]}")
                return body
            self._wait(deadline_s - time.monotonic())

    def _wait(self, left_s: float) -> None:
        if self._socket is None or left_s <= 0:
            raise LinkError(f"{self.host}:{self.port}: no answer within {self.timeout_s:g} s")
        select.select([self._socket], [], [], left_s)

    def _send(self, request: bytes) -> int:
        self.connect()
        if self._socket is None:
            raise LinkError("not connected")
        self._transaction = self._transaction % 0xFFFF + 1
        frame = _HEADER.pack(self._transaction, 0, len(request) + 1, self.unit) + request
        try:
            self._socket.sendall(frame)
        except OSError as error:
            self.close()
            raise LinkError(f"{self.host}:{self.port}: {error}") from error
        return self._transaction

    def _fill(self) -> None:
        if self._socket is None:
            raise LinkError(f"{self.host}:{self.port}: connection lost")
        try:
            while chunk := self._socket.recv(4096):
                self._received += chunk
        except BlockingIOError:
            return
        except OSError as error:
            self.close()
            raise LinkError(f"{self.host}:{self.port}: {error}") from error
        self.close()  # an empty read: the other side hung up
        raise LinkError(f"{self.host}:{self.port}: connection closed by the device")

    def _frame(self) -> tuple[int, bytes] | None:
        if len(self._received) < _HEADER.size:
            return None
        transaction, protocol, length, _unit = _HEADER.unpack_from(self._received)
        if protocol != 0 or not 2 <= length <= _LARGEST_FRAME - 6:
            self.close()
            raise LinkError(f"{self.host}:{self.port}: no Modbus TCP header")
        if len(self._received) < 6 + length:
            return None
        body = bytes(self._received[_HEADER.size : 6 + length])
        del self._received[: 6 + length]
        return transaction, body


def _write_request(address: int, words: Sequence[int]) -> bytes:
    """One register by function 6, which every device knows; more by function 16."""
    if len(words) == 1:
        return struct.pack(">BHH", 6, address, words[0])
    return struct.pack(f">BHHB{len(words)}H", 16, address, len(words), 2 * len(words), *words)
