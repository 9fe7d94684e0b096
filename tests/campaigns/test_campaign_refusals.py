"""What a campaign refuses, with which exit code, and what it leaves: nothing, or a folder named so."""

from __future__ import annotations

import ctypes
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from campaign_bench import TWIN, campaign_file, only_run, run, station_file

from v2glab import cli

CHARGER_BENCH = Path(__file__).resolve().parents[1] / "station" / "charger_bench.py"

Refused = Callable[..., subprocess.CompletedProcess[str]]
HEAD = "name = 'a'\ntitle = 'b'\n"


@pytest.fixture
def refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Refused:
    """Run the command in this process: what is refused at once needs none of its own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))

    def run_here(*arguments: str) -> subprocess.CompletedProcess[str]:
        given = [*arguments, "--out", str(tmp_path / "runs")]
        code = cli.run("campaign", given, prog_name="v2glab campaign")
        return subprocess.CompletedProcess(given, code, *capsys.readouterr())

    return run_here


def _said(done: subprocess.CompletedProcess[str]) -> str:
    """Return one clear message: found, required, remedy, and no traceback."""
    assert "Traceback" not in done.stderr, done.stderr
    assert "required:" in done.stderr
    assert "remedy:" in done.stderr
    return done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-p", "export_load_test.duratoin_s=5"), "duratoin_s"),
        (("-p", "export_load_test.duration_s=-5"), "duration_s"),
        (("-p", "export_load_tset.duration_s=5"), "export_load_tset"),
        (("-p", "nonsense"), "nonsense"),
        (("-p", 'export_load_test.station="other"'), "station"),
        (("--recording", "no-such-file.cfg"), "no-such-file.cfg"),
        (("--station", "no-such-station"), "no-such-station"),
        (("--fault", "gremlin"), "gremlin"),
        (("no-such-campaign",), "no-such-campaign"),
    ],
)
def test_wrong_usage_stops_before_any_device(
    tmp_path: Path, refused: Refused, arguments: tuple[str, ...], said: str
) -> None:
    done = refused(*arguments)
    assert done.returncode == 2
    assert said in _said(done)
    assert not (tmp_path / "runs").exists()
    locks = tmp_path / "state" / "v2glab" / "locks"
    assert not locks.exists() or not any(locks.iterdir())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "schema = 1\nname = 'a'\ntitle = 'b'\n[[notebook]]\nname = '05_export_load_test'\nspeed = 1\n",
            "speed",
        ),
        ("schema = 9\nname = 'a'\ntitle = 'b'\n[[notebook]]\nname = '05_export_load_test'\n", "schema"),
        ("schema = 1\nname = 'a'\ntitle = 'b'\nnotebook = []\n", "notebook"),
        ("schema = 1\nname = 'a'\ntitle = 'b'\n[[notebook]]\nname = '05_rob_bank'\n", "05_rob_bank"),
        ("not toml at all", "small.toml"),
    ],
)
def test_wrong_campaign_file_is_named(tmp_path: Path, refused: Refused, text: str, said: str) -> None:
    file = tmp_path / "small.toml"
    file.write_text(text)
    done = refused(str(file))
    assert done.returncode == 2
    assert said in _said(done)


def test_station_file_with_unknown_key_is_refused(tmp_path: Path, refused: Refused) -> None:
    station = station_file(tmp_path)
    station.write_text(station.read_text().replace("[site]", "[site]\nnominal_volts = 3"))
    done = refused("--station", str(station))
    assert done.returncode == 2
    assert "nominal_volts" in _said(done)


@pytest.fixture
def charger() -> Iterator[int]:
    process = subprocess.Popen(
        [sys.executable, str(CHARGER_BENCH)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    yield int(process.stdout.readline())
    process.kill()
    process.communicate()


def _live_station(folder: Path, charger_port: int, other_port: int) -> Path:
    """Write a live station: the bench charger, and instruments at a port where nobody listens."""
    text = TWIN.read_text().replace('kind = "twin"', 'kind = "live"').replace('"lockstep"', '"realtime"')
    text = text[: text.index("[twin]")].replace("port = 8883", "port = 0")
    for name in ("charger", "inverter"):
        text = text.replace(f"twin:{name}\n", f"tcp://127.0.0.1:{charger_port}?unit=1\n")
        text = text.replace(f'"twin:{name}"', f'"tcp://127.0.0.1:{charger_port}?unit=1"')
    text = text.replace('"twin:meter"', f'"tcp://127.0.0.1:{other_port}?unit=2"')
    for name in ("analyser", "dmm", "scope", "clamps", "grid"):
        text = text.replace(f'"twin:{name}"', f'"TCPIP::127.0.0.1::{other_port}::SOCKET"')
    text = text.replace('"twin:hwmon"', f'"{folder.as_uri()}"').replace('"twin:pki"', f'"{folder}"')
    text = text.replace('"twin:charger_log"', '"c.log"').replace('"twin:gateway_log"', '"g.log"')
    text = text.replace('"twin:vehicle"', '"[::1]:1"').replace('"twin:vehicle_pki', f'"{folder}')
    path = folder / "live.toml"
    path.write_text(text)
    assert "twin:" not in "".join(line for line in text.splitlines() if not line.startswith("#"))
    return path


@pytest.mark.slow
def test_live_station_without_approval_is_only_read(tmp_path: Path, charger: int, free_port: int) -> None:
    station = _live_station(tmp_path, charger, free_port)
    file = campaign_file(tmp_path, "05_export_load_test", duration_s=5.0)
    done = run(tmp_path, "campaign", str(file), "--station", str(station), "--out", str(tmp_path / "runs"))
    assert done.returncode == 0, done.stderr
    assert "only read" in done.stdout
    record = json.loads((only_run(tmp_path / "runs") / "run.json").read_text())
    (row,) = record["notebooks"]
    assert (row["status"], record["station"]["kind"]) == ("not run", "live")
    assert "not approved" in row["error"]
    with socket.create_connection(("127.0.0.1", charger), timeout=2) as link:
        link.sendall(bytes.fromhex("000100000006" + "01" + "03" + "4001" + "0001"))
        assert link.recv(64)[-2:] == b"\x00\x00"  # nobody closed the contactor


@pytest.mark.slow
def test_unreachable_device_is_exit_code_3_and_names_it(tmp_path: Path, charger: int, free_port: int) -> None:
    station = _live_station(tmp_path, charger, free_port)
    file = campaign_file(tmp_path, "05_export_load_test", duration_s=5.0)
    options = ("--station", str(station), "--approve-energise", "--out", str(tmp_path / "runs"))
    done = run(tmp_path, "campaign", str(file), *options)
    assert done.returncode == 3, done.stderr + done.stdout
    record = json.loads((only_run(tmp_path / "runs") / "run.json").read_text())
    assert record["status"] == "failed"
    assert str(free_port) in record["problem"]
    assert "DeviceError" in record["problem"]
    with socket.create_connection(("127.0.0.1", charger), timeout=2) as link:
        link.sendall(bytes.fromhex("000100000006" + "01" + "03" + "4003" + "0001"))
        assert link.recv(64)[-2:] == b"\x00\x00"


@pytest.mark.slow
def test_dead_charger_stops_before_a_record_is_begun(tmp_path: Path, free_port: int) -> None:
    station = _live_station(tmp_path, free_port, free_port)
    file = campaign_file(tmp_path, "05_export_load_test", duration_s=5.0)
    options = ("--station", str(station), "--approve-energise", "--out", str(tmp_path / "runs"))
    done = run(tmp_path, "campaign", str(file), *options)
    assert done.returncode == 3
    assert str(free_port) in _said(done)
    assert not (tmp_path / "runs").exists()


@pytest.mark.slow
def test_gateway_port_in_use_is_named(tmp_path: Path) -> None:
    file = campaign_file(tmp_path, "02_connect_ocpp", connect_timeout_s=2.0)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        station = station_file(tmp_path, port)
        options = ("--station", str(station), "--out", str(tmp_path / "runs"))
        done = run(tmp_path, "campaign", str(file), *options)
    assert done.returncode == 3, done.stderr + done.stdout
    record = json.loads((only_run(tmp_path / "runs") / "run.json").read_text())
    assert str(port) in record["problem"]
    assert "DeviceError" in record["problem"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte; only the superuser may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    libc = ctypes.CDLL(None, use_errno=True)
    if os.geteuid() != 0 or libc.mount(b"none", os.fsencode(folder), b"tmpfs", 0, b"size=1m") != 0:
        pytest.skip("a file system of a chosen size needs the right to mount; RLIMIT_FSIZE is tested instead")
    yield folder
    libc.umount2(os.fsencode(folder), 2)


@pytest.mark.slow
def test_full_disk_leaves_no_torn_record(tmp_path: Path, small_disk: Path) -> None:
    file = campaign_file(tmp_path, "05_export_load_test", duration_s=5.0, ride_through=False)
    (small_disk / "ballast").write_bytes(bytes(700_000))
    station = station_file(tmp_path)
    done = run(tmp_path, "campaign", str(file), "--station", str(station), "--out", str(small_disk / "runs"))
    assert done.returncode == 2, done.stderr
    assert "No space left" in _said(done) or "full" in done.stderr
    assert all(p.name.startswith(".incomplete-") for p in (small_disk / "runs").iterdir())
    listed = run(tmp_path, "runs", "list", "--root", str(small_disk / "runs"), "--json")
    assert [row["complete"] for row in json.loads(listed.stdout)] == [False]


def test_limit_on_file_size_leaves_no_torn_file(tmp_path: Path) -> None:
    program = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from v2glab.evidence import StorageError, write_atomic\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "target = Path(sys.argv[1]); write_atomic(target, b'old')\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try:\n    write_atomic(target, bytes(5000))\nexcept StorageError as error:\n    print(error)\n"
    )
    target = tmp_path / "record.json"
    command = [sys.executable, "-c", program, str(target)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert "free disk space" in done.stdout
    assert target.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["record.json"]


def test_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    file = campaign_file(tmp_path, "00_check_environment")
    done = run(tmp_path, "campaign", str(file), "--out", str(blocked / "runs"))
    assert done.returncode == 2
    assert str(blocked) in _said(done)
