"""The command ``inverter-cli --dump-config``."""

import json
import struct
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest
from _instrument_peers import modbus_tcp, peer

from v2glab.cli import run as run_command
from v2glab.gridcodes import load_code

LIVE = """
schema = 1
[station]
name = "inverter-site"
kind = "live"
[site]
jurisdiction = "US-CA"
grid_code = "ieee1547-2018"
nominal_voltage_v = 277.0
nominal_frequency_hz = 60.0
rated_power_w = 11000.0
rated_apparent_power_va = 12000.0
rated_current_a = 14.5
[instruments.inverter]
profile = "sunspec_inverter"
address = "tcp://127.0.0.1:{port}?unit=1"
"""


@dataclass
class Done:
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def run(capsys):
    def command(*arguments: str) -> Done:
        code = run_command("inverter", list(arguments), prog_name="inverter-cli")
        shown = capsys.readouterr()
        return Done(code, shown.out, shown.err)

    return command


def registers(*models: tuple[int, dict[str, object]]) -> bytes:
    """Lay out models as pysunspec2 writes them."""
    from sunspec2.device import Model

    return b"SunS" + b"".join(Model(number, data=data).get_mb() for number, data in models) + b"\xff\xff\0\0"


def device(image: bytes):
    """Answer reads of registers from 40000; refuse everything else."""

    def answer(request: bytes) -> bytes:
        function, address, count = struct.unpack_from(">BHH", request, 7)
        start = 2 * (address - 40000)
        if function != 3 or start < 0 or start + 2 * count > len(image):
            return modbus_tcp(request, bytes((function | 0x80, 2)))
        return modbus_tcp(request, bytes((3, 2 * count)) + image[start : start + 2 * count])

    return answer


@pytest.fixture
def site(tmp_path):
    def write(port: int) -> str:
        path = tmp_path / "site.toml"
        path.write_text(LIVE.format(port=port))
        return str(path)

    return write


def test_the_twin_is_set_to_what_its_site_asks_for(run, tmp_path: Path) -> None:
    written = tmp_path / "config.toml"
    assert run("--dump-config", "--output", str(written)).returncode == 0
    found = tomllib.loads(written.read_text())
    capacity = found["inverter"]["models"]["702"]
    assert capacity["settings"]["WMax"] == 22000.0
    assert capacity["settings"]["AMax"] == 28.9
    assert capacity["units"]["AMax"] == "A"
    trips = load_code("ieee1547-2018").category("III").trips
    for model, quantity, side, key, scale in (
        ("707", "voltage", "low", "V", 100.0),
        ("708", "voltage", "high", "V", 100.0),
        ("709", "frequency", "low", "Hz", 1.0),
        ("710", "frequency", "high", "Hz", 1.0),
    ):
        points = found["inverter"]["models"][model]["Crv"][0]["MustTrip"]["Pt"]
        seen = {(p["settings"][key], p["settings"]["Tms"]) for p in points}
        wanted = {
            (round(t.threshold * scale, 6), t.time_s)
            for t in trips
            if (t.quantity, t.side) == (quantity, side)
        }
        assert seen == wanted
    assert found["charger"]["values"]["export_enable"] == 1.0
    assert found["charger"]["settings"]["power_setpoint"] == 0.0
    assert found["station"]["name"] == "twin"


def test_a_live_inverter_is_scaled_and_only_read(run, site) -> None:
    image = registers(
        (1, {"Mn": "ACME", "Md": "Bridge", "SN": "42"}),
        (702, {"WMaxRtg": 1100, "WMax": 1050, "W_SF": 1, "AMax": 145, "A_SF": -1}),
        (704, {"WSet": -250, "WSet_SF": 1, "WSetEna": 1}),
    )
    with peer(device(image)) as inverter:
        done = run("--dump-config", "--json", "--station", site(inverter.port))
        functions = {request[7] for request in inverter.requests}
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["inverter"]
    assert functions == {3}
    assert found["identity"].startswith("ACME Bridge")
    assert found["models"]["702"]["settings"] == {"WMax": 10500.0, "AMax": 14.5}
    assert found["models"]["702"]["values"]["WMaxRtg"] == 11000.0
    assert found["models"]["704"]["settings"] == {"WSet": -2500.0, "WSetEna": 1}
    assert set(json.loads(done.stdout)) == {"station", "inverter"}, (
        "a site without a charger has no such part"
    )


def test_toml_and_json_say_the_same(run, site) -> None:
    image = registers((1, {"Mn": 'A "quoted" name\u00e9', "Md": "B"}), (713, {"WHRtg": 600, "WH_SF": 2}))
    with peer(device(image)) as inverter:
        place = ("--dump-config", "--station", site(inverter.port))
        first, second = run(*place), run(*place, "--json")
    one, other = tomllib.loads(first.stdout), json.loads(second.stdout)
    assert one["inverter"] == other["inverter"]
    assert one["inverter"]["models"]["713"]["values"]["WHRtg"] == 60000.0
    assert one["inverter"]["models"]["713"]["units"]["WHRtg"] == "Wh"


def test_a_wrong_scale_factor_is_a_device_error(run, site) -> None:
    with peer(device(registers((1, {"Mn": "A"}), (702, {"WMax": 5, "W_SF": 30})))) as inverter:
        done = run("--dump-config", "--station", site(inverter.port))
    assert done.returncode == 3
    assert "scale factor W_SF" in done.stderr


def test_what_cannot_be_reached_is_named(run, site, free_port: int) -> None:
    gone = run("--dump-config", "--station", site(free_port))
    assert gone.returncode == 3
    assert str(free_port) in gone.stderr and "remedy" in gone.stderr
    assert gone.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "--dump-config"),
        (("--dump-config", "--station", "no-such.toml"), "no-such.toml"),
        (("--dump-config", "--format", "xml"), "--format"),
    ],
)
def test_wrong_use_says_what_is_right(run, arguments, words) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert words in done.stderr


def test_an_unknown_instrument_is_named(run, site, free_port: int) -> None:
    done = run("--dump-config", "--instrument", "inverter2", "--station", site(free_port))
    assert done.returncode == 2
    assert "inverter2" in done.stderr


def test_help_shows_examples(run) -> None:
    text = run("--help").stdout
    assert "inverter-cli --dump-config --station my-site.toml" in text
