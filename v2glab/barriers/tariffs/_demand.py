"""Demand charges of a bill: flat, by time of use, and the ratchet."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from v2glab.barriers.tariffs._ladders import billing_demand, split_demand
from v2glab.barriers.tariffs._lines import Kind, Part, tier_part
from v2glab.barriers.tariffs._meter import Reading
from v2glab.barriers.tariffs._rate import Rate
from v2glab.barriers.tariffs._rate_tables import TierTable
from v2glab.evidence import InputError

Floats = NDArray[np.float64]


def billed_demand(rate: Rate, reading: Reading, previous_peaks_kw: Sequence[float] | None) -> Floats:
    """Return the demand of each month that flat charges and kWh/kW tiers count, shape (M,), kW.

    Raises
    ------
    InputError
        The rate has a ratchet and the peaks before the first month are not given, or are not 12.
    """
    if not rate.lookbackpercent:
        return reading.flat_peak
    if previous_peaks_kw is None or len(previous_peaks_kw) != 12:
        raise InputError(
            f"lookbackpercent {rate.lookbackpercent:g}, lookbackrange {rate.lookbackrange}; no earlier peaks",
            "the peaks of the 12 months before the first, in kW",
            "give previous_peaks_kw; twelve zeros mean a new connection",
        )
    before = np.array(previous_peaks_kw, dtype=np.float64)
    if not (np.isfinite(before).all() and (before >= 0).all()):
        raise InputError(f"previous peaks {previous_peaks_kw}", "numbers from 0 on", "mend them")
    counted = rate.lookbackmonths or (True,) * 12
    return billing_demand(
        reading.flat_peak, reading.calendar.months, rate.lookbackpercent, rate.lookbackrange, counted, before
    )


def demand_charges(rate: Rate, reading: Reading, demand_kw: Floats) -> list[Part]:
    """Price the demand of each month, given what flat charges count, shape (M,), kW."""
    tables, parts = rate.tables, []
    if tables.flat is not None:
        peaks = np.zeros((demand_kw.size, tables.flat.upper.shape[0]))
        peaks[np.arange(demand_kw.size), tables.flat_period[reading.calendar.number]] = demand_kw
        parts.append(_part("flat demand", tables.flat, peaks, reading.calendar.names))
    if tables.demand is not None:
        parts.append(_part("time-of-use demand", tables.demand, reading.period_peak, reading.calendar.names))
    return parts


def _part(kind: Kind, table: TierTable, peaks: Floats, names: tuple[str, ...]) -> Part:
    """Split the peaks (M, P) over their tiers."""
    held = np.zeros((*peaks.shape, table.upper.shape[1]))
    over = int(split_demand(peaks, table.upper, held))
    if over >= 0:
        m, p = divmod(over, peaks.shape[1])
        raise InputError(
            f"{names[m]}: {peaks[m, p]:g} kW, but {table.keys[p][-1]} ends at {table.upper[p, -1]:g} kW",
            "a last tier without 'max'",
            "add the tier that prices the rest",
        )
    return tier_part(names, kind, table.keys, held, "kW", table.price)
