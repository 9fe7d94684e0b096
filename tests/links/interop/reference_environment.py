"""An environment for the reference stack: it pins pydantic 1, which has no place beside this project."""

import os
import shutil
import subprocess
import venv
from pathlib import Path

import pytest

#: Beside the project's own environment, ignored by git; made once.
FOLDER = Path(__file__).resolve().parents[3] / ".venv-interop"
#: The second is one that the first forgets to name.
WANTED = ("iso15118==0.31.2", "aiofile")
#: A loopback on which discovery by multicast works.
LOOPBACK = (
    "ip link set lo up && ip -6 addr add fe80::1/64 dev lo nodad"
    ' && ip -6 route add local ff02::1/128 dev lo table local && exec "$@"'
)


def need_reference():
    """Return the interpreter of the reference's environment, or skip for a reason."""
    if os.geteuid() != 0:
        pytest.skip("a network namespace of its own needs root")
    for command, package in (("java", "default-jre-headless"), ("ip", "iproute2"), ("unshare", "util-linux")):
        if shutil.which(command) is None:
            pytest.skip(f"no command {command!r} (package {package})")
    tried = isolated("true")
    if tried.returncode:
        pytest.skip(f"no network namespace with discovery on loopback: {tried.stderr.strip()}")
    return _interpreter()


def isolated(*command, **how):
    """Run a command in a network namespace with nothing but such a loopback."""
    return subprocess.run(_within(command), capture_output=True, text=True, check=False, **how)


def start_isolated(*command, **how):
    """Start a command as :func:`isolated` does."""
    return subprocess.Popen(_within(command), text=True, **how)


def _within(command):
    return ["unshare", "--net", "sh", "-c", LOOPBACK, "sh", *command]


def _interpreter():
    python, ready = FOLDER / "bin" / "python", FOLDER / ".ready"
    if ready.exists() and ready.read_text() == "\n".join(WANTED):
        return str(python)
    shutil.rmtree(FOLDER, ignore_errors=True)
    venv.create(FOLDER, with_pip=True)
    quiet = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run([python, *quiet, *WANTED], capture_output=True, text=True, check=False)
    if done.returncode:
        shutil.rmtree(FOLDER, ignore_errors=True)
        pytest.skip(f"{' and '.join(WANTED)} cannot be installed: {done.stderr.strip()[-300:]}")
    ready.write_text("\n".join(WANTED))
    return str(python)
