"""Where, with what and from which state of the code a run was made."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

from v2glab.resources import data_root

_PACKAGES = (
    "v2glab",
    "numpy",
    "pandas",
    "scipy",
    "numba",
    "pydantic",
    "pymodbus",
    "pyvisa",
    "pyvisa-py",
    "pysunspec2",
    "cryptography",
    "pyarrow",
    "bokeh",
    "papermill",
    "nbclient",
    "ipykernel",
    "ocpp",
    "websockets",
)


def git_state() -> dict[str, Any]:
    """Return commit and whether the tree differs from it; ``None`` outside a checkout."""
    root = data_root("drivers").parent
    commit = _git(root, "rev-parse", "HEAD")
    if commit is None or not (root / "pyproject.toml").exists():
        return {"commit": None, "dirty": None}
    return {"commit": commit, "dirty": bool(_git(root, "status", "--porcelain"))}


def versions() -> dict[str, str]:
    """Return versions of the packages that results depend on, those that are installed."""
    out = {}
    for name in _PACKAGES:
        try:
            out[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return out


def machine() -> dict[str, Any]:
    """Return what kind of machine this is; no name, no address, no user."""
    return {
        "system": platform.system(),
        "kernel": platform.release(),
        "architecture": platform.machine(),
        "processors": os.cpu_count() or 1,
        "openssl": _openssl(),
    }


def scheduling() -> dict[str, Any]:
    """Return the scheduling policy of this process."""
    names = {os.SCHED_OTHER: "SCHED_OTHER", os.SCHED_FIFO: "SCHED_FIFO", os.SCHED_RR: "SCHED_RR"}
    policy = os.sched_getscheduler(0)
    return {"policy": names.get(policy, str(policy)), "priority": os.sched_getparam(0).sched_priority}


def hashes(paths: Iterable[Path]) -> dict[str, str]:
    """Return SHA-256 by file name."""
    return {path.name: sha256(path) for path in paths}


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _openssl() -> str:
    import ssl

    return ssl.OPENSSL_VERSION
