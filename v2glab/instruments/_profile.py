"""Instrument profiles: how an instrument is spoken to, as data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from v2glab.evidence import InputError
from v2glab.instruments._document import LocatedError, build_model, read_document
from v2glab.instruments._registers import Point, Register, WordOrder
from v2glab.resources import data_root, find_data

Role = Literal["meter", "oscilloscope", "grid_simulator"]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ProfileHead(_Section):
    """``[profile]``: whose instrument it is, and where the facts come from."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    vendor: str = Field(min_length=1)
    model: str = Field(min_length=1)
    kind: Literal["modbus", "sunspec", "scpi", "hwmon"]
    source: str = Field(min_length=1)
    note: str = ""


class _Profile(_Section):
    schema_version: Literal[1] = Field(alias="schema")
    profile: ProfileHead

    @property
    def name(self) -> str:
        """Name of the profile, which is that of its file."""
        return self.profile.name


class ModbusSection(_Section):
    """``[modbus]``: what all registers share.

    Registers with at most ``max_gap`` unused addresses between them are read in one exchange; many devices
    answer a read of unused addresses with an exception, so the default is 0.
    """

    default_unit: int = Field(default=1, ge=0, le=247)
    word_order: WordOrder = "msw-first"
    max_registers: int = Field(default=125, ge=1, le=125)
    max_gap: int = Field(default=0, ge=0, le=124)


class ModbusProfile(_Profile):
    """A register map."""

    modbus: ModbusSection = ModbusSection()
    register_list: tuple[Register, ...] = Field(alias="register", min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _share_word_order(cls, content: Any) -> Any:  # noqa: ANN401  (whatever a file holds)
        if not (isinstance(content, dict) and isinstance(content.get("modbus"), dict)):
            return content
        order, registers = content["modbus"].get("word_order"), content.get("register")
        if order is None or not isinstance(registers, list):
            return content
        filled = [{"word_order": order, **entry} if isinstance(entry, dict) else entry for entry in registers]
        return {**content, "register": filled}

    @model_validator(mode="after")
    def _check_registers(self) -> Self:
        _check_names(self.register_list, "register")
        order = sorted(range(len(self.register_list)), key=lambda i: self.register_list[i].address)
        last: dict[int, Register] = {}
        for index in order:
            register = self.register_list[index]
            before = last.get(register.function)
            if before is not None and register.address < before.end:
                raise LocatedError(
                    f"{register.name!r} (address {register.address}) overlaps {before.name!r} "
                    f"({before.address}–{before.end - 1})",
                    ("register", index, "address"),
                )
            if register.words > self.modbus.max_registers:
                raise LocatedError(
                    f"{register.name!r} is longer than max_registers", ("register", index, "words")
                )
            # The register that reaches farthest counts: one after a gap can still lie below its end.
            last[register.function] = register
        return self

    @property
    def registers(self) -> dict[str, Register]:
        """Registers by name."""
        return {register.name: register for register in self.register_list}


class SunSpecSection(_Section):
    """``[sunspec]``: where the map may start and which models are used."""

    default_unit: int = Field(default=1, ge=0, le=247)
    base_addresses: tuple[int, ...] = Field(default=(40000, 50000, 0), min_length=1)
    models: tuple[int, ...] = Field(min_length=1)
    max_registers: int = Field(default=125, ge=1, le=125)


class SunSpecProfile(_Profile):
    """A list of SunSpec models; points come from the model definitions."""

    sunspec: SunSpecSection


class ScpiSection(_Section):
    """``[scpi]``: termination, identity, errors, what is sent after connecting."""

    role: Role = "meter"
    identify: str = "*IDN?"
    identity: str = Field(min_length=1, description="text that the answer to 'identify' contains")
    error_query: str = Field(default="SYST:ERR?", description="empty when there is no error queue")
    termination: Literal["\n", "\r\n", "\r"] = "\n"
    setup: tuple[str, ...] = ()
    max_block: int = Field(default=250_000, ge=1, description="bytes asked for in one binary block")
    baud: int = Field(default=9600, ge=300)


class ScpiPoint(Point):
    """One number behind one query.

    ``index`` picks one of several numbers separated by commas: points that share a query are read together.
    ``write`` holds ``{value}``.
    """

    query: str = Field(min_length=1)
    index: int = Field(default=0, ge=0)
    scale: float = Field(default=1.0, allow_inf_nan=False)
    write: str = ""
    momentary: bool = False

    @model_validator(mode="after")
    def _check_point(self) -> Self:
        if (self.access == "rw") != ("{value}" in self.write):
            raise ValueError("access 'rw' goes with a 'write' that holds {value}, and only then")
        if self.scale == 0:
            raise ValueError("scale must not be 0")
        return self


class ScpiProfile(_Profile):
    """A command map."""

    scpi: ScpiSection
    commands: dict[str, str] = Field(default_factory=dict)
    channels: dict[str, str] = Field(default_factory=dict)
    channel_units: dict[str, Literal["V", "A"]] = Field(default_factory=dict)
    point: tuple[ScpiPoint, ...] = ()
    limits: dict[str, tuple[float, float]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check_commands(self) -> Self:
        _check_names(self.point, "point")
        for name in _NEEDED[self.scpi.role]:
            if name not in self.commands:
                raise LocatedError(f"role {self.scpi.role!r} needs a command {name!r}", ("commands",))
        for name, (low, high) in self.limits.items():
            if not low <= high:
                raise LocatedError(f"lower limit {low:g} above upper {high:g}", ("limits", name))
        for name in self.channel_units:
            if name not in self.channels:
                raise LocatedError(f"unit of a channel {name!r} that there is not", ("channel_units",))
        if self.scpi.role == "meter" and not self.point:
            raise LocatedError("a meter needs at least one [[point]]", ("point",))
        if self.scpi.role == "oscilloscope" and not self.channels:
            raise LocatedError("an oscilloscope needs [channels]", ("channels",))
        return self

    @property
    def points(self) -> dict[str, ScpiPoint]:
        """Points by name."""
        return {point.name: point for point in self.point}


_NEEDED: dict[Role, tuple[str, ...]] = {
    "meter": (),
    "oscilloscope": ("run", "stop", "source", "mode", "format", "start", "end", "preamble", "data"),
    "grid_simulator": (
        "abort",
        "count",
        "dwell",
        "voltage",
        "frequency",
        "list_mode",
        "initiate",
        "fixed_mode",
    ),
}


class HwmonSensor(Point):
    """One file of the kernel's hwmon interface; ``scale`` turns its integer into ``unit``."""

    file: str = Field(pattern=r"^[a-z]+[0-9]+_[a-z]+$")
    scale: float = Field(default=1.0, allow_inf_nan=False)
    access: Literal["r"] = "r"


class HwmonSection(_Section):
    """``[hwmon]``: content of the file ``name`` that the folder must have; empty for any."""

    chip: str = ""


class HwmonProfile(_Profile):
    """Sensor files below one folder."""

    hwmon: HwmonSection = HwmonSection()
    sensor: tuple[HwmonSensor, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _check_sensors(self) -> Self:
        _check_names(self.sensor, "sensor")
        return self

    @property
    def sensors(self) -> dict[str, HwmonSensor]:
        """Sensors by name."""
        return {sensor.name: sensor for sensor in self.sensor}


Profile = ModbusProfile | SunSpecProfile | ScpiProfile | HwmonProfile
_KINDS: dict[str, type[Profile]] = {
    "modbus": ModbusProfile,
    "sunspec": SunSpecProfile,
    "scpi": ScpiProfile,
    "hwmon": HwmonProfile,
}


def load_profile(name_or_path: str | Path) -> Profile:
    """Read a profile by name (``drivers/<name>.toml``) or by path.

    Raises
    ------
    InputError
        There is none, or it is wrong; names file, line and remedy.
    """
    path = Path(name_or_path)
    if path.suffix != ".toml":
        path = find_data("drivers", f"{name_or_path}.toml")
    text, content = read_document(path)
    head = content.get("profile")
    kind = head.get("kind") if isinstance(head, dict) else None
    if not isinstance(kind, str) or kind not in _KINDS:
        raise InputError(
            f"{path}: [profile] kind = {kind!r}", f"one of: {', '.join(_KINDS)}", "set 'kind' under [profile]"
        )
    profile = build_model(_KINDS[kind], path, text, content)
    return profile


def list_profiles() -> tuple[str, ...]:
    """Return the names of all profiles that travel with the package."""
    return tuple(sorted(path.stem for path in data_root("drivers").glob("*.toml")))


def _check_names(points: Sequence[Point], table: str) -> None:
    seen: set[str] = set()
    for index, point in enumerate(points):
        if point.name in seen:
            raise LocatedError(f"two points named {point.name!r}", (table, index, "name"))
        seen.add(point.name)
