"""Every fault switch of the real twin, alone and in pairs, is found from measurements and logs alone."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import combinations
from pathlib import Path

import pytest
import tomli_w

from v2glab.campaigns import run_single
from v2glab.cli import run as command
from v2glab.cli._diagnose_run import _heated
from v2glab.evidence import ApprovalError, DeviceError, Outcome, Quantity, Result, check_document
from v2glab.procedures import Context, load_procedure, validate_parameters
from v2glab.resources import find_data
from v2glab.station import Station, open_station
from v2glab.views import plot, render_report

CODES = {
    "frequency_drift": "OCPP-01",
    "hot_heatsink": "THERMAL-DERATING",
    "export_bit_off": "ZERO-EXPORT-0x4002",
    "low_soc": "ZERO-EXPORT-SOC",
    "worn_connector": "PP-ERROR",
    "contactor_weld": "F-092",
}
CERTIFICATE = "OCPP-Auth-401"
WELD, HOT = "contactor_weld", "hot_heatsink"

_COLD = [name for name in CODES if name not in (WELD, HOT)]
#: Each fault and each pair. The sink cools once only; a weld comes last, because its line stays in the log.
SINGLES = [*combinations(_COLD, 1), (HOT,), (WELD,)]
PAIRS = [*combinations(_COLD, 1), *combinations(_COLD, 2), (HOT,), *((HOT, n) for n in _COLD)]
PAIRS += [(WELD,), *((WELD, n) for n in _COLD), (WELD, HOT)]


@pytest.fixture(autouse=True)
def own_state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("V2GLAB_GUARD_SOCKET", raising=False)


@pytest.fixture
def twin_file(tmp_path: Path, free_port: int) -> Path:
    """The shipped twin, whose gateway has a port that nobody else uses."""
    path = tmp_path / "twin.toml"
    text = find_data("drivers", "stations", "twin.toml").read_text(encoding="utf-8")
    path.write_text(text.replace("port = 8883", f"port = {free_port}"), encoding="utf-8")
    return path


def diagnose(station: Station, folder: Path, **parameters: float) -> tuple[dict[str, str], Result]:
    """Return certainty by code, and the result."""
    procedure = load_procedure("diagnose_faults")
    values = validate_parameters(procedure, {"observe_s": 0.6, "connect_s": 0.0} | parameters)
    folder.mkdir(exist_ok=True)
    result = procedure.execute(Context(values, station, folder))
    document = json.loads((folder / "diagnosis.json").read_text(encoding="utf-8"))
    check_document("diagnosis-1", document, "diagnosis.json")
    found = {f["code"]: f["certainty"] for f in document["findings"]}
    failed = [v for v in result.verdicts if v.outcome is Outcome.FAIL]
    assert len(failed) == sum(c == "established" for c in found.values())
    return found, result


def switch(station: Station, before: tuple[str, ...], after: tuple[str, ...]) -> None:
    """Turn fault switches, and let the plant follow."""
    for name in {*before} ^ {*after}:
        station.rpc("fault.set", name=name, enabled=name in after)
    # A heat sink takes its time to cool below the foldback, with a time constant of 120 s.
    station.clock.sleep(20.0 if HOT in {*before} - {*after} else 0.6)


def matrix(
    station: Station, folder: Path, combos: Iterable[tuple[str, ...]], extra: frozenset[str] = frozenset()
) -> Iterator[tuple[set[str], set[str]]]:
    """Yield expected and found codes for each combination of faults."""
    before: tuple[str, ...] = ()
    for faults in combos:
        switch(station, before, faults)
        found, _ = diagnose(station, folder)
        assert set(found.values()) <= {"established"}
        yield {CODES[name] for name in faults} | extra, set(found)
        before = faults


def test_every_fault_and_every_pair_with_valid_certificates(twin_file: Path, tmp_path: Path) -> None:
    with open_station(twin_file, work_dir=tmp_path / "station") as station:
        found, result = diagnose(station, tmp_path / "healthy", connect_s=20.0)
        assert found == {}
        assert [v.outcome for v in result.verdicts] == [Outcome.PASS] * 7
        assert not result.facts["cannot_tell"]
        for expected, seen in matrix(station, tmp_path / "matrix", PAIRS):
            assert seen == expected
        state = station.rpc("plant.state")
        assert not state["contactor_commanded"] and not state["inverter_running"]


def test_every_fault_together_with_an_expired_certificate(twin_file: Path, tmp_path: Path) -> None:
    faults = ("expired_certificate",)
    with open_station(twin_file, faults=faults, work_dir=tmp_path / "station") as station:
        found, _ = diagnose(station, tmp_path / "first", connect_s=20.0)
        assert found == {CERTIFICATE: "established"}
        told = json.loads((tmp_path / "first" / "diagnosis.json").read_text())["findings"][0]
        assert "certificate of the station" in told["cause"] and "expired on" in told["cause"]
        # The certificate itself, what the gateway said, and what the station was told.
        for word in ("V2GLAB-TWIN-01", "gateway.log", "charger.log"):
            assert any(word in line for line in told["evidence"]), word
        for expected, seen in matrix(station, tmp_path / "matrix", SINGLES, frozenset({CERTIFICATE})):
            assert seen == expected


def test_port_in_use_leaves_the_certificates_open(twin_file: Path, tmp_path: Path, free_port: int) -> None:
    with socket.create_server(("127.0.0.1", free_port)) as busy:
        busy.listen()
        with open_station(twin_file, work_dir=tmp_path / "station") as station:
            found, result = diagnose(station, tmp_path / "busy", connect_s=1.0)
    assert found == {}
    (reason,) = result.facts["cannot_tell"]
    assert reason.startswith(CERTIFICATE) and str(free_port) in reason


@pytest.fixture
def served(twin_file: Path, tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """Start a twin as a user does and return a live station file that leads to it."""
    processes: list[subprocess.Popen[bytes]] = []

    def start(*faults: str) -> Path:
        resolved = tmp_path / "resolved.toml"
        arguments = [
            "--station",
            str(twin_file),
            "--resolved",
            str(resolved),
            "--work-dir",
            str(tmp_path / "w"),
        ]
        arguments += ["--clock", "realtime", *(a for f in faults for a in ("--fault", f))]
        processes.append(
            subprocess.Popen(
                [sys.executable, "-m", "v2glab", "twin", *arguments],
                stdin=subprocess.PIPE,
                env={**os.environ},
            )
        )
        for _ in range(600):
            if resolved.exists():
                break
            with pytest.raises(subprocess.TimeoutExpired):
                processes[-1].wait(0.1)
        import tomllib

        document = tomllib.loads(resolved.read_text())
        del document["twin"]
        document["station"] = {"name": "bench", "kind": "live", "clock": "realtime"}
        live = tmp_path / "live.toml"
        live.write_text(tomli_w.dumps(document), encoding="utf-8")
        return live

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def test_live_station_without_approval_is_only_read(served: Callable[..., Path], tmp_path: Path) -> None:
    faults = ("contactor_weld", "low_soc", "frequency_drift", "expired_certificate")
    with open_station(served(*faults)) as station:
        found, result = diagnose(station, tmp_path / "live", connect_s=5.0)
        with pytest.raises(ApprovalError):
            station.instrument("charger").ensure("max_temperature", 60)
    assert found == dict.fromkeys(("F-092", "ZERO-EXPORT-SOC", "OCPP-01", CERTIFICATE), "established")
    # Nobody brought a gateway up: its log is not there.
    assert "log of the gateway" in result.facts["missing"]


def test_absent_instruments_leave_rules_open_and_none_at_all_is_an_error(
    twin_file: Path, tmp_path: Path, free_port: int
) -> None:
    text = twin_file.read_text(encoding="utf-8")
    head, _, rest = text.partition("[instruments.scope]")
    twin_file.write_text(head + rest.partition("\n\n")[2].replace("twin:hwmon", "file:///nowhere"))
    with open_station(twin_file, faults=("low_soc", "hot_heatsink"), work_dir=tmp_path / "s") as station:
        found, result = diagnose(station, tmp_path / "without")
    # The charger's own word stands for the missing sensors; analyser and meter for the oscilloscope.
    assert found == dict.fromkeys(("ZERO-EXPORT-SOC", "THERMAL-DERATING"), "established")
    assert {"scope", "heatsink"} <= set(result.facts["missing"])
    gone = tmp_path / "gone.toml"
    site, _, _ = text.replace('"twin"', '"gone"', 1).partition("[instruments.meter]")
    site = site.replace('kind = "twin"', 'kind = "live"').replace('clock = "lockstep"\n', "")
    charger = f'profile = "twin_evse"\naddress = "tcp://127.0.0.1:{free_port}?unit=1"\n'
    gone.write_text(f"{site}[instruments.charger]\n{charger}", encoding="utf-8")
    with open_station(gone) as station, pytest.raises(DeviceError):
        diagnose(station, tmp_path / "none")


def test_finished_runs_tell_the_same(
    twin_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def of_run(folder: Path, *options: str) -> tuple[int, dict]:
        code = command("diagnose", ["--run", f"{folder}/", "--json", *options], prog_name="v2glab diagnose")
        document = json.loads(capsys.readouterr().out)
        check_document("diagnosis-1", document, "stdout")
        return code, document

    root = tmp_path / "runs"
    settings = {"station": str(twin_file), "faults": ("worn_connector", "contactor_weld")}
    values = settings | {"observe_s": 0.8, "connect_s": 20.0}
    result, folder = run_single("diagnose_faults", values, progress=None, render=render_report, root=root)
    code, document = of_run(folder)
    assert code == 0
    assert {f["code"] for f in document["findings"]} == {"F-092", "PP-ERROR"}
    assert set(document["clear"]) == {
        "OCPP-01",
        CERTIFICATE,
        *(CODES[n] for n in ("hot_heatsink", "low_soc")),
    } | {CODES["export_bit_off"]}
    assert of_run(folder, "--strict")[0] == 1
    assert len(result.verdicts) == 7
    assert "F-092" in (folder / "report.html").read_text(encoding="utf-8")
    states = plot(result).children[0].y_range.factors
    assert set(states) == {*CODES.values(), CERTIFICATE}


def test_a_calibration_without_result_is_left_out_from_when_the_limit_moves() -> None:
    def limit(value: float, time_ns: int) -> Quantity:
        return Quantity("max_temperature", value, "degC", 0.0, time_ns=time_ns, instrument="charger")

    assert _heated({}, [limit(85.0, 1), limit(85.0, 2)]) == []
    assert _heated({}, [limit(85.0, 1), limit(60.0, 2), limit(85.0, 3)]) == [(2, float("inf"))]


def test_heating_on_purpose_is_no_fault(
    twin_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = {"station": str(twin_file), "heat_s": 30.0, "shares": (0.8, 0.9, 0.95)}
    _, folder = run_single("calibrate_thermal", values, progress=None, render=None, root=tmp_path / "runs")
    assert "derating" in (folder / "logs" / "charger.log").read_text()
    command("diagnose", ["--run", f"{folder}/", "--json"], prog_name="v2glab diagnose")
    document = json.loads(capsys.readouterr().out)
    assert document["findings"] == []
    assert "THERMAL-DERATING" in {item["code"] for item in document["cannot_tell"]}


def test_wrong_use_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, word in (
        (["--run", "no-such-run"], "no-such-run"),
        (["--run", "latest", "--fault", "low_soc"], "--fault with --run"),
    ):
        assert command("diagnose", arguments, prog_name="v2glab diagnose") == 2
        assert word in capsys.readouterr().err
