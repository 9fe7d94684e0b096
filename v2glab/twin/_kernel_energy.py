"""Where the energy goes: meter, losses, battery, heat."""

from __future__ import annotations

import math

from v2glab.control import allowed_current_pu, rise_share
from v2glab.twin._jit import TAU, Array, jit
from v2glab.twin._physics import C, Fault, P, X

_NO_FAULT = int(Fault.NONE)
_OVER_TEMPERATURE = int(Fault.OVER_TEMPERATURE)
_TOO_HOT = 1.1

_allowed = jit(allowed_current_pu)
_share = jit(rise_share)


@jit
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


@jit
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


@jit
def watch_heat(x: Array, c: Array) -> None:
    """Stop beyond 110 % of the permitted rise."""
    if x[X.CONTACTOR_CLOSED] > 0.5 and _share(x[X.SINK_C], c[C.AMBIENT_C], c[C.MAX_C]) > _TOO_HOT:
        x[X.FAULT] = _OVER_TEMPERATURE


@jit
def _powers(x: Array, c: Array, p: Array) -> None:
    """Set both powers at the meter: of the fundamental, from phasors relative to the current's own frame.

    The inverter holds its current against the source behind the grid's impedance, so that it feeds that, too.
    """
    ohm = c[C.GRID_SHARE] * p[P.GRID_OHM] + c[C.CONTACT_OHM]
    reactance = c[C.GRID_SHARE] * TAU * x[X.GRID_HZ] * p[P.GRID_HENRY]
    d, q = x[X.CURRENT_PEAK] / math.sqrt(2.0), x[X.CURRENT_Q_PEAK] / math.sqrt(2.0)
    power, reactive = 0.0, 0.0
    for k in range(3):
        volts, turn = p[P.NOMINAL_V] * x[X.GRID_A_PU + k], c[C.TURN_A_RAD + k] - c[C.TURN_RAD]
        re = volts * math.cos(turn) + ohm * d + reactance * q
        im = volts * math.sin(turn) + reactance * d - ohm * q
        power += re * d - im * q
        reactive += im * d + re * q
    x[X.CURRENT_RMS] = math.hypot(d, q)
    x[X.POWER_W] = power
    x[X.REACTIVE_VAR] = reactive


@jit
def settle_energy(x: Array, c: Array, p: Array) -> None:
    """Settle the power of this step: AC at the meter, losses, DC, battery, heat."""
    dt = p[P.STEP_S]
    _powers(x, c, p)
    rms = x[X.CURRENT_RMS]
    runs = (c[C.RUN] > 0.5 or c[C.AUTOMATIC] > 0.5) and x[X.FAULT] == _NO_FAULT
    losses = p[P.LOSS_FIXED_W] + p[P.LOSS_PER_A] * rms + p[P.LOSS_PER_A2] * rms * rms if runs else 0.0
    if x[X.POWER_W] >= 0.0:
        x[X.ENERGY_EXPORT_WH] += x[X.POWER_W] * dt / 3600.0
    else:
        x[X.ENERGY_IMPORT_WH] -= x[X.POWER_W] * dt / 3600.0
    x[X.ENERGY_LOSS_WH] += losses * dt / 3600.0
    _battery(x, c, p, x[X.POWER_W] + losses)
    _heat(x, c, p, losses)
