"""SCPI instruments: exact commands, blocks, error queues, serial lines, and every kind of bad answer."""

import math
from pathlib import Path

import numpy as np
import pytest
from _instrument_peers import lines, peer, serial_peer
from hypothesis import given, settings
from hypothesis import strategies as st

from v2glab.evidence import DeviceError, InputError, LimitError
from v2glab.instruments import GridStep, load_certificate, load_profile, open_instrument
from v2glab.resources import find_data

NO_ERROR = '0,"No error"'


def resource(port: int) -> str:
    return f"TCPIP::127.0.0.1::{port}::SOCKET"


def sent(requests: list[bytes]) -> list[str]:
    return b"".join(requests).decode().splitlines()


def test_analyser_reads_all_points_with_one_query() -> None:
    values = ",".join(str(k) for k in range(1, 18))
    with peer(lines({":STAT:ERR?": NO_ERROR, ":NUM:NORM:VAL?": values})) as device:
        analyser = open_instrument("analyser", "yokogawa_wt310", resource(device.port))
        seen = analyser.read("voltage_a", "current_b", "power", "frequency")
        analyser.read("power")
        analyser.close()
    setup = list(load_profile("yokogawa_wt310").scpi.setup)  # type: ignore[union-attr]
    assert sent(device.requests) == [*setup, ":STAT:ERR?", ":NUM:NORM:VAL?", ":NUM:NORM:VAL?"]
    assert ":NUM:NORM:ITEM6 I,2" in setup
    assert [seen[name].value for name in ("voltage_a", "current_b", "power", "frequency")] == [1, 6, 13, 17]


@pytest.mark.parametrize(
    ("profile", "setup", "queries"),
    [
        ("fluke_8846a", ["*CLS", "SYST:REM", "SYST:ERR?"], ["MEAS:VOLT:AC? DEF,DEF", "MEAS:FREQ?"]),
        ("keysight_34465a", ["*CLS", "SYST:ERR?"], ["MEAS:VOLT:AC?", "MEAS:FREQ?"]),
    ],
)
def test_multimeters(profile: str, setup: list[str], queries: list[str]) -> None:
    table = {"SYST:ERR?": '+0,"No error"', queries[0]: "+2.77012000E+02", queries[1]: "6.0E+01"}
    with peer(lines(table)) as device:
        dmm = open_instrument("dmm", profile, resource(device.port))
        seen = dmm.read("voltage_ac", "frequency")
        dmm.close()
    assert sent(device.requests) == setup + queries
    assert (seen["voltage_ac"].value, seen["frequency"].value) == (277.012, 60.0)


def test_identity_is_checked() -> None:
    with peer(lines({"SYST:ERR?": NO_ERROR, "*IDN?": "Keysight Technologies,34465A,MY1,A.03"})) as device:
        assert "MY1" in open_instrument("d", "keysight_34465a", resource(device.port)).identify()
        with pytest.raises(DeviceError, match="8846A"):
            open_instrument("d", "fluke_8846a", resource(device.port)).identify()


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (b"9.9E+37\n", "9.9E+37"),
        (b"9.91E37\n", "9.91E37"),
        (b"NAN\n", "NAN"),
        (b"OVERLOAD\n", "OVERLOAD"),
        (b"\n", "''"),
        (b"\xff\xfe\n", "ASCII"),
        (b"", "no answer within 0.15 s"),
        (b"277.0", "no answer within 0.15 s"),
    ],
)
def test_bad_answers_are_device_errors(answer: bytes, says: str) -> None:
    table = {"SYST:ERR?": NO_ERROR, "MEAS:VOLT:AC?": answer, "MEAS:FREQ?": "60"}
    with peer(lines(table)) as device:
        dmm = open_instrument("d", "keysight_34465a", resource(device.port), timeout_s=0.15)
        with pytest.raises(DeviceError) as caught:
            dmm.read("voltage_ac")
        assert says in str(caught.value)
        assert caught.value.remedy
        assert dmm.read("frequency")["frequency"].value == 60, "usable again"
        dmm.close()


def test_closed_connections_and_absent_instruments(free_port: int) -> None:
    with pytest.raises(DeviceError):
        open_instrument("d", "keysight_34465a", resource(free_port), timeout_s=0.3).identify()
    with peer(lambda _: None) as device, pytest.raises(DeviceError):
        open_instrument("d", "keysight_34465a", resource(device.port), timeout_s=0.3).identify()
    with pytest.raises(InputError, match="VISA resource"):
        open_instrument("d", "keysight_34465a", "127.0.0.1:5025")


def test_errors_of_the_queue_are_quoted() -> None:
    queue = iter(['-113,"Undefined header"', NO_ERROR])

    def answer(data: bytes) -> bytes:
        return b"".join(next(queue).encode() + b"\n" for line in data.splitlines() if b"ERR?" in line)

    with peer(answer) as device:
        dmm = open_instrument("d", "keysight_34465a", resource(device.port))
        with pytest.raises(DeviceError, match="Undefined header"):
            dmm.read("frequency")


@given(st.lists(st.binary(min_size=1, max_size=60), min_size=1, max_size=3))
@settings(max_examples=25, deadline=None)
def test_garbage_gives_a_number_or_a_device_error(garbage: list[bytes]) -> None:
    replies = iter(garbage)
    with peer(lambda _: next(replies, None)) as device:
        dmm = open_instrument("d", "keysight_34465a", resource(device.port), timeout_s=0.02)
        try:
            assert math.isfinite(dmm.read("frequency")["frequency"].value)
        except DeviceError as error:
            assert error.remedy
        dmm.close()


def test_serial_lines() -> None:
    with serial_peer(lines({"SYST:ERR?": NO_ERROR, "MEAS:FREQ?": "50.02"})) as (device, requests):
        dmm = open_instrument("d", "fluke_8846a", f"ASRL{device}::INSTR")
        assert dmm.read("frequency")["frequency"].value == 50.02
        assert sent(requests) == ["*CLS", "SYST:REM", "SYST:ERR?", "MEAS:FREQ?"]
        dmm.close()


class Scope:
    """A DS1000Z in small: four channels of known bytes, and the commands it was sent."""

    def __init__(self, points: int, step_s: float = 1e-4) -> None:
        rng = np.random.default_rng(1)
        self.raw = rng.integers(0, 256, (4, points), dtype=np.uint8)
        self.step_s = step_s
        self.state = {"source": 0, "first": 1, "last": points}
        self.seen: list[str] = []

    def __call__(self, data: bytes) -> bytes:
        return b"".join(self.one(command) for command in data.decode().splitlines())

    def one(self, command: str) -> bytes:
        self.seen.append(command)
        if command.startswith(":WAVeform:SOURce CHANnel"):
            self.state["source"] = int(command[-1]) - 1
        elif command.startswith(":WAVeform:STARt "):
            self.state["first"] = int(command.split()[1])
        elif command.startswith(":WAVeform:STOP "):
            self.state["last"] = int(command.split()[1])
        elif command == ":WAVeform:PREamble?":
            return f"0,2,{self.raw.shape[1]},1,{self.step_s},0,0,4.0,3,127\n".encode()
        elif command == ":WAVeform:DATA?":
            piece = self.raw[self.state["source"], self.state["first"] - 1 : self.state["last"]].tobytes()
            return b"#9%09d" % len(piece) + piece + b"\n"
        elif command == ":SYST:ERR?":
            return NO_ERROR.encode() + b"\n"
        return b""


def test_scope_reads_the_newest_samples_of_all_channels() -> None:
    scope = Scope(2000)
    with peer(scope) as device:
        instrument = open_instrument(
            "scope", "rigol_ds1000z", resource(device.port), clock_ns=lambda: 10**12,
            certificate=load_certificate("twin-scope.toml"),
        )  # fmt: skip
        waveform = instrument.capture(0.05)  # type: ignore[attr-defined]
        instrument.close()
    assert waveform.names == ("a", "b", "c", "inverter_a")
    assert waveform.samples.shape == (4, 500)
    expected = (scope.raw[:, -500:].astype(float) - 3 - 127) * 4.0
    assert np.array_equal(waveform.samples, expected)
    assert waveform.rate_hz == pytest.approx(1e4)
    assert waveform.start_ns == 10**12 - 499 * 10**5
    peak = np.abs(expected[0]).max()
    assert waveform.uncertainty[0] == pytest.approx(math.hypot((0.002 * peak + 0.4) / 3**0.5, 4 / 12**0.5))
    assert scope.seen == [
        "*CLS", ":SYST:ERR?", ":STOP", ":SYST:ERR?",
        *(command for k in range(1, 5) for command in (
            f":WAVeform:SOURce CHANnel{k}", ":WAVeform:MODE RAW", ":WAVeform:FORMat BYTE",
            ":WAVeform:PREamble?",
            ":WAVeform:STARt 1501", ":WAVeform:STOP 2000", ":WAVeform:DATA?",
        )),
        ":RUN", ":SYST:ERR?",
    ]  # fmt: skip


def test_scope_reads_long_records_in_pieces() -> None:
    scope = Scope(600_000, step_s=1e-6)
    with peer(scope) as device:
        instrument = open_instrument("scope", "rigol_ds1000z", resource(device.port))
        waveform = instrument.capture(0.6, ("b",))  # type: ignore[attr-defined]
        instrument.close()
    assert np.array_equal(waveform.samples[0], (scope.raw[1].astype(float) - 130) * 4.0)
    assert waveform.uncertainty == (None,)
    assert [c for c in scope.seen if c.startswith(":WAVeform:ST")] == [
        ":WAVeform:STARt 1", ":WAVeform:STOP 250000", ":WAVeform:STARt 250001", ":WAVeform:STOP 500000",
        ":WAVeform:STARt 500001", ":WAVeform:STOP 600000",
    ]  # fmt: skip


def test_scope_refuses_what_it_cannot_give() -> None:
    scope = Scope(100)
    with peer(scope) as device:
        instrument = open_instrument("scope", "rigol_ds1000z", resource(device.port))
        with pytest.raises(LimitError, match="1 … 100 samples"):
            instrument.capture(0.02)  # type: ignore[attr-defined]
        assert scope.seen[-2] == ":RUN", "it runs on after an error"
        for call in ((0.0, ("a",)), (-1.0, ("a",)), (math.nan, ("a",))):
            with pytest.raises(LimitError):
                instrument.capture(*call)  # type: ignore[attr-defined]
        with pytest.raises(InputError, match="some of: a, b, c, inverter_a"):
            instrument.capture(0.01, ("d",))  # type: ignore[attr-defined]
        instrument.close()


@pytest.mark.parametrize(
    "block", [b"12345\n", b"#0\n", b"#3abc\n", b"#9999999999", b"#15abcdeX\n", b"#14abcd\n", b"#15ab", b""]
)
def test_broken_blocks_are_device_errors(block: bytes) -> None:
    table: dict[str, str | bytes] = {
        ":SYST:ERR?": NO_ERROR, ":WAVeform:PREamble?": "0,2,5,1,1e-4,0,0,1,0,0", ":WAVeform:DATA?": block,
    }  # fmt: skip
    with peer(lines(table)) as device:
        scope = open_instrument("scope", "rigol_ds1000z", resource(device.port), timeout_s=0.15)
        with pytest.raises(DeviceError):
            scope.capture(5e-4, ("a",))  # type: ignore[attr-defined]
        scope.close()


def test_grid_simulator_loads_and_starts_a_list() -> None:
    with peer(lines({"SYSTem:ERRor?": NO_ERROR})) as device:
        grid = open_instrument("grid", "ametek_mx", resource(device.port))
        grid.play([GridStep(0.16, 138.5, 60), GridStep(2, 277, 60.5)])  # type: ignore[attr-defined]
        grid.stop()  # type: ignore[attr-defined]
        grid.close()
    commands = [command for command in sent(device.requests) if command != "SYSTem:ERRor?"]
    assert commands == [
        "*CLS", "inst:coup all", "abort", "list:coun 1", ":list:dwel 0.16,2", ":list:volt 138.5,277",
        ":list:volt:slew MAX,MAX", ":list:freq 60,60.5", ":list:freq:slew MAX,MAX", ":list:func SINE,SINE",
        ":list:rep 0,0",
        "volt:mode list", "freq:mode list", "trig:tran:sour imm", "trig:sync:sour imm", ":init",
        "abort", "volt:mode fix", "freq:mode fix",
    ]  # fmt: skip


def test_grid_simulator_turns_each_phase_and_couples_them_again() -> None:
    with peer(lines({"SYSTem:ERRor?": NO_ERROR})) as device:
        grid = open_instrument("grid", "ametek_mx", resource(device.port))
        steps = [
            GridStep(1, 277, 60),
            GridStep(0.5, 277, 58, (0, 250, 277), (0, 0, -30), frequency_slew_hz_s=4),
        ]
        grid.play(steps)  # type: ignore[attr-defined]
        grid.stop()  # type: ignore[attr-defined]
        grid.close()
    commands = [command for command in sent(device.requests) if command != "SYSTem:ERRor?"]
    per_phase = [
        [f"inst:nsel {n}", f":list:volt {v}", ":list:volt:slew MAX,MAX", f":list:phas {a}",
         "volt:mode list", "phas:mode list"]
        for n, v, a in ((1, "277,0", "0,0"), (2, "277,250", "240,240"), (3, "277,277", "120,90"))
    ]  # fmt: skip
    assert commands == [
        "*CLS", "inst:coup all", "abort", "list:coun 1", ":list:dwel 1,0.5", ":list:freq 60,58",
        ":list:freq:slew MAX,4", ":list:func SINE,SINE", ":list:rep 0,0", "inst:coup none",
        *per_phase[0], *per_phase[1], *per_phase[2], "inst:coup all", "volt:mode list", "freq:mode list",
        "freq:slew:mode list;:volt:slew:mode list", "trig:tran:sour imm", "trig:sync:sour imm", ":init",
        "abort", "volt:mode fix", "freq:mode fix", "phas:mode fix", "inst:coup all",
    ]  # fmt: skip


def test_phases_that_differ_need_a_simulator_that_knows_them(tmp_path: Path) -> None:
    text = find_data("drivers", "ametek_mx.toml").read_text()
    plain = tmp_path / "plain.toml"
    plain.write_text("\n".join(line for line in text.splitlines() if not line.startswith("select_phase")))
    with peer(lines({})) as device:
        grid = open_instrument("grid", plain, resource(device.port))
        assert not grid.sets_phases  # type: ignore[attr-defined]
        with pytest.raises(LimitError, match="select_phase"):
            grid.play([GridStep(1, 277, 60, angles_deg=(0, 0, 30))])  # type: ignore[attr-defined]
        assert not device.requests


@pytest.mark.parametrize("step", [GridStep(1, 401, 60), GridStep(0, 277, 60), GridStep(1, 277, math.nan)])
def test_grid_limits_are_checked_before_anything_is_sent(step: GridStep) -> None:
    with peer(lines({})) as device:
        grid = open_instrument("grid", "ametek_mx", resource(device.port))
        with pytest.raises(LimitError):
            grid.play([GridStep(1, 277, 60), step])  # type: ignore[attr-defined]
        with pytest.raises(InputError):
            grid.play([])  # type: ignore[attr-defined]
        assert not device.requests


def test_grid_is_set_by_ensure() -> None:
    volts = ["120"]

    def answer(data: bytes) -> bytes:
        out = b""
        for command in data.decode().splitlines():
            if command.startswith("volt:ac "):
                volts[0] = command.split()[1]
            elif command == "volt:ac?":
                out += volts[0].encode() + b"\n"
            elif "ERR" in command:
                out += b"0\n"
        return out

    with peer(answer) as device:
        grid = open_instrument("grid", "ametek_mx", resource(device.port))
        assert grid.ensure("voltage", 277.5).value == 277.5
        assert volts == ["277.5"]
        grid.close()


def test_commands_take_checked_values_only(tmp_path: Path) -> None:
    with peer(lines({":STAT:ERR?": NO_ERROR})) as device:
        analyser = open_instrument("a", "yokogawa_wt310", resource(device.port))
        analyser.command("voltage_range", volts=300)  # type: ignore[attr-defined]
        assert ":INP:VOLT:RANG 300" in sent(device.requests)
        for name, values, error in (
            ("voltage_range", {"volts": 1000}, LimitError),
            ("voltage_range", {}, InputError),
            ("no_such", {}, InputError),
            ("hold", {"state": "ON;*RST"}, InputError),
        ):
            with pytest.raises(error):
                analyser.command(name, **values)  # type: ignore[attr-defined]
        analyser.close()
