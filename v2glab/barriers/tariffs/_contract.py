"""A rate whose terms tie steps together, with what its form leaves open: metering rule and clock."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from v2glab.barriers.tariffs._bill import bill
from v2glab.barriers.tariffs._calendar import Calendar, calendar_of
from v2glab.barriers.tariffs._metering import Metering
from v2glab.barriers.tariffs._rate import Rate, Tier
from v2glab.evidence import InputError

Floats = NDArray[np.float64]
#: A meter that is new at the start has no earlier peaks that a ratchet could count.
NEW_METER = (0.0,) * 12


@dataclass(frozen=True)
class Contract:
    """Rate, metering rule and time zone over ``steps`` steps from ``start_s``, which are whole local months.

    ``export_share`` is how much of each exported kWh counts.
    """

    rate: Rate
    metering: Metering
    timezone: str
    start_s: int
    step_s: int
    steps: int
    export_share: float = 1.0

    @property
    def calendar(self) -> Calendar:
        """Months and clock hours of the steps."""
        return calendar_of(self.start_s, self.step_s, self.steps, self.timezone)

    @property
    def demand_window_steps(self) -> int:
        """Steps over which demand is averaged; 1 where the window is a step, shorter, or not stated."""
        minutes = self.rate.demandwindow
        return 1 if minutes is None else max(round(minutes * 60) // self.step_s, 1)

    def charge(self, load_kwh: Floats, export_kwh: Floats) -> float:
        """Return the sum of all bills, given what the meter took and gave in each step, both (T,)."""
        hours = self.step_s / 3600
        found = bill(
            self.rate,
            load_kwh / hours,
            self.export_share * export_kwh / hours,
            self.start_s,
            self.step_s,
            self.timezone,
            metering=self.metering,
            previous_peaks_kw=NEW_METER if self.rate.lookbackpercent else None,
        )
        return found.total

    def with_terms(self, export_share: float, flat: float) -> Contract:
        """Return the contract with so much of export counted, and prices moved towards one price all year.

        Raises
        ------
        InputError
            One price is wanted and the ladders of the periods have unlike limits.
        """
        rate = self.rate if not flat else _flattened(self.rate, flat, self._weights())
        return replace(self, rate=rate, export_share=export_share)

    def _weights(self) -> Floats:
        """Return the share of steps in each energy period, shape (P,)."""
        tables = self.rate.tables
        period = tables.energy_period[self.calendar.cell]
        counts = np.bincount(period, minlength=tables.energy.upper.shape[0])
        return np.asarray(counts / counts.sum())


def _flattened(rate: Rate, flat: float, weights: Floats) -> Rate:
    used = [p for p, weight in enumerate(weights) if weight > 0]
    ladders = {tuple((t.upper, t.unit) for t in rate.energyratestructure[p]) for p in used}
    if len(ladders) > 1:
        raise InputError(
            f"a flat price beside rate {rate.label or rate.name!r}, whose periods have ladders of their own",
            "tiers with the same limits in every period",
            "leave the flat tariff out",
        )

    def mean(name: str, tier: int) -> float:
        values = (getattr(rate.energyratestructure[p][tier], name) or 0.0 for p in used)
        return float(sum(w * v for w, v in zip(weights[used], values, strict=True)))

    def moved(tier: Tier, number: int) -> Tier:
        changes = {
            name: flat * mean(name, number) + (1 - flat) * (getattr(tier, name) or 0.0)
            for name in ("rate", "adj", "sell")
            if getattr(tier, name) is not None
        }
        return tier.model_copy(update=changes)

    structure = tuple(
        tuple(moved(tier, k) for k, tier in enumerate(period)) if p in used else period
        for p, period in enumerate(rate.energyratestructure)
    )
    return rate.model_copy(update={"energyratestructure": structure})


def whole_months(end_s: int, timezone: str) -> tuple[int, int]:
    """Return start and end, s since 1970 UTC, of the 12 whole local months that end last at or after
    ``end_s``.

    Raises
    ------
    InputError
        The time zone is unknown.
    """
    import datetime as dt
    from zoneinfo import ZoneInfo

    try:
        zone = ZoneInfo(timezone)
        last = dt.datetime.fromtimestamp(end_s - 1, zone)
        year, month = (last.year, last.month + 1) if last.month < 12 else (last.year + 1, 1)
        end = dt.datetime(year, month, 1, tzinfo=zone)
        start = dt.datetime(year - 1, month, 1, tzinfo=zone)
    except (OSError, ValueError, KeyError, OverflowError) as error:
        raise InputError(f"time zone {timezone!r}", "a name like Europe/Oslo", "mend the name") from error
    return int(start.timestamp()), int(end.timestamp())
