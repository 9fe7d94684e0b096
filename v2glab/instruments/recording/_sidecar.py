"""The sidecar: a small TOML file that names channels, units and rate of a recording."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from v2glab.evidence import InputError
from v2glab.instruments.recording._model import Kind, Quantity

UNITS: dict[str, dict[str, float]] = {
    "voltage": {"V": 1.0, "kV": 1e3, "mV": 1e-3, "p.u.": math.nan},
    "current": {"A": 1.0, "kA": 1e3, "mA": 1e-3},
    "frequency": {"Hz": 1.0, "mHz": 1e-3},
}
TIME_UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}

_HEAD = """schema = 1

[recording]
kind = "waveform"            # or "rms"
nominal_voltage_v = 277.0    # phase to neutral
nominal_frequency_hz = 60.0
# clock_ppm = 50             # standard uncertainty of the sampling rate
# rated_current_a = 30.0     # for shares of rated current
"""
_TIME = """
[time]                       # a column with its unit (s, ms, us, ns, iso8601), or rate_hz
column = {column}
unit = "s"
"""
_CHANNEL = """
[[channel]]                  # one for each channel to use
column = {column}
quantity = "{quantity}"         # voltage, current, frequency
phase = "{phase}"
unit = "{unit}"                   # V, kV, mV, p.u., A, kA, mA, Hz, mHz
# uncertainty = 0.5          # standard uncertainty in that unit; without it verdicts stay inconclusive
"""
_CURRENT = re.compile(r"(^|[^a-z])i|curr|amp", re.IGNORECASE)
_PHASE = re.compile(r"([abc])(?=$|[^a-z])", re.IGNORECASE)
_TIME_NAME = re.compile(r"time|stamp|^t$|^t[ _(\[]|utc|tnow", re.IGNORECASE)


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Head(_Frozen):
    """What holds for the whole recording."""

    kind: Kind
    nominal_voltage_v: float | None = Field(default=None, gt=0)
    nominal_frequency_hz: float | None = Field(default=None, gt=0, le=1000)
    rated_current_a: float | None = Field(default=None, gt=0)
    clock_ppm: float | None = Field(
        default=None, ge=0, le=1e5, description="standard uncertainty of the rate"
    )
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    decimal: Literal[".", ","] = "."
    gap_s: float | None = Field(default=None, gt=0)
    source: str = ""


class TimeAxis(_Frozen):
    """Where time comes from: a column, or a rate."""

    column: str | None = None
    unit: Literal["s", "ms", "us", "ns", "iso8601"] = "s"
    rate_hz: float | None = Field(default=None, gt=0)
    start: str = ""

    @model_validator(mode="after")
    def _check(self) -> TimeAxis:
        if (self.column is None) == (self.rate_hz is None):
            raise ValueError("time needs either 'column' or 'rate_hz'")
        return self


class ChannelEntry(_Frozen):
    """One channel to use, found by its column's name."""

    column: str
    quantity: Quantity
    phase: Literal["", "a", "b", "c"] = ""
    unit: str
    scale: float = 1.0
    uncertainty: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _check(self) -> ChannelEntry:
        if self.unit not in UNITS[self.quantity]:
            raise ValueError(f"unit {self.unit!r} is not one of {', '.join(UNITS[self.quantity])}")
        if self.scale == 0:
            raise ValueError("scale 0")
        return self

    @property
    def name(self) -> str:
        """Canonical name."""
        return f"{self.quantity}_{self.phase}"

    def factor(self, nominal_voltage_v: float | None) -> float:
        """Factor from the file's number to V, A or Hz.

        Raises
        ------
        InputError
            Per-unit voltages without a nominal voltage.
        """
        if self.unit != "p.u.":
            return UNITS[self.quantity][self.unit] * self.scale
        if nominal_voltage_v is None:
            raise InputError(
                f"column {self.column!r} in p.u.", "nominal_voltage_v", "add it to [recording] in the sidecar"
            )
        return nominal_voltage_v * self.scale


class Sidecar(_Frozen):
    """The whole sidecar."""

    version: Literal[1] = Field(alias="schema")
    recording: Head
    time: TimeAxis | None = None
    channel: tuple[ChannelEntry, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _check(self) -> Sidecar:
        names = [c.name for c in self.channel]
        if len(set(names)) < len(names):
            raise ValueError("two channels of the same quantity and phase")
        return self


def parse_sidecar(document: Mapping[str, Any], where: str) -> Sidecar:
    """Build a sidecar from the content of its file.

    Raises
    ------
    InputError
        A key is unknown, missing or wrong; the message lists each.
    """
    try:
        return Sidecar(**document)
    except (ValidationError, TypeError) as error:
        faults = (
            "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
            if isinstance(error, ValidationError)
            else str(error)
        )
        raise InputError(f"{where}: {faults}", "a sidecar of schema 1", "mend those entries") from error


def example_sidecar(columns: list[str], *, with_time: bool) -> str:
    """Return a sidecar to copy: the file's own columns, with a guess of quantity and phase from their names.

    Parameters
    ----------
    with_time
        Whether the time stands in a column, as in CSV; COMTRADE has an axis of its own.
    """
    clocks = [name for name in columns if _TIME_NAME.search(name)] if with_time else []
    guesses: dict[tuple[str, str], str] = {}
    for column in columns:
        if column not in clocks:
            guesses.setdefault(_guess(column), column)
    time = _TIME.format(column=_quoted(clocks[0] if clocks else "time")) if with_time else ""
    shown = guesses or {("voltage", "a"): "voltage_a"}
    return _HEAD + time + "".join(_example_channel(name, *guess) for guess, name in shown.items())


def _guess(column: str) -> tuple[str, str]:
    phase = _PHASE.search(column)
    return "current" if _CURRENT.search(column) else "voltage", phase.group(1).lower() if phase else ""


def _example_channel(column: str, quantity: str, phase: str) -> str:
    unit = "A" if quantity == "current" else "V"
    return _CHANNEL.format(column=_quoted(column), quantity=quantity, phase=phase, unit=unit)


def _quoted(text: str) -> str:
    """Return a TOML string, whose escapes are those of JSON."""
    return json.dumps(text, ensure_ascii=False)
