"""Plants in the states that tests start from."""

from __future__ import annotations

import math

import numpy as np

from v2glab.twin import GridEvent, Plant, PlantSettings
from v2glab.twin._physics import X


def connected(power_w: float = 0.0, settings: PlantSettings | None = None, **faults: bool) -> Plant:
    """Return a plant whose inverter was brought into step and closed, at a set-point, settled.

    The oscillator is aligned by waiting for the beat of both frequencies, as a person with a lamp would.
    """
    plant = Plant(settings)
    for name, on in faults.items():
        plant.set_fault(name, on)
    plant.command("inverter_run", 1)
    plant.command(
        "frequency_trim", plant.settings.grid_frequency_hz - plant.settings.nominal_frequency_hz + 1
    )
    for _ in range(400):
        plant.advance(0.005)
        if abs(phase_apart(plant)) < 0.03:
            break
    plant.command("frequency_trim", plant.settings.grid_frequency_hz - plant.settings.nominal_frequency_hz)
    plant.command("contactor_command", 1)
    plant.advance(0.1)
    assert plant.state.contactor_closed
    assert plant.state.fault_code == 0
    plant.command("power_setpoint", power_w)
    plant.advance(0.5)
    return plant


def phase_apart(plant: Plant, cycles: int = 1) -> float:
    """Return the inverter's phase minus the grid's, in radians, by correlation over whole cycles."""
    count = round(cycles / plant.settings.nominal_frequency_hz / plant.settings.step_s)
    grid, inverter = plant.waveform(("a", "inverter_a"), count)
    tone = np.exp(
        -2j * np.pi * plant.settings.nominal_frequency_hz * plant.settings.step_s * np.arange(count)
    )
    return float(np.angle((inverter @ tone) / (grid @ tone)))


def event(
    plant: Plant, duration_s: float, volts: float | None = None, hertz: float | None = None
) -> GridEvent:
    """Return an event that starts now."""
    three = None if volts is None else (volts, volts, volts)
    return GridEvent(plant.time_ns, duration_s, three, hertz)


def seconds_until_fault(plant: Plant, longest_s: float) -> float:
    """Advance step by step until a fault latches; ``inf`` when none does."""
    step_s = plant.settings.step_s
    for n in range(1, math.ceil(longest_s / step_s) + 1):
        plant.advance(step_s)
        if plant._x[X.FAULT]:
            return n * step_s
    return math.inf
