"""What a machine must have to be a gateway or to run this lab: found, required, remedy."""

from __future__ import annotations

import platform
import re
import shutil
import ssl
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from v2glab.gateway._machine import (
    ClockState,
    clock_state,
    gpio_chips,
    namespace_kinds,
    port_holder,
    realtime_obstacle,
)

Status = Literal["ok", "missing", "degraded", "unknown"]

OLDEST_KERNEL = (5, 10)
PYTHON_RANGE = ((3, 11), (3, 14))
OLDEST_OPENSSL = (3, 0)
#: Larger estimated errors than this make time stamps of two machines hard to compare.
CLOCK_ERROR_S = 0.1


@dataclass(frozen=True)
class Check:
    """One prerequisite.

    ``needed`` says whether work on the twin is impossible without it; what is only needed for some work is
    never a failure.
    """

    name: str
    status: Status
    found: str
    required: str
    remedy: str
    needed: bool = False

    @property
    def failed(self) -> bool:
        """Whether it must be mended before anything else."""
        return self.needed and self.status == "missing"


def check_machine(
    folder: Path, ports: Sequence[int] = (8883, 15118), disk_bytes: int = 1 << 30
) -> tuple[Check, ...]:
    """Look at this machine; changes nothing, needs no privilege.

    Parameters
    ----------
    folder
        Where run folders will lie; its file system must have ``disk_bytes`` free.
    ports
        TCP ports on loopback that the gateway wants to listen on.
    """
    checks: list[Callable[[], Check]] = [_kernel, _python, _openssl, _realtime, _namespaces, _gpio, _clock]
    found = [check() for check in checks]
    found += [_port(port) for port in ports]
    found.append(_disk(folder, disk_bytes))
    found += [_program(name, purpose) for name, purpose in _OPTIONAL_PROGRAMS.items()]
    return tuple(found)


_OPTIONAL_PROGRAMS = {
    "swtpm": "keys in a software TPM",
    "chromium": "the browser test of the notebooks",
}


def _kernel() -> Check:
    release = platform.release()
    required = f"Linux {_dotted(OLDEST_KERNEL)} or newer"
    good = platform.system() == "Linux" and _version(release) >= OLDEST_KERNEL
    return _judged(
        "kernel", good, f"{platform.system()} {release}", required, "install a newer kernel", needed=True
    )


def _python() -> Check:
    lowest, above = PYTHON_RANGE
    good = lowest <= sys.version_info[:2] < above
    required = f"Python {_dotted(lowest)} to {above[0]}.{above[1] - 1}"
    return _judged("python", good, platform.python_version(), required, "make .venv with it", needed=True)


def _openssl() -> Check:
    # OpenSSL 1.1.1 left support in September 2023; it speaks TLS 1.3, but gets no fixes any more.
    good = ssl.HAS_TLSv1_3 and ssl.OPENSSL_VERSION_INFO[:2] >= OLDEST_OPENSSL
    required = f"OpenSSL {_dotted(OLDEST_OPENSSL)} or newer with TLS 1.3"
    return _judged("openssl", good, ssl.OPENSSL_VERSION, required, "use a Python built on it", needed=True)


def _realtime() -> Check:
    obstacle = realtime_obstacle()
    required = "SCHED_FIFO for this user, for control loops on real hardware"
    remedy = "grant CAP_SYS_NICE, or set rtprio in /etc/security/limits.conf"
    if obstacle is None:
        return Check("realtime", "ok", "SCHED_FIFO granted to a child process", required, "")
    return Check("realtime", "degraded", obstacle, required, remedy)


def _namespaces() -> Check:
    kinds = namespace_kinds()
    required = "namespaces net and user, for isolated network tests"
    found = ", ".join(kinds) or "none"
    if {"net", "user"} <= set(kinds):
        return Check("namespaces", "ok", found, required, "")
    return Check(
        "namespaces", "missing", found, required, "use a kernel with CONFIG_NET_NS and CONFIG_USER_NS"
    )


def _gpio() -> Check:
    chips = gpio_chips()
    required = "a GPIO chip, only for hardware contactor lines"
    if chips:
        return Check("gpio", "ok", ", ".join(chips), required, "")
    return Check(
        "gpio", "missing", "no /dev/gpiochip*", required, "none needed on the twin; else load the driver"
    )


def _clock() -> Check:
    state: ClockState | None = clock_state()
    required = f"a synchronised clock, error up to {CLOCK_ERROR_S:g} s"
    remedy = "start chrony or systemd-timesyncd"
    if state is None:
        return Check("clock", "unknown", "the kernel does not say", required, remedy)
    found = f"estimated error {state.estimated_error_s:.3g} s"
    if not state.synchronised:
        return Check("clock", "degraded", "not synchronised by this kernel", required, remedy)
    if state.estimated_error_s > CLOCK_ERROR_S:
        return Check("clock", "degraded", found, required, remedy)
    return Check("clock", "ok", found, required, "")


def _port(port: int) -> Check:
    trouble = port_holder(port)
    required = f"TCP port {port} free on loopback"
    if trouble is None:
        return Check(f"port {port}", "ok", "free", required, "")
    remedy = (
        f"stop what listens there (ss -ltnp 'sport = :{port}'), or choose another port in the station file"
    )
    return Check(f"port {port}", "degraded", trouble, required, remedy)


def _disk(folder: Path, disk_bytes: int) -> Check:
    required = f"{disk_bytes / 1e9:.1f} GB free for run folders"
    place = next(p for p in (folder, *folder.absolute().parents) if p.is_dir())
    try:
        free = shutil.disk_usage(place).free
    except OSError as error:
        return Check("disk", "unknown", f"{place}: {error.strerror}", required, "check the file system")
    found = f"{free / 1e9:.1f} GB free"
    return _judged(
        "disk", free >= disk_bytes, found, required, "free space or name another folder", needed=True
    )


def _program(name: str, purpose: str) -> Check:
    path = shutil.which(name)
    required = f"optional: {purpose}"
    if path:
        return Check(name, "ok", path, required, "")
    return Check(name, "missing", "not installed", required, f"apt-get install {name}, when wanted")


def _judged(name: str, good: bool, found: str, required: str, remedy: str, *, needed: bool) -> Check:
    return Check(name, "ok" if good else "missing", found, required, "" if good else remedy, needed)


def _version(text: str) -> tuple[int, ...]:
    match = re.match(r"(\d+)\.(\d+)", text)
    return tuple(int(part) for part in match.groups()) if match else (0, 0)


def _dotted(version: Sequence[int]) -> str:
    return ".".join(map(str, version))
