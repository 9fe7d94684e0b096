"""Trips and ride-through regions as the kernel takes them, and the window in which nothing happens."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from v2glab.evidence import InputError
from v2glab.gridcodes.der._parts import RideThroughRegion, TripCurve
from v2glab.gridcodes.der._places_settings import (
    REGION_HZ_MINIMUM,
    REGION_HZ_STATUS,
    REGION_HZ_UPPER,
    REGION_V_LOWER,
    REGION_V_MINIMUM,
    REGION_V_SLOPE,
    REGION_V_STATUS,
    REGION_V_UPPER,
    TRIP_AFTER,
    TRIP_LEVEL,
    TRIP_SIDE,
    P,
)
from v2glab.gridcodes.der._settings import DerSettings
from v2glab.gridcodes.der._status import Status

Row = NDArray[np.float64]
_SIDES = {("voltage", "low"): 1, ("voltage", "high"): 2, ("frequency", "low"): 3, ("frequency", "high"): 4}
_STATUS = {
    "continuous": Status.CONTINUOUS_OPERATION,
    "mandatory": Status.MANDATORY_OPERATION,
    "permissive": Status.PERMISSIVE_OPERATION,
    "momentary cessation": Status.MOMENTARY_CESSATION,
    "cease to energize": Status.CEASE_TO_ENERGIZE,
    "not required": Status.NOT_DEFINED,
    "not known": Status.NOT_DEFINED,
}


def pack_trips(row: Row, settings: DerSettings) -> None:
    """Write the enabled trip curves, and the one that compares a mean over a longer window."""
    at = 0
    for trip in settings.trips:
        if not trip.enabled:
            continue
        if trip.averaging_s > 0.0:
            _pack_mean(row, trip)
            continue
        row[TRIP_SIDE + at] = _SIDES[trip.quantity, trip.side]
        row[TRIP_LEVEL + at] = trip.threshold
        row[TRIP_AFTER + at] = trip.time_s
        at += 1
    row[P.TRIPS] = at


def _pack_mean(row: Row, trip: TripCurve) -> None:
    if trip.quantity != "voltage" or row[P.MEAN_WINDOW] > 0.0:
        raise InputError(
            f"trips.{trip.name}.averaging_s = {trip.averaging_s} s of {trip.quantity}",
            "at most one mean, of voltage",
            f"disable trips.{trip.name}, or let averaging_s be 0",
        )
    row[P.MEAN_SIDE] = _SIDES[trip.quantity, trip.side]
    row[P.MEAN_LEVEL], row[P.MEAN_AFTER], row[P.MEAN_WINDOW] = trip.threshold, trip.time_s, trip.averaging_s


def pack_regions(row: Row, settings: DerSettings, *, compatible: bool) -> None:
    """Write regions, cessation and the window of calm."""
    through = settings.ride_through
    row[P.RT_ENABLED] = through.enabled
    row[P.RT_TRIP] = through.enabled and through.trip_when_allowed and not compatible
    row[P.CEASE_RESPONSE] = through.cease_response_s
    volts = [r for r in through.regions if r.quantity == "voltage" and through.enabled]
    hertz = [r for r in through.regions if r.quantity == "frequency" and through.enabled]
    row[P.V_REGIONS], row[P.HZ_REGIONS] = len(volts), len(hertz)
    for i, r in enumerate(volts):
        row[REGION_V_UPPER + i] = math.inf if r.upper is None else r.upper
        row[REGION_V_LOWER + i] = 0.0 if r.lower is None else r.lower
        row[REGION_V_STATUS + i] = _STATUS[r.mode]
        row[REGION_V_MINIMUM + i] = r.minimum_s or 0.0
        row[REGION_V_SLOPE + i] = r.slope_s_per_unit
    for i, r in enumerate(hertz):
        row[REGION_HZ_UPPER + i] = math.inf if r.upper is None else r.upper
        row[REGION_HZ_STATUS + i] = _STATUS[r.mode]
        row[REGION_HZ_MINIMUM + i] = r.minimum_s or 0.0
    row[P.V_CALM_LOW : P.V_CALM_HIGH + 1] = _window(volts, "continuous")
    row[P.HZ_CALM_LOW : P.HZ_CALM_HIGH + 1] = _window(hertz, "continuous")
    mc = settings.momentary_cessation
    row[P.MC_ENABLED] = mc.enabled and through.enabled
    row[P.MC_LOW] = mc.v_low_pu if row[P.MC_ENABLED] else -math.inf
    row[P.MC_HIGH] = mc.v_high_pu if row[P.MC_ENABLED] else math.inf
    row[P.MC_RESPONSE], row[P.MC_RETURN] = mc.response_s, mc.return_s
    _cease_edges(row, volts)
    _safe(row)


def _window(regions: list[RideThroughRegion], mode: str) -> tuple[float, float]:
    """Return the lowest and highest value of a mode; everything where there is no region at all."""
    mine = [r for r in regions if r.mode == mode]
    if regions and not mine:
        raise InputError(
            f"{regions[0].quantity} regions without {mode!r}",
            f"a region of mode {mode!r}",
            "add it to the regions",
        )
    low = min((-math.inf if r.lower is None else r.lower for r in mine), default=-math.inf)
    return low, max((math.inf if r.upper is None else r.upper for r in mine), default=math.inf)


def _cease_edges(row: Row, volts: list[RideThroughRegion]) -> None:
    """Write beyond which voltages energising ceases, below and above."""
    cease = [r for r in volts if r.mode == "cease to energize"]
    lows = [r.upper for r in cease if r.upper is not None and r.upper <= 1.0]
    highs = [r.lower for r in cease if r.lower is not None and r.lower >= 1.0]
    row[P.CEASE_LOW] = max(lows, default=-math.inf)
    row[P.CEASE_HIGH] = min(highs, default=math.inf)


def _safe(row: Row) -> None:
    """Write the window inside which no threshold is met."""
    count = int(row[P.TRIPS])
    sides, levels = row[TRIP_SIDE : TRIP_SIDE + count], row[TRIP_LEVEL : TRIP_LEVEL + count]
    row[P.SAFE_V_LOW] = max([row[P.V_CALM_LOW], row[P.MC_LOW], row[P.CEASE_LOW], *levels[sides == 1]])
    row[P.SAFE_V_HIGH] = min([row[P.V_CALM_HIGH], row[P.MC_HIGH], row[P.CEASE_HIGH], *levels[sides == 2]])
    row[P.SAFE_HZ_LOW] = max([row[P.HZ_CALM_LOW], *levels[sides == 3]])
    row[P.SAFE_HZ_HIGH] = min([row[P.HZ_CALM_HIGH], *levels[sides == 4]])
