"""Byte streams to devices: TCP sockets and serial lines, opened when first used and after each fault."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Protocol

from v2glab.evidence import DeviceError
from v2glab.instruments._address import ModbusAddress

if TYPE_CHECKING:
    from serial import Serial


class Wire(Protocol):
    """A connection that carries bytes both ways; both calls raise :class:`DeviceError`."""

    def send(self, data: bytes) -> None:
        """Send all of it; connect first when there is no connection."""

    def receive(self, deadline_s: float) -> bytes:
        """Return the next bytes, at least one, before a time of the monotonic clock."""

    def close(self) -> None:
        """Drop the connection; the next :meth:`send` opens a new one."""


class TcpWire:
    """A TCP connection."""

    def __init__(self, address: ModbusAddress, timeout_s: float) -> None:
        self._peer = (address.host, address.port)
        self._timeout_s = timeout_s
        self._socket: socket.socket | None = None

    def send(self, data: bytes) -> None:
        """Send all of it; connect first when there is no connection."""
        link = self._socket or self._connect()
        try:
            link.sendall(data)
        except OSError as error:
            self.close()
            raise self._fault(f"lost the connection while sending ({error})") from error

    def receive(self, deadline_s: float) -> bytes:
        """Return the next bytes, at least one, before a time of the monotonic clock."""
        if self._socket is None:
            raise self._fault("no connection")
        try:
            data = self._socket.recv(4096)
        except TimeoutError:
            raise self._fault(f"no answer within {self._timeout_s:g} s") from None
        except OSError as error:
            raise self._fault(f"lost the connection ({error})") from error
        if not data:
            raise self._fault("closed the connection without an answer")
        if time.monotonic() > deadline_s:
            raise self._fault(f"no complete answer within {self._timeout_s:g} s")
        return data

    def close(self) -> None:
        """Drop the connection; the next :meth:`send` opens a new one."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _connect(self) -> socket.socket:
        try:
            link = socket.create_connection(self._peer, timeout=self._timeout_s)
        except OSError as error:
            raise self._fault(f"no connection ({error})") from error
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = link
        return link

    def _fault(self, what: str) -> DeviceError:
        host, port = self._peer
        return DeviceError(
            f"{host}:{port}: {what}",
            "a device that answers there",
            "check power, network, address and port, and that no other program holds its only connection",
        )


class SerialWire:
    """A serial line; keeps the silence of 3.5 characters that separates Modbus RTU frames."""

    def __init__(self, address: ModbusAddress, timeout_s: float) -> None:
        self._address = address
        self._timeout_s = timeout_s
        self._port: Serial | None = None
        self._last_s = 0.0
        # Modbus over serial line 1.02, 2.5.1.1: above 19200 bit/s the silence is fixed at 1.75 ms.
        self._silence_s = max(3.5 * 11 / address.baud, 0.00175)

    def send(self, data: bytes) -> None:
        """Send all of it; open the line first when it is closed. Drops what came unasked."""
        port = self._port or self._open()
        try:
            wait_s = self._last_s + self._silence_s - time.monotonic()
            if wait_s > 0:
                time.sleep(wait_s)
            port.reset_input_buffer()
            port.write(data)
        except Exception as error:  # pyserial lets termios errors through beside its own
            self.close()
            raise self._fault(f"could not send ({error})") from error

    def receive(self, deadline_s: float) -> bytes:
        """Return the next bytes, at least one, before a time of the monotonic clock."""
        if self._port is None:
            raise self._fault("the line is closed")
        try:
            self._port.timeout = max(deadline_s - time.monotonic(), 0.0)
            data = bytes(self._port.read(max(1, self._port.in_waiting)))
        except Exception as error:  # as above
            raise self._fault(f"could not read ({error})") from error
        self._last_s = time.monotonic()
        if not data:
            raise self._fault(f"no complete answer within {self._timeout_s:g} s")
        return data

    def close(self) -> None:
        """Close the line; the next :meth:`send` opens it again."""
        if self._port is not None:
            self._port.close()
            self._port = None

    def _open(self) -> Serial:
        import serial

        at = self._address
        try:
            port: Serial = serial.Serial(
                at.device,
                at.baud,
                parity=at.parity,
                stopbits=at.stop_bits,
                timeout=self._timeout_s,
                write_timeout=self._timeout_s,
                exclusive=True,
            )
        except (OSError, ValueError) as error:
            raise self._fault(f"cannot be opened ({error})") from error
        self._port = port
        return port

    def _fault(self, what: str) -> DeviceError:
        return DeviceError(
            f"{self._address.device}, unit {self._address.unit}: {what}",
            f"a device that answers at {self._address.baud} bit/s, parity {self._address.parity}",
            "check wiring (A/B, termination), bit rate, parity, unit number and the rights on the line",
        )


def open_wire(address: ModbusAddress, timeout_s: float) -> Wire:
    """Return the wire for an address; nothing is connected before the first use."""
    return SerialWire(address, timeout_s) if address.device else TcpWire(address, timeout_s)
