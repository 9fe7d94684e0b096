"""Rules that hold for a plant as a whole, whatever its category."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from v2glab.gridcodes._values import Cited, Span


class ControlTimes(Cited):
    """How fast a plant answers its operator; ``mode_transition_s`` is the range of a change between modes."""

    disable_permit_s: float | None = Field(default=None, gt=0)
    active_power_limit_s: float | None = Field(default=None, gt=0)
    mode_execution_s: float | None = Field(default=None, gt=0)
    mode_transition_s: Span | None = None


class PhaseJump(Cited):
    """Phase-angle changes that must be ridden through, degrees."""

    single_phase_deg: float = Field(gt=0)
    multi_phase_deg: float = Field(gt=0)


class HarmonicGrouping(Cited):
    """How interharmonics count: within ``half_band_hz`` of an order they belong to it, and between two bands
    the lesser of both limits holds.
    """

    half_band_hz: float = Field(gt=0)


class MeasurementAccuracy(Cited):
    """Least accuracy of a plant's own measurement; ``relative_to`` says what ``accuracy`` is a share of.

    Unit: ``%`` of nominal, rating or reading; ``Hz`` or ``cycles`` where absolute. ``range`` is in p.u. for
    voltage and power, Hz for frequency, s for time.
    """

    name: str = Field(pattern=r"^[a-z][a-z.-]*$")
    quantity: Literal["voltage", "frequency", "active_power", "reactive_power", "time"]
    regime: Literal["steady", "transient"]
    accuracy: float = Field(gt=0)
    unit: Literal["%", "Hz", "cycles"]
    relative_to: Literal["nominal", "rating", "reading", "absolute"]
    window_cycles: float | None = Field(default=None, gt=0)
    range: Span | None = None

    @model_validator(mode="after")
    def _check(self) -> MeasurementAccuracy:
        if (self.unit == "%") == (self.relative_to == "absolute"):
            raise ValueError(f"unit {self.unit} does not go with {self.relative_to}")
        return self

    def absolute(self, value: float, nominal_frequency_hz: float) -> float:
        """Return the accuracy in the quantity's own unit (p.u., Hz, s) at a value of it."""
        if self.unit == "cycles":
            return self.accuracy / nominal_frequency_hz
        if self.unit == "Hz":
            return self.accuracy
        return self.accuracy / 100 * (abs(value) if self.relative_to == "reading" else 1.0)


class Islanding(Cited):
    """Time within which an unintentional island must be left; ``extended_s`` by agreement."""

    time_s: float = Field(gt=0)
    extended_s: float | None = Field(default=None, gt=0)


class Requirement(Cited):
    """What must be so before an onboard inverter may discharge, or when it must stop."""

    name: str = Field(pattern=r"^[a-z][a-z-]*$")
    title: str = Field(min_length=1)
