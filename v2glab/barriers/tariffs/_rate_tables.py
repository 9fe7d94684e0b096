"""A rate laid out as arrays for the kernels, each entry with the key it came from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from v2glab.barriers.tariffs._rate import Rate, Tier

Floats = NDArray[np.float64]
#: Codes of what a tier's limit counts in: bit 0 per kW of peak, bit 1 per day of the month.
UNIT_CODES = {"": 0, "kWh": 0, "kW": 0, "kWh/kW": 1, "kWh daily": 2, "kWh/kW daily": 3}
#: Cells of a schedule: (month * 2 + weekend) * 24 + hour.
CELLS = 12 * 2 * 24


@dataclass(frozen=True)
class TierTable:
    """Tiers of P periods, padded to K: limits, prices, unit codes, all of shape (P, K).

    Padding has the limit of the tier before it, so that nothing falls into it. ``sell`` is NaN where the
    file gives none. ``keys[p][k]`` names the entry.
    """

    upper: Floats
    price: Floats
    sell: Floats
    unit: NDArray[np.int64]
    keys: tuple[tuple[str, ...], ...]

    @cached_property
    def tiered(self) -> bool:
        """Whether any period has a second tier, or a limit on its first."""
        return self.upper.shape[1] > 1 or not self.endless

    @cached_property
    def endless(self) -> bool:
        """Whether every period's last tier has no limit."""
        return bool(np.isinf(self.upper[:, -1]).all())

    @cached_property
    def by_month(self) -> bool:
        """Whether limits depend on the month: on its days, or on its demand."""
        return bool(self.unit.any())

    @cached_property
    def per_kw(self) -> bool:
        """Whether limits depend on the month's demand."""
        return bool((self.unit & 1).any())

    @cached_property
    def priced(self) -> bool:
        """Whether every tier has a sell rate."""
        return not bool(np.isnan(self.sell).any())

    @cached_property
    def earned(self) -> Floats:
        """Sell rates, 0 where there is none."""
        return np.nan_to_num(self.sell, nan=0.0)


@dataclass(frozen=True)
class RateTables:
    """All that a bill needs. Schedules are of shape (576,), flat demand of shape (12,)."""

    energy: TierTable
    energy_period: NDArray[np.int64]
    anchors: NDArray[np.int64]
    demand: TierTable | None
    demand_period: NDArray[np.int64]
    flat: TierTable | None
    flat_period: NDArray[np.int64]
    fuel: Floats


def tables_of(rate: Rate) -> RateTables:
    """Lay a checked rate out as arrays."""
    energy_period = _cells(rate.energyweekdayschedule, rate.energyweekendschedule)
    weekday = energy_period.reshape(12, 2, 24)[:, 0]
    return RateTables(
        energy=_table("energyratestructure", rate.energyratestructure),
        energy_period=energy_period,
        # Hours at which a period of one month is matched with one of the next: as NREL's Utilityrate5.
        anchors=np.ascontiguousarray(weekday[:, [0, 5, 11, 17]]),
        demand=_maybe("demandratestructure", rate.demandratestructure),
        demand_period=_cells(rate.demandweekdayschedule, rate.demandweekendschedule),
        flat=_maybe("flatdemandstructure", rate.flatdemandstructure),
        flat_period=np.array(rate.flatdemandmonths or (0,) * 12, dtype=np.int64),
        fuel=np.array(rate.fueladjustmentsmonthly or (0.0,) * 12),
    )


def _maybe(key: str, structure: tuple[tuple[Tier, ...], ...] | None) -> TierTable | None:
    return None if structure is None else _table(key, structure)


def _table(key: str, structure: tuple[tuple[Tier, ...], ...]) -> TierTable:
    shape = (len(structure), max(len(tiers) for tiers in structure))
    upper, price, sell = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    unit = np.zeros(shape, dtype=np.int64)
    for p, tiers in enumerate(structure):
        for k in range(shape[1]):
            tier = tiers[min(k, len(tiers) - 1)]
            upper[p, k], price[p, k] = tier.upper, tier.rate + tier.adj
            sell[p, k] = np.nan if tier.sell is None else tier.sell
            unit[p, k] = UNIT_CODES[tier.unit]
    keys = tuple(tuple(f"{key}[{p}][{k}]" for k in range(len(tiers))) for p, tiers in enumerate(structure))
    return TierTable(upper, price, sell, unit, keys)


def _cells(
    weekday: tuple[tuple[int, ...], ...] | None, weekend: tuple[tuple[int, ...], ...] | None
) -> NDArray[np.int64]:
    if weekday is None or weekend is None:
        return np.zeros(CELLS, dtype=np.int64)
    both = np.stack([np.array(weekday, dtype=np.int64), np.array(weekend, dtype=np.int64)], axis=1)
    return np.ascontiguousarray(both.reshape(CELLS))
