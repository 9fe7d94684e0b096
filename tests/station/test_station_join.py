"""Joining a twin under way: its clock, its faults, its lock."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from v2glab.evidence import ApprovalError, DeviceError, UsageError
from v2glab.links import serve_json_rpc
from v2glab.resources import find_data
from v2glab.station import open_station

TWIN = find_data("drivers", "stations", "twin.toml")
EPOCH_NS = 1_767_225_600_000_000_000


@pytest.fixture(autouse=True)
def own_state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("V2GLAB_GUARD_SOCKET", raising=False)


class Control:
    """The control port of a twin in lockstep, without a plant."""

    def __init__(self) -> None:
        self.time_ns = EPOCH_NS
        self.calls: list[tuple[str, object]] = []
        self.port = 0
        ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(ready)))
        self._thread.start()
        assert ready.wait(5)

    async def _serve(self, ready: threading.Event) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        handlers = {"clock.now": self.now, "clock.advance": self.advance, "fault.set": self.fault}
        server, self.port = await serve_json_rpc(handlers)
        ready.set()
        await self._end.wait()
        server.close()

    def now(self) -> dict[str, object]:
        return {"time_ns": self.time_ns, "mode": "lockstep"}

    def advance(self, duration_s: float) -> dict[str, int]:
        self.time_ns += round(duration_s * 1e9)
        return {"time_ns": self.time_ns}

    def fault(self, name: str, enabled: bool) -> None:
        self.calls.append((name, enabled))

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()


@pytest.fixture
def control() -> Iterator[Control]:
    running = Control()
    yield running
    running.stop()


@pytest.fixture
def resolved(control: Control, tmp_path: Path) -> Path:
    text = TWIN.read_text(encoding="utf-8").replace("twin:charger", "tcp://127.0.0.1:9?unit=1")
    file = tmp_path / "resolved.toml"
    file.write_text(f'{text}\ncontrol = "127.0.0.1:{control.port}"\npid = 1\n', encoding="utf-8")
    return file


def test_time_passes_in_lockstep_only_when_asked(resolved: Path) -> None:
    with open_station(resolved) as station:
        assert station.clock.mode == "lockstep"
        assert station.clock.now_ns() == EPOCH_NS
        station.clock.sleep(1.25)
        assert station.clock.now_ns() == EPOCH_NS + 1_250_000_000
    with open_station(resolved) as station:  # closing has not stopped it
        assert station.clock.now_ns() == EPOCH_NS + 1_250_000_000


def test_twin_in_lockstep_is_not_opened_in_real_time(resolved: Path) -> None:
    with pytest.raises(UsageError, match="runs in lockstep"):
        open_station(resolved, clock="realtime")
    with open_station(resolved):  # the refused attempt has let go of the lock
        pass


def test_faults_are_set_over_the_control_port(resolved: Path, control: Control) -> None:
    with open_station(resolved) as station:
        station.rpc("fault.set", name="low_soc", enabled=True)
        with pytest.raises(UsageError, match="no method"):
            station.rpc("plant.explode")
    assert control.calls == [("low_soc", True)]


def test_twin_needs_no_approval_but_a_lease(resolved: Path) -> None:
    with open_station(resolved) as station:
        with pytest.raises(ApprovalError, match="lease"):
            station.instrument("charger").ensure("contactor_command", 1)
        with pytest.raises(DeviceError):  # nothing listens at this charger
            station.instrument("charger").ensure("contactor_command", 0)
        with pytest.raises(UsageError, match="meter, inverter"):
            station.instrument("multimeter")
        assert station.has("meter")
        assert station.has("grid")
        assert not station.has("multimeter")


def test_control_port_that_is_gone_is_named(resolved: Path, control: Control, free_port: int) -> None:
    text = resolved.read_text(encoding="utf-8")
    resolved.write_text(text.replace(str(control.port), str(free_port)), encoding="utf-8")
    with pytest.raises(DeviceError, match=str(free_port)):
        open_station(resolved)
