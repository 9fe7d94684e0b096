"""Build the dispatch problem of one vehicle-year under given terms."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2glab.barriers._dispatch import DispatchProblem
from v2glab.barriers._jit import jit
from v2glab.barriers._sessions import STEP_S, Vehicle, VehicleYear, Window
from v2glab.barriers._terms import Terms
from v2glab.barriers.tariffs._tariff import Tariff, settle

Floats = NDArray[np.float64]
#: The golden ratio spreads a share of sessions evenly, without any random number.
_GOLDEN = (math.sqrt(5) - 1) / 2
#: Time until voltage and frequency are back after an excursion; the wait of the rules comes on top.
TRIP_CLEARS_S = 60.0


@dataclass(frozen=True)
class Market:
    """Tariff and energy price (T,) on the steps of the window; ``paid`` (T,) where export has its own."""

    tariff: Tariff
    energy: Floats
    window: Window
    paid: Floats | None = None


def vehicle_year_problem(
    year: VehicleYear, vehicle: Vehicle, market: Market, terms: Terms
) -> DispatchProblem:
    """Return the problem over the plugged steps only.

    Rules of the mobility baseline: what a session delivered is what the road took since the session before,
    so each drive comes right before the step in which its session starts. The car comes to its first session
    as if it had left full before, and is full at its last departure. In between it may leave with any energy
    that the next drive leaves above the reserve. Part of a step plugged in gives that part of the power.
    """
    starts, ends, energy, sessions = _plugged(year, terms.plug_in_share)
    offset = market.window.start_s
    steps = market.window.steps
    plugged = _occupancy(starts - offset, ends - offset, steps)
    exporting = _exporting(starts - offset, ends - offset, sessions, steps, terms, plugged)
    drive = np.zeros(steps)
    need = energy * vehicle.charge_efficiency
    # A session may start in the last second of the window's last step, never after it.
    np.add.at(drive, np.minimum((starts - offset) // STEP_S, steps - 1), need)
    active = np.flatnonzero((plugged > 0) | (drive > 0))
    drive = drive[active]
    buy, sell = settle(market.tariff, market.energy, STEP_S, terms, market.paid)
    hours = STEP_S / 3600
    out_efficiency = vehicle.discharge_efficiency * terms.discharge_efficiency
    power_kw = min(vehicle.discharge_kw * terms.discharge_share, terms.export_cap_kw)
    low = vehicle.battery_kwh * vehicle.reserve_share
    return DispatchProblem(
        drive_kwh=drive,
        charge_kwh=plugged[active] * vehicle.charge_kw * hours * vehicle.charge_efficiency,
        discharge_kwh=exporting[active] * power_kw * hours / out_efficiency,
        buy=buy[active] / vehicle.charge_efficiency,
        sell=(sell[active] - vehicle.wear_eur_per_kwh) * out_efficiency,
        low_kwh=low,
        high_kwh=vehicle.battery_kwh,
        start_kwh=vehicle.battery_kwh,
        end_kwh=vehicle.battery_kwh,
        discharge_cap_kwh=terms.discharge_cap_kwh_per_year * year.days / 365,
    )


def _plugged(
    year: VehicleYear, share: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats, NDArray[np.int64]]:
    """Return the sessions that take place; a skipped one hands its energy to the next that does.

    The last session always takes place: the energy of all drives is still bought.
    """
    count = year.start_s.size
    numbers = np.arange(count, dtype=np.int64)
    if share >= 1.0:
        return year.start_s, year.end_s, year.energy_kwh, numbers
    keep = _spread(numbers, share)
    keep[-1] = True
    group = np.concatenate([[0], np.cumsum(keep)[:-1]])
    energy = np.bincount(group, weights=year.energy_kwh).astype(np.float64)
    return year.start_s[keep], year.end_s[keep], energy, numbers[keep]


def _spread(numbers: NDArray[np.int64], share: float) -> NDArray[np.bool_]:
    return np.asarray((numbers + 1) * _GOLDEN % 1.0 < share)


def _exporting(
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    sessions: NDArray[np.int64],
    steps: int,
    terms: Terms,
    plugged: Floats,
) -> Floats:
    """Return the share of each step (steps,) in which export is possible."""
    chosen = (
        _spread(sessions, terms.session_share) if terms.session_share < 1 else np.ones(starts.size, np.bool_)
    )
    if terms.start_delay_s == 0 and chosen.all() and terms.trips_per_year == 0:
        return plugged
    begin = np.minimum(starts + math.ceil(terms.start_delay_s), ends)[chosen]
    exporting = _occupancy(begin, ends[chosen], steps)
    trips = round(terms.trips_per_year * steps * STEP_S / (365 * 86_400))
    if trips:
        # Golden-ratio instants have no beat with the day, so trips meet every hour alike.
        at = np.sort((np.arange(1, trips + 1) * _GOLDEN % 1.0) * steps * STEP_S).astype(np.int64)
        lost = _occupancy(at, at + math.ceil(TRIP_CLEARS_S + terms.start_delay_s), steps)
        exporting = exporting * np.clip(1.0 - lost, 0.0, 1.0)
    return np.asarray(exporting)


@jit
def _occupancy(starts: NDArray[np.int64], ends: NDArray[np.int64], steps: int) -> Floats:
    """Return the share of each step that intervals cover, shape (steps,)."""
    out = np.zeros(steps)
    for i in range(starts.size):
        first = starts[i] // STEP_S
        last = min((ends[i] - 1) // STEP_S, steps - 1)
        for step in range(first, last + 1):
            begin = max(starts[i], step * STEP_S)
            end = min(ends[i], (step + 1) * STEP_S)
            if end > begin:
                out[step] += (end - begin) / STEP_S
    return out
