"""The seven ends of a campaign that exports: the contactor is open within 250 ms and no record is torn.

The twin is a process of the test; an independent Modbus client watches its registers. In lockstep the
campaign exports as fast as the machine can, so a loaded machine does not keep it from synchronising.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import threading
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from campaign_bench import (
    COMMAND,
    Started,
    campaign_file,
    end_group,
    run,
    start,
    station_file,
    wait_for,
)
from pymodbus.client import ModbusTcpClient

from v2glab.campaigns import list_runs, read_run
from v2glab.evidence import InputError

FEEDBACK, POWER, FAULT_RESET, EXPORTING = 0x4003, 0x4004, 0x401B, 4
LIMIT_S = 0.25
#: A day of station time; the test ends it.
ENDLESS = {"duration_s": 86_400.0, "sample_s": 10.0, "ride_through": False}
pytestmark = pytest.mark.slow


@dataclass
class Bench:
    folder: Path
    resolved: Path
    client: ModbusTcpClient

    def words(self, address: int, count: int) -> list[int]:
        return self.client.read_holding_registers(address, count=count, device_id=1).registers

    def exports(self) -> bool:
        return self.words(0x4000, 1) == [EXPORTING]

    def clear_fault(self) -> None:
        """Let a fault that latched in one test spoil no other."""
        self.client.write_register(FAULT_RESET, 1, device_id=1)

    def seconds_until_open(self, start_s: float, give_up_s: float = 5.0) -> float:
        while self.words(FEEDBACK, 1) != [0]:
            assert time.monotonic() - start_s < give_up_s, "the contactor stays closed"
            time.sleep(0.002)
        return time.monotonic() - start_s


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("ends")
    resolved = folder / "resolved.toml"
    command = [*COMMAND, "twin", "--station", str(station_file(folder))]
    command += ["--resolved", str(resolved), "--work-dir", str(folder / "twin")]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    wait_for(resolved.exists, 60, "the twin is not ready")
    address = tomllib.loads(resolved.read_text())["instruments"]["charger"]["address"]
    port = int(address.rpartition(":")[2].partition("?")[0])
    with ModbusTcpClient("127.0.0.1", port=port, timeout=2) as client:
        yield Bench(folder, resolved, client)
    process.terminate()
    process.wait(10)


@pytest.fixture(autouse=True)
def sound(bench: Bench) -> None:
    bench.clear_fault()


@pytest.fixture
def exporting(bench: Bench, tmp_path: Path) -> Iterator[Started]:
    """A campaign that exports for minutes; the test ends it."""
    file = campaign_file(
        tmp_path, "05_export_load_test", duration_s=86_400.0, sample_s=10.0, ride_through=False
    )
    started = start(tmp_path, str(file), "--station", str(bench.resolved))
    try:
        wait_for(lambda: bench.exports() or started.process.poll() is not None, 60, "it does not export")
        assert started.process.poll() is None, started.end()
        time.sleep(0.3)  # some samples, so that there is a record to tear
        yield started
    finally:
        end_group(started)
        started.process.communicate()
        wait_for(lambda: bench.words(FEEDBACK, 1) == [0], 5, "left closed")


def _ends_with_a_whole_record(started: Started, problem: str) -> None:
    """The runner lives: exit code 4, a sealed run that says how it ended."""
    assert started.process.wait(30) == 4
    assert started.incomplete() is None
    (summary,) = list_runs(started.root)
    record = read_run(summary.folder).record
    assert record["status"] == "stopped"
    assert problem in record["problem"]
    json.loads((summary.folder / "notebooks" / "05_export_load_test.ipynb").read_text())
    assert (summary.folder / "report.html").exists()
    assert not (summary.folder / "telemetry.sqlite").exists()


@pytest.mark.parametrize(
    ("number", "to"),
    [
        (signal.SIGINT, "runner"),
        (signal.SIGINT, "group"),
        (signal.SIGINT, "kernel"),
        (signal.SIGTERM, "runner"),
        (signal.SIGKILL, "kernel"),
    ],
)
def test_signal_opens_the_contactor_and_seals(
    bench: Bench, exporting: Started, number: signal.Signals, to: str
) -> None:
    kernel = exporting.kernel_pid()
    start_s = time.monotonic()
    if to == "group":
        os.killpg(exporting.process.pid, number)
    else:
        os.kill(kernel if to == "kernel" else exporting.process.pid, number)
    assert bench.seconds_until_open(start_s) < LIMIT_S
    assert bench.words(POWER, 2) == [0, 0]
    problem = {"runner": "stopped by the user", "group": "stopped by the user"}.get(to, "")
    if (to, number) == ("kernel", signal.SIGINT):
        problem = "KeyboardInterrupt"
    if (to, number) == ("kernel", signal.SIGKILL):
        problem = "DeadKernelError"
    _ends_with_a_whole_record(exporting, problem)


def test_second_campaign_is_refused_and_a_killed_one_leaves_a_folder_that_says_incomplete(
    bench: Bench, exporting: Started
) -> None:
    folder = exporting.root.parent
    second = run(folder, "campaign", str(folder / "small.toml"), "--station", str(bench.resolved))
    assert second.returncode == 3
    assert f"in use by process {exporting.process.pid}" in second.stderr
    assert "remedy:" in second.stderr
    assert bench.exports()  # the first goes on undisturbed

    start_s = time.monotonic()
    exporting.process.kill()
    assert bench.seconds_until_open(start_s) < LIMIT_S
    assert bench.words(POWER, 2) == [0, 0]
    left = exporting.incomplete()
    assert left is not None
    (summary,) = list_runs(exporting.root)
    assert not summary.complete
    assert "incomplete" in summary.problem
    with pytest.raises(InputError, match="incomplete"):
        read_run(left)


def test_cell_that_takes_too_long_opens_the_contactor(bench: Bench, tmp_path: Path) -> None:
    file = campaign_file(
        tmp_path, "05_export_load_test", duration_s=86_400.0, sample_s=10.0, ride_through=False
    )
    options = ("--station", str(bench.resolved), "--timeout", "10")
    started = start(tmp_path, str(file), *options)
    try:
        wait_for(lambda: bench.exports() or started.process.poll() is not None, 60, "it does not export")
        wait_for(
            lambda: bench.words(POWER, 2) == [0, 0] or bench.words(FEEDBACK, 1) == [0], 20, "no time-out"
        )
        # Set-point and contactor are the first and the second write of the safe state.
        assert bench.seconds_until_open(time.monotonic()) < LIMIT_S
        _ends_with_a_whole_record(started, "a cell took longer than 10 s")
    finally:
        end_group(started)
        started.process.communicate()


@pytest.fixture(params=["garbage", "nothing"])
def sick_meter(request: pytest.FixtureRequest) -> Iterator[int]:
    """Serve a meter that takes every request and answers it wrongly, or not at all."""

    def serve(server: socket.socket) -> None:
        while True:
            try:
                link, _ = server.accept()
                with link:
                    while link.recv(260):
                        if request.param == "garbage":
                            link.sendall(bytes.fromhex("ffff00000003ff0400"))
            except OSError:
                if server.fileno() < 0:
                    return

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=serve, args=(server,), daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def test_sick_meter_ends_the_export_with_exit_code_3(bench: Bench, tmp_path: Path, sick_meter: int) -> None:
    station = tmp_path / "sick.toml"
    address = tomllib.loads(bench.resolved.read_text())["instruments"]["meter"]["address"]
    wrong = f"tcp://127.0.0.1:{sick_meter}?unit=2"
    station.write_text(bench.resolved.read_text().replace(address, wrong))
    file = campaign_file(tmp_path, "05_export_load_test", **ENDLESS)
    done = run(tmp_path, "campaign", str(file), "--station", str(station), "--out", str(tmp_path / "runs"))
    assert done.returncode == 3, done.stderr + done.stdout
    assert bench.words(FEEDBACK, 1) == [0]
    assert bench.words(POWER, 2) == [0, 0]
    (summary,) = list_runs(tmp_path / "runs")
    record = read_run(summary.folder).record
    assert record["status"] == "failed"
    assert "DeviceError" in record["problem"]
    assert f"127.0.0.1:{sick_meter}" in record["problem"]
    assert "remedy:" in record["problem"]
