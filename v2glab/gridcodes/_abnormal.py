"""What a plant does in abnormal conditions: trips, ride-through, support, return."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from v2glab.gridcodes._values import Cited, Frozen, Limit, Setting, Span

RegulatedQuantity = Literal["voltage", "frequency"]
Mode = Literal[
    "continuous",
    "mandatory",
    "permissive",
    "momentary cessation",
    "cease to energize",
    "not required",
    "not known",
]


class Trip(Cited):
    """Beyond ``threshold`` (voltage in p.u., frequency in Hz) energising ends within ``time_s``.

    ``averaging_s`` is the window of the mean that is compared; 0 means RMS over a cycle.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    quantity: RegulatedQuantity
    side: Literal["low", "high"]
    threshold: float
    threshold_range: Span | None = None
    time_s: float = Field(gt=0)
    time_range_s: Span | None = None
    averaging_s: float = Field(default=0.0, ge=0)

    @model_validator(mode="after")
    def _check(self) -> Trip:
        for what, value, span in (
            ("threshold", self.threshold, self.threshold_range),
            ("time_s", self.time_s, self.time_range_s),
        ):
            if span and not span[0] <= value <= span[1]:
                raise ValueError(f"{what} {value:g} outside its range {span}")
        return self

    def beyond(self, value: float) -> bool:
        """Whether a value lies beyond the threshold."""
        return value < self.threshold if self.side == "low" else value > self.threshold


class TripRange(Cited):
    """A trip that the network operator sets: the code gives ranges and no default."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    quantity: RegulatedQuantity
    side: Literal["low", "high"]
    threshold_range: Span
    time_range_s: Span | None = None


class Region(Cited):
    """One region of voltage (p.u.) or frequency (Hz) with what the plant has to do there.

    ``not known``: no source says what the code asks for there, so nothing can be concluded.

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


class RocofTrip(Cited):
    """A rate of change of frequency beyond ``limit`` (Hz/s) for ``time_s`` ends energising."""

    limit: float = Field(gt=0)
    time_s: float = Field(gt=0)


class DroopSettings(Cited):
    """Frequency-droop settings: dead bands in Hz, droops as frequency per power, both per unit."""

    deadband_over_hz: Setting
    deadband_under_hz: Setting
    droop_over: Setting
    droop_under: Setting
    response_s: Setting


class FrequencyResponse(Cited):
    """Power that changes with frequency on one side only.

    From ``start_hz`` on, power changes by ``droop`` (frequency per power, per unit), or runs to ``end_hz``,
    where it is nil. ``hysteresis_hz`` is how far frequency must return before power may.
    """

    start_hz: Setting
    droop: Setting | None = None
    end_hz: Setting | None = None
    hysteresis_hz: Setting | None = None
    response_s: Setting | None = None

    def droop_pu(self, nominal_hz: float) -> float | None:
        """Return the droop by default, from the end where only that is given; ``None`` without either."""
        if self.droop is not None:
            return self.droop.default
        if self.end_hz is not None:
            return abs(self.end_hz.default - self.start_hz.default) / nominal_hz
        return None


class EnterService(Cited):
    """Conditions under which a plant may start to energise.

    ``ramp_s`` is the time from nothing to rated power, ``ramp_percent_per_minute`` the same as a rate.
    ``randomised_delay_s`` bounds a delay drawn by chance; ``randomised_below_va`` the plants it is for.
    """

    voltage_low_pu: Setting
    voltage_high_pu: Setting
    frequency_low_hz: Setting
    frequency_high_hz: Setting
    delay_s: Setting
    randomised_delay_s: Setting | None = None
    randomised_below_va: float | None = None
    ramp_s: Setting | None = None
    ramp_percent_per_minute: Setting | None = None

    @model_validator(mode="after")
    def _check(self) -> EnterService:
        for what in ("voltage_low_pu", "frequency_low_hz"):
            low, high = getattr(self, what), getattr(self, what.replace("low", "high"))
            if low.default >= high.default:
                raise ValueError(f"{what} {low.default:g} not below the upper bound {high.default:g}")
        return self


class Reconnection(Cited):
    """Return after a trip where a code's window of voltage and frequency is not known."""

    delay_s: Setting
    ramp_percent_per_minute: Setting | None = None


class RestoreOutput(Frozen):
    """Return of output once the voltage is back; each limit carries its own source."""

    time: Limit | None = None
    share: Limit | None = None
    current_ramp: Limit | None = None


class ConsecutiveDisturbances(Cited):
    """How many sets of voltage disturbances in a row must be ridden through."""

    sets: int = Field(ge=1)


class DynamicVoltageSupport(Cited):
    """Reactive current per voltage deviation during a disturbance (both p.u.), beyond a dead band."""

    gain: Setting
    deadband_pu: Setting | None = None
    response_s: Setting | None = None


class MomentaryCessation(Frozen):
    """Where a plant stops exchanging current without tripping: below ``low_pu``, above ``high_pu``.

    ``response_s`` bounds the time to stop, ``regions`` are what it was read from.
    """

    low_pu: float | None
    high_pu: float | None
    response_s: float | None
    regions: tuple[Region, ...]


class CategoryRules(Frozen):
    """All rules of one category; regions run from the lowest to the highest value."""

    name: str
    trips: tuple[Trip, ...] = ()
    trip_ranges: tuple[TripRange, ...] = ()
    ride_through_voltage: tuple[Region, ...] = ()
    ride_through_frequency: tuple[Region, ...] = ()
    rocof_hz_s: RocofLimit | None = None
    rocof_trip: RocofTrip | None = None
    droop: DroopSettings | None = None
    response_over_frequency: FrequencyResponse | None = None
    response_under_frequency: FrequencyResponse | None = None
    restore_output: RestoreOutput | None = None
    consecutive_disturbances: ConsecutiveDisturbances | None = None
    dynamic_voltage_support: DynamicVoltageSupport | None = None

    @property
    def voltage_trips(self) -> tuple[Trip, ...]:
        """Trips by voltage."""
        return tuple(t for t in self.trips if t.quantity == "voltage")

    @property
    def frequency_trips(self) -> tuple[Trip, ...]:
        """Trips by frequency."""
        return tuple(t for t in self.trips if t.quantity == "frequency")

    @property
    def momentary_cessation(self) -> MomentaryCessation | None:
        """Momentary cessation as the regions state it; ``None`` when no region does."""
        found = tuple(r for r in self.ride_through_voltage if r.mode == "momentary cessation")
        if not found:
            return None
        low = [r.upper for r in found if r.upper is not None and r.upper < 1]
        high = [r.lower for r in found if r.lower is not None and r.lower > 1]
        times = [r.max_response_s for r in found if r.max_response_s is not None]
        return MomentaryCessation(
            low_pu=max(low, default=None),
            high_pu=min(high, default=None),
            response_s=min(times, default=None),
            regions=found,
        )

    def trip(self, name: str) -> Trip:
        """Return the trip of that name; ``KeyError`` if there is none."""
        return {t.name: t for t in self.trips}[name]
