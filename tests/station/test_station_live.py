"""A live station over real Modbus TCP: who may write what, lock, lease and safe state, EVSE transitions."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pymodbus.client import ModbusTcpClient

from v2glab.evidence import ApprovalError, DeviceError, InputError, LimitError, SafeStateError, UsageError
from v2glab.station import Evse, open_station

HERE = Path(__file__).resolve().parent
CONTACTOR, FEEDBACK, POWER, TIMEOUT = 0x4001, 0x4003, 0x4004, 0x400A

STATION = """
schema = 1
[station]
name = "bench"
kind = "live"
[site]
jurisdiction = "US-CA"
grid_code = "ieee1547-2018"
nominal_voltage_v = 277.0
nominal_frequency_hz = 60.0
rated_power_w = 22000.0
rated_apparent_power_va = 24000.0
rated_current_a = 28.9
[instruments.charger]
profile = "twin_evse"
address = "tcp://127.0.0.1:PORT?unit=1"
[guardian]
lease_s = 0.15
watchdog_s = 0.2
safe_state = [
  { instrument = "charger", point = "power_setpoint", value = 0 },
  { instrument = "charger", point = "contactor_command", value = 0 },
  { instrument = "charger", point = "inverter_run", value = 0 },
]
"""


@pytest.fixture(autouse=True)
def own_state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("V2GLAB_GUARD_SOCKET", raising=False)


@pytest.fixture
def charger() -> Iterator[ModbusTcpClient]:
    process = subprocess.Popen(
        [sys.executable, str(HERE / "charger_bench.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    client = ModbusTcpClient("127.0.0.1", port=int(process.stdout.readline()), timeout=1)
    assert client.connect()
    yield client
    client.close()
    process.kill()
    process.communicate()


@pytest.fixture
def path(charger: ModbusTcpClient, tmp_path: Path) -> Path:
    file = tmp_path / "bench.toml"
    file.write_text(STATION.replace("PORT", str(charger.comm_params.port)))
    return file


def word(charger: ModbusTcpClient, address: int) -> int:
    return charger.read_holding_registers(address, count=1, device_id=1).registers[0]


def test_without_approval_the_station_is_only_read(path: Path, charger: ModbusTcpClient) -> None:
    with open_station(path) as station:
        instrument = station.instrument("charger")
        assert instrument.read("contactor_feedback")["contactor_feedback"].value == 0
        for write in (
            lambda: instrument.ensure("contactor_command", 1),
            lambda: instrument.ensure("max_temperature", 60),
            lambda: station.energised().__enter__(),
            station.safe_state,
            station.start_guardian,
        ):
            with pytest.raises(ApprovalError, match="--approve-energise"):
                write()
        with pytest.raises(UsageError):
            station.rpc("clock.advance", duration_s=1)
    assert word(charger, TIMEOUT) == 0


def test_energising_points_need_a_lease_and_configuration_does_not(
    path: Path, charger: ModbusTcpClient
) -> None:
    with open_station(path, approve_energise=True) as station:
        instrument = station.instrument("charger")
        instrument.ensure("max_temperature", 60)
        instrument.ensure("contactor_command", 0)
        with pytest.raises(ApprovalError, match="lease"):
            instrument.ensure("contactor_command", 1)
        with station.energised() as lease:
            instrument.ensure("contactor_command", 1)
            instrument.ensure("power_setpoint", 5000)
            lease.checkpoint(within_s=5)
            assert word(charger, FEEDBACK) == 1
            assert word(charger, TIMEOUT) == 200
            with pytest.raises(UsageError):
                station.energised().__enter__()
        assert word(charger, FEEDBACK) == 0
        assert word(charger, POWER + 1) == 0
        assert word(charger, TIMEOUT) == 0
        with pytest.raises(ApprovalError):
            instrument.ensure("contactor_command", 1)


def test_lost_lease_stops_writes_and_sleep(path: Path, charger: ModbusTcpClient) -> None:
    with open_station(path, approve_energise=True) as station:
        instrument = station.instrument("charger")
        with pytest.raises(SafeStateError), station.energised(max_s=0.2):
            instrument.ensure("contactor_command", 1)
            with pytest.raises(SafeStateError):
                station.clock.sleep(30)
            assert word(charger, FEEDBACK) == 0
            instrument.ensure("contactor_command", 1)
        assert word(charger, FEEDBACK) == 0


def test_safe_state_is_written_and_verified(path: Path, charger: ModbusTcpClient) -> None:
    charger.write_registers(CONTACTOR, [1], device_id=1)
    with open_station(path, approve_energise=True) as station:
        station.safe_state()
        assert word(charger, FEEDBACK) == 0


def test_second_campaign_is_refused_and_told_who_holds_the_station(path: Path, tmp_path: Path) -> None:
    script = tmp_path / "other.py"
    script.write_text(
        textwrap.dedent(
            """
            import sys
            from v2glab.evidence import V2GError
            from v2glab.station import open_station
            try:
                with open_station(sys.argv[1], approve_energise=sys.argv[2] == "write"):
                    print("opened")
            except V2GError as error:
                print(error.exit_code.value, error)
            """
        )
    )

    def other(how: str, **environment: str) -> str:
        command = [sys.executable, str(script), str(path), how]
        env = {**os.environ, **environment}
        return subprocess.run(command, capture_output=True, text=True, env=env, check=True).stdout

    with open_station(path, approve_energise=True):
        refused = other("write")
        assert refused.startswith("3 ")
        assert f"process {os.getpid()}" in refused
        assert "opened" in other("write", V2GLAB_LOCK_HOLDER=str(os.getpid()))
    with open_station(path):
        assert "opened" in other("read")
        assert other("write").startswith("3 ")
    assert "opened" in other("write")


def test_kernel_joins_the_guardian_of_its_runner(
    path: Path, charger: ModbusTcpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_station(path, approve_energise=True) as station:
        guardian = station.start_guardian()
        for name, value in guardian.environment.items():
            monkeypatch.setenv(name, value)
        for _ in range(2):
            with station.energised():
                station.instrument("charger").ensure("contactor_command", 1)
                assert word(charger, FEEDBACK) == 1
            assert word(charger, FEEDBACK) == 0
        assert guardian.alive()
        guardian.stop()
        assert not guardian.alive()
        with pytest.raises(DeviceError, match="no guardian"):
            station.energised().__enter__()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('point = "inverter_run"', 'point = "inverter_runs"', "inverter_runs is not in profile"),
        ("tcp://127.0.0.1:PORT?unit=1", "rtu:///dev/ttyUSB0?baud=9600", "Modbus TCP"),
        ("[guardian]", "[guardian.nothing]", "unknown key guardian.nothing"),
    ],
)
def test_safe_state_that_cannot_be_reached_is_refused(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text(STATION.replace(old, new).replace("PORT", "9"))
    with (
        pytest.raises(InputError, match=message),
        open_station(file, approve_energise=True) as station,
        station.energised(),
    ):
        pass


def test_unreachable_charger_stops_before_energising(tmp_path: Path, free_port: int) -> None:
    file = tmp_path / "gone.toml"
    file.write_text(STATION.replace("PORT", str(free_port)))
    with open_station(file, approve_energise=True) as station:
        with pytest.raises(DeviceError, match="guardian did not start"), station.energised():
            pass
        with pytest.raises(DeviceError):
            station.check()


def test_transitions_run_over_the_wire_once(path: Path, charger: ModbusTcpClient) -> None:
    with open_station(path, approve_energise=True) as station, station.energised():
        evse = Evse(station, dwell_s=0.2)
        assert evse.state == "connected"
        evse.request("synchronising", "1")
        time.sleep(0.2)
        with pytest.raises(UsageError, match="in step"):
            evse.request("exporting", "2", power_w=5000)
        first = evse.request("exporting", "3", power_w=5000, in_step=True)
        assert first.done
        assert word(charger, FEEDBACK) == 1
        with pytest.raises(LimitError, match="two operations"):
            evse.request("connected", "4")
        charger.write_registers(POWER, [0, 1], device_id=1)
        assert evse.request("exporting", "3", power_w=5000) is first
        assert word(charger, POWER + 1) == 1  # answered, not repeated
        evse.request("safe", "5")
        assert word(charger, FEEDBACK) == 0


def test_contactor_that_opens_by_itself_is_a_fault(path: Path, charger: ModbusTcpClient) -> None:
    with open_station(path, approve_energise=True) as station, station.energised():
        evse = Evse(station, dwell_s=0.0)
        evse.request("synchronising", "1")
        evse.request("charging", "2", power_w=-1000, in_step=True)
        opener = threading.Timer(0.05, lambda: charger.write_registers(CONTACTOR, [0], device_id=1))
        opener.start()
        opener.join()
        time.sleep(0.05)
        assert "contactor open in state charging" in evse.supervise()
        assert evse.state == "fault"
        assert word(charger, POWER + 1) == 0
        with pytest.raises(UsageError, match="safe"):
            evse.request("connected", "3")
        assert evse.request("safe", "4").done
