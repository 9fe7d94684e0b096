"""SCPI exchanges over PyVISA and its Python backend."""

from __future__ import annotations

import contextlib
import math
import socket
import time
from collections.abc import Callable
from typing import Any

from v2glab.evidence import DeviceError, Direction, InputError
from v2glab.instruments._profile import ScpiSection

Tape = Callable[[Direction, bytes], None]

#: SCPI-1999 7.2.1.4 and .5: infinity (overload) and not-a-number in answers.
_INFINITY = 9.9e37
_MAX_ANSWER = 1 << 20
_CHUNK = 1 << 16


class ScpiLink:
    """One instrument behind one VISA resource, opened when first used and again after each fault.

    Parameters
    ----------
    address
        A VISA resource: ``TCPIP::host::port::SOCKET`` or ``ASRL/dev/ttyS0::INSTR``.
    section
        Termination, error queue and set-up commands.
    timeout_s
        For connecting and for one answer.
    tape
        Receives each raw message, or ``None``.
    """

    def __init__(
        self, address: str, section: ScpiSection, timeout_s: float, tape: Tape | None = None
    ) -> None:
        if not address.upper().startswith(("TCPIP", "ASRL", "USB", "GPIB")) or "::" not in address:
            raise InputError(
                f"address {address!r}",
                "a VISA resource such as TCPIP::192.168.1.20::5025::SOCKET or ASRL/dev/ttyS0::INSTR",
                "correct the station file",
            )
        self._address = address
        self._section = section
        self._timeout_s = timeout_s
        self._tape = tape
        self._end = section.termination.encode()
        self._resource: Any = None
        self._socket: socket.socket | None = None
        self._rest = b""

    def query(self, command: str) -> str:
        """Send a query and return its answer without termination.

        Raises
        ------
        DeviceError
            No answer in time, no text, or the connection is lost.
        """
        self.send(command)
        line = self._line()
        try:
            return line.decode("ascii").strip()
        except UnicodeDecodeError:
            raise self._fault(f"answered {command} with {line[:20]!r}", "ASCII text") from None

    def send(self, command: str) -> None:
        """Send one command that has no answer; see :meth:`check_errors`."""
        self._open()
        self._write(command)

    def block(self, command: str) -> bytes:
        """Send a query and return the content of the definite-length block that answers it.

        The form is ``#`` digit, as many digits of length, the bytes (IEEE 488.2-1992, 8.7.9).

        Raises
        ------
        DeviceError
            The answer is not such a block, or not as long as it says.
        """
        self.send(command)
        head = self._exactly(2)
        if head[:1] != b"#" or head[1:] not in (b"1", b"2", b"3", b"4", b"5", b"6", b"7", b"8", b"9"):
            raise self._fault(f"answered {command} with {head!r}", "a block that begins with # and a digit")
        digits = self._exactly(int(head[1:]))
        if not digits.isdigit():
            raise self._fault(f"answered {command} with {head + digits!r}", "a block with its length")
        length = int(digits)
        if length > self._section.max_block:
            raise self._fault(f"a block of {length} bytes", f"≤ {self._section.max_block} bytes")
        data = self._exactly(length)
        if self._line():
            raise self._fault("bytes after the block", "the termination")
        return data

    def check_errors(self, after: str) -> None:
        """Read the error queue until it is empty.

        Raises
        ------
        DeviceError
            The instrument has noted an error; the message quotes it and the command before it.
        """
        if not self._section.error_query:
            return
        seen: list[str] = []
        for _ in range(20):
            answer = self.query(self._section.error_query)
            number = answer.split(",")[0].split(" ")[-1].lstrip("+")
            if number.strip("-").isdigit() and int(number) == 0:
                break
            seen.append(answer)
        if seen:
            raise DeviceError(
                f"{self._address}: {after} gave {'; '.join(seen[:3])}",
                "an empty error queue",
                "look the error up in the instrument's manual; check range, mode and remote state",
            )

    def close(self) -> None:
        """Let go of the resource; the next call opens it again."""
        resource, self._resource, self._socket, self._rest = self._resource, None, None, b""
        if resource is not None:
            with contextlib.suppress(Exception):  # what is broken already may refuse to close
                resource.close()

    def _open(self) -> None:
        if self._resource is not None:
            return
        import pyvisa

        try:
            self._resource = pyvisa.ResourceManager("@py").open_resource(
                self._address, open_timeout=round(1000 * self._timeout_s)
            )
            self._resource.timeout = 1000 * self._timeout_s
            self._resource.read_termination = self._section.termination
            if self._address.upper().startswith("ASRL"):
                self._resource.baud_rate = self._section.baud
            self._socket = _socket_of(self._resource, self._timeout_s)
        except Exception as error:  # pyvisa-py raises bare Exception when it cannot connect
            self.close()
            raise self._fault(f"cannot be opened ({error})", "an instrument that answers there") from error
        for command in self._section.setup:
            self._write(command)
        if self._section.setup:
            self.check_errors("the set-up")

    def _write(self, command: str) -> None:
        message = command.encode("ascii", errors="replace") + self._end
        try:
            resource = self._resource
            if resource is None:
                raise self._fault("the connection is closed", "an open connection")
            if self._socket is not None:
                self._socket.sendall(message)
            else:
                resource.visalib.write(resource.session, message)
        except DeviceError:
            raise
        except Exception as error:  # sockets, serial lines and VISA each have their own
            raise self._fault(f"lost the connection ({error})", "an instrument that answers") from error
        if self._tape:
            self._tape("tx", message)

    def _line(self) -> bytes:
        """Return the bytes before the next termination."""
        deadline_s = time.monotonic() + self._timeout_s
        while self._end not in self._rest:
            if len(self._rest) > _MAX_ANSWER:
                raise self._fault("an answer without end", f"an answer of at most {_MAX_ANSWER} bytes")
            self._rest += self._more(deadline_s)
        line, _, self._rest = self._rest.partition(self._end)
        return line

    def _exactly(self, count: int) -> bytes:
        deadline_s = time.monotonic() + self._timeout_s
        parts = bytearray(self._rest)
        while len(parts) < count:
            # Data that keep coming move the deadline: a long block may take longer than one answer.
            parts += self._more(deadline_s)
            deadline_s = time.monotonic() + self._timeout_s
        self._rest = bytes(parts[count:])
        return bytes(parts[:count])

    def _more(self, deadline_s: float) -> bytes:
        resource = self._resource
        if resource is None:
            raise self._fault("the connection is closed", "an open connection")
        try:
            if self._socket is not None:
                data = self._socket.recv(_CHUNK)
            else:
                data = bytes(resource.visalib.read(resource.session, _CHUNK)[0])
        except Exception as error:  # as in _write
            raise self._fault(f"no answer within {self._timeout_s:g} s ({error})", "an answer") from error
        if self._tape and data:
            self._tape("rx", data)
        if not data or time.monotonic() > deadline_s:
            raise self._fault(f"no complete answer within {self._timeout_s:g} s", "an answer")
        return data

    def _fault(self, found: str, required: str) -> DeviceError:
        """Describe a fault and drop the connection, so that a late answer cannot serve the next query."""
        self.close()
        return DeviceError(
            f"{self._address}: {found}",
            required,
            "check power, cable, address and port, and that the instrument is in SCPI remote mode",
        )


def _socket_of(resource: Any, timeout_s: float) -> socket.socket | None:  # noqa: ANN401  (pyvisa has no types)
    """Return the socket that PyVISA opened for ``TCPIP::…::SOCKET``, or ``None`` for other resources.

    Each read through PyVISA looks up three attributes and selects before it receives, which costs as much as
    the exchange itself; on the socket the same bytes go at the cost of a raw exchange.
    """
    sessions = getattr(resource.visalib, "sessions", {})
    link = getattr(sessions.get(resource.session), "interface", None)
    if not isinstance(link, socket.socket):
        return None
    link.getpeername()  # the backend takes a refused connection for an open one
    link.settimeout(timeout_s)
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return link


def parse_number(text: str, *, address: str, query: str) -> float:
    """Read one number of an answer.

    Raises
    ------
    DeviceError
        It is no number, or the instrument's sign for overload or for no value.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or abs(value) >= _INFINITY:
        raise DeviceError(
            f"{address}: {query} gave {text[:40]!r}",
            "a number",
            "check signal, range and wiring: instruments answer so on overload or without a valid reading",
        )
    return value
