"""The twin's SCPI instruments over raw sockets, with what no driver would send."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest
from served_bench import Served, serve


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = serve(tmp_path_factory.mktemp("twin"))
    yield served
    served.stop()


NAMES = ("analyser", "dmm", "scope", "clamps", "grid")


@pytest.mark.parametrize(
    ("name", "who"),
    [
        ("analyser", "YOKOGAWA,WT333"),
        ("dmm", "Keysight Technologies,34465A"),
        ("scope", "RIGOL TECHNOLOGIES,DS1104Z"),
        ("grid", "CALIFORNIA INSTRUMENTS,MX30"),
    ],
)
def test_each_says_who_it_is(twin: Served, name: str, who: str) -> None:
    line = twin.scpi(name)
    assert line.ask("*IDN?").startswith(who)
    assert line.ask("*OPC?;*ESR?") == "1;0"
    line.close()


def test_analyser_gives_the_chosen_items_in_order(twin: Served) -> None:
    line = twin.scpi("analyser")
    for place, item in enumerate(("U,1", "U,2", "U,3", "FU,1", "P,SIGMA"), start=1):
        line.send(f":NUM:NORM:ITEM{place} {item}".encode())
    numbers = [float(x) for x in line.ask(":NUMERIC:NORMAL:VALUE?").split(",")]
    state = twin.rpc("plant.state")
    assert numbers[:3] == pytest.approx(state["voltage_v"], rel=1e-3)
    assert numbers[3] == pytest.approx(60.02, abs=0.01)
    assert numbers[4] == 0.0
    line.close()


def test_multimeter_reads_each_quantity_within_its_noise(twin: Served) -> None:
    line, state = twin.scpi("dmm"), twin.rpc("plant.state")
    for query, expected in (
        (":MEAS:VOLT:AC?", state["voltage_v"][0]),
        ("MEASURE:VOLTAGE:DC?", state["dc_voltage_v"]),
        (":meas:freq?", state["grid_frequency_hz"]),
        (":MEAS:RES?", 100.0),
    ):
        assert float(line.ask(query)) == pytest.approx(expected, rel=2e-4)
    line.close()


def test_scope_gives_three_phases_at_ten_kilosamples(twin: Served) -> None:
    line = twin.scpi("scope")
    assert float(line.ask(":ACQ:SRAT?")) >= 10_000
    line.send(b":STOP")
    fields = line.ask(":WAV:PRE?").split(",")
    step_s, step_v, reference = float(fields[4]), float(fields[7]), float(fields[9])
    phases = []
    for channel in (1, 2, 3):
        line.send(f":WAV:SOUR CHAN{channel};:WAV:STAR 1;:WAV:STOP 10000".encode())
        line.send(b":WAV:DATA?")
        phases.append((np.frombuffer(line.read_block(), np.uint8) - reference) * step_v)
    volts = np.array(phases)
    tone = np.exp(-2j * np.pi * 60.02 * step_s * np.arange(volts.shape[1]))
    phasors = 2 * volts @ tone / volts.shape[1]
    assert np.abs(phasors) / math.sqrt(2) == pytest.approx([277.0] * 3, rel=2e-3)
    turns = np.angle(phasors[1:] / phasors[:-1])
    assert turns == pytest.approx([-math.tau / 3] * 2, abs=5e-3)  # a, b, c follow each other
    line.send(b":RUN")
    line.close()


def test_grid_simulator_plays_its_list(twin: Served) -> None:
    line = twin.scpi("grid")
    line.send(b":LIST:DWEL 0.2,0.3;:LIST:VOLT 138.5,200;:LIST:FREQ 60.5,59.5")
    line.send(b":INIT")
    assert line.ask(":SYST:ERR?") == '0,"No error"'
    seen = []
    for _ in range(3):
        twin.rpc("clock.advance", duration_s=0.2)
        seen.append(float(line.ask(":VOLT:AC?")))
        twin.rpc("clock.advance", duration_s=0.05)
    # RMS over 0.2 s: the whole first step, then 0.05 s of it gone, then back to normal.
    # 0.2 s are no whole number of cycles at 60.5 Hz.
    assert seen[0] == pytest.approx(138.5, rel=5e-3)
    assert seen[1] == pytest.approx(200.0, rel=5e-3)
    assert seen[2] == pytest.approx(277.0, rel=2e-3)
    line.close()


def test_grid_simulator_turns_one_phase_and_sags_another(twin: Served) -> None:
    line = twin.scpi("grid")
    line.send(b"INST:COUP NONE;:LIST:DWEL 1")
    for phase, volts, angle in ((1, 277, 0), (2, 100, 240), (3, 277, 60)):  # c stands 60° behind its place
        line.send(f"INST:NSEL {phase};:LIST:VOLT {volts};:LIST:PHAS {angle}".encode())
    line.send(b"PHAS:MODE LIST;:INST:COUP ALL;:LIST:FREQ 60;:INIT")
    assert line.ask(":SYST:ERR?") == '0,"No error"'
    twin.rpc("clock.advance", duration_s=0.6)
    scope = twin.scpi("scope")
    scope.send(b":STOP")
    fields = scope.ask(":WAV:PRE?").split(",")
    step_s, step_v, reference = float(fields[4]), float(fields[7]), float(fields[9])
    phases = []
    for channel in (1, 2, 3):
        scope.send(f":WAV:SOUR CHAN{channel};:WAV:STAR 15001;:WAV:STOP 20000".encode())
        scope.send(b":WAV:DATA?")
        phases.append((np.frombuffer(scope.read_block(), np.uint8) - reference) * step_v)
    volts = np.array(phases)
    phasors = 2 * volts @ np.exp(-2j * np.pi * 60 * step_s * np.arange(5000)) / 5000
    assert np.abs(phasors) / math.sqrt(2) == pytest.approx([277, 100, 277], rel=5e-3)
    turns = np.angle(phasors[1:] / phasors[0], deg=True)
    assert turns == pytest.approx([-120, 60], abs=1)
    scope.send(b":RUN")
    line.send(b":ABOR;:PHAS:MODE FIX")
    line.close()
    scope.close()


def test_grid_simulator_slews_evenly(twin: Served) -> None:
    line = twin.scpi("grid")
    line.send(b":LIST:DWEL 1,2;:LIST:VOLT 277,277;:LIST:FREQ 60,62;:LIST:FREQ:SLEW MAX,2;:INIT")
    assert line.ask(":SYST:ERR?") == '0,"No error"'
    twin.rpc("clock.advance", duration_s=1.5)
    # A ramp of 2 Hz/s for half a second, seen through a lag of 50 ms.
    assert float(line.ask(":FREQ?")) == pytest.approx(61.0 - 0.1, abs=5e-3)
    twin.rpc("clock.advance", duration_s=1.0)
    assert float(line.ask(":FREQ?")) == pytest.approx(62.0, abs=1e-3)
    line.send(b":ABOR;:LIST:FREQ:SLEW MAX")
    line.close()


def test_wrong_list_starts_nothing(twin: Served) -> None:
    line = twin.scpi("grid")
    line.send(b":LIST:DWEL 1,1;:LIST:VOLT 100,100;:LIST:FREQ 60,300")  # 300 Hz is beyond the plant
    line.send(b":INIT")
    assert line.ask(":SYST:ERR?").startswith("-222")
    twin.rpc("clock.advance", duration_s=0.3)
    assert float(line.ask(":VOLT:AC?")) == pytest.approx(277.0, rel=2e-3)
    line.close()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "hostile",
    [
        b"\xff\xfe\x00\x01",
        b":NOT:A:HEADER?",
        b"*IDN? 1,2,3",
        b":WAV:SOUR CHAN99",
        b":WAV:STAR 99999999999999999999",
        b":NUM:NORM:ITEM9999 U,SIGMA,7",
        b":NUM:NORM:ITEM1 U,9",
        b":LIST:DWEL nan,inf",
        b":LIST:DWEL",
        b":MEAS:ITEM? VRMS,CHAN1e9",
        b";;;;",
        b"*CLS " * 500,
    ],
)
def test_hostile_line_is_no_more_than_an_error(twin: Served, name: str, hostile: bytes) -> None:
    line = twin.scpi(name)
    query = ":STAT:ERR?" if name == "analyser" else ":SYST:ERR?"
    line.send(b"*CLS")
    before = twin.rpc("plant.state")
    line.send(hostile)
    line.send(query.encode())
    answers = [line.read_line().decode()]
    assert answers[0].split(",")[0].lstrip("+-").isdigit()
    assert line.ask("*IDN?").count(",") == 3  # it still serves, on the same connection
    assert twin.rpc("plant.state") == before
    line.close()


@pytest.mark.parametrize("name", NAMES)
def test_endless_line_costs_its_connection_only(twin: Served, name: str) -> None:
    line = twin.scpi(name)
    try:
        line.send(b"A" * 100_000)
        assert line.read_line() == b""
    except (ConnectionResetError, BrokenPipeError):
        pass
    line.close()
    again = twin.scpi(name)
    assert again.ask("*IDN?")
    again.close()


def test_error_queue_keeps_order_and_ends(twin: Served) -> None:
    line = twin.scpi("dmm")
    line.send(b"*CLS;:NO:SUCH;:MEAS:VOLT:AC? 1,2;:NOR:THIS")
    assert float(line.read_line()) > 0  # the multimeter takes range and resolution
    codes = [line.ask(":SYST:ERR?").split(",")[0] for _ in range(3)]
    assert codes == ["-113", "-113", "0"]
    line.close()
