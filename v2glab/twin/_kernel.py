"""The plant, one step after the other.

Phasors where time constants are long against a cycle, waveforms where instruments look. Power is positive
towards the grid; the charger's side of the contactor is called the inverter.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from v2glab.compiled import compiler
from v2glab.control import allowed_current_pu, rise_share
from v2glab.twin._physics import C, Fault, P, R, X

Array = NDArray[np.float64]

_TAU = 2.0 * math.pi
_THIRD = _TAU / 3.0
_NO_FAULT = int(Fault.NONE)
_VOLTAGE_TRIP = int(Fault.VOLTAGE_TRIP)
_FREQUENCY_TRIP = int(Fault.FREQUENCY_TRIP)
_OVER_TEMPERATURE = int(Fault.OVER_TEMPERATURE)
_OUT_OF_PHASE = int(Fault.OUT_OF_PHASE)

_jit = compiler("twin", "control")
_allowed = _jit(allowed_current_pu)
_share = _jit(rise_share)


@_jit
def _timer(value: float, active: bool, step_s: float) -> float:
    """Advance a trip timer while its condition holds; reset it otherwise."""
    return value + step_s if active else 0.0


@_jit
def _grid(x: Array, c: Array, p: Array) -> None:
    """Advance frequency and angle of the grid; the inverter's own oscillator when it is not locked."""
    dt = p[P.STEP_S]
    x[X.GRID_HZ] = c[C.GRID_HZ] + c[C.DRIFT_HZ]
    x[X.GRID_ANGLE] = (x[X.GRID_ANGLE] + _TAU * x[X.GRID_HZ] * dt) % _TAU
    x[X.MEASURED_HZ] += (x[X.GRID_HZ] - x[X.MEASURED_HZ]) * dt / 0.05
    if x[X.CONTACTOR_CLOSED] > 0.5:
        x[X.INVERTER_ANGLE] = (x[X.GRID_ANGLE] + c[C.GRID_JUMP_RAD]) % _TAU
    else:
        own_hz = p[P.NOMINAL_HZ] + c[C.TRIM_HZ]
        x[X.INVERTER_ANGLE] = (x[X.INVERTER_ANGLE] + _TAU * own_hz * dt) % _TAU


@_jit
def _touch(x: Array, c: Array, p: Array) -> None:
    """Let the contacts touch: what separates both sides drives a transient current."""
    x[X.CONTACTOR_CLOSED] = 1.0
    x[X.CONTACTOR_TIMER_S] = 0.0
    if c[C.RUN] < 0.5:
        return
    apart = x[X.INVERTER_ANGLE] - x[X.GRID_ANGLE] - c[C.GRID_JUMP_RAD]
    apart = (apart + math.pi) % _TAU - math.pi
    inverter, grid = c[C.INVERTER_V], p[P.NOMINAL_V] * c[C.GRID_A_PU]
    real = inverter * math.cos(apart) - grid
    imaginary = inverter * math.sin(apart)
    x[X.INRUSH_PEAK] = math.sqrt(2.0) * math.hypot(real, imaginary) / p[P.SYNC_OHM]
    x[X.INRUSH_ANGLE] = math.atan2(imaginary, real)
    if abs(apart) > p[P.MAX_PHASE_RAD]:
        x[X.FAULT] = _OUT_OF_PHASE


@_jit
def _contactor(x: Array, c: Array, p: Array) -> None:
    """Move the contactor towards its command; a fault opens it, a weld keeps it closed."""
    wanted = c[C.CONTACTOR] > 0.5 and x[X.FAULT] == _NO_FAULT
    closed = x[X.CONTACTOR_CLOSED] > 0.5
    if wanted == closed or (closed and c[C.WELDED] > 0.5):
        x[X.CONTACTOR_TIMER_S] = 0.0
        return
    x[X.CONTACTOR_TIMER_S] += p[P.STEP_S]
    if wanted and x[X.CONTACTOR_TIMER_S] >= p[P.CLOSE_S]:
        _touch(x, c, p)
    elif not wanted and x[X.CONTACTOR_TIMER_S] >= p[P.OPEN_S]:
        x[X.CONTACTOR_CLOSED] = 0.0
        x[X.CONTACTOR_TIMER_S] = 0.0
        x[X.INRUSH_PEAK] = 0.0


@_jit
def _trips(x: Array, p: Array, least_pu: float, greatest_pu: float) -> None:
    """Run the trip timers of IEEE 1547-2018, 6.4.1 and 6.5.1; the least phase counts for low voltage."""
    dt, hz = p[P.STEP_S], x[X.MEASURED_HZ]
    x[X.UV1_S] = _timer(x[X.UV1_S], least_pu < p[P.UV1_PU], dt)
    x[X.UV2_S] = _timer(x[X.UV2_S], least_pu < p[P.UV2_PU], dt)
    x[X.OV1_S] = _timer(x[X.OV1_S], greatest_pu > p[P.OV1_PU], dt)
    x[X.OV2_S] = _timer(x[X.OV2_S], greatest_pu > p[P.OV2_PU], dt)
    x[X.UF1_S] = _timer(x[X.UF1_S], hz < p[P.UF1_HZ], dt)
    x[X.UF2_S] = _timer(x[X.UF2_S], hz < p[P.UF2_HZ], dt)
    x[X.OF1_S] = _timer(x[X.OF1_S], hz > p[P.OF1_HZ], dt)
    x[X.OF2_S] = _timer(x[X.OF2_S], hz > p[P.OF2_HZ], dt)
    if x[X.CONTACTOR_CLOSED] < 0.5 or x[X.FAULT] != _NO_FAULT:
        return
    if (
        x[X.UV1_S] >= p[P.UV1_S]
        or x[X.UV2_S] >= p[P.UV2_S]
        or x[X.OV1_S] >= p[P.OV1_S]
        or x[X.OV2_S] >= p[P.OV2_S]
    ):
        x[X.FAULT] = _VOLTAGE_TRIP
    elif (
        x[X.UF1_S] >= p[P.UF1_S]
        or x[X.UF2_S] >= p[P.UF2_S]
        or x[X.OF1_S] >= p[P.OF1_S]
        or x[X.OF2_S] >= p[P.OF2_S]
    ):
        x[X.FAULT] = _FREQUENCY_TRIP


@_jit
def _wanted_power(x: Array, c: Array, p: Array) -> float:
    """Return the power that set-point, frequency droop, permission and battery allow, in watts.

    Droop after IEEE 1547-2018, 6.5.2.7, Table 23, from charging through zero to discharging.
    """
    wanted = c[C.POWER_W] / p[P.RATED_W]
    beyond = x[X.MEASURED_HZ] - p[P.NOMINAL_HZ]
    if beyond > p[P.DROOP_BAND_HZ]:
        wanted -= (beyond - p[P.DROOP_BAND_HZ]) / (p[P.NOMINAL_HZ] * p[P.DROOP_PU])
    elif beyond < -p[P.DROOP_BAND_HZ]:
        wanted -= (beyond + p[P.DROOP_BAND_HZ]) / (p[P.NOMINAL_HZ] * p[P.DROOP_PU])
    wanted = min(1.0, max(-1.0, wanted))
    if c[C.POWER_W] == 0.0:
        wanted = 0.0
    may_export = c[C.EXPORT_ENABLE] > 0.5 and x[X.SOC] > c[C.SOC_LIMIT]
    if wanted > 0.0 and not may_export:
        wanted = 0.0
    if wanted < 0.0 and x[X.SOC] >= 1.0:
        wanted = 0.0
    return float(wanted * p[P.RATED_W])


@_jit
def _current(x: Array, c: Array, p: Array, least_pu: float, greatest_pu: float) -> None:
    """Advance the current towards what power and limits ask for; positive exports."""
    dt = p[P.STEP_S]
    flows = x[X.CONTACTOR_CLOSED] > 0.5 and c[C.RUN] > 0.5 and x[X.FAULT] == _NO_FAULT
    ceases = least_pu < p[P.CESSATION_LOW_PU] or greatest_pu > p[P.CESSATION_HIGH_PU]
    if not flows or ceases:
        x[X.CURRENT_PEAK] = 0.0
        x[X.PERMITTED_PU] = 0.0 if flows else 1.0
        return
    x[X.PERMITTED_PU] = min(1.0, x[X.PERMITTED_PU] + dt / p[P.RESTORE_S])
    volts = (x[X.RMS_A] + x[X.RMS_B] + x[X.RMS_C]) / 3.0
    target = math.sqrt(2.0) * _wanted_power(x, c, p) / (3.0 * max(volts, 0.1 * p[P.NOMINAL_V]))
    bound = math.sqrt(2.0) * p[P.RATED_A] * min(x[X.DERATING_PU], x[X.PERMITTED_PU])
    target = min(bound, max(-bound, target))
    x[X.CURRENT_PEAK] += (target - x[X.CURRENT_PEAK]) * dt / p[P.CURRENT_LAG_S]


@_jit
def _phase_sample(x: Array, c: Array, p: Array, k: int, out: Array) -> None:
    """Write grid voltage, inverter voltage and current of phase k at this instant."""
    grid_pu = c[C.GRID_A_PU] if k == 0 else c[C.GRID_B_PU] if k == 1 else c[C.GRID_C_PU]
    angle = x[X.GRID_ANGLE] + c[C.GRID_JUMP_RAD] - k * _THIRD
    peak = math.sqrt(2.0) * p[P.NOMINAL_V]
    source = grid_pu * math.cos(angle)
    source += p[P.HARMONIC_5] * math.cos(5.0 * angle) + p[P.HARMONIC_7] * math.cos(7.0 * angle)
    cosine, sine = math.cos(angle), math.sin(angle)
    current = x[X.CURRENT_PEAK] * cosine
    drop = (p[P.GRID_OHM] + c[C.CONTACT_OHM]) * current
    drop -= _TAU * x[X.GRID_HZ] * p[P.GRID_HENRY] * x[X.CURRENT_PEAK] * sine
    if x[X.INRUSH_PEAK] > 0.0:
        current += x[X.INRUSH_PEAK] * math.cos(angle + x[X.INRUSH_ANGLE])
    grid = peak * source + (drop if x[X.CONTACTOR_CLOSED] > 0.5 else 0.0)
    if x[X.CONTACTOR_CLOSED] > 0.5:
        inverter = grid
    elif c[C.RUN] > 0.5:
        inverter = math.sqrt(2.0) * c[C.INVERTER_V] * math.cos(x[X.INVERTER_ANGLE] - k * _THIRD)
    else:
        inverter = 0.0
    out[R.GRID_A + k] = grid
    out[R.INVERTER_A + k] = inverter
    out[R.CURRENT_A + k] = current if x[X.CONTACTOR_CLOSED] > 0.5 else 0.0


@_jit
def _rms(x: Array, ring: Array, place: int, window: int) -> None:
    """Slide the one-cycle RMS of the three grid-side voltages."""
    size = ring.shape[1]
    old = (place - window) % size
    for k in range(3):
        new = ring[R.GRID_A + k, place]
        gone = ring[R.GRID_A + k, old]
        x[X.SQUARES_A + k] = max(0.0, x[X.SQUARES_A + k] + new * new - gone * gone)
        x[X.RMS_A + k] = math.sqrt(x[X.SQUARES_A + k] / window)


@_jit
def _battery(x: Array, c: Array, p: Array, dc_power_w: float) -> None:
    """Advance bus, battery and charge; discharging is positive, charge counts in watt-hours of the cells."""
    dt = p[P.STEP_S]
    cells = p[P.EMPTY_V] + (p[P.FULL_V] - p[P.EMPTY_V]) * x[X.SOC] - x[X.RC_VOLTAGE]
    demand = dc_power_w + p[P.BUS_GAIN] * (p[P.BUS_V] - x[X.DC_VOLTAGE])
    inside = max(cells * cells - 4.0 * p[P.BATTERY_OHM] * demand, 0.0)
    current = (cells - math.sqrt(inside)) / (2.0 * p[P.BATTERY_OHM])
    x[X.DC_CURRENT] = demand / x[X.DC_VOLTAGE]
    stored = 0.5 * p[P.BUS_FARAD] * x[X.DC_VOLTAGE] ** 2 + (demand - dc_power_w) * dt
    x[X.DC_VOLTAGE] = math.sqrt(max(2.0 * stored / p[P.BUS_FARAD], 1.0))
    x[X.RC_VOLTAGE] += (current * p[P.RC_OHM] - x[X.RC_VOLTAGE]) * dt / p[P.RC_TAU_S]
    open_v = p[P.EMPTY_V] + (p[P.FULL_V] - p[P.EMPTY_V]) * x[X.SOC]
    energy = open_v * current * dt / 3600.0
    x[X.ENERGY_BATTERY_WH] += energy
    x[X.ENERGY_LOSS_WH] += (open_v * current - demand) * dt / 3600.0
    x[X.SOC] = min(1.0, max(0.0, x[X.SOC] - energy / p[P.BATTERY_WH]))


@_jit
def _heat(x: Array, c: Array, p: Array, losses_w: float) -> None:
    """Advance junction, sink and connector, then the current that the foldback allows."""
    dt = p[P.STEP_S]
    to_sink = (x[X.JUNCTION_C] - x[X.SINK_C]) / p[P.JUNCTION_K_W]
    to_air = (x[X.SINK_C] - c[C.AMBIENT_C]) / c[C.SINK_K_PER_W]
    x[X.JUNCTION_C] += (losses_w - to_sink) * dt / p[P.JUNCTION_J_K]
    x[X.SINK_C] += (to_sink + c[C.SINK_HEAT_W] - to_air) * dt / p[P.SINK_J_K]
    contact_w = c[C.CONTACT_OHM] * x[X.CURRENT_RMS] ** 2
    cooling = (x[X.CONNECTOR_C] - c[C.AMBIENT_C]) / p[P.CONNECTOR_K_W]
    x[X.CONNECTOR_C] += (contact_w - cooling) * dt / p[P.CONNECTOR_J_K]
    share = _share(x[X.SINK_C], c[C.AMBIENT_C], c[C.MAX_C])
    x[X.DERATING_PU] = _allowed(share, p[P.FOLDBACK_START])


@_jit
def _energy(x: Array, c: Array, p: Array) -> None:
    """Settle the power of this step: AC at the meter, losses, DC, battery, heat."""
    dt = p[P.STEP_S]
    rms = abs(x[X.CURRENT_PEAK]) / math.sqrt(2.0)
    x[X.CURRENT_RMS] = rms
    volts = x[X.RMS_A] + x[X.RMS_B] + x[X.RMS_C]
    x[X.POWER_W] = volts * x[X.CURRENT_PEAK] / math.sqrt(2.0)
    # The inverter holds its current in phase with the source behind the grid's inductance, so it feeds that.
    x[X.REACTIVE_VAR] = 3.0 * _TAU * x[X.GRID_HZ] * p[P.GRID_HENRY] * rms * rms
    runs = c[C.RUN] > 0.5 and x[X.FAULT] == _NO_FAULT
    losses = p[P.LOSS_FIXED_W] + p[P.LOSS_PER_A] * rms + p[P.LOSS_PER_A2] * rms * rms if runs else 0.0
    if x[X.POWER_W] >= 0.0:
        x[X.ENERGY_EXPORT_WH] += x[X.POWER_W] * dt / 3600.0
    else:
        x[X.ENERGY_IMPORT_WH] -= x[X.POWER_W] * dt / 3600.0
    x[X.ENERGY_LOSS_WH] += losses * dt / 3600.0
    _battery(x, c, p, x[X.POWER_W] + losses)
    _heat(x, c, p, losses)


@_jit
def advance(x: Array, c: Array, p: Array, ring: Array, steps: int, window: int) -> None:
    """Advance the plant by whole steps.

    Parameters
    ----------
    x, c, p
        State, commands and constants; places in :mod:`v2glab.twin._physics`. ``x`` is changed in place.
    ring
        Waveforms, shape (9, size), newest sample at ``(WRITTEN − 1) mod size``.
    window
        Samples in one nominal cycle, for the RMS; smaller than ``size``.
    """
    size = ring.shape[1]
    sample = np.zeros(9)
    for _ in range(steps):
        x[X.TIME_S] += p[P.STEP_S]
        _grid(x, c, p)
        _contactor(x, c, p)
        place = int(x[X.WRITTEN]) % size
        for k in range(3):
            _phase_sample(x, c, p, k, sample)
        for row in range(9):
            ring[row, place] = sample[row]
        x[X.WRITTEN] += 1.0
        _rms(x, ring, place, window)
        least = min(x[X.RMS_A], x[X.RMS_B], x[X.RMS_C]) / p[P.NOMINAL_V]
        greatest = max(x[X.RMS_A], x[X.RMS_B], x[X.RMS_C]) / p[P.NOMINAL_V]
        _trips(x, p, least, greatest)
        if _share(x[X.SINK_C], c[C.AMBIENT_C], c[C.MAX_C]) > 1.1 and x[X.CONTACTOR_CLOSED] > 0.5:
            x[X.FAULT] = _OVER_TEMPERATURE
        _current(x, c, p, least, greatest)
        x[X.INRUSH_PEAK] *= 1.0 - p[P.STEP_S] / p[P.INRUSH_TAU_S]
        if x[X.INRUSH_PEAK] < 1e-3:
            x[X.INRUSH_PEAK] = 0.0
        _energy(x, c, p)
