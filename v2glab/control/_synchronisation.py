"""Bring an inverter's voltage into step with the grid's before the contactor closes.

The law is pure: differences in, set-points and permission out. Differences are inverter minus grid.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from v2glab.signals import FundamentalFit


@dataclass(frozen=True, slots=True)
class SyncLimits:
    """Largest differences at which closing is permitted (IEEE 1547-2018, 4.10.4, Table 5)."""

    frequency_hz: float
    voltage_pu: float
    phase_rad: float


@dataclass(frozen=True, slots=True)
class SyncMeasurement:
    """Differences between inverter and grid with their standard uncertainties.

    Attributes
    ----------
    grid_frequency_hz
        Frequency of the grid.
    grid_voltage_v
        RMS line-to-neutral voltage of the grid.
    frequency_hz, voltage_pu, phase_rad
        Inverter minus grid; phase in (−π, π], voltage on the grid's nominal value.
    u_frequency_hz, u_voltage_pu, u_phase_rad
        Standard uncertainties.
    """

    grid_frequency_hz: float
    grid_voltage_v: float
    frequency_hz: float
    voltage_pu: float
    phase_rad: float
    u_frequency_hz: float
    u_voltage_pu: float
    u_phase_rad: float


def compare_fundamentals(
    grid: FundamentalFit,
    inverter: FundamentalFit,
    nominal_v: float,
    accuracy_v: Sequence[float] = (0.0, 0.0, 0.0, 0.0),
) -> SyncMeasurement:
    """Return the differences between inverter and grid, both fitted over the same window.

    The phase refers to the centre of the window. Standard uncertainties join the residuals of the fits with
    the accuracy of the instrument (JCGM 100:2008, 5.1.2).

    Parameters
    ----------
    grid, inverter
        Fits of the three phases of the grid, and of phase a of the inverter.
    nominal_v
        Nominal phase voltage, V.
    accuracy_v
        Standard uncertainty of the instrument: grid a, b, c, inverter a; V.
    """
    grid_v = float(sum(grid.amplitude)) / 3 / math.sqrt(2)
    inverter_v = float(inverter.amplitude[0]) / math.sqrt(2)
    u_grid_v = math.hypot(float(grid.u_amplitude[0]), *(u / 3 for u in accuracy_v[:3]))
    u_inverter_v = math.hypot(float(inverter.u_amplitude[0]), accuracy_v[3])
    return SyncMeasurement(
        grid_frequency_hz=grid.frequency_hz,
        grid_voltage_v=grid_v,
        frequency_hz=inverter.frequency_hz - grid.frequency_hz,
        voltage_pu=(inverter_v - grid_v) / nominal_v,
        phase_rad=wrap_phase(float(inverter.phase_rad[0] - grid.phase_rad[0])),
        u_frequency_hz=math.hypot(inverter.u_frequency_hz, grid.u_frequency_hz),
        u_voltage_pu=math.hypot(u_grid_v, u_inverter_v) / nominal_v,
        u_phase_rad=math.hypot(float(inverter.u_phase_rad[0]), float(grid.u_phase_rad[0])),
    )


@dataclass(frozen=True, slots=True)
class SyncSetpoints:
    """What the inverter is told while its contactor is open."""

    frequency_trim_hz: float
    voltage_v: float


def wrap_phase(angle_rad: float) -> float:
    """Return the same angle in (−π, π]."""
    wrapped = math.remainder(angle_rad, math.tau)
    return math.pi if wrapped == -math.pi else wrapped


def steer(
    measurement: SyncMeasurement,
    nominal_frequency_hz: float,
    *,
    horizon_s: float = 0.5,
    max_slip_hz: float = 0.25,
    max_trim_hz: float = 2.0,
) -> SyncSetpoints:
    """Return set-points that bring phase, frequency and voltage together.

    The trim cancels the frequency difference and adds a slip that would take the phase difference to
    zero in ``horizon_s``: Δφ/(2π·horizon), no more than ``max_slip_hz``, so that the phase difference shrinks
    by a fixed share a step once it is small.

    Parameters
    ----------
    max_trim_hz
        Largest trim that the inverter accepts. A grid farther away than that cannot be followed; the trim
        then stays at its bound, and :func:`closing_obstacles` keeps the contactor open.
    """
    slip_hz = -measurement.phase_rad / (math.tau * horizon_s)
    slip_hz = max(-max_slip_hz, min(max_slip_hz, slip_hz))
    trim_hz = measurement.grid_frequency_hz - nominal_frequency_hz + slip_hz
    return SyncSetpoints(max(-max_trim_hz, min(max_trim_hz, trim_hz)), measurement.grid_voltage_v)


def predict_phase(measurement: SyncMeasurement, delay_s: float) -> float:
    """Return the phase difference ``delay_s`` later, if both frequencies stay as they are."""
    return wrap_phase(measurement.phase_rad + math.tau * measurement.frequency_hz * delay_s)


def closing_obstacles(
    measurement: SyncMeasurement,
    limits: SyncLimits,
    *,
    closing_time_s: float,
    coverage_factor: float = 2.0,
) -> tuple[str, ...]:
    """Return what forbids closing now; empty when closing is permitted.

    Each difference enlarged by its expanded uncertainty must lie within its limit. The phase is judged
    both now and at the moment when the contacts will touch.
    """
    phase_at_contact = abs(predict_phase(measurement, closing_time_s))
    u_contact = math.hypot(measurement.u_phase_rad, math.tau * closing_time_s * measurement.u_frequency_hz)
    checks = (
        ("frequency", abs(measurement.frequency_hz), measurement.u_frequency_hz, limits.frequency_hz, "Hz"),
        ("voltage", abs(measurement.voltage_pu), measurement.u_voltage_pu, limits.voltage_pu, "p.u."),
        ("phase", abs(measurement.phase_rad), measurement.u_phase_rad, limits.phase_rad, "rad"),
        ("phase at contact", phase_at_contact, u_contact, limits.phase_rad, "rad"),
    )
    return tuple(
        f"{name} {value:.4g} ± {coverage_factor * u:.2g} {unit} is not within {limit:.4g} {unit}"
        for name, value, u, limit, unit in checks
        if not value + coverage_factor * u <= limit
    )
