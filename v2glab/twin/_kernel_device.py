"""The inverter's grid-support functions: the reference model of ``gridcodes.der``, inside the plant.

The model sees what the device measures at its terminals, and its powers become currents. What it has no
notion of stays with the plant: heat, a full battery, a welded contactor, a fault that latches.
"""

from __future__ import annotations

import math

from v2glab.gridcodes.der.loop import (
    INPUTS,
    ROW,
    TRIP_AFTER,
    TRIP_SIDE,
    Control,
    Inputs,
    Setting,
    State,
    step,
)
from v2glab.twin._jit import Array, jit
from v2glab.twin._physics import C, Fault, P, X

_NO_FAULT = int(Fault.NONE)
_VOLTAGE_TRIP = int(Fault.VOLTAGE_TRIP)
_FREQUENCY_TRIP = int(Fault.FREQUENCY_TRIP)
_VECTOR_SHIFT = int(Fault.VECTOR_SHIFT)
_OFF, _BLOCKED = int(Control.OFF), int(Control.BLOCKED)
_LEAST_V = 1e-4
_STARTED = 1.1


@jit
def wants_to_be_closed(x: Array, c: Array, der: Array) -> bool:
    """Whether the contactor is to be closed: by command, or because the device enters service by itself."""
    if x[X.FAULT] != _NO_FAULT:
        return False
    if c[C.AUTOMATIC] > 0.5:
        return bool(der[State.TRIPPED] < 0.5)
    return bool(c[C.CONTACTOR] > 0.5 and x[X.RELEASED] < 0.5)


@jit
def serves(x: Array, c: Array) -> bool:
    """Whether current can flow."""
    runs = c[C.RUN] > 0.5 or c[C.AUTOMATIC] > 0.5
    return bool(x[X.CONTACTOR_CLOSED] > 0.5 and runs and x[X.FAULT] == _NO_FAULT)


@jit
def _halt(der: Array) -> None:
    """Be out of service; time within the criteria for entering it counts from now."""
    der[State.TRIPPED] = 1.0
    der[State.ES_DONE] = 0.0
    der[State.ES_SINCE] = math.inf


@jit
def _begin(der: Array) -> None:
    """Be in service at once, as whoever closed the contactor by hand wants it."""
    der[State.TRIPPED] = 0.0
    der[State.ES_DONE] = 1.0
    der[State.ES_RAMP] = _STARTED
    der[State.TRIP_AT] = math.inf


@jit
def _prepare(x: Array, c: Array, der: Array, flows: bool) -> None:
    """Bring the model into or out of service with the contactor, unless it decides by itself."""
    automatic = c[C.AUTOMATIC] > 0.5
    begins = automatic and x[X.AUTOMATIC] < 0.5
    x[X.AUTOMATIC] = 1.0 if automatic else 0.0
    if x[X.FAULT] != _NO_FAULT or not (flows or (automatic and not begins)):
        _halt(der)
    elif not automatic and x[X.SERVING] < 0.5:
        _begin(der)
    x[X.SERVING] = 1.0 if flows else 0.0


@jit
def _cause(x: Array, der: Array) -> int:
    """Return the fault code of a trip of the model; 0 when service was no longer permitted."""
    at = der[State.TRIP_TIME]
    for i in range(int(der[ROW + Setting.TRIPS])):
        since = der[State.TRIP_SINCE + i]
        if at - since >= der[ROW + TRIP_AFTER + i] - 1e-9:
            return _VOLTAGE_TRIP if der[ROW + TRIP_SIDE + i] < 2.5 else _FREQUENCY_TRIP
    if der[INPUTS + Inputs.PERMIT] < 0.5 or der[ROW + Setting.PERMIT] < 0.5:
        return _NO_FAULT
    if abs(der[State.ROCOF]) > der[ROW + Setting.ROCOF_MAX]:
        return _FREQUENCY_TRIP
    return _VOLTAGE_TRIP if der[State.MEAN_SINCE] < math.inf else _VECTOR_SHIFT


@jit
def support(x: Array, c: Array, p: Array, der: Array) -> None:
    """Step the functions, and let a trip latch unless the device returns by itself."""
    flows = serves(x, c)
    _prepare(x, c, der, flows)
    demand = min(1.0, max(-1.0, c[C.POWER_W] / p[P.RATED_W]))
    may_export = c[C.EXPORT_ENABLE] > 0.5 and c[C.AUTHORISED] > 0.5 and x[X.SOC] > c[C.SOC_LIMIT]
    der[INPUTS + Inputs.AUTHORISED] = 1.0 if may_export else 0.0
    nominal = p[P.NOMINAL_V]
    va, vb, vc = x[X.RMS_A] / nominal, x[X.RMS_B] / nominal, x[X.RMS_C] / nominal
    step(der, va, vb, vc, x[X.DEVICE_HZ], demand)
    if flows and der[State.TRIPPED] > 0.5 and c[C.AUTOMATIC] < 0.5:
        cause = _cause(x, der)
        x[X.FAULT] = cause
        x[X.RELEASED] = 1.0 if cause == _NO_FAULT else 0.0


@jit
def currents(x: Array, c: Array, p: Array, der: Array) -> None:
    """Advance both currents towards what the functions and the limits of the hardware ask for."""
    if not serves(x, c) or der[State.CONTROL] == _OFF or der[State.CONTROL] == _BLOCKED:
        x[X.CURRENT_PEAK] = 0.0
        x[X.CURRENT_Q_PEAK] = 0.0
        return
    volts = max(der[INPUTS + Inputs.V1], _LEAST_V)
    base = math.sqrt(2.0) * p[P.RATED_W] / (3.0 * p[P.NOMINAL_V]) / volts
    active, reactive = base * der[State.P_OUT], base * der[State.Q_OUT]
    if active < 0.0 and x[X.SOC] >= 1.0:
        active = 0.0
    bound = math.sqrt(2.0) * p[P.RATED_A] * x[X.DERATING_PU]
    size = math.hypot(active, reactive)
    if size > bound:
        active, reactive = active * bound / size, reactive * bound / size
    share = p[P.STEP_S] / p[P.CURRENT_LAG_S]
    x[X.CURRENT_PEAK] += (active - x[X.CURRENT_PEAK]) * share
    x[X.CURRENT_Q_PEAK] += (reactive - x[X.CURRENT_Q_PEAK]) * share
