"""Two network namespaces joined by a veth pair, as root; sockets are opened inside, used from here."""

import ctypes
import os
import shutil
import subprocess
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest

_CLONE_NEWNET = 0x40000000


def need_namespaces():
    """Skip where namespaces are not permitted; as root on the CI that is a failure."""
    missing = _missing()
    if not missing:
        return
    if os.environ.get("CI") == "true" and os.geteuid() == 0:
        pytest.fail(missing)
    pytest.skip(missing)


def _missing():
    if os.geteuid() != 0:
        return "network namespaces need root"
    if shutil.which("ip") is None:
        return "no command 'ip' (package iproute2)"
    tried = subprocess.run(["unshare", "--net", "true"], capture_output=True, text=True, check=False)
    return "" if tried.returncode == 0 else f"network namespaces are not permitted: {tried.stderr.strip()}"


@contextmanager
def two_namespaces():
    """Yield the names of two namespaces, each with an interface ``plc0`` at one end of a cable."""
    names = [f"v2glab-{os.getpid()}-{side}" for side in ("ev", "evse")]
    try:
        for name in names:
            _ip("netns", "add", name)
        _ip("-n", names[0], "link", "add", "plc0", "type", "veth", "peer", "plc0", "netns", names[1])
        for name in names:
            _ip("-n", name, "link", "set", "plc0", "up")
        yield names
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)


def inside(namespace, make):
    """Call ``make`` within a namespace and return its result; a socket stays where it was made."""
    result, failure = [], []

    def work():
        libc = ctypes.CDLL(None, use_errno=True)
        with Path("/run/netns", namespace).open("rb") as handle:
            if libc.setns(handle.fileno(), _CLONE_NEWNET):
                failure.append(OSError(ctypes.get_errno(), "setns"))
                return
        try:
            result.append(make())
        except Exception as error:
            failure.append(error)

    # A thread of its own: its namespace ends with it.
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    return result[0]


def _ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True)
