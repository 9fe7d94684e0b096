"""Every way in which a holder can end opens the contactor within 250 ms, measured by a separate client."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pymodbus.client import ModbusTcpClient

HERE = Path(__file__).resolve().parent
FEEDBACK, CONTACTOR, POWER, TIMEOUT, FAULT = 0x4003, 0x4001, 0x4004, 0x400A, 0x400C
LIMIT_S = 0.25


@dataclass
class Bench:
    process: subprocess.Popen[str]
    port: int
    client: ModbusTcpClient
    log: Path

    def word(self, address: int) -> int:
        return self.client.read_holding_registers(address, count=1, device_id=1).registers[0]

    def seconds_until_open(self, start_s: float, give_up_s: float = 3.0) -> float:
        while self.word(FEEDBACK) != 0:
            assert time.monotonic() - start_s < give_up_s, "the contactor stays closed"
            time.sleep(0.002)
        return time.monotonic() - start_s

    def holder(self, how: str) -> subprocess.Popen[str]:
        """Start a process that energises, wait until it says so, and see the contactor closed."""
        command = [sys.executable, str(HERE / "holder_bench.py"), str(self.port), str(self.log), how]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "energised"
        assert self.word(FEEDBACK) == 1
        assert self.word(TIMEOUT) == 200
        return process

    def guardian_pid(self) -> int:
        line = next(x for x in self.log.read_text().splitlines() if " start " in x)
        return int(line.split(" pid=")[1].split()[0])

    def wait_for_log(self, text: str) -> None:
        end_s = time.monotonic() + 3
        while text not in self.log.read_text():
            assert time.monotonic() < end_s, self.log.read_text()
            time.sleep(0.01)


@pytest.fixture
def start_bench(tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    benches: list[Bench] = []

    def start(*how: str) -> Bench:
        command = [sys.executable, str(HERE / "charger_bench.py"), *how]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        port = int(process.stdout.readline())
        client = ModbusTcpClient("127.0.0.1", port=port, timeout=1)
        assert client.connect()
        benches.append(Bench(process, port, client, tmp_path / "guardian.log"))
        return benches[-1]

    yield start
    for bench in benches:
        bench.client.close()
        bench.process.kill()
        bench.process.communicate()


@pytest.fixture
def bench(start_bench: Callable[..., Bench]) -> Bench:
    return start_bench()


@pytest.mark.parametrize(
    "number", [signal.SIGKILL, signal.SIGSTOP, signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP]
)
def test_signal_to_the_holder_opens_the_contactor(bench: Bench, number: signal.Signals) -> None:
    holder = bench.holder("wait")
    start_s = time.monotonic()
    holder.send_signal(number)
    took_s = bench.seconds_until_open(start_s)
    holder.kill()
    holder.communicate()
    assert took_s < LIMIT_S
    assert bench.word(POWER + 1) == 0
    assert bench.word(FAULT) == 0  # the guardian did it, not the watchdog
    bench.wait_for_log("verified=true")


def test_signal_to_the_whole_group_does_not_reach_the_guardian(bench: Bench) -> None:
    holder = bench.holder("wait")
    start_s = time.monotonic()
    os.killpg(holder.pid, signal.SIGKILL)
    assert bench.seconds_until_open(start_s) < LIMIT_S
    holder.communicate()
    bench.wait_for_log("verified=true")


def test_killed_guardian_leaves_the_watchdog(bench: Bench) -> None:
    holder = bench.holder("wait")
    start_s = time.monotonic()
    os.kill(bench.guardian_pid(), signal.SIGKILL)
    took_s = bench.seconds_until_open(start_s)
    holder.kill()
    holder.communicate()
    assert took_s < LIMIT_S
    assert bench.word(FAULT) == 99


def test_both_killed_leaves_the_watchdog(bench: Bench) -> None:
    holder = bench.holder("wait")
    start_s = time.monotonic()
    os.kill(bench.guardian_pid(), signal.SIGKILL)
    holder.kill()
    took_s = bench.seconds_until_open(start_s)
    holder.communicate()
    assert took_s < LIMIT_S


def test_guardian_told_to_end_makes_safe_first(bench: Bench) -> None:
    holder = bench.holder("wait")
    start_s = time.monotonic()
    os.kill(bench.guardian_pid(), signal.SIGTERM)
    took_s = bench.seconds_until_open(start_s)
    assert holder.wait(timeout=5) == 4  # the holder hears of it, and its with-block raises SafeStateError
    holder.communicate()
    assert took_s < LIMIT_S
    assert bench.word(FAULT) == 0


def test_missed_checkpoint_opens_the_contactor(bench: Bench) -> None:
    holder = bench.holder("miss")  # promises to be back within 0.3 s, then hangs
    took_s = bench.seconds_until_open(time.monotonic())
    holder.kill()
    holder.communicate()
    assert took_s < 0.3 + LIMIT_S
    bench.wait_for_log("missed its checkpoint")


def test_frozen_interpreter_opens_the_contactor(bench: Bench) -> None:
    holder = bench.holder("frozen")
    took_s = bench.seconds_until_open(time.monotonic())
    holder.kill()
    holder.communicate()
    assert took_s < LIMIT_S
    bench.wait_for_log("expired")


def test_long_computation_is_no_lost_lease(bench: Bench) -> None:
    holder = bench.holder("busy")
    assert holder.stdout is not None
    assert [holder.stdout.readline().strip() for _ in range(2)] == ["busy", "done"]
    assert bench.word(FEEDBACK) == 1
    start_s = time.monotonic()
    holder.kill()
    assert bench.seconds_until_open(start_s) < LIMIT_S
    holder.communicate()


def test_exception_in_the_block_opens_the_contactor(bench: Bench) -> None:
    holder = bench.holder("raise")
    took_s = bench.seconds_until_open(time.monotonic())
    out, _ = holder.communicate(timeout=5)
    assert took_s < LIMIT_S
    assert "ZeroDivisionError" in out
    assert bench.word(TIMEOUT) == 0  # the watchdog rests again


def test_longest_duration_ends_the_lease(bench: Bench) -> None:
    holder = bench.holder("long")  # asked for 0.4 s
    took_s = bench.seconds_until_open(time.monotonic())
    assert holder.wait(timeout=5) == 4
    holder.communicate()
    assert took_s < 0.4 + LIMIT_S
    bench.wait_for_log("longest duration")


def test_killed_runner_opens_the_contactor_of_its_kernel(bench: Bench) -> None:
    runner = bench.holder("runner")  # starts the guardian; a child of its joins and holds the lease
    start_s = time.monotonic()
    runner.send_signal(signal.SIGKILL)
    took_s = bench.seconds_until_open(start_s)
    runner.communicate()
    assert took_s < LIMIT_S
    bench.wait_for_log("runner")


def test_welded_contactor_is_no_verified_safe_state(start_bench: Callable[..., Bench]) -> None:
    bench = start_bench("weld")
    holder = bench.holder("raise")
    out, _ = holder.communicate(timeout=10)
    assert holder.returncode == 4
    assert "safe state not reached" in out
    assert "contactor_feedback" in out
    assert bench.word(TIMEOUT) == 200  # the watchdog stays armed: it is what is left


def test_deaf_charger_is_refused_before_anything_is_energised(
    start_bench: Callable[..., Bench], tmp_path: Path
) -> None:
    bench = start_bench("deaf")
    command = [sys.executable, str(HERE / "holder_bench.py"), str(bench.port), str(bench.log), "wait"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 3
    assert "the guardian did not start" in done.stdout
