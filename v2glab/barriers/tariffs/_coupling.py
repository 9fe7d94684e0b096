"""Terms of a bill that tie steps together, month by month."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from v2glab.barriers.tariffs._calendar import Calendar
from v2glab.barriers.tariffs._metering import Metering
from v2glab.barriers.tariffs._rate import Rate
from v2glab.barriers.tariffs._rate_tables import TierTable

CouplingKind = Literal[
    "energy tiers",
    "flat demand",
    "time-of-use demand",
    "ratchet",
    "net metering",
    "hourly netting",
    "carried credit",
    "minimum charge",
]


@dataclass(frozen=True)
class Coupling:
    """One shared term.

    Attributes
    ----------
    key
        Entry of the rate.
    month
        ``yyyy-mm``, or empty where the term spans months.
    steps
        Steps that share it.
    upper, price
        Limits and prices of its tiers; limits in ``unit``, prices per kWh or kW. Empty where the term has no
        tiers. Energy tiers count the month's energy of all periods together.
    unit
        What the limits count in: ``kWh``, ``kW``, or ``kWh/kW`` of the month's peak.
    convex
        Whether the term alone is convex in what is drawn: prices do not fall from tier to tier.
    """

    kind: CouplingKind
    key: str
    month: str
    steps: NDArray[np.int64]
    upper: tuple[float, ...] = ()
    price: tuple[float, ...] = ()
    unit: str = ""
    convex: bool = True


def couplings(rate: Rate, calendar: Calendar, metering: Metering) -> Iterator[Coupling]:
    """Yield every shared term of the steps."""
    tables = rate.tables
    everything = np.arange(calendar.cell.size)
    for m, month in enumerate(calendar.names):
        steps = everything[calendar.edge[m] : calendar.edge[m + 1]]
        days = int(calendar.days[m])
        periods = tables.energy_period[calendar.cell[steps]]
        yield from _energy(tables.energy, periods, month, steps, days)
        if metering.rule == "net_metering":
            for p in np.unique(periods).tolist():
                yield Coupling("net metering", tables.energy.keys[p][0], month, steps[periods == p])
        if tables.flat is not None:
            row = int(tables.flat_period[calendar.number[m]])
            yield from _demand("flat demand", tables.flat, row, month, steps)
        if tables.demand is not None:
            rows = tables.demand_period[calendar.cell[steps]]
            for row in np.unique(rows).tolist():
                yield from _demand("time-of-use demand", tables.demand, row, month, steps[rows == row])
        for key in ("mincharge", "minmonthlycharge"):
            if getattr(rate, key) and not (key == "mincharge" and rate.minchargeunits == "$/year"):
                yield Coupling("minimum charge", key, month, steps, convex=False)
    if rate.annualmincharge or (rate.mincharge and rate.minchargeunits == "$/year"):
        key = "annualmincharge" if rate.annualmincharge else "mincharge"
        yield Coupling("minimum charge", key, "", everything, convex=False)
    if rate.lookbackpercent:
        yield Coupling("ratchet", "lookbackpercent", "", everything)
    if metering.rule == "net_billing_hourly" and calendar.step_s < 3600:
        yield Coupling("hourly netting", "dgrules", "", everything)
    if metering.credit in ("money", "carried"):
        yield Coupling("carried credit", "dgrules", "", everything, convex=False)


def _energy(
    table: TierTable, periods: NDArray[np.int64], month: str, steps: NDArray[np.int64], days: int
) -> Iterator[Coupling]:
    for p in np.unique(periods).tolist():
        price = table.price[p]
        if np.ptp(price) == 0 and np.ptp(np.nan_to_num(table.sell[p])) == 0:
            continue  # tiers in name only
        upper = np.where(table.unit[p] & 2, table.upper[p] * days, table.upper[p])
        per_kw = table.unit[p] & 1
        yield Coupling(
            "energy tiers",
            f"energyratestructure[{p}]",
            month,
            steps[periods == p],
            tuple(upper.tolist()),
            tuple(price.tolist()),
            "kWh/kW" if per_kw.all() else "kWh" if not per_kw.any() else "kWh within kWh/kW",
            bool((np.diff(price) >= 0).all()) and not per_kw.any(),
        )


def _demand(
    kind: CouplingKind, table: TierTable, row: int, month: str, steps: NDArray[np.int64]
) -> Iterator[Coupling]:
    price = table.price[row]
    if price.any():
        yield Coupling(
            kind,
            table.keys[row][0].rpartition("[")[0],
            month,
            steps,
            tuple(table.upper[row].tolist()),
            tuple(price.tolist()),
            "kW",
            bool((np.diff(price) >= 0).all()),
        )
