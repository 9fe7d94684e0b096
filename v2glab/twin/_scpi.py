"""SCPI over sockets: short and long headers, an error queue, one dialect a file (SCPI-1999, 6 and 21.8)."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections import deque
from collections.abc import Callable
from typing import Any

from v2glab.evidence import DeviceError, V2GError

LONGEST_LINE = 4096
QUEUE_LENGTH = 20
Answer = str | bytes | None
Action = Callable[..., Answer]

_MNEMONIC = re.compile(r"(\*?[A-Z]+)([a-z]*)(<n>)?")


def header_pattern(header: str) -> re.Pattern[str]:
    """Compile a header such as ``:NUMeric:NORMal:ITEM<n>`` into what matches its short and long forms.

    Capitals are the short form; ``<n>`` is a numeric suffix and becomes a group.
    """
    parts = []
    for word in header.rstrip("?").lstrip(":").split(":"):
        match = _MNEMONIC.fullmatch(word)
        if match is None:
            raise AssertionError(f"header {header!r}")
        short, rest, suffix = match.groups()
        parts.append(re.escape(short) + (f"(?:{rest})?" if rest else "") + (r"(\d{1,4})" if suffix else ""))
    query = r"\?" if header.endswith("?") else ""
    return re.compile(":?" + ":".join(parts) + query, re.IGNORECASE)


class ScpiDevice:
    """An instrument that speaks SCPI; a dialect adds headers.

    Parameters
    ----------
    identity
        Answer to ``*IDN?``.
    error_header
        Query that takes one entry off the error queue.
    """

    def __init__(self, identity: str, error_header: str = ":SYSTem:ERRor?") -> None:
        self._actions: list[tuple[re.Pattern[str], Action]] = []
        self._errors: deque[tuple[int, str]] = deque(maxlen=QUEUE_LENGTH)
        self.add("*IDN?", lambda: identity)
        self.add("*CLS", self._errors.clear)
        self.add("*RST", lambda: None)
        self.add("*OPC?", lambda: "1")
        self.add("*OPC", lambda: None)
        self.add("*ESR?", lambda: "0")
        self.add(error_header, self._next_error)

    def add(self, header: str, action: Action) -> None:
        """Bind a header to an action, called with suffixes and then arguments as texts."""
        self._actions.append((header_pattern(header), action))

    def accept(self, *headers: str) -> None:
        """Bind headers that only set up what the twin has fixed."""
        for header in headers:
            self.add(header, lambda *_: None)

    def execute(self, line: str) -> bytes:
        """Carry out one line and return what goes back, terminator included; empty when nothing does."""
        answers = [a for a in map(self._carry_out, line.split(";")) if a is not None]
        if not answers:
            return b""
        return b";".join(a if isinstance(a, bytes) else a.encode() for a in answers) + b"\n"

    def complain(self, code: int, text: str) -> None:
        """Put an entry into the error queue."""
        self._errors.append((code, text))

    def _carry_out(self, command: str) -> Answer:
        header, _, rest = command.strip().partition(" ")
        if not header:
            return None
        for pattern, action in self._actions:
            match = pattern.fullmatch(header)
            if match:
                arguments = [a.strip() for a in rest.split(",")] if rest.strip() else []
                return self._call(action, [*match.groups(), *arguments])
        self.complain(-113, "Undefined header")
        return None

    def _call(self, action: Action, arguments: list[str]) -> Answer:
        try:
            return action(*arguments)
        except TypeError:
            self.complain(-109, "Missing parameter")
        except (ValueError, V2GError):
            self.complain(-222, "Data out of range")
        return None

    def _next_error(self) -> str:
        code, text = self._errors.popleft() if self._errors else (0, "No error")
        return f'{code},"{text}"'


async def serve_device(
    device: ScpiDevice, host: str = "127.0.0.1", port: int = 0
) -> tuple[asyncio.Server, int]:
    """Serve one instrument on a socket; return server and port.

    Raises
    ------
    DeviceError
        The port is in use.
    """

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            while True:
                try:
                    line = await reader.readline()
                except ValueError:
                    device.complain(-363, "Input buffer overrun")
                    break
                if not line:
                    break
                writer.write(device.execute(line.decode("latin-1").strip()))
                await writer.drain()
        writer.close()

    try:
        server = await asyncio.start_server(serve, host, port, limit=LONGEST_LINE)
    except OSError as error:
        raise DeviceError(
            f"SCPI server on {host}:{port}: {error.strerror}", "a free port", "choose another port, or 0"
        ) from error
    return server, int(server.sockets[0].getsockname()[1])


def number(value: Any) -> str:  # noqa: ANN401 -- anything that float() takes
    """Return a number as instruments write it (NR3)."""
    return f"{float(value):.6E}"
