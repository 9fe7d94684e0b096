"""A Modbus TCP server on loopback (Modbus Messaging on TCP/IP Implementation Guide 1.0b, 3.1)."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import Mapping, Sequence

from v2glab.evidence import DeviceError
from v2glab.twin._banks import ILLEGAL_ADDRESS, ILLEGAL_FUNCTION, ILLEGAL_VALUE, Bank, Refused

_HEADER = struct.Struct(">HHHB")
#: Unit, function and at most 252 bytes of data.
_LONGEST = 254
_GATEWAY_TARGET_FAILED = 0x0B
_READ_MAX, _WRITE_MAX = 125, 123


class ModbusServer:
    """Answers masters from banks by unit; a malformed frame closes that connection only."""

    def __init__(self, banks: Mapping[int, Bank]) -> None:
        self._banks = dict(banks)
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> tuple[str, int]:
        """Listen and return the address.

        Raises
        ------
        DeviceError
            The port is in use.
        """
        try:
            self._server = await asyncio.start_server(self._serve, host, port)
        except OSError as error:
            raise DeviceError(
                f"Modbus server on {host}:{port}: {error.strerror}",
                "a free port",
                "choose another port, or 0",
            ) from error
        name = self._server.sockets[0].getsockname()
        return str(name[0]), int(name[1])

    async def stop(self) -> None:
        """Close all connections."""
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            while True:
                transaction, protocol, length, unit = _HEADER.unpack(await reader.readexactly(_HEADER.size))
                if protocol != 0 or not 2 <= length <= _LONGEST:
                    break
                answer = self._answer(unit, await reader.readexactly(length - 1))
                writer.write(_HEADER.pack(transaction, 0, len(answer) + 1, unit) + answer)
                await writer.drain()
        writer.close()

    def _answer(self, unit: int, request: bytes) -> bytes:
        function = request[0]
        try:
            return bytes([function]) + self._carry_out(unit, function, request[1:])
        except Refused as refusal:
            return bytes([function | 0x80, refusal.code])
        except struct.error:
            return bytes([function | 0x80, ILLEGAL_VALUE])

    def _carry_out(self, unit: int, function: int, data: bytes) -> bytes:
        bank = self._banks.get(unit)
        if bank is None:
            raise Refused(_GATEWAY_TARGET_FAILED)
        if function in (3, 4):
            return _read(bank, function, data)
        if function == 6:
            address, value = struct.unpack(">HH", data)
            bank.write(address, (value,))
            return data
        if function == 16:
            return _write(bank, data)
        raise Refused(ILLEGAL_FUNCTION)


def _read(bank: Bank, function: int, data: bytes) -> bytes:
    address, count = struct.unpack(">HH", data)
    if not 1 <= count <= _READ_MAX:
        raise Refused(ILLEGAL_VALUE)
    if address + count > 0x10000:
        raise Refused(ILLEGAL_ADDRESS)
    words = bank.read(function, address, count)
    return bytes([2 * count]) + struct.pack(f">{count}H", *words)


def _write(bank: Bank, data: bytes) -> bytes:
    address, count, size = struct.unpack(">HHB", data[:5])
    if not 1 <= count <= _WRITE_MAX or size != 2 * count or len(data) != 5 + size:
        raise Refused(ILLEGAL_VALUE)
    words: Sequence[int] = struct.unpack(f">{count}H", data[5:])
    bank.write(address, words)
    return data[:4]
