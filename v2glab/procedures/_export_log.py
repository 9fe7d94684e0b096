"""``export.log``: one event a line, written through at once so that a killed test leaves what it saw."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self


class ExportLog:
    """Writes ``<UTC time> LEVEL export <event> key=value …`` lines."""

    def __init__(self, path: Path, now_ns: Callable[[], int]) -> None:
        self._now_ns = now_ns
        self._stream = path.open("w", encoding="utf-8", buffering=1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self.event("aborted", level="ERROR", error=type(error).__name__)
        self._stream.close()

    def event(self, event: str, /, *, level: str = "INFO", **fields: object) -> None:
        """Write one event."""
        text = " ".join(f"{key}={_value(value)}" for key, value in fields.items())
        self._stream.write(f"{_stamp(self._now_ns())} {level} export {event} {text}".rstrip() + "\n")

    def sample(self, row: Mapping[str, float]) -> None:
        """Write one sample line with what an operator looks at first."""
        keys = ("power", "current_a", "current_b", "current_c", "voltage_a", "voltage_b", "voltage_c")
        chosen: dict[str, Any] = {
            key: row[key] for key in (*keys, "frequency", "soc", "heatsink_temperature") if key in row
        }
        self.event("sample", **chosen)


def _stamp(time_ns: int) -> str:
    seconds, rest = divmod(time_ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest // 1000:06d}Z"


def _value(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    text = str(value)
    return f'"{text}"' if " " in text else text
