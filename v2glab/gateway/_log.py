"""The gateway's log: one event a line, ``<UTC time> LEVEL gateway event key=value``."""

from __future__ import annotations

import contextlib
import time
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock

from v2glab.evidence import StorageError

_LONGEST_VALUE = 300


class GatewayLog:
    """Appends lines at once, so that a killed gateway leaves what it logged.

    Raises
    ------
    StorageError
        The file cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._stream = path.open("a", encoding="utf-8", errors="backslashreplace", buffering=1)
        except OSError as error:
            raise StorageError(
                f"{path}: {error.strerror}", "a log that can be written", "check it"
            ) from error
        self._lock = Lock()

    def __call__(self, level: str, event: str, /, **fields: object) -> None:
        """Write one event, stamped with wall time; a full disk loses the line, not the gateway."""
        seconds, rest = divmod(time.time_ns(), 1_000_000_000)
        stamp = f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest // 1000:06d}Z"
        text = " ".join(f"{key}={_quoted(value)}" for key, value in fields.items())
        with self._lock, contextlib.suppress(OSError, ValueError):
            self._stream.write(f"{stamp} {level} gateway {event} {text}".rstrip() + "\n")

    def close(self) -> None:
        """Close the file."""
        with self._lock, contextlib.suppress(OSError):
            self._stream.close()


def _quoted(value: object) -> str:
    """Return a value that stays on one line and in one field, whoever it came from."""
    text = "".join(c if c.isprintable() else " " for c in str(value))[:_LONGEST_VALUE].replace('"', "'")
    return f'"{text}"' if not text or any(c.isspace() or c == "=" for c in text) else text
