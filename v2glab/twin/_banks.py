"""Registers by unit: what a Modbus master can read and write."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from v2glab.evidence import InputError, LimitError
from v2glab.instruments import ModbusProfile, Register, decode_registers, encode_registers
from v2glab.twin._plant import Plant
from v2glab.twin._plant_commands import COMMANDS
from v2glab.twin._plant_state import PlantState
from v2glab.twin._sunspec import BASE, SunSpecMap

ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE = 1, 2, 3


class Refused(Exception):  # noqa: N818 -- an answer to the master, not a failure
    """A request that is answered with a Modbus exception."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Bank(Protocol):
    """Registers of one unit."""

    def read(self, function: int, address: int, count: int) -> Sequence[int]:
        """Return words, or raise :class:`Refused`."""

    def write(self, address: int, words: Sequence[int]) -> None:
        """Write words, or raise :class:`Refused`."""


class ProfileBank:
    """Serves the registers of a profile from a table of values."""

    def __init__(self, profile: ModbusProfile, values: Callable[[], Mapping[str, float]]) -> None:
        self._values = values
        self._by_function: dict[int, list[Register]] = {3: [], 4: []}
        for register in profile.registers.values():
            self._by_function[register.function].append(register)

    def read(self, function: int, address: int, count: int) -> list[int]:
        """Return words; gaps between registers read zero, as on the real meters."""
        inside = [
            r for r in self._by_function.get(function, []) if r.address < address + count and r.end > address
        ]
        if not inside:
            raise Refused(ILLEGAL_ADDRESS)
        values, words = self._values(), [0] * count
        for register in inside:
            for offset, word in enumerate(encode_registers(register, values.get(register.name, 0.0))):
                place = register.address + offset - address
                if 0 <= place < count:
                    words[place] = word
        return words

    def write(self, address: int, words: Sequence[int]) -> None:
        """Refuse: a meter is only read."""
        raise Refused(ILLEGAL_ADDRESS)


class ChargerBank(ProfileBank):
    """The charger's vendor registers and the SunSpec map, which are one device."""

    def __init__(self, profile: ModbusProfile, plant: Plant, changed: Callable[[str], None]) -> None:
        super().__init__(profile, lambda: charger_values(plant.state))
        self._plant = plant
        self._changed = changed
        self._sunspec = SunSpecMap(plant.settings, plant.device_settings)
        self._writable = {r.address: r for r in profile.registers.values() if r.access == "rw"}

    def read(self, function: int, address: int, count: int) -> list[int]:
        """Return words of either map."""
        if address >= BASE:
            if function != 3 or address + count > self._sunspec.end:
                raise Refused(ILLEGAL_ADDRESS)
            words = self._sunspec.words(self._plant.state)
            return list(words[address - BASE : address - BASE + count])
        return super().read(function, address, count)

    def write(self, address: int, words: Sequence[int]) -> None:
        """Write whole commanded points; anything else is refused and nothing is changed."""
        if address >= BASE:
            self._write_sunspec(address, words)
            return
        self._command(self._points(address, list(words)))

    def _write_sunspec(self, address: int, words: Sequence[int]) -> None:
        points = self._sunspec.locate(address, words)
        if points is None:
            raise Refused(ILLEGAL_ADDRESS)
        low, high = COMMANDS["power_setpoint"]
        if any(place.name == "WSet" and not low <= raw <= high for place, raw in points):
            raise Refused(ILLEGAL_VALUE)
        try:
            change = self._sunspec.write(points)
        except InputError as error:
            raise Refused(ILLEGAL_VALUE) from error
        if change.settings is not None:
            self._plant.configure(change.settings)
        if change.setpoint_w is not None:
            self._command([("power_setpoint", change.setpoint_w)])

    def _points(self, address: int, words: list[int]) -> list[tuple[str, float]]:
        points = []
        while words:
            register = self._writable.get(address)
            if register is None or len(words) < register.words:
                raise Refused(ILLEGAL_ADDRESS)
            value = decode_registers(register, words[: register.words])
            points.append((register.name, float(value)))
            address, words = register.end, words[register.words :]
        return points

    def _command(self, points: list[tuple[str, float]]) -> None:
        for name, value in points:
            low, high = COMMANDS[name]
            if not low <= value <= high:
                raise Refused(ILLEGAL_VALUE)
        for name, value in points:
            try:
                self._plant.command(name, value)
            except LimitError as error:
                raise Refused(ILLEGAL_VALUE) from error
            self._changed(name)


def charger_values(state: PlantState) -> dict[str, float]:
    """Return the vendor registers' values by point name."""
    return {
        "evse_state": state.evse_state,
        "contactor_command": float(state.contactor_commanded),
        "export_enable": float(state.export_enable),
        "contactor_feedback": float(state.contactor_closed),
        "power_setpoint": state.power_setpoint_w,
        "frequency_trim": state.frequency_trim_hz,
        "voltage_setpoint": state.voltage_setpoint_v,
        "inverter_run": float(state.inverter_running),
        "watchdog_timeout": state.watchdog_timeout_s,
        "watchdog_kick": 0.0,
        "fault_code": state.fault_code,
        "soc": state.soc_percent,
        "soc_discharge_limit": state.soc_discharge_limit_percent,
        "derating": state.derating_percent,
        "dc_voltage": state.dc_voltage_v,
        "dc_current": state.dc_current_a,
        "heatsink_temperature": state.heatsink_celsius,
        "connector_temperature": state.connector_celsius,
        "pp_resistance": state.pp_ohm,
        "cp_voltage": state.cp_voltage_v,
        "cp_duty": state.cp_duty_percent,
        "inverter_frequency": state.inverter_frequency_hz,
        "inverter_voltage": state.inverter_voltage_v,
        "max_temperature": state.max_temperature_celsius,
        "fault_reset": 0.0,
        "automatic_start": float(state.automatic_start),
        "discharge_authorisation": float(state.discharge_authorised),
    }


def meter_values(state: PlantState) -> dict[str, float]:
    """Return what a three-phase meter shows, by canonical point name; export positive."""
    apparent = math.hypot(state.power_w, state.reactive_power_var)
    values: dict[str, float] = {
        "power": state.power_w,
        "reactive_power": state.reactive_power_var,
        "apparent_power": apparent,
        "power_factor": abs(state.power_w) / apparent if apparent > 0 else 1.0,
        "frequency": state.grid_frequency_hz,
        "energy_import": state.energy_import_wh,
        "energy_export": state.energy_export_wh,
    }
    for phase, volts, amps in zip("abc", state.voltage_v, state.current_a, strict=True):
        values[f"voltage_{phase}"] = volts
        values[f"current_{phase}"] = abs(amps)
        values[f"power_{phase}"] = volts * amps
    return values
