"""``v2glab vehicle connect`` and ``listen`` as two processes."""

import csv
import json
import signal
import subprocess
import sys

import pytest

from v2glab.links.pki import make_pki, write_pki

COMMAND = [sys.executable, "-m", "v2glab", "vehicle"]


def start_listening(*options):
    process = subprocess.Popen(
        [*COMMAND, "listen", "--port", "0", "--json", *options],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    line = process.stdout.readline()
    assert line, process.stderr.read()
    return process, json.loads(line)


def connecting(port, *options):
    return [*COMMAND, "connect", "--address", f"[::1]:{port}", "--json", *options]


def test_both_ends_agree_on_energy_and_the_charger_stops_clean(tmp_path):
    pki, trace = tmp_path / "pki", tmp_path / "trace.csv"
    charger, told = start_listening("--pki", str(pki), "--make-pki")
    try:
        done = subprocess.run(
            [*connecting(told["discovery"], "--pki", str(pki), "--power", "20000", "--duration", "1"),
             "--trace", str(trace)],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        seen = json.loads(done.stdout)
        assert seen["completed"]
        assert seen["findings"] == []
        assert seen["protocol"] == "iso20-dc"
        # 20 kW for a second, less the ramp that trapezoids draw over the first 0.25 s.
        assert 4.0 < seen["energy"]["export_wh"] < 6.5
        assert seen["soc_percent"] < 60
        served = json.loads(charger.stdout.readline())
        assert served["failure"] is None
        with trace.open(newline="") as stream:
            rows = list(csv.DictReader(stream))
        assert len(rows) == seen["messages"]
        assert rows[-1]["name"] == "SessionStopRes"

        # The charger is told to stop while energy flows: the vehicle names what happened.
        command = connecting(told["discovery"], "--pki", str(pki), "--duration", "60")
        command.remove("--json")
        vehicle = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert any("energy flows" in line for line in iter(vehicle.stderr.readline, ""))
        charger.send_signal(signal.SIGTERM)
        out, _ = vehicle.communicate(timeout=30)
        _, said = charger.communicate(timeout=10)
    finally:
        charger.kill()
    assert charger.returncode == 0
    assert "contactor open" in said
    assert vehicle.returncode == 3
    assert "not carried through" in out
    assert "[closed]" in out or "closed" in out
    assert "remedy" in out


@pytest.mark.parametrize("curve", ["secp521r1", "ed448"])
def test_one_charger_serves_both_parts_in_tls(tmp_path, curve):
    folders = {"iso20": tmp_path / "pki", "iso2": tmp_path / "pki-iso2"}
    write_pki(make_pki(curve=curve), folders["iso20"])
    charger, told = start_listening(
        "--pki", str(folders["iso20"]), "--pki-iso2", str(folders["iso2"]), "--make-pki", "--sessions", "2"
    )
    try:
        for protocol, service in (("iso2", "ac"), ("iso20", "ac_bpt")):
            options = ["--protocol", protocol, "--service", service, "--authorisation", "pnc"]
            options += ["--pki", str(folders[protocol]), "--duration", "1"]
            done = subprocess.run(
                connecting(told["discovery"], *options),
                capture_output=True, text=True, timeout=60, check=False,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
            assert json.loads(done.stdout)["protocol"].startswith(protocol)
        served = [json.loads(charger.stdout.readline()) for _ in range(2)]
        charger.communicate(timeout=10)
    finally:
        charger.kill()
    assert [row["failure"] for row in served] == [None, None]
    assert charger.returncode == 0


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (["--address", "charger:15118x"], "--address"),
        (["--address", "[2001:db8::1]:15118"], "approve-energise"),
        (["--interface", "eth0"], "approve-energise"),
        (["--address", "[::1]:1", "--interface", "eth0"], "--interface"),
        (["--service", "wireless"], "--service"),
        (["--duration", "-1"], "--duration"),
    ],
)
def test_wrong_options_are_named_before_anything_is_sent(options, found, capfd):
    from v2glab.cli import run

    assert run("vehicle", ["connect", *options], prog_name="v2glab vehicle") == 2
    assert found in capfd.readouterr().err


def test_nobody_answers_is_a_finding_with_a_remedy(capfd, monkeypatch):
    from v2glab.cli import run
    from v2glab.links.sdp import load_sdp_rules

    quick = load_sdp_rules().model_copy(update={"attempts": 2})
    monkeypatch.setattr("v2glab.links.sdp._client.load_sdp_rules", lambda: quick)
    code = run("vehicle", ["connect", "--address", "[::1]:9", "--json"], prog_name="v2glab vehicle")
    assert code == 3
    (finding,) = json.loads(capfd.readouterr().out)["findings"]
    assert finding["code"] == "no-charger"
    assert finding["remedy"]
