"""Grid, contactor and waveforms of the plant."""

from __future__ import annotations

import math

from v2glab.twin._jit import TAU, THIRD, Array, jit
from v2glab.twin._kernel_device import wants_to_be_closed
from v2glab.twin._physics import C, Fault, P, R, X

_OUT_OF_PHASE = int(Fault.OUT_OF_PHASE)


@jit
def grid(x: Array, c: Array, p: Array) -> None:
    """Advance voltages, frequency and angle of the grid, and what is measured of its frequency.

    The inverter's own oscillator runs while it is not locked.
    """
    dt = p[P.STEP_S]
    since = x[X.TIME_S] - c[C.RAMP_FROM_S]
    x[X.GRID_A_PU] = max(0.0, c[C.GRID_A_PU] + since * c[C.RAMP_A_PU_S])
    x[X.GRID_B_PU] = max(0.0, c[C.GRID_B_PU] + since * c[C.RAMP_B_PU_S])
    x[X.GRID_C_PU] = max(0.0, c[C.GRID_C_PU] + since * c[C.RAMP_C_PU_S])
    x[X.GRID_HZ] = c[C.GRID_HZ] + since * c[C.RAMP_HZ_S] + c[C.DRIFT_HZ]
    x[X.GRID_ANGLE] = (x[X.GRID_ANGLE] + TAU * x[X.GRID_HZ] * dt) % TAU
    x[X.MEASURED_HZ] += (x[X.GRID_HZ] - x[X.MEASURED_HZ]) * dt / p[P.METER_S]
    x[X.DEVICE_HZ] += (x[X.GRID_HZ] - x[X.DEVICE_HZ]) * dt / p[P.PLL_S]
    if x[X.CONTACTOR_CLOSED] > 0.5:
        x[X.INVERTER_ANGLE] = (x[X.GRID_ANGLE] + c[C.TURN_RAD]) % TAU
    else:
        own_hz = p[P.NOMINAL_HZ] + c[C.TRIM_HZ]
        x[X.INVERTER_ANGLE] = (x[X.INVERTER_ANGLE] + TAU * own_hz * dt) % TAU


@jit
def _touch(x: Array, c: Array, p: Array) -> None:
    """Let the contacts touch: what separates both sides drives a transient current.

    A device that enters service by itself has brought itself into step before.
    """
    x[X.CONTACTOR_CLOSED] = 1.0
    x[X.CONTACTOR_TIMER_S] = 0.0
    if c[C.RUN] < 0.5 or c[C.AUTOMATIC] > 0.5:
        return
    apart = x[X.INVERTER_ANGLE] - x[X.GRID_ANGLE] - c[C.TURN_RAD]
    apart = (apart + math.pi) % TAU - math.pi
    inverter, grid_v = c[C.INVERTER_V], p[P.NOMINAL_V] * x[X.GRID_A_PU]
    real = inverter * math.cos(apart) - grid_v
    imaginary = inverter * math.sin(apart)
    x[X.INRUSH_PEAK] = math.sqrt(2.0) * math.hypot(real, imaginary) / p[P.SYNC_OHM]
    x[X.INRUSH_ANGLE] = math.atan2(imaginary, real)
    if abs(apart) > p[P.MAX_PHASE_RAD]:
        x[X.FAULT] = _OUT_OF_PHASE


@jit
def contactor(x: Array, c: Array, p: Array, der: Array) -> None:
    """Move the contactor towards what is wanted; a fault opens it, a weld keeps it closed."""
    wanted = wants_to_be_closed(x, c, der)
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


@jit
def phase_sample(x: Array, c: Array, p: Array, k: int, ring: Array, place: int) -> None:
    """Write grid voltage, inverter voltage and current of phase k at this instant."""
    grid_pu = x[X.GRID_A_PU + k]
    angle = x[X.GRID_ANGLE] + c[C.TURN_A_RAD + k] - k * THIRD
    peak = math.sqrt(2.0) * p[P.NOMINAL_V]
    source = grid_pu * math.cos(angle)
    source += p[P.HARMONIC_5] * math.cos(5.0 * angle) + p[P.HARMONIC_7] * math.cos(7.0 * angle)
    own = x[X.GRID_ANGLE] + c[C.TURN_RAD] - k * THIRD
    cosine, sine = math.cos(own), math.sin(own)
    active, reactive = x[X.CURRENT_PEAK], x[X.CURRENT_Q_PEAK]
    current = active * cosine + reactive * sine
    ohm = c[C.GRID_SHARE] * p[P.GRID_OHM] + c[C.CONTACT_OHM]
    reactance = c[C.GRID_SHARE] * TAU * x[X.GRID_HZ] * p[P.GRID_HENRY]
    drop = ohm * current + reactance * (reactive * cosine - active * sine)
    if x[X.INRUSH_PEAK] > 0.0:
        current += x[X.INRUSH_PEAK] * math.cos(angle + x[X.INRUSH_ANGLE])
    grid_v = peak * source + (drop if x[X.CONTACTOR_CLOSED] > 0.5 else 0.0)
    if x[X.CONTACTOR_CLOSED] > 0.5:
        inverter = grid_v
    elif c[C.RUN] > 0.5:
        inverter = math.sqrt(2.0) * c[C.INVERTER_V] * math.cos(x[X.INVERTER_ANGLE] - k * THIRD)
    else:
        inverter = 0.0
    ring[R.GRID_A + k, place] = grid_v
    ring[R.INVERTER_A + k, place] = inverter
    ring[R.CURRENT_A + k, place] = current if x[X.CONTACTOR_CLOSED] > 0.5 else 0.0


@jit
def root_mean_squares(x: Array, ring: Array, place: int, window: int) -> None:
    """Slide the one-cycle RMS of the three grid-side voltages."""
    size = ring.shape[1]
    old = (place - window) % size
    for k in range(3):
        new = ring[R.GRID_A + k, place]
        gone = ring[R.GRID_A + k, old]
        x[X.SQUARES_A + k] = max(0.0, x[X.SQUARES_A + k] + new * new - gone * gone)
        x[X.RMS_A + k] = math.sqrt(x[X.SQUARES_A + k] / window)
