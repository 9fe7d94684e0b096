"""The command ``v2glab instruments``."""

import json
import struct
import subprocess
import sys
from pathlib import Path

from _instrument_peers import modbus_tcp, peer


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "v2glab", "instruments", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_list_check_and_show() -> None:
    names = [row["name"] for row in json.loads(run("list", "--json").stdout)]
    assert {"eastron_sdm630", "sunspec_inverter", "rigol_ds1000z", "hwmon"} <= set(names)
    checked = run("check", "--json")
    assert checked.returncode == 0
    assert all(row["ok"] for row in json.loads(checked.stdout))
    shown = run("show", "twin_evse").stdout
    assert "0x4002" in shown and "export_enable" in shown


def test_check_names_file_line_and_remedy(tmp_path: Path) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text('schema = 1\n[profile]\nname = "x"\nvendor = "v"\nmodel = "m"\nkind = "modbus"\n')
    outcome = run("check", str(bad))
    assert outcome.returncode == 2
    assert f"{bad}, line 2: profile.source" in outcome.stdout
    assert "remedy: add the key" in outcome.stdout


def test_read_by_address(free_port: int) -> None:
    with peer(lambda r: modbus_tcp(r, b"\x04\x04" + struct.pack(">f", 60.0))) as device:
        place = ("--address", f"tcp://127.0.0.1:{device.port}", "--profile", "eastron_sdm630")
        seen = json.loads(
            run("read", "m", "frequency", *place, "--certificate", "twin-meter.toml", "--json").stdout
        )
        assert seen[0]["value"] == 60.0
        assert 0.006 < seen[0]["uncertainty"] < 0.0071, "0.02 % of 60 Hz over the root of 3"
    gone = run("read", "m", "--address", f"tcp://127.0.0.1:{free_port}", "--profile", "eastron_sdm630")
    assert gone.returncode == 3
    assert "remedy" in gone.stderr
    assert run("read", "m", "--profile", "eastron_sdm630").returncode == 2
