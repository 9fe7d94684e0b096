"""Look at the kernel: scheduling, clock, namespaces, GPIO, ports. Nothing here changes anything."""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_STA_UNSYNC, _TIME_ERROR = 0x0040, 5
_PROBE = "import os; os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))"


@dataclass(frozen=True)
class ClockState:
    """What the kernel's clock discipline says of itself (adjtimex(2))."""

    synchronised: bool
    estimated_error_s: float


class _Timex(ctypes.Structure):
    """``struct timex`` of Linux; the kernel writes 11 reserved integers at its end."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("constant", ctypes.c_long),
        ("precision", ctypes.c_long),
        ("tolerance", ctypes.c_long),
        ("time", ctypes.c_long * 2),
        ("tick", ctypes.c_long),
        ("rest", ctypes.c_long * 32),
    )


def clock_state() -> ClockState | None:
    """Return the state of the kernel's clock, or ``None`` where it cannot be read."""
    try:
        call = ctypes.CDLL(None, use_errno=True).adjtimex
    except (OSError, AttributeError):
        return None
    timex = _Timex()  # modes = 0: read only
    outcome = int(call(ctypes.byref(timex)))
    if outcome < 0:
        return None
    synchronised = outcome != _TIME_ERROR and not timex.status & _STA_UNSYNC
    return ClockState(synchronised, timex.esterror * 1e-6)


def realtime_obstacle() -> str | None:
    """Return why a child process does not get SCHED_FIFO, or ``None`` when it does.

    A child tries it, so that this process keeps its own scheduling whatever happens.
    """
    if not hasattr(os, "SCHED_FIFO"):
        return "no SCHED_FIFO on this system"
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", _PROBE], capture_output=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"cannot try: {error}"
    if done.returncode == 0:
        return None
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    return f"SCHED_FIFO refused: {lines[-1] if lines else f'exit code {done.returncode}'}"


def namespace_kinds(root: Path = Path("/proc/self/ns")) -> tuple[str, ...]:
    """Return the kinds of namespace that this kernel has."""
    try:
        return tuple(sorted({entry.name.removesuffix("_for_children") for entry in root.iterdir()}))
    except OSError:
        return ()


def gpio_chips(root: Path = Path("/dev")) -> tuple[str, ...]:
    """Return the GPIO character devices."""
    return tuple(sorted(str(path) for path in root.glob("gpiochip*")))


def port_holder(port: int, host: str = "127.0.0.1") -> str | None:
    """Return why a TCP port cannot be listened on, or ``None`` when it is free."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: connections in TIME_WAIT do not count as use.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return "in use"
            return error.strerror or str(error)
    return None
