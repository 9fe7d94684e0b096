"""The exact bill of a meter under a rate."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from v2glab.barriers.tariffs._demand import billed_demand, demand_charges
from v2glab.barriers.tariffs._energy import energy_charges
from v2glab.barriers.tariffs._lines import Bill, Part, month_part, total_of
from v2glab.barriers.tariffs._meter import Reading, read_meter
from v2glab.barriers.tariffs._metering import Metering
from v2glab.barriers.tariffs._rate import Rate

Floats = NDArray[np.float64]
_YEAR = 12


def bill(
    rate: Rate,
    load_kw: ArrayLike,
    export_kw: ArrayLike,
    start_s: int,
    step_s: int,
    timezone: str,
    *,
    metering: Metering | None = None,
    demand_window_s: int | None = None,
    previous_peaks_kw: Sequence[float] | None = None,
) -> Bill:
    """Return the bills of whole local months, exact given the data.

    Rules that the rate format leaves open are those of NREL's Utilityrate5 (SAM); where that one departs from
    the calendar or from its own words, this follows the words: real months, leap days and clock changes;
    charges by the day count the days of the month; an annual minimum is held against charges that monthly
    minima have already raised; a look-back of N months reaches N months also in January.

    Parameters
    ----------
    load_kw, export_kw
        Shape (T,): mean power drawn from, and given to, the grid in each step, kW, both >= 0.
    start_s, step_s
        Start in seconds since 1970 UTC, and length of a step, s.
    timezone
        Name of the time zone whose clock the schedules follow.
    metering
        Metering rule; ``None`` takes the one that the rate names.
    demand_window_s
        Time over which demand is averaged; ``None`` takes the rate's ``demandwindow``, or else the step.
    previous_peaks_kw
        Peaks of the 12 months before the first, in order; needed for a rate with a ratchet.

    Raises
    ------
    InputError
        Data or rate cannot be billed; the message says which step or entry, and what to do.
    """
    metering = metering or rate.metering
    window_s, notes = _window(rate, step_s, demand_window_s)
    reading = read_meter(rate, load_kw, export_kw, (start_s, step_s, timezone), metering, window_s)
    demand_kw = billed_demand(rate, reading, previous_peaks_kw)
    energy = energy_charges(rate, reading, metering, demand_kw)
    parts = [*energy.parts, *demand_charges(rate, reading, demand_kw), *_fixed(rate, reading)]
    parts += _minimum(rate, reading, parts, notes)
    if metering is not None and reading.exports:
        notes.append(f"Export is settled by {metering.rule}, credit {metering.credit}.")
    notes += [f"Not priced, read it: {key}: {text}" for key, text in rate.texts]
    return Bill(
        rate=rate.label or rate.name,
        currency=rate.currency,
        timezone=timezone,
        months=reading.calendar.names,
        parts=(*parts, *energy.late),
        notes=tuple(notes),
    )


def _window(rate: Rate, step_s: int, asked_s: int | None) -> tuple[int, list[str]]:
    """Return the demand window; a step longer than the window that is meant is said."""
    per_kw = rate.tables.energy.per_kw
    if rate.flatdemandstructure is None and rate.demandratestructure is None and not per_kw:
        return step_s, []
    stated_s = None if rate.demandwindow is None else round(rate.demandwindow * 60)
    meant_s = asked_s or stated_s
    if meant_s is None:
        return step_s, [f"Demand is averaged over the step of {step_s} s: the rate names no window."]
    if meant_s < step_s:
        return step_s, [
            f"Demand is averaged over the step of {step_s} s, {meant_s} s are meant: "
            "peaks may be understated."
        ]
    return meant_s, []


def _fixed(rate: Rate, reading: Reading) -> list[Part]:
    """Fixed charges; those by the day count the days of the month."""
    parts = []
    charges = (
        ("fixedchargefirstmeter", rate.fixedchargefirstmeter, rate.fixedchargeunits),
        ("fixedmonthlycharge", rate.fixedmonthlycharge, "$/month"),
    )
    for key, charge, unit in charges:
        if charge:
            counts, written = _per(unit, reading.calendar.days)
            parts.append(month_part(reading.calendar.names, "fixed", key, counts, written, charge))
    return parts


def _per(unit: str, days: NDArray[np.int64]) -> tuple[Floats, str]:
    if unit == "$/day":
        return days.astype(np.float64), "d"
    return np.full(days.size, 1 / _YEAR if unit == "$/year" else 1.0), "a" if unit == "$/year" else "month"


def _minimum(rate: Rate, reading: Reading, charges: list[Part], notes: list[str]) -> list[Part]:
    """Top up months, then years of twelve bills, to their minimum. Credits do not count against it."""
    if not (rate.mincharge or rate.minmonthlycharge or rate.annualmincharge):
        return []
    names, parts = reading.calendar.names, []
    owed = np.maximum(total_of(charges), 0.0)
    by_year = rate.minchargeunits == "$/year"
    monthly = np.full(owed.size, rate.minmonthlycharge)
    if rate.mincharge and not by_year:
        monthly = rate.mincharge * _per(rate.minchargeunits, reading.calendar.days)[0]
    if monthly.any():
        short = np.maximum(monthly - owed, 0.0)
        key = "minmonthlycharge" if rate.minmonthlycharge else "mincharge"
        parts.append(month_part(names, "minimum", key, short, "1", 1.0))
        owed = owed + short
    yearly = rate.mincharge if rate.mincharge and by_year else rate.annualmincharge
    if yearly:
        gap = np.zeros(owed.size)
        for last in range(_YEAR - 1, owed.size, _YEAR):
            gap[last] = max(yearly - float(owed[last - _YEAR + 1 : last + 1].sum()), 0.0)
        key = "annualmincharge" if rate.annualmincharge else "mincharge"
        parts.append(month_part(names, "annual minimum", key, gap, "1", 1.0))
        if owed.size % _YEAR:
            notes.append(f"The annual minimum is not held against the last {owed.size % _YEAR} month(s).")
    return parts
