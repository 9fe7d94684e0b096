"""The island, step by step.

Voltage follows the balance of active power: the energy in inductor and capacitor, ½(B_C/ω₀ + B_L·ω₀/ω²)·V²,
changes by P − G·V². Frequency follows the balance of reactive power at once: V²(B_L·ω₀/ω − B_C·ω/ω₀) = Q.
That is the model of slow changes around one frequency; what it leaves out dies with the time constant
2·Qf/ω₀ of the load (5 ms at Qf = 1). Trips interpolate where a threshold was crossed.
"""

from __future__ import annotations

import math

import numpy as np

from v2glab.compiled import compiler
from v2glab.gridcodes.islanding._inverter import (
    CONSTANT_CURRENT,
    CURVE_POINTS,
    DETECTION,
    DROOP,
    DROOP_BAND,
    DROOP_ON,
    DROOP_TAU,
    I_MAX,
    MEASURING,
    P_MAX,
    SFS_GAIN,
    SFS_LIMIT,
    SFS_OFFSET,
    SVS_GAIN,
    VV,
    VW,
    WV,
    Array,
    P,
    Q,
)

jit = compiler("gridcodes/islanding")

# states: voltage, measured voltage and frequency, lags of droop, volt-var, volt-watt, watt-var
V, VM, FM, PD, QV, PW, QW = 0, 1, 2, 3, 4, 5, 6
STATES = 7
#: Below this voltage (p.u.) the island counts as dead.
DEAD_PU = 0.02


@jit
def curve(p: Array, at: int, x: float) -> float:
    """Return a packed curve at x."""
    count = int(p[at])
    xs, ys = at + 2, at + 2 + CURVE_POINTS
    if x <= p[xs]:
        return float(p[ys])
    for k in range(1, count):
        if x <= p[xs + k]:
            share = (x - p[xs + k - 1]) / (p[xs + k] - p[xs + k - 1])
            return float(p[ys + k - 1] + share * (p[ys + k] - p[ys + k - 1]))
    return float(p[ys + count - 1])


@jit
def shift(s: Array, p: Array, f0: float) -> float:
    """Return the share of a quarter turn by which the frequency shift asks the current to lead."""
    return float(p[SFS_OFFSET] + p[SFS_GAIN] * (s[FM] - f0))


@jit
def output(s: Array, p: Array, f0: float) -> tuple[float, float]:
    """Return active and reactive power of the inverter at its state."""
    power = p[P] + s[PD]
    if p[VW] > 0:
        power = min(power, s[PW])
    power = min(max(power, 0.0), p[P_MAX]) * (1.0 + p[SVS_GAIN] * (s[VM] - 1.0))
    reactive = p[Q]
    if p[VV] > 0:
        reactive += s[QV]
    if p[WV] > 0:
        reactive += s[QW]
    power = max(power, 0.0)
    angle = math.pi / 2 * min(max(shift(s, p, f0), -p[SFS_LIMIT]), p[SFS_LIMIT])
    lead, along = math.sin(angle), math.cos(angle)
    power, reactive = power * along + reactive * lead, reactive * along - power * lead
    apparent = math.hypot(power, reactive)
    if p[CONSTANT_CURRENT] > 0:
        power, reactive, apparent = power * s[V], reactive * s[V], apparent * s[V]
    most = p[I_MAX] * s[V]
    if apparent > most:
        power, reactive = power * most / apparent, reactive * most / apparent
    return power, reactive


@jit
def frequency(v: float, reactive: float, load: Array) -> float:
    """Return the frequency at which the load takes the reactive power."""
    inductive, capacitive, f0 = load[1], load[2], load[3]
    q = reactive / (v * v)
    ratio = (-q + math.sqrt(q * q + 4.0 * capacitive * inductive)) / (2.0 * capacitive)
    return float(ratio * f0)


@jit
def slopes(s: Array, p: Array, load: Array, on: bool, out: Array) -> float:
    """Write the derivative of each state; return the frequency."""
    f0 = load[3]
    v = max(s[V], DEAD_PU)
    power, reactive = 0.0, 0.0
    if on:
        power, reactive = output(s, p, f0)
    hertz = frequency(v, reactive, load)
    ratio = hertz / f0
    storage = (load[2] + load[1] / (ratio * ratio)) / (2.0 * math.pi * f0)
    out[V] = (power - load[0] * v * v) / (storage * v)
    out[VM] = (s[V] - s[VM]) / p[MEASURING]
    out[FM] = (hertz - s[FM]) / p[MEASURING]
    out[PD] = lagged(s[PD], droop(s[FM], p, f0), p[DROOP_TAU]) if p[DROOP_ON] > 0 else 0.0
    out[QV] = lagged(s[QV], curve(p, VV, s[VM]), p[VV + 1]) if p[VV] > 0 else 0.0
    out[PW] = lagged(s[PW], curve(p, VW, s[VM]), p[VW + 1]) if p[VW] > 0 else 0.0
    out[QW] = lagged(s[QW], curve(p, WV, p[P] + s[PD]), p[WV + 1]) if p[WV] > 0 else 0.0
    return hertz


@jit
def advance(s: Array, slope: Array, step_s: float, out: Array) -> None:
    """Write the state a step on."""
    for k in range(s.size):
        out[k] = s[k] + step_s * slope[k]


@jit
def lagged(y: float, target: float, tau: float) -> float:
    """Return the slope of a first-order lag; one shorter than 1 ms counts as 1 ms."""
    return (target - y) / max(tau, 1e-3)


@jit
def droop(hertz: float, p: Array, f0: float) -> float:
    """Return the change of power by droop, per unit."""
    over = hertz - f0 - p[DROOP_BAND]
    under = f0 - p[DROOP_BAND] - hertz
    if over > 0:
        return float(-over / (f0 * p[DROOP]))
    if under > 0:
        return float(under / (f0 * p[DROOP]))
    return 0.0


@jit
def start(p: Array, f0: float, s: Array) -> None:
    """Set a state of zeros to that before the grid opens: all nominal, lags settled."""
    s[V], s[VM], s[FM] = 1.0, 1.0, f0
    if p[VV] > 0:
        s[QV] = curve(p, VV, 1.0)
    if p[VW] > 0:
        s[PW] = curve(p, VW, 1.0)
    if p[WV] > 0:
        s[QW] = curve(p, WV, p[P])


@jit
def run(
    p: Array, load: Array, trips: Array, step_s: float, count: int, v: Array, f: Array, power: Array, q: Array
) -> tuple[float, int]:
    """Step the island and return when the inverter ceased (−1: it did not), and which trip it was.

    ``v``, ``f``, ``power``, ``q``: shape (count + 1,) to be written, or (0,) to stop at the trip without
    keeping anything. A trip of −1 with a time says that the voltage collapsed by itself, one of −2 that the
    inverter found the island by its frequency shift.
    """
    keep = v.size > 0
    f0 = load[3]
    s, k1, k2, half = np.zeros(STATES), np.zeros(STATES), np.zeros(STATES), np.zeros(STATES)
    timers = np.zeros(trips.shape[0])
    start(p, f0, s)
    on, ceased, which, saturated = True, -1.0, -1, 0
    for n in range(count + 1):
        hertz = slopes(s, p, load, on, k1)
        if keep:
            v[n], f[n] = s[V], hertz
            power[n], q[n] = output(s, p, f0) if on else (0.0, 0.0)
        if n == count or (not on and not keep):
            break
        before_v, before_f = s[VM], s[FM]
        advance(s, k1, step_s / 2, half)
        slopes(half, p, load, on, k2)
        advance(s, k2, step_s, s)
        s[V] = max(s[V], 0.0)
        if on:
            wait, which = elapse(trips, timers, before_v, before_f, s[VM], s[FM], step_s)
            if which >= 0:
                ceased, on = n * step_s + wait, False
            elif s[V] < DEAD_PU:
                ceased, on = (n + 1) * step_s, False
            elif p[DETECTION] > 0:
                saturated = saturated + 1 if abs(shift(s, p, f0)) >= p[SFS_LIMIT] else 0
                if saturated * step_s >= p[DETECTION]:
                    ceased, on, which = (n + 1) * step_s, False, -2
    return ceased, which


@jit
def run_many(p: Array, loads: Array, trips: Array, step_s: float, count: int, out: Array) -> None:
    """Write the time to cease for each load, shape (M, 4); −1: it did not."""
    nothing = np.zeros(0)
    for m in range(loads.shape[0]):
        out[m], _ = run(p, loads[m], trips, step_s, count, nothing, nothing, nothing, nothing)


@jit
def elapse(
    trips: Array, timers: Array, v0: float, f0: float, v1: float, f1: float, step_s: float
) -> tuple[float, int]:
    """Advance the timers over one step; return when within it the first trip fell, and which; −1: none."""
    first, which = step_s, -1
    for k in range(trips.shape[0]):
        a, b = (f0, f1) if trips[k, 0] > 0 else (v0, v1)
        threshold, sign = trips[k, 2], (1.0 if trips[k, 1] > 0 else -1.0)
        a, b = sign * (a - threshold), sign * (b - threshold)
        if b <= 0:
            timers[k] = 0.0
            continue
        part = step_s if a > 0 else step_s * b / (b - a)
        base = timers[k] if a > 0 else 0.0
        timers[k] = base + part
        if timers[k] >= trips[k, 3]:
            moment = step_s - (timers[k] - trips[k, 3])
            if which < 0 or moment < first:
                first, which = moment, k
    return first, which
