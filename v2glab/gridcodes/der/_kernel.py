"""The kernel: any number of plants, each with its own settings, step and timeline."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from v2glab.gridcodes.der._active import active_power, charge, rest_active
from v2glab.gridcodes.der._capability import limit_pq
from v2glab.gridcodes.der._counters import count_timers
from v2glab.gridcodes.der._current import control, output
from v2glab.gridcodes.der._filters import lag, settle
from v2glab.gridcodes.der._jit import Array, jit, jit_apart, jit_entry
from v2glab.gridcodes.der._mean import mean_trip
from v2glab.gridcodes.der._measure import measure
from v2glab.gridcodes.der._places import (
    MEMORY_COUNT,
    MEMORY_DUE,
    MEMORY_G,
    MEMORY_RING,
    MEMORY_ROWS,
    MEMORY_U,
    G,
    U,
    X,
)
from v2glab.gridcodes.der._places_settings import SETTINGS, P
from v2glab.gridcodes.der._reactive import reactive_power, rest_reactive
from v2glab.gridcodes.der._state import decide
from v2glab.gridcodes.der._status import Status
from v2glab.gridcodes.der._timers import remember, stretch

Index = NDArray[np.int64]
_TRIP = int(Status.TRIP)
_MOST_V = 10.0
_MOST_HZ = 1000.0
_EDGE = 1e-9  # share of a step by which an event may lie behind a sample and still belong to it


@jit
def sample(x: Array, u: Array, p: Array, t: float) -> None:
    """Let the plant act on the inputs at one sample; timers have run up to it."""
    if p[P.V_LAGGED] > 0.5:
        u[U.MEAN] = lag(x, X.V_U, X.V_Y, u[U.MEAN], p, P.V_E)
    status = decide(x, u, p, t)
    charge(x, p)
    if status == _TRIP:
        rest_active(x, u, p)
        rest_reactive(x, u, p)
        power, q = 0.0, 0.0
    else:
        power = active_power(x, u, p, status)
        q = reactive_power(x, u, p, power)
        power, q = limit_pq(power * p[P.P_RATIO], q, p, int(p[P.MODE]))
    output(x, u, p, power, q, control(x, p, status, t))


@jit
def _inputs(u: Array, g: Array, p: Array, t: float) -> None:
    """Set the inputs of a stretch of the timeline at a time."""
    since = t - g[G.START]
    u[U.VA] = g[G.VA] + since * g[G.VA_SLOPE]
    u[U.VB] = g[G.VB] + since * g[G.VB_SLOPE]
    u[U.VC] = g[G.VC] + since * g[G.VC_SLOPE]
    u[U.HZ] = g[G.HZ] + since * g[G.HZ_SLOPE]
    u[U.DEMAND] = g[G.DEMAND] + since * g[G.DEMAND_SLOPE]
    measure(u, g, p)


@jit
def _switches(u: Array, g: Array) -> None:
    u[U.LIMIT] = g[G.LIMIT]
    u[U.PERMIT] = g[G.PERMIT]
    u[U.AUTHORISED] = g[G.AUTHORISED]


@jit_apart
def _event(x: Array, u: Array, g: Array, p: Array) -> None:
    """Begin a stretch: new values at exactly its start; a withdrawn permit or a jump trips there."""
    _switches(u, g)
    _inputs(u, g, p, g[G.START])
    remember(x, u, g[G.START])
    if p[P.COMPATIBLE] < 0.5 and (u[U.PERMIT] < 0.5 or abs(g[G.JUMP_RAD]) > p[P.JUMP_MAX]):
        x[X.TRIP_AT] = min(x[X.TRIP_AT], g[G.START])


@jit
def _to_sample(x: Array, u: Array, grid: Array, at: int, last: int, p: Array, t: float) -> int:
    """Run the timers from the sample before to ``t``, stretch by stretch; return the one that holds it."""
    edge = t + _EDGE * p[P.STEP]
    while at < last and grid[at, G.END] <= edge:
        if p[P.COMPATIBLE] < 0.5:
            _inputs(u, grid[at], p, grid[at, G.END])
            stretch(x, u, p, grid[at, G.END])
        at += 1
        _event(x, u, grid[at], p)
    return at


@jit
def advance(x: Array, u: Array, grid: Array, at: int, last: int, p: Array, ring: Array, t: float) -> int:
    """Advance one plant to its next sample at ``t``."""
    moved = _to_sample(x, u, grid, at, last, p, t)
    if moved != at or grid[moved, G.CONSTANT] < 0.5 or p[P.V_LAGGED] > 0.5:
        _inputs(u, grid[moved], p, t)
    if p[P.COMPATIBLE] > 0.5:
        count_timers(x, u, p, t)
        remember(x, u, t)
    else:
        stretch(x, u, p, t)
    if p[P.MEAN_WINDOW] > 0.0:
        mean_trip(x, u, p, ring, t)
    sample(x, u, p, t)
    return moved


@jit_apart
def prime(x: Array, u: Array, g: Array, p: Array) -> None:
    """Bring a fresh state into line with the inputs at time zero."""
    _switches(u, g)
    _inputs(u, g, p, 0.0)
    _align(x, u, p)


@jit_apart
def _align(x: Array, u: Array, p: Array) -> None:
    """Bring a fresh state into line with the inputs in ``u``, at time zero."""
    remember(x, u, 0.0)
    settle(x, X.V_U, X.V_Y, u[U.MEAN])
    settle(x, X.VREF_U, X.VREF_Y, u[U.MEAN])
    x[X.ROCOF_HZ] = u[U.HZ]
    x[X.DEMAND] = u[U.DEMAND]
    x[X.DROOP_PRE] = u[U.DEMAND]
    x[X.Q_MODE] = p[P.MODE]


@jit
def _possible(va: float, vb: float, vc: float, hz: float, demand: float, p: Array) -> bool:
    """Whether the inputs are numbers within what is possible; not a number is not."""
    volts = 0.0 <= va <= _MOST_V and 0.0 <= vb <= _MOST_V and 0.0 <= vc <= _MOST_V
    return bool(volts and 1.0 <= hz <= _MOST_HZ and -p[P.CHARGE_RATIO] - 1e-9 <= demand <= 1.0)


@jit_entry
def step(
    memory: Array, va: float, vb: float, vc: float, hz: float, demand: float
) -> tuple[float, float, int]:
    """Advance one plant, all in one array, by a step from outside; a status of −1 refuses the inputs."""
    x, u, g = memory[:MEMORY_U], memory[MEMORY_U:MEMORY_G], memory[MEMORY_G:MEMORY_DUE]
    number = memory[MEMORY_COUNT]
    p = memory[MEMORY_ROWS + SETTINGS : MEMORY_ROWS + 2 * SETTINGS]
    if not _possible(va, vb, vc, hz, demand, p):
        return 0.0, 0.0, -1
    number += 1.0
    memory[MEMORY_COUNT] = number
    t = number * p[P.STEP]
    if memory[MEMORY_DUE] <= t:
        memory[MEMORY_DUE] = np.inf
        for i in range(SETTINGS):
            p[i] = memory[MEMORY_ROWS + 2 * SETTINGS + i]
    if number == 1.0:
        p = memory[MEMORY_ROWS : MEMORY_ROWS + SETTINGS]
    u[U.VA], u[U.VB], u[U.VC], u[U.HZ], u[U.DEMAND] = va, vb, vc, hz, demand
    measure(u, g, p)
    if number == 1.0:
        _align(x, u, p)
    stretch(x, u, p, t)
    if p[P.MEAN_WINDOW] > 0.0:
        mean_trip(x, u, p, memory[MEMORY_RING:MEMORY_ROWS], t)
    sample(x, u, p, t)
    return x[X.P_OUT], x[X.Q_OUT], int(x[X.STATUS])


_STEP_SIGNATURE = (
    "Tuple((float64, float64, int64))(float64[::1], float64, float64, float64, float64, float64)"
)


def bound_step() -> Callable[..., tuple[float, float, int]]:
    """Return the compiled step with its one signature bound, which spares the choice among signatures."""
    compiled = getattr(step, "compile", None)
    if compiled is None:  # under NUMBA_DISABLE_JIT the function is plain Python
        return step
    entry: Callable[..., tuple[float, float, int]] = compiled(_STEP_SIGNATURE)
    return entry


@jit_entry
def run(
    x: Array,
    cursor: Index,
    grid: Array,
    spans: Index,
    settings: Array,
    rows: Index,
    due: Array,
    first: Index,
    count: Index,
    u: Array,
    ring: Array,
    out: Array,
    status: NDArray[np.int8],
) -> None:
    """Run plants one after the other.

    Parameters
    ----------
    x
        States, shape (plants, STATES); changed.
    cursor
        Place in timeline and settings of each plant, shape (plants, 2); changed.
    grid, spans
        Stretches of all timelines, and first and last of each plant, shape (plants, 2).
    settings, rows, due
        Rows of settings, first and last of each plant, and when each takes effect.
    first, count
        Number of the first sample and how many samples, one a plant.
    u
        Room for the inputs of one moment.
    ring
        Room for sliding means, shape (plants, BINS), or (plants, 0) where none is asked for; changed.
    out, status
        Results, plant after plant: p, q, soc, trip time; shape (4, samples) and (samples,); changed.
    """
    place = 0
    for d in range(x.shape[0]):
        at, row = cursor[d, 0], cursor[d, 1]
        last, last_row = spans[d, 1], rows[d, 1]
        xd, p = x[d], settings[row]
        width = p[P.STEP]
        if first[d] == 1:
            prime(xd, u, grid[at], p)
        _switches(u, grid[at])
        _inputs(u, grid[at], p, xd[X.TIME])
        for k in range(first[d], first[d] + count[d]):
            t = k * width
            while row < last_row and due[row + 1] <= t + _EDGE * width:
                row += 1
                p = settings[row]
                _inputs(u, grid[at], p, t)
            at = advance(xd, u, grid, at, last, p, ring[d], t)
            out[0, place] = xd[X.P_OUT]
            out[1, place] = xd[X.Q_OUT]
            out[2, place] = xd[X.SOC]
            out[3, place] = xd[X.TRIP_TIME]
            status[place] = int(xd[X.STATUS])
            place += 1
        cursor[d, 0] = at
        cursor[d, 1] = row
