"""What the meter hands to billing: calendar, energy registers, peaks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from v2glab.barriers.tariffs._calendar import Calendar, calendar_of, part_months
from v2glab.barriers.tariffs._metering import Metering
from v2glab.barriers.tariffs._rate import Rate
from v2glab.barriers.tariffs._registers import MOST_KW, registers
from v2glab.evidence import InputError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Reading:
    """Registers of M months: kWh by energy period (M, P), kW peaks by demand period (M, Q).

    ``drawn`` and ``given`` are kWh of the calendar's blocks.
    """

    calendar: Calendar
    drawn: Floats
    given: Floats
    bought: Floats
    sold: Floats
    period_peak: Floats

    @cached_property
    def exports(self) -> bool:
        """Whether anything was exported."""
        return bool(self.sold.any())

    @cached_property
    def flat_peak(self) -> Floats:
        """Highest demand of each month, shape (M,), kW."""
        return np.asarray(self.period_peak.max(axis=1))


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
    load, export = power_series(load_kw, export_kw)
    if not isinstance(calendar, Calendar):
        start_s, step_s, timezone = calendar
        calendar = calendar_of(int(start_s), int(step_s), load.size, timezone)
    if not calendar.whole:
        raise part_months(calendar)
    settle = _fit(3600, calendar) if metering and metering.rule == "net_billing_hourly" else 1
    window = _fit(demand_window_s or calendar.step_s, calendar)
    block, hours = calendar.block, calendar.step_s / 3600
    drawn, given = np.empty((2, load.size // block))
    tables, months = rate.tables, calendar.edge.size - 1
    bought, sold = np.zeros((2, months, tables.energy.upper.shape[0]))
    period_peak = np.zeros((months, 1 if tables.demand is None else tables.demand.upper.shape[0]))
    net_demand = metering is None or metering.rule == "net_metering"
    out = (drawn, given, bought, sold, period_peak)
    bad = int(
        registers(
            load.reshape(-1, block),
            export.reshape(-1, block),
            calendar.block_cell,
            calendar.block_edge,
            tables.energy_period,
            tables.demand_period,
            hours,
            settle,
            window,
            net_demand,
            *out,
        )
    )
    if bad >= 0:
        bad += int(np.argmax(~(sound(load[bad : bad + block]) & sound(export[bad : bad + block]))))
        raise refuse_step(load, export, bad)
    return Reading(calendar, *out)


def sound(power_kw: Floats) -> NDArray[np.bool_]:
    """Return which values a meter can give, shape (T,)."""
    return (power_kw >= 0) & (power_kw <= MOST_KW)


def power_series(load_kw: ArrayLike, export_kw: ArrayLike) -> tuple[Floats, Floats]:
    """Return both series as arrays of one shape (T,); values are checked where they are read."""
    load, export = _series(load_kw, "load_kw"), _series(export_kw, "export_kw")
    if load.shape != export.shape:
        raise InputError(
            f"{load.size} values of load, {export.size} of export", "one of each a step", "align the two"
        )
    return load, export


def refuse_step(load: Floats, export: Floats, step: int) -> InputError:
    """Return the error for a step whose power no meter gives."""
    return InputError(
        f"step {step}: load {load[step]:g} kW, export {export[step]:g} kW",
        f"both between 0 and {MOST_KW:g}, no gaps; import and export are two registers",
        "mend the step; do not give export as a negative load",
    )


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
