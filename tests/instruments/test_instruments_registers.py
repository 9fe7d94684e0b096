"""Registers: words to numbers and back."""

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from v2glab.evidence import DeviceError, LimitError
from v2glab.instruments import Register, decode_registers, encode_registers


def register(kind: str, **extra: object) -> Register:
    fields = {"name": "x", "unit": "V", "address": 0, "function": 3, "type": kind, **extra}
    return Register.model_validate(fields)


@pytest.mark.parametrize(
    ("kind", "extra", "words", "value"),
    [
        ("uint16", {}, (0xFFFF,), 65535),
        ("int16", {}, (0xFFFF,), -1),
        ("uint16", {"scale": 0.1}, (2769,), 276.9),
        ("int32", {}, (0xFFFF, 0xFFFE), -2),
        ("int32", {"word_order": "lsw-first", "scale": 0.1}, (0x08FC, 0x0000), 230.0),
        ("uint64", {}, (0, 1, 0, 0), 65536.0**2),
        ("float32", {}, (0x4366, 0x3334), struct.unpack(">f", bytes.fromhex("43663334"))[0]),
        ("float32", {"scale": -1}, (0x45FA, 0x0000), -8000.0),
        ("float64", {"word_order": "lsw-first"}, (0, 0, 0, 0x3FF0), 1.0),
    ],
)
def test_known_words(kind: str, extra: dict[str, object], words: tuple[int, ...], value: float) -> None:
    described = register(kind, **extra)
    assert decode_registers(described, words) == value
    assert encode_registers(described, value) == words


def test_texts() -> None:
    described = register("string", words=4)
    words = encode_registers(described, "EM24")
    assert words == (0x454D, 0x3234, 0, 0)
    assert decode_registers(described, words) == "EM24"
    with pytest.raises(LimitError):
        encode_registers(described, "nine char")
    with pytest.raises(DeviceError, match="ASCII"):
        decode_registers(described, (0xFFFE, 0, 0, 0))


_LIMITS = {"uint16": (0, 2**16 - 1), "int16": (-(2**15), 2**15 - 1), "uint32": (0, 2**32 - 1),
           "int32": (-(2**31), 2**31 - 1), "uint64": (0, 2**53), "int64": (-(2**53), 2**53)}  # fmt: skip


@given(st.data(), st.sampled_from(sorted(_LIMITS)), st.sampled_from(["msw-first", "lsw-first"]))
def test_integers_round_trip(data: st.DataObject, kind: str, order: str) -> None:
    raw = data.draw(st.integers(*_LIMITS[kind]))
    described = register(kind, word_order=order)
    assert decode_registers(described, encode_registers(described, raw)) == raw


@given(st.integers(-(2**31), 2**31 - 1), st.sampled_from([0.1, 0.01, 0.001, -0.1, 10.0, -1.0, 0.25]))
def test_scaled_values_keep_their_raw_number(raw: int, scale: float) -> None:
    described = register("int32", scale=scale)
    words = struct.unpack(">HH", struct.pack(">i", raw))
    assert encode_registers(described, decode_registers(described, words)) == words


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_floats_round_trip(value: float) -> None:
    assert decode_registers(register("float32"), encode_registers(register("float32"), value)) == value


@given(
    st.sampled_from(["uint16", "int32", "float32", "float64", "uint64"]),
    st.lists(st.integers(-5, 70000), max_size=6),
)
def test_any_words_give_a_finite_number_or_a_device_error(kind: str, words: list[int]) -> None:
    try:
        value = decode_registers(register(kind), words)
    except DeviceError as error:
        assert error.remedy
    else:
        assert isinstance(value, float) and math.isfinite(value)


@pytest.mark.parametrize(
    ("kind", "value"),
    [("uint16", -1), ("uint16", 65536), ("int16", 40000), ("float32", 1e39), ("int32", math.nan),
     ("float64", math.inf)],
)  # fmt: skip
def test_values_that_do_not_fit_are_refused(kind: str, value: float) -> None:
    with pytest.raises(LimitError):
        encode_registers(register(kind), value)
