"""Two network namespaces joined by a cable of Ethernet, as root: sockets are opened inside, used outside."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from v2glab.evidence import DeviceError

T = TypeVar("T")
INTERFACE = "plc0"
_CLONE_NEWNET = 0x40000000


@contextmanager
def two_namespaces() -> Iterator[tuple[str, str]]:
    """Yield the names of two namespaces, each with an interface ``plc0`` at one end of the cable.

    Raises
    ------
    DeviceError
        Namespaces are not permitted, or the command ``ip`` is missing.
    """
    _need_rights()
    names = (f"v2glab-{os.getpid()}-vehicle", f"v2glab-{os.getpid()}-charger")
    try:
        for name in names:
            _ip("netns", "add", name)
        _ip("-n", names[0], "link", "add", INTERFACE, "type", "veth", "peer", INTERFACE, "netns", names[1])
        for name in names:
            _ip("-n", name, "link", "set", INTERFACE, "up")
        yield names
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)


def inside(namespace: str, make: Callable[[], T]) -> T:
    """Call ``make`` within a namespace and return its result; a socket stays where it was made."""
    result, failure = list[T](), list[BaseException]()

    def work() -> None:
        try:
            libc = ctypes.CDLL(None, use_errno=True)
            with Path("/run/netns", namespace).open("rb") as handle:
                if libc.setns(handle.fileno(), _CLONE_NEWNET):
                    raise OSError(ctypes.get_errno(), "setns")
            result.append(make())
        except BaseException as error:
            failure.append(error)

    # A thread of its own: its namespace ends with it.
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    return result[0]


def _need_rights() -> None:
    remedy = "run as root with iproute2, or leave out --veth: a frame relay needs no rights"
    if os.geteuid() != 0:
        raise DeviceError("network namespaces without root", "the right to make them", remedy)
    if shutil.which("ip") is None:
        raise DeviceError("no command 'ip'", "the package iproute2", remedy)


def _ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        found = f"ip {' '.join(words)}: {done.stderr.strip()}"
        raise DeviceError(found, "network namespaces and veth", "leave out --veth: a relay needs no rights")
