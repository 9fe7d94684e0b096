"""A charger and a battery as a model in memory, for runs without a bench: one DC bus, losses, a meter."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from v2glab.evidence import LimitError
from v2glab.links.sessions._plant import (
    ChargerReading,
    Check,
    PowerLimits,
    VehicleNeeds,
    VehicleReading,
)

Clock = Callable[[], float]
_SECONDS_PER_HOUR = 3600.0
BATTERY_LIMITS = PowerLimits(50_000, 50_000, 125, 125, 300, 450, phase_v=230)
CHARGER_LIMITS = PowerLimits(22_000, 22_000, 60, 60, 150, 500, phase_v=230)
NEEDS = VehicleNeeds(60_000, 80, 20, 100)


@dataclass
class ModelBattery:
    """A vehicle's battery: open-circuit voltage linear in the state of charge, one resistance.

    It implements ``VehiclePlant``. ``current_a`` is positive towards the grid; the charger's model sets it.
    """

    limits: PowerLimits = BATTERY_LIMITS
    needs: VehicleNeeds = NEEDS
    soc_percent: float = 60.0
    empty_v: float = 340.0
    full_v: float = 420.0
    resistance_ohm: float = 0.08
    current_a: float = 0.0
    contactor_closed: bool = False
    fault: str = ""

    @property
    def open_circuit_v(self) -> float:
        """Voltage without current, V."""
        return self.empty_v + (self.full_v - self.empty_v) * self.soc_percent / 100

    @property
    def voltage_v(self) -> float:
        """Voltage at the terminals, V."""
        return self.open_circuit_v - self.resistance_ohm * self.current_a

    def take(self, duration_s: float) -> None:
        """Let the current flow for a while; the charge counts at the open-circuit voltage."""
        energy_wh = self.open_circuit_v * self.current_a * duration_s / _SECONDS_PER_HOUR
        self.soc_percent -= 100 * energy_wh / self.needs.capacity_wh

    async def read(self) -> VehicleReading:
        """Measure."""
        return VehicleReading(
            self.soc_percent, self.voltage_v, self.current_a, self.contactor_closed, self.fault
        )

    async def close_contactor(self) -> None:
        """Connect the battery to the inlet."""
        self.contactor_closed = True

    async def open_contactor(self) -> None:
        """Disconnect the battery."""
        self.contactor_closed, self.current_a = False, 0.0


@dataclass
class ModelCharger:
    """A bidirectional charger in front of a battery; implements ``ChargerPlant``.

    Parameters
    ----------
    battery
        What is plugged in.
    efficiency
        Of the inverter, the same both ways.
    clock
        Seconds that only grow; tests give one that they advance.
    metered
        Where the energy meter sits: before the losses of the inverter, or behind them.
    """

    battery: ModelBattery
    limits: PowerLimits = CHARGER_LIMITS
    efficiency: float = 0.96
    clock: Clock = time.monotonic
    frequency_hz: float = 50.0
    fault: str = ""
    stuck: bool = False
    metered: Literal["grid", "connector"] = "grid"
    _output_v: float = 0.0
    _current_a: float = 0.0
    _closed: bool = False
    _import_wh: float = 0.0
    _export_wh: float = 0.0
    _then: float = field(default=-1.0)

    async def insulation(self, voltage_v: float) -> Check:
        """Test the insulation of the DC side."""
        self._pass()
        return "fault" if self.fault == "insulation" else "valid"

    async def pre_charge(self, voltage_v: float, current_a: float) -> None:
        """Bring the output to a voltage."""
        self._check("voltage_v", voltage_v, 0.0, self.limits.high_v)
        self._output_v = voltage_v

    async def connect(self) -> None:
        """Close the contactor."""
        self._pass()
        self._closed = True

    async def disconnect(self) -> None:
        """Take the power away and open the contactor."""
        self._flow(0.0)
        self._closed = self.stuck
        self._output_v = self.battery.voltage_v if self.stuck else 0.0
        if self.stuck:
            self.fault = "contactor"

    async def set_power(self, power_w: float) -> None:
        """Set the power at the grid, W, export positive."""
        self._check("power_w", power_w, -self.limits.charge_w, self.limits.export_w)
        dc_w = power_w / self.efficiency if power_w > 0 else power_w * self.efficiency
        self._flow(_current(self.battery, dc_w))

    async def set_dc(self, voltage_v: float, current_a: float) -> None:
        """Set the DC current, A, export positive."""
        self._check("current_a", current_a, -self.limits.charge_a, self.limits.export_a)
        self._flow(current_a)

    async def read(self) -> ChargerReading:
        """Measure."""
        self._pass()
        # Measured at the connector: a closed contactor of the vehicle puts the battery's voltage there.
        volts = self.battery.voltage_v if self.battery.contactor_closed else self._output_v
        dc_w = volts * self._current_a
        power_w = dc_w * self.efficiency if dc_w > 0 else dc_w / self.efficiency
        return ChargerReading(
            volts,
            self._current_a,
            power_w,
            0.0,
            self._import_wh,
            self._export_wh,
            self._closed,
            self.frequency_hz,
            self.fault,
        )

    async def make_safe(self) -> None:
        """Export off, contactor open."""
        await self.disconnect()

    @property
    def _live(self) -> bool:
        return self._closed and self.battery.contactor_closed

    def _flow(self, current_a: float) -> None:
        self._pass()
        self._current_a = current_a if self._live else 0.0
        self.battery.current_a = self._current_a

    def _pass(self) -> None:
        """Let the time since the last call pass at the current that flowed."""
        now = self.clock()
        if self._then >= 0 and not self._live:
            self._current_a = self.battery.current_a = 0.0
        elif self._then >= 0:
            dc_w = self.battery.voltage_v * self._current_a
            lossy = self.efficiency if dc_w > 0 else 1 / self.efficiency
            grid_wh = dc_w * (lossy if self.metered == "grid" else 1.0)
            grid_wh *= (now - self._then) / _SECONDS_PER_HOUR
            self._export_wh += max(0.0, grid_wh)
            self._import_wh -= min(0.0, grid_wh)
            self.battery.take(now - self._then)
        self._then = now

    @staticmethod
    def _check(name: str, value: float, low: float, high: float) -> None:
        if not low <= value <= high:
            raise LimitError(f"{name} = {value:g}", f"{low:g} to {high:g}", "mend the set-point")


def _current(battery: ModelBattery, dc_w: float) -> float:
    """Return the current at which the battery gives a power: U0·I - R·I² = P."""
    root = battery.open_circuit_v**2 - 4 * battery.resistance_ohm * dc_w
    if root < 0:
        raise LimitError(f"{dc_w:g} W from the battery", "a power that it can give", "ask for less")
    return (battery.open_circuit_v - math.sqrt(root)) / (2 * battery.resistance_ohm)
