"""What stands around the plant: control port, clocks, sensors, log, faults, and the end of the twin."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest
from pymodbus.client import ModbusTcpClient
from served_bench import TWIN, Line, Served, children_of, listening, serve, wait_for

from v2glab.gateway import inspect_certificate


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = serve(tmp_path_factory.mktemp("twin"))
    yield served
    served.stop()


@pytest.fixture(scope="module")
def clocked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = serve(
        tmp_path_factory.mktemp("clocked"), "--clock", "realtime", "--fault", "expired_certificate"
    )
    yield served
    served.stop()


def _registers(served: Served, address: int, count: int) -> list[int]:
    host, port = served.modbus
    with ModbusTcpClient(host, port=port, timeout=2) as client:
        return client.read_holding_registers(address, count=count, device_id=1).registers


def test_it_binds_to_loopback_only(twin: Served) -> None:
    found = listening(twin.process.pid)
    # 127.0.0.1 and ::1 in the byte order of this machine; vehicles ask by IPv6.
    assert found == {"0100007F", "00000000000000000000000001000000"}


def test_lockstep_time_passes_only_when_asked(twin: Served) -> None:
    first = twin.rpc("clock.now")
    time.sleep(0.05)
    assert twin.rpc("clock.now") == first == {"time_ns": first["time_ns"], "mode": "lockstep"}
    assert twin.rpc("clock.advance", duration_s=0.25)["time_ns"] == first["time_ns"] + 250_000_000


def test_real_time_follows_the_clock_and_is_not_asked(clocked: Served) -> None:
    start_ns, wall_ns = clocked.rpc("clock.now")["time_ns"], time.monotonic_ns()
    time.sleep(0.5)
    passed_ns = clocked.rpc("clock.now")["time_ns"] - start_ns
    assert passed_ns == pytest.approx(time.monotonic_ns() - wall_ns, abs=2e8)
    answer = clocked.rpc_raw(
        {"jsonrpc": "2.0", "id": 1, "method": "clock.advance", "params": {"duration_s": 1}}
    )
    assert "lockstep" in answer["error"]["message"]


def test_armed_watchdog_opens_the_contactor_by_itself(clocked: Served) -> None:
    host, port = clocked.modbus
    with ModbusTcpClient(host, port=port, timeout=2) as client:
        client.write_register(0x400A, 200, device_id=1)
        client.write_register(0x4001, 1, device_id=1)
        wait_for(lambda: client.read_holding_registers(0x4003, count=1, device_id=1).registers == [1], 1)
        client.write_register(0x400B, 1, device_id=1)
        start_s = time.monotonic()
        wait_for(lambda: client.read_holding_registers(0x4003, count=1, device_id=1).registers == [0], 2)
        assert 0.15 < time.monotonic() - start_s < 0.45  # safe state: 200 ms and the contactor's own time
        assert client.read_holding_registers(0x400C, count=1, device_id=1).registers == [99]
        client.write_register(0x401B, 1, device_id=1)


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (b"not json", -32700),
        (b"[]", -32600),
        (b'{"id": 1}', -32600),
        ({"id": 1, "method": "no.such"}, -32601),
        ({"id": 1, "method": "clock.advance", "params": [1]}, -32602),
        ({"id": 1, "method": "clock.advance", "params": {"seconds": 1}}, -32602),
        ({"id": 1, "method": "clock.advance", "params": {"duration_s": -1}}, -32000),
        ({"id": 1, "method": "clock.advance", "params": {"duration_s": True}}, -32000),
        (b'{"id": 1, "method": "clock.advance", "params": {"duration_s": NaN}}', -32000),
        (b'{"id": 1, "method": "grid.event", "params": {"duration_s": Infinity}}', -32000),
        (b'{"id": 1, "method": "grid.event", "params": {"duration_s": 1, "delay_s": 1e999}}', -32000),
        ({"id": 1, "method": "grid.event", "params": {"duration_s": 1, "delay_s": -5}}, -32000),
        ({"id": 1, "method": "grid.event", "params": {"duration_s": 1, "voltage_pu": [1, 1, 1, 1]}}, -32000),
        ({"id": 1, "method": "grid.event", "params": {"duration_s": 1, "volts": 1}}, -32000),
        ({"id": 1, "method": "fault.set", "params": {"name": "gremlin", "enabled": True}}, -32000),
        ({"id": 1, "method": "fault.set", "params": {"name": "low_soc", "enabled": "false"}}, -32000),
        (
            {"id": 1, "method": "fault.set", "params": {"name": "expired_certificate", "enabled": True}},
            -32000,
        ),
    ],
)
def test_hostile_call_is_answered_with_its_code(twin: Served, request_: object, code: int) -> None:
    before = twin.rpc("plant.state")
    assert twin.rpc_raw(request_)["error"]["code"] == code
    assert twin.rpc("plant.state") == before
    twin.rpc("clock.advance", duration_s=0.001)  # and time still passes


def test_sensors_are_files_as_the_kernel_writes_them(twin: Served) -> None:
    root = Path(unquote(urlparse(twin.addresses["instruments"]["heatsink"]["address"]).path))
    for file in root.iterdir():
        text = file.read_bytes()
        assert text.endswith(b"\n"), file.name
        assert text.count(b"\n") == 1
    labels = {(root / f"temp{n}_label").read_text().strip(): f"temp{n}_input" for n in range(1, 5)}
    assert set(labels) == {"heatsink", "junction", "ambient", "connector"}
    assert int((root / labels["ambient"]).read_text()) == 25_000  # thousandths of a degree
    heat = int((root / labels["heatsink"]).read_text())
    assert heat == pytest.approx(1000 * twin.rpc("plant.state")["heatsink_celsius"], abs=1)


def test_log_has_one_event_a_line_in_station_time(twin: Served) -> None:
    host, port = twin.modbus
    with ModbusTcpClient(host, port=port, timeout=2) as client:
        client.write_register(0x4001, 1, device_id=1)
        twin.rpc("clock.advance", duration_s=0.05)
        client.write_register(0x4001, 0, device_id=1)
    lines = (twin.folder / "charger.log").read_text().splitlines()
    closed, opened = [line for line in lines if " contactor " in line][-2:]
    assert closed.startswith("2026-01-01T00:00:")
    assert closed.endswith("INFO charger contactor commanded=closed feedback=closed")
    assert opened.endswith("INFO charger contactor commanded=open feedback=open")


@pytest.mark.parametrize(
    ("fault", "advance_s", "register", "sick", "healthy"),
    [
        ("export_bit_off", 0.01, 0x4002, 0, 1),
        ("low_soc", 0.01, 0x400D, 1200, 7000),
        ("worn_connector", 0.01, 0x4014, 165, 100),
        ("hot_heatsink", 1.0, 0x4012, pytest.approx(796, abs=3), pytest.approx(796, abs=3)),
        ("contactor_weld", 0.3, 0x400C, 92, 92),
    ],
)
def test_fault_is_seen_in_its_register(
    twin: Served, fault: str, advance_s: float, register: int, sick: object, healthy: object
) -> None:
    twin.rpc("fault.set", name=fault, enabled=True)
    twin.rpc("clock.advance", duration_s=advance_s)
    assert _registers(twin, register, 1) == [sick]
    twin.rpc("fault.set", name=fault, enabled=False)
    twin.rpc("clock.advance", duration_s=0.01)
    # Heat stays for minutes and a latched fault until it is reset; everything else is well again at once.
    assert _registers(twin, register, 1) == [healthy]


def test_frequency_drift_is_seen_by_the_meter(twin: Served) -> None:
    twin.rpc("fault.set", name="frequency_drift", enabled=True)
    twin.rpc("clock.advance", duration_s=2.0)
    assert twin.rpc("plant.state")["grid_frequency_hz"] == pytest.approx(60.27, abs=5e-3)
    twin.rpc("fault.set", name="frequency_drift", enabled=False)
    twin.rpc("clock.advance", duration_s=1.0)
    assert twin.rpc("plant.state")["grid_frequency_hz"] == pytest.approx(60.02, abs=5e-3)


def test_expired_certificate_is_expired(twin: Served, clocked: Served) -> None:
    def expired(served: Served) -> list[str]:
        paths = Path(served.addresses["gateway"]["pki"]).glob("*.pem")
        certificates = [p for p in paths if b"BEGIN CERTIFICATE" in p.read_bytes()]
        assert certificates
        return [p.name for p in certificates if inspect_certificate(p).not_after.timestamp() < time.time()]

    assert expired(twin) == []
    assert len(expired(clocked)) == 1


def test_resolved_file_names_seed_process_and_faults(clocked: Served) -> None:
    section = clocked.addresses["twin"]
    assert (section["pid"], section["seed"], section["faults"]) == (
        clocked.process.pid,
        7,
        ["expired_certificate"],
    )
    assert clocked.addresses["station"]["clock"] == "realtime"


def test_it_ends_soon_after_whoever_started_it_was_killed(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from v2glab.station._twin_process import TwinProcess\n"
        f"twin = TwinProcess(Path({str(tmp_path / 'station.toml')!r}), Path({str(tmp_path)!r}),"
        " clock='lockstep', seed=1)\nprint(twin.pid, flush=True); time.sleep(60)"
    )
    (tmp_path / "station.toml").write_text(TWIN.read_text().replace("port = 8883", "port = 0"))
    starter = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert starter.stdout is not None
    pid = int(starter.stdout.readline())
    assert pid in children_of(starter.pid)
    starter.kill()  # and nobody waits for it: it stays a zombie for now
    wait_for(lambda: not _runs(pid), 5)
    starter.communicate()


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, "shutdown"])
def test_it_ends_when_asked(tmp_path: Path, how: object) -> None:
    served = serve(tmp_path)
    if isinstance(how, signal.Signals):
        os.kill(served.process.pid, how)
    else:
        line = Line(served.control)
        line.send(b'{"jsonrpc": "2.0", "id": 1, "method": "shutdown"}')
        line.read_line()
    assert served.process.wait(10) == 0


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('epoch = "2026-01-01T00:00:00Z"', 'epoch = "yesterday"', "epoch"),
        ('epoch = "2026-01-01T00:00:00Z"', 'epoch = "2026-01-01T00:00:00"', "time zone"),
        ('address = "twin:dmm"', 'address = "twin:oracle"', "twin:oracle"),
        ("[instruments.meter]", "[instruments.meter2]", "meter"),
        ('grid_code = "ieee1547-2018"', 'grid_code = "atlantis"', "atlantis"),
        ("faults = []", 'faults = ["gremlin"]', "gremlin"),
        ("events = []", 'events = [{ duration_s = "long" }]', "grid event"),
        ("step_s = 1e-4", "step_s = 1e-4\nspeed = 3", "speed"),
    ],
)
def test_wrong_station_file_is_named_and_nothing_is_served(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    file = tmp_path / "wrong.toml"
    text = TWIN.read_text()
    assert old in text
    file.write_text(text.replace(old, new).replace("port = 8883", "port = 0"))
    command = [sys.executable, "-m", "v2glab", "twin", "--station", str(file)]
    command += ["--resolved", str(tmp_path / "resolved.toml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert said in done.stderr
    assert "remedy:" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "resolved.toml").exists()
