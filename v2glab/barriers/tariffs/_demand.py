"""Demand charges of a bill: flat, by time of use, and the ratchet."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from v2glab.barriers.tariffs._ladders import billing_demand, split_demand
from v2glab.barriers.tariffs._lines import Kind, Line, tier_lines
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


def demand_charges(rate: Rate, reading: Reading, demand_kw: Floats) -> tuple[Floats, list[Line]]:
    """Price the demand of each month.

    Returns
    -------
    tuple
        Charge per month (M,), and the lines.
    """
    tables, months = rate.tables, demand_kw.size
    total = np.zeros(months)
    lines: list[Line] = []
    if tables.flat is not None:
        periods = tables.flat_period[reading.month_numbers]
        each = np.zeros((months, tables.flat.upper.shape[0]))
        each[np.arange(months), periods] = demand_kw
        total += _charge("flat demand", tables.flat, each, reading, lines)
    if tables.demand is not None:
        total += _charge("time-of-use demand", tables.demand, reading.period_peak, reading, lines)
    return total, lines


def _charge(kind: Kind, table: TierTable, peaks: Floats, reading: Reading, lines: list[Line]) -> Floats:
    months, periods = peaks.shape
    tiers = table.upper.shape[1]
    split = np.zeros((months * periods, tiers + 1))
    split_demand(peaks.ravel(), np.tile(np.arange(periods), months), table.upper, split)
    split = split.reshape(months, periods, tiers + 1)
    if split[:, :, -1].any():
        m, p = (int(axis[0]) for axis in np.nonzero(split[:, :, -1]))
        raise InputError(
            f"{reading.calendar.names[m]}: {peaks[m, p]:g} kW, but {table.keys[p][-1]} ends at "
            f"{table.upper[p, -1]:g} kW",
            "a last tier without 'max'",
            "add the tier that prices the rest",
        )
    held = split[:, :, :-1]
    lines += tier_lines(reading.calendar.names, kind, table.keys, held, "kW", table.price)
    return np.asarray(np.einsum("mpk,pk->m", held, table.price))
