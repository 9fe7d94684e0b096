"""The terms of export that barriers change, and how rules combine whatever their order."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from v2glab.evidence import InputError

Kind = Literal[
    "levy_refund_share",
    "export_price_ratio",
    "flat_price",
    "export_cap_kw",
    "discharge_share",
    "discharge_efficiency",
    "start_delay_s",
    "trips_per_year",
    "settlement_minutes",
    "discharge_cap_kwh_per_year",
    "session_share",
    "plug_in_share",
    "fixed_cost_eur_per_year",
    "eligible_share",
    "demand_charge_eur_per_kw_month",
    "bid_least_kw",
    "bid_block_h",
    "bid_symmetric",
    "reserve_share",
    "penalty_eur_per_mwh",
    "no_stacking",
    "grid_charge_or_export",
]


class Terms(BaseModel):
    """What a vehicle may do and what it is paid: the defaults are a world without barriers.

    Attributes
    ----------
    levy_refund_share
        Share of the refundable levies and fees that is paid back on exported energy, 0 to 1.
    export_price_ratio
        Exported energy is paid this share of the energy price, where that is positive, 0 to 1.
    flat_price
        1 replaces the energy price by its mean over the year, else 0.
    export_cap_kw
        Most power towards the grid.
    discharge_share, discharge_efficiency
        Factors on discharging power and on discharging efficiency, 0 to 1.
    start_delay_s
        Time after plug-in, and after each trip, in which nothing may be exported.
    trips_per_year
        Trips of the export, evenly spread over the year.
    settlement_minutes
        Prices are averaged over intervals of this length, on whole multiples since the start.
    discharge_cap_kwh_per_year
        Most energy out of the battery in a year.
    session_share
        Share of sessions in which export is possible, spread evenly, 0 to 1.
    plug_in_share
        Share of sessions that still take place; the others' energy moves to the next. Touches mobility.
    fixed_cost_eur_per_year
        Cost of taking part; who would lose opts out.
    eligible_share
        Share of the time in which export is permitted at all, 0 to 1.
    demand_charge_eur_per_kw_month
        Price of a month's highest import, on top of what the tariff itself charges.
    bid_least_kw, bid_block_h
        Frequency response is bid in whole multiples of a least size, for blocks of so many hours; 0 for any.
    bid_symmetric
        1 where the same power has to stand ready both ways, 0 where one way is enough.
    reserve_share
        Share of its power with which a vehicle passes for frequency response, 0 to 1.
    penalty_eur_per_mwh
        Penalty on each MW and hour that was bid and not delivered.
    no_stacking
        1 where a customer is either at retail (tariff, own use) or at wholesale (frequency response).
    grid_charge_or_export
        1 where no more may be exported than the site's own surplus brought in, or else nothing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=True)

    levy_refund_share: float = Field(default=1.0, ge=0, le=1)
    export_price_ratio: float = Field(default=1.0, ge=0, le=1)
    flat_price: float = Field(default=0.0, ge=0, le=1)
    export_cap_kw: float = Field(default=math.inf, ge=0)
    discharge_share: float = Field(default=1.0, ge=0, le=1)
    discharge_efficiency: float = Field(default=1.0, gt=0, le=1)
    start_delay_s: float = Field(default=0.0, ge=0, lt=1e7)
    trips_per_year: float = Field(default=0.0, ge=0, le=100_000)
    settlement_minutes: float = Field(default=0.0, ge=0, le=60 * 24 * 366)
    discharge_cap_kwh_per_year: float = Field(default=math.inf, ge=0)
    session_share: float = Field(default=1.0, ge=0, le=1)
    plug_in_share: float = Field(default=1.0, gt=0, le=1)
    fixed_cost_eur_per_year: float = Field(default=0.0, ge=0, le=1e6)
    eligible_share: float = Field(default=1.0, ge=0, le=1)
    demand_charge_eur_per_kw_month: float = Field(default=0.0, ge=0, le=1e4)
    bid_least_kw: float = Field(default=0.0, ge=0, le=1e6)
    bid_block_h: float = Field(default=0.0, ge=0, le=24)
    bid_symmetric: float = Field(default=0.0, ge=0, le=1)
    reserve_share: float = Field(default=1.0, ge=0, le=1)
    penalty_eur_per_mwh: float = Field(default=0.0, ge=0, le=1e6)
    no_stacking: float = Field(default=0.0, ge=0, le=1)
    grid_charge_or_export: float = Field(default=0.0, ge=0, le=1)


#: How two rules on the same term combine. Each is commutative, so the order of rules never matters.
_COMBINE: dict[str, Callable[[float, float], float]] = {
    "export_cap_kw": min,
    "discharge_cap_kwh_per_year": min,
    "flat_price": max,
    "settlement_minutes": max,
    "start_delay_s": lambda a, b: a + b,
    "trips_per_year": lambda a, b: a + b,
    "fixed_cost_eur_per_year": lambda a, b: a + b,
    "demand_charge_eur_per_kw_month": lambda a, b: a + b,
    "penalty_eur_per_mwh": lambda a, b: a + b,
    **dict.fromkeys(
        ("bid_least_kw", "bid_block_h", "bid_symmetric", "no_stacking", "grid_charge_or_export"), max
    ),
}


class Transformation(BaseModel):
    """One barrier as a change of one term; ``uncertainty`` is the standard uncertainty of the value."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind
    value: float
    unit: str = Field(min_length=1)
    uncertainty: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    value_source: str = Field(
        min_length=1, description="where the number comes from, or that it is an assumption"
    )


def combine(transformations: Iterable[Transformation]) -> Terms:
    """Return the terms under a set of rules.

    Raises
    ------
    InputError
        A value is not allowed.
    """
    values: dict[str, float] = {}
    for change in transformations:
        default = float(getattr(Terms(), change.kind))
        before = values.get(change.kind, default)
        join = _COMBINE.get(change.kind)
        values[change.kind] = before * change.value if join is None else join(before, change.value)
    try:
        return Terms(**values)
    except ValueError as error:
        raise InputError(
            f"rules that lead to {values}", "values that the terms allow", f"mend the value: {error}"
        ) from error


KINDS: tuple[str, ...] = get_args(Kind)
