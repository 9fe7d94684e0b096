"""``v2glab gateway`` as a process: what it answered is on the disk, however it ends."""

import json
import signal
import sqlite3
import subprocess
import sys

import pytest
from ocpp_peers import STAMP, client_tls
from websockets.sync.client import connect

from v2glab.gateway import create_pki

NAME = "STATION-1"
SITE = """
schema = 1
[station]
name = "gateway-site"
kind = "live"
[site]
jurisdiction = "US-CA"
grid_code = "ieee1547-2018"
nominal_voltage_v = 277.0
nominal_frequency_hz = 60.0
rated_power_w = 11000.0
rated_apparent_power_va = 12000.0
rated_current_a = 14.5
[instruments]
[gateway]
host = "127.0.0.1"
port = {port}
station_id = "STATION-1"
pki = "pki"
"""


@pytest.fixture
def folder(tmp_path):
    create_pki(tmp_path / "pki", NAME)
    return tmp_path


def start(folder, *arguments):
    command = [sys.executable, "-m", "v2glab", "gateway", *arguments]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, cwd=folder, stdout=pipe, stderr=pipe, text=True)
    line = process.stdout.readline()
    assert line.startswith("listening on 127.0.0.1:"), process.stderr.read()
    return process, int(line.rpartition(":")[2])


def test_kill_9_loses_nothing_that_was_answered(folder):
    process, port = start(folder, "--pki", "pki", "--port", "0")
    tls, url = client_tls(folder / "pki"), f"wss://127.0.0.1:{port}/{NAME}"
    with connect(url, ssl=tls, subprotocols=["ocpp2.0.1"], proxy=None) as link:
        for number in range(50):
            payload = {
                "eventType": "Updated",
                "timestamp": STAMP,
                "triggerReason": "MeterValuePeriodic",
                "seqNo": number,
                "transactionInfo": {"transactionId": "t"},
            }
            link.send(json.dumps([2, f"m{number}", "TransactionEvent", payload]))
            assert json.loads(link.recv(timeout=5)) == [3, f"m{number}", {}]
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    with sqlite3.connect(folder / "ocpp-journal.sqlite") as base:
        assert base.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        events = base.execute("SELECT seq_no FROM transaction_event ORDER BY seq_no").fetchall()
        calls = base.execute("SELECT message_id FROM message WHERE direction = 'in' ORDER BY id").fetchall()
    assert [n for (n,) in events] == list(range(50))
    assert [i for (i,) in calls] == [f"m{n}" for n in range(50)]
    again, port = start(folder, "--pki", "pki", "--port", "0")
    with connect(f"wss://127.0.0.1:{port}/{NAME}", ssl=tls, subprotocols=["ocpp2.0.1"], proxy=None) as link:
        link.send('[2,"x","Heartbeat",{}]')
        assert json.loads(link.recv(timeout=5))[0] == 3
    again.send_signal(signal.SIGTERM)
    assert again.wait(10) == 0


def test_a_station_file_says_where(folder, free_port):
    (folder / "site.toml").write_text(SITE.format(port=free_port))
    process, port = start(folder, "--station", "site.toml")
    assert port == free_port
    second = subprocess.run(
        [sys.executable, "-m", "v2glab", "gateway", "--station", "site.toml", "--journal", "other.sqlite"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert second.returncode == 3
    assert str(free_port) in second.stderr and "remedy" in second.stderr
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "--pki or --station"),
        (("--station", "twin"), "resolved"),
        (("--pki", "nowhere", "--port", "0"), "certificates of the gateway"),
        (("--pki", "pki", "--port", "70000"), "0 to 65535"),
    ],
)
def test_wrong_use_says_what_is_right(folder, monkeypatch, capsys, arguments, words):
    from v2glab.cli import run

    monkeypatch.chdir(folder)
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    try:
        assert run("gateway", list(arguments), prog_name="v2glab gateway") == 2
    finally:
        signal.signal(signal.SIGTERM, before[0])
        signal.signal(signal.SIGINT, before[1])
    assert words in capsys.readouterr().err
