"""The charger's log: one event a line, ``<UTC time> LEVEL charger event key=value``."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock


class ChargerLog:
    """Appends lines at once; a killed twin leaves what it logged."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._stream = path.open("a", encoding="utf-8", buffering=1)
        self._lock = Lock()

    def __call__(self, time_ns: int, event: str, fields: dict[str, object]) -> None:
        """Write one event of the plant; ``level`` among the fields is the level."""
        level = str(fields.get("level", "INFO"))
        self._write(time_ns, level, event, {k: v for k, v in fields.items() if k != "level"})

    def now(self, level: str, event: str, **fields: object) -> None:
        """Write one event of a link, stamped with wall time."""
        self._write(time.time_ns(), level, event, fields)

    def close(self) -> None:
        """Close the file."""
        self._stream.close()

    def _write(self, time_ns: int, level: str, event: str, fields: dict[str, object]) -> None:
        text = " ".join(f"{key}={_quoted(value)}" for key, value in fields.items())
        with self._lock:
            self._stream.write(f"{_stamp(time_ns)} {level} charger {event} {text}".rstrip() + "\n")


def _stamp(time_ns: int) -> str:
    seconds, rest = divmod(time_ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest // 1000:06d}Z"


def _quoted(value: object) -> str:
    # One event stays one line, whatever a peer sent.
    text = " ".join(str(value).replace('"', "'").split())
    return f'"{text}"' if not text or " " in text else text
