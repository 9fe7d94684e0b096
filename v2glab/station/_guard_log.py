"""The guardian's log, and what lets its process answer promptly."""

from __future__ import annotations

import ctypes
import gc
import os
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic_ns, time_ns
from types import TracebackType

_MCL_CURRENT_AND_FUTURE = 3
#: Above ordinary work, below the kernel's own threads.
_PRIORITY = 50


class GuardLog:
    """One event a line: ``UTC LEVEL guardian event monotonic_ns=… key=value``."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def __enter__(self) -> GuardLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)

    def event(self, event: str, **details: object) -> None:
        """Write one line; a full disk must not keep the contactor closed, so failure is let pass."""
        bad = event.endswith("failed") or details.get("verified") is False
        now_ns = time_ns()
        stamp = datetime.fromtimestamp(now_ns // 10**9, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        words = " ".join(f"{key}={_value(value)}" for key, value in details.items() if value != "")
        micros = now_ns // 1000 % 10**6
        level = "ERROR" if bad else "INFO"
        line = f"{stamp}.{micros:06d}Z {level} guardian {event} monotonic_ns={monotonic_ns()} {words}\n"
        try:
            os.write(self._descriptor, line.encode())
        except OSError:
            return


def _value(value: object) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    plain = text and not any(c.isspace() or c in '"=' for c in text)
    return text if plain else '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def become_prompt() -> dict[str, str]:
    """Ask for real-time scheduling and locked memory; returns what was granted, for the log."""
    gc.disable()
    gc.freeze()
    granted = {}
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(_PRIORITY))
        granted["scheduling"] = f"SCHED_FIFO {_PRIORITY}"
    except (OSError, AttributeError) as error:
        granted["scheduling"] = f"ordinary ({error})"
    locked = ctypes.CDLL(None, use_errno=True).mlockall(_MCL_CURRENT_AND_FUTURE) == 0
    granted["memory"] = "locked" if locked else f"not locked ({os.strerror(ctypes.get_errno())})"
    return granted
