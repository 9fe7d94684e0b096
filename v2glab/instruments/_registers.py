"""Modbus registers: their description, and numbers to and from 16-bit words. Pure."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from v2glab.evidence import DeviceError, LimitError

RegisterType = Literal[
    "uint16", "int16", "uint32", "int32", "uint64", "int64", "float32", "float64", "string"
]
WordOrder = Literal["msw-first", "lsw-first"]

_WORDS = {
    "uint16": 1,
    "int16": 1,
    "uint32": 2,
    "int32": 2,
    "uint64": 4,
    "int64": 4,
    "float32": 2,
    "float64": 4,
}
_FLOAT_CODE = {"float32": ">f", "float64": ">d"}
_FLOAT_MAXIMUM = {"float32": 3.4028234663852886e38, "float64": 1.7976931348623157e308}
ADDRESS_SPACE = 65536


class Point(BaseModel):
    """What every point of every kind of profile has."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    unit: str = Field(min_length=1)
    access: Literal["r", "rw"] = "r"
    minimum: float | None = Field(default=None, allow_inf_nan=False)
    maximum: float | None = Field(default=None, allow_inf_nan=False)
    quantity: str = Field(default="", description="entry of a certificate that applies, when not the name's")
    uncertainty: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    note: str = ""

    @model_validator(mode="after")
    def _check_bounds(self) -> Self:
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError(f"minimum {self.minimum:g} is above maximum {self.maximum:g}")
        return self

    def check_limits(self, value: float) -> None:
        """Refuse a set-point out of bounds.

        Raises
        ------
        LimitError
            The point cannot be written, or the value is not finite or not within minimum and maximum.
        """
        if self.access != "rw":
            raise LimitError(f"point {self.name!r}", "a point that can be written", "choose another point")
        low = -math.inf if self.minimum is None else self.minimum
        high = math.inf if self.maximum is None else self.maximum
        if not (math.isfinite(value) and low <= value <= high):
            raise LimitError(
                f"{self.name} = {value:g} {self.unit}",
                f"{low:g} … {high:g} {self.unit}",
                "choose a value within the bounds of the profile",
            )


class Register(Point):
    """One value in one to many 16-bit registers.

    ``address`` is zero-based, as on the wire. The value is ``raw * scale`` in ``unit``; for integer types the
    resolution is therefore ``scale``. ``momentary`` marks commands whose writing has an effect of its own
    (a reset, a kick): they are written each time and not compared.
    """

    address: int = Field(ge=0, lt=ADDRESS_SPACE)
    function: Literal[3, 4]
    type: RegisterType
    words: int = Field(default=0, ge=0, le=125)
    word_order: WordOrder = "msw-first"
    scale: float = Field(default=1.0, allow_inf_nan=False)
    values: dict[str, int] = Field(default_factory=dict)
    momentary: bool = False

    @model_validator(mode="after")
    def _check_register(self) -> Self:
        words = _WORDS.get(self.type, self.words)
        if words == 0 or self.words not in (0, words):
            raise ValueError(f"type {self.type} with words = {self.words}; give the words of a string only")
        object.__setattr__(self, "words", words)
        if self.address + words > ADDRESS_SPACE:
            raise ValueError(f"address {self.address} + {words} words lies above 65535")
        if self.scale == 0:
            raise ValueError("scale must not be 0")
        if self.access == "rw" and self.function != 3:
            raise ValueError("function 4 (input registers) cannot be written; use function 3 or access 'r'")
        self._check_range()
        return self

    def _check_range(self) -> None:
        """Bounds that the type cannot hold are a fault of the profile, not of a later write."""
        if self.type == "string":
            return
        for bound in (self.minimum, self.maximum):
            if bound is None:
                continue
            try:
                encode_registers(self, bound)
            except LimitError as error:
                raise ValueError(f"bound {bound:g} {self.unit} does not fit into {self.type}") from error

    @property
    def end(self) -> int:
        """Address after the last word."""
        return self.address + self.words


def encode_registers(register: Register, value: float | str) -> tuple[int, ...]:
    """Return the words that carry a value, shape (register.words,), each 0 to 65535.

    Parameters
    ----------
    register
        Type, scale and word order.
    value
        In the register's unit; a text for type ``string``. Integers are rounded to the nearest raw value.

    Raises
    ------
    LimitError
        The value is not finite, or does not fit into the type.
    """
    if register.type == "string":
        data = str(value).encode("ascii", errors="replace")
        if len(data) > 2 * register.words:
            raise LimitError(
                f"{register.name}: {len(data)} characters", f"≤ {2 * register.words}", "shorten it"
            )
        return struct.unpack(f">{register.words}H", data.ljust(2 * register.words, b"\0"))
    raw = _unscaled(float(value), register.scale)
    data = _pack(register, raw)
    words = struct.unpack(f">{register.words}H", data)
    return words if register.word_order == "msw-first" else words[::-1]


def decode_registers(register: Register, words: Sequence[int]) -> float | str:
    """Return the value that words carry, in the register's unit; a text for type ``string``.

    Parameters
    ----------
    register
        Type, scale and word order.
    words
        Shape (register.words,), each 0 to 65535.

    Raises
    ------
    DeviceError
        The number of words is wrong, a word is no word, a float is not finite, or a text is not ASCII.
    """
    try:
        data = struct.pack(
            f">{register.words}H", *(words if register.word_order == "msw-first" else words[::-1])
        )
    except struct.error as error:
        raise _undecodable(register, f"{len(words)} words {list(words[:8])}") from error
    if register.type == "string":
        text = struct.pack(f">{register.words}H", *words).split(b"\0")[0]
        if not text.isascii():
            raise _undecodable(register, f"bytes {text!r}")
        return text.decode("ascii").strip()
    if register.type in _FLOAT_CODE:
        raw = struct.unpack(_FLOAT_CODE[register.type], data)[0]
        value = raw * register.scale
        if not math.isfinite(value):
            raise _undecodable(register, f"{value}")
        return float(value) + 0.0  # no minus zero
    return _scaled(int.from_bytes(data, "big", signed=register.type.startswith("int")), register.scale)


def _pack(register: Register, raw: float) -> bytes:
    problem = LimitError(
        f"{register.name} = {raw * register.scale:g} {register.unit}",
        f"a finite value that fits into {register.type} at scale {register.scale:g}",
        "choose a smaller value",
    )
    if not math.isfinite(raw):
        raise problem
    if register.type in _FLOAT_CODE:
        if abs(raw) > _FLOAT_MAXIMUM[register.type]:
            raise problem
        return struct.pack(_FLOAT_CODE[register.type], raw)
    try:
        return round(raw).to_bytes(2 * register.words, "big", signed=register.type.startswith("int"))
    except OverflowError:
        raise problem from None


def _scaled(raw: int, scale: float) -> float:
    """Multiply; for scales like 0.1 divide instead, which gives 276.9 and not 276.90000000000003."""
    inverse = 1.0 / scale
    whole = round(inverse)
    return raw / whole if whole and abs(inverse - whole) <= 1e-9 * abs(inverse) else raw * scale


def _unscaled(value: float, scale: float) -> float:
    inverse = 1.0 / scale
    whole = round(inverse)
    return value * whole if whole and abs(inverse - whole) <= 1e-9 * abs(inverse) else value / scale


def _undecodable(register: Register, found: str) -> DeviceError:
    return DeviceError(
        f"register {register.name} (address {register.address}) holds {found}",
        f"a finite {register.type}" if register.type != "string" else "ASCII text",
        "check word order and type in the profile, and whether the device measures this quantity at all",
    )
