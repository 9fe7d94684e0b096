"""Typed, frozen model of one grid code."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from v2glab.evidence import Confidence, Criterion

RegulatedQuantity = Literal["voltage", "frequency"]
Mode = Literal[
    "continuous", "mandatory", "permissive", "momentary cessation", "cease to energize", "not required"
]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Setting(_Frozen):
    """A default and the range within which it may be set."""

    default: float
    range: tuple[float, float] | None = None

    @model_validator(mode="after")
    def _check(self) -> Setting:
        if self.range and not self.range[0] <= self.default <= self.range[1]:
            raise ValueError(f"default {self.default} outside its range {self.range}")
        return self


class Cited(_Frozen):
    """What every limit carries: where it stands, where it was read, whether that was confirmed."""

    clause: str
    source: str
    confidence: Confidence
    note: str = ""


class Trip(Cited):
    """Beyond ``threshold`` (voltage in p.u., frequency in Hz) energising ends within ``time_s``.

    ``averaging_s`` is the window of the mean that is compared; 0 means RMS over a cycle.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    quantity: RegulatedQuantity
    side: Literal["low", "high"]
    threshold: float
    threshold_range: tuple[float, float] | None = None
    time_s: float = Field(gt=0)
    time_range_s: tuple[float, float] | None = None
    averaging_s: float = Field(default=0.0, ge=0)

    def beyond(self, value: float) -> bool:
        """Whether a value lies beyond the threshold."""
        return value < self.threshold if self.side == "low" else value > self.threshold


class Region(Cited):
    """One region of voltage (p.u.) or frequency (Hz) with what the plant has to do there.

    The plant must not trip before ``minimum_s + slope_s_per_unit · (value − lower)`` has passed since the
    value left the region's edge on the side of nominal. ``max_response_s`` bounds the time to cease
    exchanging current.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    quantity: RegulatedQuantity
    lower: float | None = None
    upper: float | None = None
    mode: Mode
    minimum_s: float | None = Field(default=None, gt=0)
    slope_s_per_unit: float = Field(default=0.0, ge=0)
    max_response_s: float | None = None

    @property
    def must_stay(self) -> bool:
        """Whether there is a time before which the plant must not trip."""
        return self.minimum_s is not None or self.mode == "continuous"

    def contains(self, value: float) -> bool:
        """Whether the region holds the value; edges belong to the side nearer to continuous operation."""
        return (self.lower is None or value >= self.lower) and (self.upper is None or value < self.upper)


class RocofLimit(Cited):
    """Rate of change of frequency that must be ridden through."""

    limit: float = Field(gt=0)


class DroopSettings(Cited):
    """Frequency-droop settings: dead bands in Hz, droops as frequency per power, both per unit."""

    deadband_over_hz: Setting
    deadband_under_hz: Setting
    droop_over: Setting
    droop_under: Setting
    response_s: Setting


class EnterService(Cited):
    """Conditions under which a plant may start to energise."""

    voltage_low_pu: Setting
    voltage_high_pu: Setting
    frequency_low_hz: Setting
    frequency_high_hz: Setting
    delay_s: Setting
    ramp_s: Setting | None = None


class CategoryRules(_Frozen):
    """All rules of one category; regions run from the lowest to the highest value."""

    name: str
    trips: tuple[Trip, ...] = ()
    ride_through_voltage: tuple[Region, ...] = ()
    ride_through_frequency: tuple[Region, ...] = ()
    rocof_hz_s: RocofLimit | None = None
    droop: DroopSettings | None = None

    @property
    def voltage_trips(self) -> tuple[Trip, ...]:
        """Trips by voltage."""
        return tuple(t for t in self.trips if t.quantity == "voltage")

    @property
    def frequency_trips(self) -> tuple[Trip, ...]:
        """Trips by frequency."""
        return tuple(t for t in self.trips if t.quantity == "frequency")

    def trip(self, name: str) -> Trip:
        """Return the trip of that name; ``KeyError`` if there is none."""
        return {t.name: t for t in self.trips}[name]


class CriteriaByName(dict[str, Criterion]):
    """Criteria by identity; a category may be written in capitals, as people do: ``…trip.uv1.III``."""

    def __missing__(self, key: str) -> Criterion:
        lowered = key.lower()
        if lowered == key:
            raise KeyError(key)
        return self[lowered]


class GridCode(_Frozen):
    """One grid code: standard, edition, nominal frequency, categories and criteria."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    id: str
    title: str
    standard: str
    edition: str
    nominal_frequency_hz: float = Field(gt=0)
    default_category: str
    note: str = ""
    sources: dict[str, str]
    categories: dict[str, CategoryRules]
    enter_service: EnterService | None = None
    criteria: CriteriaByName

    def category(self, name: str) -> CategoryRules:
        """Return the rules of a category.

        Raises
        ------
        UsageError
            The code has none of that name.
        """
        from v2glab.evidence import UsageError

        for known, rules in self.categories.items():
            if known.lower() == name.lower():
                return rules
        raise UsageError(
            f"category {name!r} of {self.id}", f"one of: {', '.join(self.categories)}", "choose one of those"
        )
