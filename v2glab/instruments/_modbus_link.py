"""Modbus exchanges: pymodbus' framers and messages over a lean synchronous wire.

pymodbus' own synchronous client costs several times a raw exchange, most of it in its event queue; the frames
here are built and taken apart by the same classes, without the machinery around them.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from v2glab.evidence import DeviceError, Direction, LimitError
from v2glab.instruments._address import ModbusAddress
from v2glab.instruments._wire import open_wire

if TYPE_CHECKING:
    from pymodbus.framer import FramerBase
    from pymodbus.pdu import ModbusPDU

Tape = Callable[[Direction, bytes], None]

#: MODBUS Application Protocol 1.1b3, 6.12: a request may write 123 registers.
MAX_WRITE = 123
_READS = (3, 4)
#: MODBUS Application Protocol 1.1b3, 7.
_EXCEPTIONS = {
    1: ("illegal function", "check the function code in the profile"),
    2: ("illegal data address", "check the addresses in the profile against the device's map"),
    3: ("illegal data value", "check the value and its type in the profile"),
    4: ("device failure", "look at the device's own alarms"),
    5: ("acknowledged, still working", "read again later"),
    6: ("device busy", "read again later"),
    10: ("gateway path unavailable", "check the gateway's settings"),
    11: ("no answer behind the gateway", "check the unit number and the line behind the gateway"),
}


class ModbusLink:
    """One device behind one wire.

    Parameters
    ----------
    address
        Where it is.
    timeout_s
        For connecting, and for one whole exchange. There are no retries: a caller who wants one asks again.
    tape
        Receives each raw frame, or ``None``.
    """

    def __init__(self, address: ModbusAddress, timeout_s: float, tape: Tape | None = None) -> None:
        self.address = address
        self._timeout_s = timeout_s
        self._tape = tape
        self._wire = open_wire(address, timeout_s)
        self._framer = _framer(serial=bool(address.device))
        self._transaction = 0
        self._read_frames: dict[tuple[int, int, int], bytes] = {}

    def read(self, function: int, address: int, count: int) -> tuple[int, ...]:
        """Read ``count`` registers with function 3 or 4; shape (count,), each 0 to 65535.

        Raises
        ------
        DeviceError
            No answer, an exception, or an answer that does not fit the request.
        """
        key = (function, address, count)
        frame = self._read_frames.get(key)
        if frame is None:
            frame = self._read_frames[key] = self._framer.buildFrame(_read_request(*key, self.address.unit))
        data = self._exchange(function, frame)
        if len(data) < 2 or data[1] != 2 * count or len(data) < 2 + 2 * count:
            raise self._garbage(f"{max(len(data) - 2, 0)} bytes of data for {count} registers")
        return struct.unpack_from(f">{count}H", data, 2)

    def write(self, address: int, words: Sequence[int], *, multiple: bool = False) -> None:
        """Write registers: one with function 6 (unless ``multiple``), more with function 16.

        Raises
        ------
        LimitError
            More registers than one request carries.
        DeviceError
            No answer, an exception, or an answer that does not confirm the request.
        """
        from pymodbus.pdu.register_message import WriteMultipleRegistersRequest, WriteSingleRegisterRequest

        if not 1 <= len(words) <= MAX_WRITE:
            raise LimitError(f"{len(words)} registers", f"1 … {MAX_WRITE}", "split the write")
        single = len(words) == 1 and not multiple
        kind = WriteSingleRegisterRequest if single else WriteMultipleRegistersRequest
        request = kind(address=address, registers=list(words), dev_id=self.address.unit)
        data = self._exchange(request.function_code, self._framer.buildFrame(request))
        expected = struct.pack(">HH", address, words[0] if single else len(words))
        if data[1:5] != expected:
            raise self._garbage(f"a confirmation {data[1:5].hex()} instead of {expected.hex()}")

    def close(self) -> None:
        """Drop the connection; the next exchange opens a new one."""
        self._wire.close()

    def _exchange(self, function: int, frame: bytes) -> bytes:
        """Send one request and return the message (function code first) that answers it."""
        if not self.address.device:  # frames are built once and renumbered
            self._transaction = self._transaction % 0xFFFF + 1
            frame = self._transaction.to_bytes(2, "big") + frame[2:]
        try:
            self._wire.send(frame)
            if self._tape:
                self._tape("tx", frame)
            message = self._await(function)
        except DeviceError:
            self._wire.close()  # what comes late must not answer the next request
            raise
        if message[0] == function | 0x80:
            raise self._refused(message)
        return message

    def _await(self, function: int) -> bytes:
        deadline_s = time.monotonic() + self._timeout_s
        received = b""
        while True:
            chunk = self._wire.receive(deadline_s)
            if self._tape:
                self._tape("rx", chunk)
            received += chunk
            while received:
                used, unit, transaction, message = self._decode(received)
                if not used:
                    break
                received = received[used:]
                if self._answers(function, unit, transaction, message):
                    return message

    def _decode(self, received: bytes) -> tuple[int, int, int, bytes]:
        """Take one frame off the front; ``used`` is 0 when more bytes are needed."""
        if not self.address.device and len(received) >= 6:
            protocol, length = struct.unpack_from(">HH", received, 2)
            if protocol != 0 or not 2 <= length <= 254:
                raise self._garbage(f"bytes {received[:12].hex()}")
        try:
            used, unit, transaction, message = self._framer.decode(received)
        except Exception as error:  # a parser of foreign bytes: whatever it meets, the device is to blame
            raise self._garbage(f"bytes {received[:12].hex()} ({error})") from error
        if used and not message:
            raise self._garbage(f"a damaged frame {received[:12].hex()}")
        return used, unit, transaction, message

    def _answers(self, function: int, unit: int, transaction: int, message: bytes) -> bool:
        """Tell a late answer to an earlier request (skipped) from a wrong one (an error)."""
        if not self.address.device and transaction != self._transaction:
            return False
        if unit != self.address.unit:
            raise self._garbage(f"an answer from unit {unit}")
        if message[0] & 0x7F != function or (message[0] & 0x80 and len(message) < 2):
            raise self._garbage(f"an answer {message[:4].hex()} to function {function}")
        return True

    def _refused(self, message: bytes) -> DeviceError:
        name, remedy = _EXCEPTIONS.get(message[1], ("unknown", "look it up in the device's manual"))
        return DeviceError(
            f"{self._name()} answers with exception {message[1]} ({name})",
            "an answer without exception",
            remedy,
        )

    def _garbage(self, what: str) -> DeviceError:
        return DeviceError(
            f"{self._name()} sent {what}",
            "a Modbus answer to the request",
            "check that the address is a Modbus device, and the line for noise or a second master",
        )

    def _name(self) -> str:
        at = self.address
        return f"{at.device or f'{at.host}:{at.port}'}, unit {at.unit},"


def _read_request(function: int, address: int, count: int, unit: int) -> ModbusPDU:
    from pymodbus.pdu.register_message import ReadHoldingRegistersRequest, ReadInputRegistersRequest

    kind = ReadHoldingRegistersRequest if function == _READS[0] else ReadInputRegistersRequest
    return kind(address=address, count=count, dev_id=unit)


def _framer(*, serial: bool) -> FramerBase:
    from pymodbus.framer import FramerRTU, FramerSocket
    from pymodbus.pdu import DecodePDU

    decoder = DecodePDU(is_server=False)
    return FramerRTU(decoder) if serial else FramerSocket(decoder)
