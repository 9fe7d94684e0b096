"""A rate of the OpenEI Utility Rate Database as a typed, frozen model; field names are the database's."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from v2glab.barriers.tariffs._metering import Metering, metering_of
from v2glab.barriers.tariffs._money import Currency
from v2glab.barriers.tariffs._rate_checks import check_flat, check_once, check_schedules, check_tiers
from v2glab.barriers.tariffs._rate_tables import RateTables, tables_of

#: Files of the database and of NREL's tools write "no upper limit" as 1e38, in single precision.
_UNBOUNDED = 1e37
_STRICT = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


def _whole(value: Any) -> Any:  # noqa: ANN401 -- whatever stands in the file
    """Take 1.0 for 1, as exported files write indices; leave the rest to be refused."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _tuple(value: Any) -> Any:  # noqa: ANN401 -- whatever stands in the file
    return tuple(value) if isinstance(value, list) else value


Index = Annotated[int, BeforeValidator(_whole), Field(ge=0, lt=64)]
Money = Annotated[float, Field(ge=-1e7, le=1e7)]
Year = Annotated[tuple[Money, ...], BeforeValidator(_tuple), Field(min_length=12, max_length=12)]
_Day = Annotated[tuple[Index, ...], BeforeValidator(_tuple), Field(min_length=24, max_length=24)]
#: 12 months of 24 local hours, each the index of a period.
Schedule = Annotated[tuple[_Day, ...], BeforeValidator(_tuple), Field(min_length=12, max_length=12)]
PeriodUnit = Literal["$/month", "$/day", "$/year"]


class Tier(BaseModel):
    """One tier: up to ``max`` (cumulated over the month), ``rate`` and its adjustment ``adj``.

    ``unit`` says what ``max`` counts in: kWh, kWh per kW of the month's peak, or either for each day of the
    month. ``sell`` pays exported energy.
    """

    model_config = _STRICT

    max: Annotated[float, Field(gt=0)] | None = None
    rate: Annotated[float, Field(ge=-1e4, le=1e4)] = 0.0
    adj: Annotated[float, Field(ge=-1e4, le=1e4)] = 0.0
    sell: Annotated[float, Field(ge=-1e4, le=1e4)] | None = None
    unit: str = ""

    @property
    def upper(self) -> float:
        """Upper limit; infinite where the file gives none."""
        return math.inf if self.max is None or self.max >= _UNBOUNDED else self.max


_Tiers = Annotated[tuple[Tier, ...], BeforeValidator(_tuple), Field(min_length=1, max_length=32)]
Structure = Annotated[tuple[_Tiers, ...], BeforeValidator(_tuple), Field(min_length=1, max_length=64)]


class Rate(BaseModel):
    """One rate, version 7 or 8 of the database's interface.

    Source: OpenEI, Utility Rate Database, https://openei.org/services/doc/rest/util_rates/?version=8. Money
    is in ``currency``; the database writes ``$`` whatever the country, so the currency is stated apart.
    Fields that carry no price are not kept; texts that may carry conditions are kept in ``texts``.
    """

    model_config = _STRICT

    label: str = ""
    name: str = ""
    utility: str = ""
    source: str = ""
    currency: Currency
    energyratestructure: Structure
    energyweekdayschedule: Schedule | None = None
    energyweekendschedule: Schedule | None = None
    demandratestructure: Structure | None = None
    demandweekdayschedule: Schedule | None = None
    demandweekendschedule: Schedule | None = None
    flatdemandstructure: Structure | None = None
    flatdemandmonths: (
        Annotated[tuple[Index, ...], BeforeValidator(_tuple), Field(min_length=12, max_length=12)] | None
    ) = None
    demandrateunit: Literal["kW"] = "kW"
    flatdemandunit: Literal["kW"] = "kW"
    demandunits: Literal["kW"] = "kW"
    demandwindow: Annotated[float, Field(gt=0, le=60)] | None = None
    lookbackpercent: Annotated[float, Field(ge=0, le=1)] = 0.0
    lookbackrange: Annotated[int, BeforeValidator(_whole), Field(ge=0, le=12)] = 0
    lookbackmonths: (
        Annotated[tuple[bool, ...], BeforeValidator(_tuple), Field(min_length=12, max_length=12)] | None
    ) = None
    fixedchargefirstmeter: Money = 0.0
    fixedchargeunits: PeriodUnit = "$/month"
    fixedmonthlycharge: Money = 0.0
    mincharge: Annotated[float, Field(ge=0, le=1e7)] = 0.0
    minchargeunits: PeriodUnit = "$/month"
    minmonthlycharge: Annotated[float, Field(ge=0, le=1e7)] = 0.0
    annualmincharge: Annotated[float, Field(ge=0, le=1e7)] = 0.0
    fueladjustmentsmonthly: Year | None = None
    dgrules: (
        Literal["Net Metering", "Net Billing Instantaneous", "Net Billing Hourly", "Buy All Sell All"] | None
    ) = None
    usenetmetering: bool | None = None
    texts: tuple[tuple[str, str], ...] = ()

    @field_validator("lookbackmonths", mode="before")
    @classmethod
    def _flags(cls, value: Any) -> Any:  # noqa: ANN401 -- whatever stands in the file
        """Take 0 and 1 for booleans."""
        if isinstance(value, list | tuple):
            return tuple(bool(v) if isinstance(v, int | float) and v in (0, 1) else v for v in value)
        return value

    @model_validator(mode="after")
    def _complete(self) -> Rate:
        check_schedules(self, "energy", self.energyratestructure)
        if self.demandratestructure is not None:
            check_schedules(self, "demand", self.demandratestructure)
        elif self.demandweekdayschedule or self.demandweekendschedule:
            raise ValueError("demand schedules without demandratestructure")
        check_flat(self)
        for key in ("energyratestructure", "demandratestructure", "flatdemandstructure"):
            for period, tiers in enumerate(getattr(self, key) or ()):
                check_tiers(f"{key}[{period}]", tiers, energy=key.startswith("energy"))
        check_once(self)
        return self

    @cached_property
    def tables(self) -> RateTables:
        """The rate as arrays."""
        return tables_of(self)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Rate:
        """Return a copy with fields replaced, checked again and with arrays of its own."""
        fields = {name: getattr(self, name) for name in Rate.model_fields}
        return Rate.model_validate({**fields, **(update or {})})

    @property
    def metering(self) -> Metering | None:
        """How exported energy is settled, or ``None`` when the rate does not say."""
        return metering_of(self.dgrules, self.usenetmetering)
