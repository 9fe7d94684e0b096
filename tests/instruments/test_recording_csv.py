"""CSV with a sidecar: what is read, repaired and refused."""

import contextlib
import tomllib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from v2glab.evidence import InputError, UsageError
from v2glab.instruments.recording import (
    example_sidecar,
    parse_sidecar,
    read_recording,
    recording_from_csv,
)

CHANNEL = {"column": "v", "quantity": "voltage", "phase": "a", "unit": "kV", "uncertainty": 0.01}


def sidecar(kind="waveform", *, time=None, channel=CHANNEL, **head):
    return parse_sidecar(
        {
            "schema": 1,
            "recording": {"kind": kind, **head},
            "time": time or {"column": "t", "unit": "ms"},
            "channel": [channel],
        },
        "test",
    )


def csv(rows, header="t,v"):
    return "\n".join([header, *rows]).encode()


def test_units_time_and_uncertainty_come_in_base_units():
    seen = recording_from_csv("x", csv(["0,1", "1,2", "2,-3"]), sidecar())
    assert seen.time_s.tolist() == [0, 1e-3, 2e-3]
    assert seen.values[0].tolist() == [1000, 2000, -3000]
    assert (seen.channels[0].name, seen.channels[0].uncertainty) == ("voltage_a", 10.0)


def test_decimal_commas_and_dates():
    data = csv(["2020-02-24 18:15:21.5;1,5", "2020-02-24T18:15:21.6Z;2,5"], "t;v")
    seen = recording_from_csv(
        "x", data, sidecar(time={"column": "t", "unit": "iso8601"}, delimiter=";", decimal=",")
    )
    assert seen.start_ns == 1_582_568_121_500_000_000
    assert seen.values[0].tolist() == [1500, 2500]
    assert seen.time_s[1] == pytest.approx(0.1)


def test_duplicates_and_missing_values_are_repaired_and_named():
    rows = [f"{i},1" for i in range(20)]
    rows[5], rows[9] = "4,7", "9,NaN"
    wave = recording_from_csv("x", csv(rows), sidecar())
    assert wave.time_s.size == 18
    assert len(wave.repairs) == 3
    rms = recording_from_csv("x", csv(rows), sidecar("rms"))
    assert rms.time_s.size == 19
    assert any("steps" in r for r in rms.repairs)


def test_an_uneven_step_is_evened_out_and_a_gap_splits():
    t = np.arange(400) * 0.1
    t[200:] -= 0.01
    t[300:] += 5.0
    wave = np.sin(2 * np.pi * 0.05 * t)
    seen = recording_from_csv("x", csv([f"{a:.5f},{b:.8f}" for a, b in zip(t, wave, strict=True)]), sidecar())
    first, second = seen.waveforms()
    assert "1 uneven steps" in seen.repairs[0] and "1 gaps" in seen.repairs[1]
    assert first.samples[0] / 1e3 == pytest.approx(np.sin(2 * np.pi * 50 * first.time_s()), abs=1e-6)
    assert second.start_ns == pytest.approx(t[300] * 1e6, abs=2)


@pytest.mark.parametrize(
    "rows",
    [
        ["0,1"],
        ["0,1", "1,x"],
        ["0,1", "1"],
        ["0,1", "-1,2"],
        ["0,1", "0,2"],
        ["0,1", "nan,2", "3,3"],
        ["0,nan", "1,nan", "2,1"],
        ["0,inf", "1,inf"],
    ],
)
def test_bad_lines_are_refused(rows):
    with pytest.raises(InputError):
        recording_from_csv("x", csv(rows), sidecar())


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"schema": 1, "recording": {"kind": "waveform"}, "channel": []},
        {"schema": 1, "recording": {"kind": "sound"}, "channel": [CHANNEL]},
        {"schema": 1, "recording": {"kind": "rms", "rate": 5}, "channel": [CHANNEL]},
        {"schema": 1, "recording": {"kind": "rms"}, "channel": [CHANNEL, CHANNEL]},
        {"schema": 1, "recording": {"kind": "rms"}, "channel": [{**CHANNEL, "unit": "A"}]},
        {"schema": 1, "recording": {"kind": "rms"}, "channel": [CHANNEL], "time": {"unit": "s"}},
    ],
)
def test_wrong_sidecars_are_refused(document):
    with pytest.raises(InputError):
        parse_sidecar(document, "test")


def test_without_a_sidecar_the_error_shows_one_to_copy(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("t,Ua\n0,1\n1,2\n")
    with pytest.raises(UsageError, match='column = "t"'):
        read_recording(path)
    with pytest.raises(InputError):
        read_recording(tmp_path / "absent.csv", tmp_path / "absent.toml")


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200) | st.text("0123456789.,-e\nnatv", max_size=120).map(str.encode))
def test_any_bytes_raise_input_errors_only(junk):
    for data in (junk, b"t,v\n" + junk):
        for time in ({"column": "t", "unit": "s"}, {"column": "t", "unit": "iso8601"}, {"rate_hz": 10.0}):
            with contextlib.suppress(InputError):
                recording_from_csv("x", data, sidecar(time=time))


@pytest.mark.parametrize("with_time", [True, False])
def test_the_example_shown_to_users_is_a_sidecar_and_guesses_well(with_time: bool) -> None:
    columns = ["Time_UTC", "MODAQ_Va_V", "MODAQ_Ib_I", 'say "kV"']
    text = example_sidecar(columns if with_time else columns[1:], with_time=with_time)
    side = parse_sidecar(tomllib.loads(text), "example")
    assert [(c.column, c.quantity, c.phase) for c in side.channel[:2]] == [
        ("MODAQ_Va_V", "voltage", "a"),
        ("MODAQ_Ib_I", "current", "b"),
    ]
    assert (side.time.column if side.time else None) == ("Time_UTC" if with_time else None)
