"""What the meter hands to billing: calendar, energy registers, peaks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from v2glab.barriers.tariffs._calendar import Calendar, calendar_of
from v2glab.barriers.tariffs._metering import Metering
from v2glab.barriers.tariffs._rate import Rate
from v2glab.barriers.tariffs._registers import MOST_KW, registers
from v2glab.evidence import InputError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Reading:
    """Registers of M months: kWh by energy period (M, P), kW peaks (M,) and by demand period (M, Q).

    ``flat_at`` and ``period_at`` hold the step that opened the window of each peak. ``settle`` is the number
    of steps netted before pricing, ``window`` the number averaged for demand.
    """

    load_kw: Floats
    export_kw: Floats
    calendar: Calendar
    settle: int
    window: int
    bought: Floats
    sold: Floats
    flat_peak: Floats
    flat_at: Ints
    period_peak: Floats
    period_at: Ints

    @property
    def month_numbers(self) -> Ints:
        """Calendar month of each bill, from 0."""
        return np.array([m % 12 for m in self.calendar.months], dtype=np.int64)


def read_meter(
    rate: Rate,
    load_kw: ArrayLike,
    export_kw: ArrayLike,
    calendar: Calendar | tuple[int, int, str],
    metering: Metering | None,
    demand_window_s: int | None,
) -> Reading:
    """Run the steps through the registers that the rate and the metering rule need.

    Raises
    ------
    InputError
        Shapes differ, a value is negative or absurd, months are not whole, or an interval does not fit.
    """
    load, export = _series(load_kw, "load_kw"), _series(export_kw, "export_kw")
    if load.shape != export.shape:
        raise InputError(
            f"{load.size} values of load, {export.size} of export", "one of each a step", "align the two"
        )
    if not isinstance(calendar, Calendar):
        start_s, step_s, timezone = calendar
        calendar = calendar_of(int(start_s), int(step_s), load.size, timezone)
    if not calendar.whole:
        raise InputError(
            f"{calendar.names[0]} to {calendar.names[-1]} in {calendar.timezone}, not whole months",
            "data from local midnight of a first of the month to that of another",
            "cut the data to whole local months",
        )
    settle = _fit(3600, calendar) if metering and metering.rule == "net_billing_hourly" else 1
    window = _fit(demand_window_s or calendar.step_s, calendar)
    tables, months = rate.tables, calendar.edge.size - 1
    periods = tables.energy.upper.shape[0]
    demands = 1 if tables.demand is None else tables.demand.upper.shape[0]
    reading = Reading(
        load,
        export,
        calendar,
        settle,
        window,
        bought=np.zeros((months, periods)),
        sold=np.zeros((months, periods)),
        flat_peak=np.zeros(months),
        flat_at=np.zeros(months, dtype=np.int64),
        period_peak=np.zeros((months, demands)),
        period_at=np.zeros((months, demands), dtype=np.int64),
    )
    bad = registers(
        load,
        export,
        calendar.cell,
        calendar.edge,
        tables.energy_period,
        tables.demand_period,
        calendar.step_s / 3600,
        calendar.aligned_s // calendar.step_s,
        settle,
        window,
        metering is None or metering.rule == "net_metering",
        reading.bought,
        reading.sold,
        reading.flat_peak,
        reading.flat_at,
        reading.period_peak,
        reading.period_at,
    )
    if bad >= 0:
        raise InputError(
            f"step {bad}: load {load[bad]:g} kW, export {export[bad]:g} kW",
            f"both between 0 and {MOST_KW:g}, no gaps; import and export are two registers",
            "mend the step; do not give export as a negative load",
        )
    return reading


def _series(values: ArrayLike, name: str) -> Floats:
    try:
        array = np.ascontiguousarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name}: {error}", "numbers", "mend the values") from error
    if array.ndim != 1:
        raise InputError(f"{name} of shape {array.shape}", "one value a step", "flatten it")
    return array


def _fit(interval_s: int, calendar: Calendar) -> int:
    """Return the steps of an interval that begins on the clock hour."""
    if interval_s <= 0 or interval_s % calendar.step_s or calendar.aligned_s % interval_s:
        raise InputError(
            f"an interval of {interval_s} s on steps of {calendar.step_s} s in {calendar.timezone}",
            "a whole number of steps that divides the local clock hour",
            "resample the data, or name another interval",
        )
    return interval_s // calendar.step_s
