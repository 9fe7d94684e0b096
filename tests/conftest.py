"""Fixtures that every room uses."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

# Small matrices only: threads of the linear algebra would fight the twin for the cores. Before numpy loads.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

_SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture
def shared_data() -> Callable[[str], Path]:
    """Find a real recording or data set that is not part of the project."""

    def find(relative: str) -> Path:
        path = _SHARED / relative
        if path.exists():
            return path
        if os.environ.get("CI") == "true" and _SHARED.is_dir():
            pytest.fail(f"real data {relative} is missing")
        pytest.skip(f"real data {relative} is not on this machine")

    return find


@pytest.fixture
def free_port() -> int:
    """A TCP port on loopback that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Let a skipped test fail the run on the CI: there everything that tests need can be had."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    if os.environ.get("CI") == "true" and skipped and exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
