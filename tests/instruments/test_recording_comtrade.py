"""COMTRADE against bytes built by hand and real files."""

import contextlib
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from v2glab.evidence import InputError, UsageError
from v2glab.instruments.recording import (
    parse_config,
    parse_data,
    read_recording,
    recording_from_comtrade,
    split_cff,
)


def config(form="ASCII", revision="1999", *, rates="1\n1000,4", stored="P", digital=1, skew="0", name="VA"):
    head = "station,device" + (f",{revision}" if revision else "")
    tail = ",100,1," + stored if revision != "" else ""
    lines = [head, f"{1 + digital},1A,{digital}D", f"1,{name},A,,V,0.5,1.0,{skew},-32767,32767{tail}"]
    lines += [f"{i + 1},TRIP{i},,,0" for i in range(digital)]
    date = {"": "02/01/26", "1991": "02/01/2026"}.get(revision, "01/02/2026")  # month first in 1991
    lines += ["50", rates, f"{date},10:00:00.000001", f"{date},10:00:00.1", form, "1"]
    return "\r\n".join(lines).encode()


NUMBERS = [10, -20, 30000, -5]


def binary(cell, numbers=NUMBERS, digital=1):
    words = (digital + 15) // 16
    return b"".join(
        struct.pack(f"<II{cell}{words}H", i + 1, i * 1000, n, *[0] * words) for i, n in enumerate(numbers)
    )


ASCII = "".join(f"{i + 1},{i * 1000},{n},0\r\n" for i, n in enumerate(NUMBERS)).encode()


@pytest.mark.parametrize("revision", ["", "1991", "1999", "2013"])
@pytest.mark.parametrize(
    ("form", "data"),
    [("ASCII", ASCII), ("BINARY", binary("h")), ("BINARY32", binary("i")), ("float32", binary("f"))],
)
def test_each_form_in_each_edition(form, data, revision):
    parsed = parse_config(config(form, revision))
    got = parse_data(parsed, data)
    assert got.values[0] == pytest.approx([0.5 * n + 1 for n in NUMBERS])
    assert got.time_s == pytest.approx([0, 1e-3, 2e-3, 3e-3])
    assert parsed.start_ns == 1_769_940_000_000_001_000  # 1 February 2026, 10:00:00.000001 UTC


def test_secondary_values_become_primary_and_skew_is_taken_out():
    seen = recording_from_comtrade("x.cfg", config(stored="S"), ASCII, None)
    assert seen.values[0] == pytest.approx([100 * (0.5 * n + 1) for n in NUMBERS])
    assert any("secondary" in r for r in seen.repairs)
    late = recording_from_comtrade("x.cfg", config(skew="500"), ASCII, None)
    assert late.values[0, 1] == pytest.approx((6.0 + -9.0) / 2)  # half a sample between the first two


def test_several_rates_and_time_stamps_alone():
    several = parse_data(parse_config(config(rates="2\n1000,2\n500,4")), ASCII.replace(b",", b",", 1))
    assert several.time_s == pytest.approx([0, 1e-3, 3e-3, 5e-3])
    stamps = parse_data(parse_config(config(rates="0\n0,4")), ASCII)
    assert stamps.time_s == pytest.approx([0, 1e-3, 2e-3, 3e-3])


def test_pauses_in_the_time_stamps_are_followed_and_named():
    data = b"1,0,1,0\n2,1000,2,0\n3,500000,3,0\n4,501000,4,0\n"
    seen = parse_data(parse_config(config()), data)
    assert seen.time_s == pytest.approx([0, 1e-3, 0.5, 0.501])
    assert "1 pauses" in seen.repairs[0]


def test_missing_values_are_none_and_named():
    seen = recording_from_comtrade(
        "x", config("BINARY", rates="1\n1000,10"), binary("h", [1, -32768, *range(8)]), None
    )
    assert seen.values.shape == (1, 9)
    assert "1 samples without a value" in " ".join(seen.repairs)


@pytest.mark.parametrize("name", ["保护".encode("gbk"), b"\xff\xfe\xe9", "é".encode()])
def test_names_in_any_encoding_are_read(name):
    raw = config().replace(b"VA", name)
    assert parse_config(raw).analog[0].name


def test_a_combined_file_is_split_at_its_markers():
    text = b"--- file type: CFG ---\r\n" + config("BINARY") + b"\r\n--- file type: INF ---\r\n\r\n"
    body = binary("h")
    whole = text + f"--- file type: DAT BINARY: {len(body)} ---\r\n".encode() + body
    settings_part, data = split_cff(whole)
    assert data == body
    assert parse_data(parse_config(settings_part), data).values.shape == (1, 4)
    with pytest.raises(InputError, match="short"):
        split_cff(whole[:-3])


@pytest.mark.parametrize(
    ("settings_bytes", "data"),
    [
        (config(), ASCII[:-12]),
        (config(), b""),
        (config(), ASCII.replace(b"30000", b"abc")),
        (config(), ASCII.replace(b",0\r\n", b"\r\n")),
        (config("BINARY"), binary("h")[:-1]),
        (config("BINARY"), binary("h")[:-14]),
        (config(rates="1\n1000,999999999999"), ASCII),
        (config(rates="1\n-5,4"), ASCII),
        (config(revision="2077"), ASCII),
        (config("HEX"), ASCII),
        (config()[:60], ASCII),
        (config().replace(b"1A", b"999999A"), ASCII),
        (config().replace(b"01/02/2026", b"31/02/2026"), ASCII),
    ],
)
def test_truncated_or_contradicting_files_are_refused(settings_bytes, data):
    with pytest.raises(InputError):
        parse_data(parse_config(settings_bytes), data)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damaged_bytes_raise_input_errors_only(data):
    raw = bytearray(config(data.draw(st.sampled_from(["ASCII", "BINARY", "FLOAT32"]))))
    body = bytearray(data.draw(st.sampled_from([ASCII, binary("h"), binary("f")])))
    for part in (raw, body):
        for _ in range(data.draw(st.integers(0, 4))):
            part[data.draw(st.integers(0, len(part) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(InputError, UsageError):
        recording_from_comtrade("x", bytes(raw), bytes(body), None)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_raise_input_errors_only(junk):
    with contextlib.suppress(InputError):
        parse_config(junk)
    with contextlib.suppress(InputError):
        split_cff(b"--- file type: CFG ---\n" + junk + b"\n--- file type: DAT BINARY: 9 ---\n" + junk)


def test_real_files_of_three_editions(shared_data):
    def parsed(name):
        path = shared_data(f"waveforms/{name}")
        got = parse_config(path.read_bytes())
        return got, parse_data(got, path.with_suffix(".dat").read_bytes())

    got, data = parsed("pyct_sample_bin.cfg")
    raw = struct.unpack_from("<hhhh", shared_data("waveforms/pyct_sample_bin.dat").read_bytes(), 8)
    factors = (0.000361849, 0.000365758, 0.000371569, 0.000016493)
    assert data.values[:, 0] == pytest.approx([n * f for n, f in zip(raw, factors, strict=True)])
    assert (got.revision, data.values.shape) == (1999, (4, 5))
    got, data = parsed("ctio_ascii_1991.cfg")
    assert (len(got.analog), got.digital, len(got.rates)) == (24, 37, 8)
    assert "5 pauses" in data.repairs[0]
    assert data.time_s[-1] == pytest.approx(17.258333 + 0.0775, abs=2e-3)
    separate = parsed("pyct_sample_ascii.cfg")[1]
    settings_part, body = split_cff(shared_data("waveforms/pyct_sample_ascii.cff").read_bytes())
    assert np.array_equal(separate.values, parse_data(parse_config(settings_part), body).values)


def test_several_sets_of_voltages_need_a_sidecar(shared_data):
    with pytest.raises(UsageError, match=r"schema = 1"):
        read_recording(shared_data("waveforms/ctio_ascii_1991.cfg"))
