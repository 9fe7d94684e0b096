"""Fronts of the island's model: one run, the run-on time, a map of what goes undetected."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from v2glab.evidence import InputError, Quantity
from v2glab.gridcodes.islanding._inverter import IslandInverter, TripLike, packed, packed_trips
from v2glab.gridcodes.islanding._load import RlcLoad, mismatched_load

Array = NDArray[np.float64]
STEP_S = 5e-4


@dataclass(frozen=True, slots=True)
class RunOn:
    """How long an inverter kept its island alive.

    ``persisted``: it still did when the simulation ended, so ``time_s`` is a lower bound. ``cause`` says what
    ended it: a trip as ``"voltage low"`` and the like, ``"collapse"`` of the voltage, ``"frequency shift"``
    when the inverter's active search found it, or nothing.
    """

    time_s: float
    uncertainty_s: float
    persisted: bool
    cause: str

    def quantity(self) -> Quantity:
        """Return the time as ``islanding_time``, s."""
        return Quantity("islanding_time", self.time_s, "s", self.uncertainty_s)


@dataclass(frozen=True, eq=False)
class IslandRecord:
    """One run; all arrays have shape (K,), time since the grid opened. Powers are those of the inverter."""

    time_s: Array
    voltage_pu: Array
    frequency_hz: Array
    p_pu: Array
    q_pu: Array
    run_on: RunOn


@dataclass(frozen=True, eq=False)
class NonDetectionMap:
    """``run_on_s`` (A, B): run-on time at ``delta_p`` (A,) and ``delta_q`` (B,), infinite where the island
    persisted; ``undetected`` (A, B): whether it lived longer than the limit.
    """

    delta_p: Array
    delta_q: Array
    run_on_s: Array
    undetected: NDArray[np.bool_]


def simulate_island(
    inverter: IslandInverter,
    load: RlcLoad,
    trips: Sequence[TripLike],
    *,
    duration_s: float = 10.0,
    step_s: float = STEP_S,
) -> IslandRecord:
    """Open the grid at time 0, at nominal voltage and frequency, and follow the island.

    Parameters
    ----------
    trips
        Trip settings, such as ``trip_settings(code, category)`` or :class:`IslandTrip`; they see voltage and
        frequency behind ``inverter.measuring_s``.
    duration_s, step_s
        Length and step; the step must follow the load: Qf/ω₀ or less.

    Raises
    ------
    InputError
        Duration or step is out of bounds, or a trip is wrong.
    """
    from v2glab.gridcodes.islanding._kernel import run

    count = _steps(load, duration_s, step_s)
    v, f, p, q = (np.zeros(count + 1) for _ in range(4))
    row = packed_trips(trips)
    ceased, which = run(packed(inverter), _row(load), row, step_s, count, v, f, p, q)
    seen = _run_on(ceased, which, row, load, duration_s, step_s)
    time = np.arange(count + 1, dtype=np.float64) * step_s
    return IslandRecord(np.asarray(time, dtype=np.float64), v, f, p, q, seen)


def run_on_time(
    inverter: IslandInverter,
    load: RlcLoad,
    trips: Sequence[TripLike],
    *,
    duration_s: float = 10.0,
    step_s: float = STEP_S,
) -> RunOn:
    """Return how long the island lives; arguments and errors as in :func:`simulate_island`."""
    from v2glab.gridcodes.islanding._kernel import run

    count, row, nothing = _steps(load, duration_s, step_s), packed_trips(trips), np.zeros(0)
    ceased, which = run(packed(inverter), _row(load), row, step_s, count, nothing, nothing, nothing, nothing)
    return _run_on(ceased, which, row, load, duration_s, step_s)


def non_detection_map(
    inverter: IslandInverter,
    trips: Sequence[TripLike],
    delta_p: Array,
    delta_q: Array,
    *,
    nominal_hz: float,
    quality_factor: float = 1.0,
    vary: Literal["L", "C"] = "L",
    limit_s: float = 2.0,
    step_s: float = STEP_S,
) -> NonDetectionMap:
    """Return where an island lives longer than a limit, over mismatches of active and reactive power.

    Parameters
    ----------
    delta_p, delta_q
        (P_load − P)/P, shape (A,), and Q_load/P, shape (B,); see :func:`mismatched_load`.
    vary
        Whether the inductor or the capacitor makes the reactive mismatch.
    limit_s
        Longest permitted run-on time (IEEE 1547-2018, 8.1.1: 2 s); the simulation lasts a tenth longer.

    Raises
    ------
    InputError
        As in :func:`simulate_island` and :func:`mismatched_load`.
    """
    from v2glab.gridcodes.islanding._kernel import run_many

    def load(dp: float, dq: float) -> RlcLoad:
        return mismatched_load(
            inverter.p_pu, dp, dq, nominal_hz=nominal_hz, quality_factor=quality_factor, vary=vary
        )

    loads = [load(float(dp), float(dq)) for dp in delta_p for dq in delta_q]
    if not loads:
        raise InputError("an empty grid of mismatches", "one ΔP and one ΔQ or more", "give values")
    count = min(_steps(one, 1.1 * limit_s, step_s) for one in loads)
    times = np.zeros(len(loads))
    run_many(packed(inverter), np.array([_row(x) for x in loads]), packed_trips(trips), step_s, count, times)
    run_on = np.where(times < 0, math.inf, times).reshape(len(delta_p), len(delta_q))
    return NonDetectionMap(np.asarray(delta_p), np.asarray(delta_q), run_on, run_on > limit_s)


def _row(load: RlcLoad) -> Array:
    return np.array([load.resistive_pu, load.inductive_pu, load.capacitive_pu, load.nominal_hz])


def _steps(load: RlcLoad, duration_s: float, step_s: float) -> int:
    # the voltage settles with storage over twice the conductance
    longest = load.capacitive_pu / load.resistive_pu / (math.tau * load.nominal_hz)
    if not 0 < step_s <= longest:
        found = f"step {step_s:g} s"
        raise InputError(found, f"above 0, up to {longest:.3g} s for this load", "take a shorter step")
    if not step_s <= duration_s <= 1e7 * step_s:
        found = f"duration {duration_s:g} s"
        raise InputError(found, f"{step_s:g} s to {1e7 * step_s:g} s", "change duration or step")
    return round(duration_s / step_s)


def _run_on(
    ceased: float, which: int, trips: Array, load: RlcLoad, duration_s: float, step_s: float
) -> RunOn:
    """Return the result with what the model leaves out: the load's own transient, taken as rectangular."""
    transient = 2 * load.quality_factor / (math.tau * load.nominal_hz)
    spread = math.hypot(step_s / math.sqrt(12), transient / math.sqrt(3))
    if ceased < 0:
        return RunOn(duration_s, spread, True, "")
    if which < 0:
        return RunOn(ceased, spread, False, "frequency shift" if which == -2 else "collapse")
    quantity = "frequency" if trips[which, 0] > 0 else "voltage"
    return RunOn(ceased, spread, False, f"{quantity} {'high' if trips[which, 1] > 0 else 'low'}")
