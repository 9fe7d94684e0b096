"""Instruments that hold their values in Modbus registers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from v2glab.evidence import DeviceError, LimitError
from v2glab.instruments._address import parse_modbus_address
from v2glab.instruments._instrument import BaseInstrument, Reading, Setting
from v2glab.instruments._modbus_link import ModbusLink
from v2glab.instruments._profile import ModbusProfile
from v2glab.instruments._registers import Register, decode_registers, encode_registers

#: A float register gives back what was written but for rounding in the last place.
_FLOAT_RESOLUTION = 1e-6


@dataclass(frozen=True, slots=True)
class Block:
    """Registers that one exchange reads."""

    function: int
    address: int
    count: int
    registers: tuple[Register, ...]


def group_registers(registers: Iterable[Register], *, max_registers: int, max_gap: int) -> tuple[Block, ...]:
    """Group registers into the fewest exchanges that keep to the device's limits.

    Parameters
    ----------
    registers
        In any order, without overlap.
    max_registers
        Most words in one exchange.
    max_gap
        Most unused addresses that may be read along.
    """
    blocks: list[list[Register]] = []
    for register in sorted(registers, key=lambda item: (item.function, item.address)):
        last = blocks[-1] if blocks else None
        joins = (
            last is not None
            and last[0].function == register.function
            and register.address - last[-1].end <= max_gap
            and register.end - last[0].address <= max_registers
        )
        if joins and last is not None:
            last.append(register)
        else:
            blocks.append([register])
    return tuple(Block(b[0].function, b[0].address, b[-1].end - b[0].address, tuple(b)) for b in blocks)


class ModbusInstrument(BaseInstrument):
    """An instrument with a register map; see :func:`v2glab.instruments.open_instrument`."""

    def __init__(self, name: str, profile: ModbusProfile, address: str, **common: Any) -> None:  # noqa: ANN401
        super().__init__(name, **common)
        self.profile = profile
        place = parse_modbus_address(address, profile.modbus.default_unit)
        self._link = ModbusLink(place, self.timeout_s, self._tape if self._records else None)
        self._registers = profile.registers
        self._points = tuple(r.name for r in profile.register_list if r.type != "string")
        self._plans: dict[tuple[str, ...], tuple[Block, ...]] = {}

    def identify(self) -> str:
        """Return vendor and model, from the device's own text registers where it has them.

        Raises
        ------
        DeviceError
            The device does not answer.
        """
        own: list[str] = []
        texts = [r for r in self.profile.register_list if r.type == "string"]
        for register in texts or self.profile.register_list[:1]:
            words = self._link.read(register.function, register.address, register.words)
            if texts:
                own.append(str(decode_registers(register, words)))
        return " ".join(own) if any(own) else f"{self.profile.profile.vendor} {self.profile.profile.model}"

    def points(self) -> tuple[str, ...]:
        """Return the names of all numeric registers."""
        return self._points

    def close(self) -> None:
        """Drop the connection; a later call opens it again."""
        self._link.close()

    def _measure(self, points: tuple[str, ...]) -> Mapping[str, Reading]:
        readings: dict[str, Reading] = {}
        for block in self._plan(points):
            words = self._link.read(block.function, block.address, block.count)
            for register in block.registers:
                start = register.address - block.address
                value = decode_registers(register, words[start : start + register.words])
                readings[register.name] = self._reading(register, value)
        return readings

    def _plan(self, points: tuple[str, ...]) -> tuple[Block, ...]:
        plan = self._plans.get(points)
        if plan is None:
            section = self.profile.modbus
            plan = group_registers(
                (self._registers[point] for point in points),
                max_registers=section.max_registers,
                max_gap=section.max_gap,
            )
            self._plans[points] = plan
        return plan

    def _reading(self, register: Register, value: float | str) -> Reading:
        if isinstance(value, str):
            raise DeviceError(f"{register.name} is a text", "a number", "read it through identify()")
        return Reading(value, register.unit, register.uncertainty, register.quantity)

    def _setting(self, point: str, value: float) -> Setting:
        register = self._registers[point]
        register.check_limits(value)
        if register.values and value not in register.values.values():
            raise LimitError(
                f"{point} = {value:g}",
                f"one of: {', '.join(f'{number} ({name})' for name, number in register.values.items())}",
                "choose one of those",
            )
        words = encode_registers(register, value)
        target = decode_registers(register, words)
        exact = register.type.startswith("float")
        step = _FLOAT_RESOLUTION * abs(value) if exact else 1e-6 * abs(register.scale)
        return Setting(
            float(target), step, lambda: self._link.write(register.address, words), register.momentary
        )
