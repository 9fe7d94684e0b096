"""What a plant does in normal operation: voltage and reactive power, by normal category."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal, Self

from pydantic import Field, model_validator

from v2glab.gridcodes._values import Cited, Frozen, Point, Setting, Span, bound_name

#: Settings of the plant, not of a characteristic, that bounds may refer to.
PLANT_SETTINGS = ("p_min", "p_min_absorbing")


class Characteristic(Cited):
    """A piecewise linear characteristic, flat beyond its ends; coordinates are fields of type ``Point``."""

    @model_validator(mode="after")
    def _check_points(self) -> Self:
        known = self.defaults()
        for name, point in self.coordinates().items():
            for bound in (point.lower, point.upper, point.at_least, point.at_most):
                refers = bound_name(bound)
                if refers and refers not in known and refers not in PLANT_SETTINGS:
                    raise ValueError(f"{name}: bound {bound!r} refers to no setting")
            low, high = point.limits(known)
            if not low - 1e-12 <= point.default <= high + 1e-12:
                raise ValueError(f"{name}: default {point.default} outside its range {low:g} to {high:g}")
        return self

    def coordinates(self) -> dict[str, Point]:
        """Return the coordinates by name."""
        values = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: v for name, v in values.items() if isinstance(v, Point)}

    def defaults(self) -> dict[str, float]:
        """Return the default of each coordinate and setting by name."""
        values = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: v.default for name, v in values.items() if isinstance(v, Point | Setting)}


class VoltVar(Characteristic):
    """Reactive power (p.u. of rated apparent power, injection positive) by voltage (p.u.).

    ``response_s`` is the open-loop response time; ``reference_time_s`` the range of the time constant with
    which an autonomous reference follows the voltage.
    """

    v_ref: Setting | None = None
    v1: Point
    q1: Point
    v2: Point
    q2: Point
    v3: Point
    q3: Point
    v4: Point
    q4: Point
    response_s: Setting | None = None
    reference_time_s: Span | None = None

    @property
    def points(self) -> tuple[tuple[float, float], ...]:
        """Four pairs (voltage, reactive power), defaults."""
        return _pairs((self.v1, self.q1), (self.v2, self.q2), (self.v3, self.q3), (self.v4, self.q4))

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        _monotonic(self.points, "volt-var", falling=True)
        return self


class WattVar(Characteristic):
    """Reactive power by active power (both p.u.); ``…_load`` are the points on the charging side."""

    p1: Point
    q1: Point
    p2: Point
    q2: Point
    p3: Point
    q3: Point
    p1_load: Point | None = None
    q1_load: Point | None = None
    p2_load: Point | None = None
    q2_load: Point | None = None
    p3_load: Point | None = None
    q3_load: Point | None = None
    response_s: Setting | None = None
    greatest_response_s: float | None = Field(default=None, gt=0)

    @property
    def points(self) -> tuple[tuple[float, float], ...]:
        """Pairs (active power, reactive power) of the discharging side, defaults."""
        return _pairs((self.p1, self.q1), (self.p2, self.q2), (self.p3, self.q3))

    @property
    def load_points(self) -> tuple[tuple[float, float], ...]:
        """Pairs of the charging side, power below zero, from small to great power; empty without one."""
        return _pairs(
            (self.p1_load, self.q1_load), (self.p2_load, self.q2_load), (self.p3_load, self.q3_load)
        )

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        _monotonic(self.points, "watt-var", falling=True)
        _monotonic(self.load_points[::-1], "watt-var while charging", falling=True)
        return self


class VoltWatt(Characteristic):
    """Greatest active power (p.u. of rated) by voltage (p.u.).

    ``p2_absorbing`` is the second power of a plant that can absorb; ``charging`` whether the characteristic
    bounds the power drawn instead, which then rises with voltage. ``commence_s`` and ``complete_s`` bound
    when a response begins and ends, in codes that name no open-loop response time.
    """

    v1: Point
    p1: Point
    v2: Point
    p2: Point
    p2_absorbing: Point | None = None
    charging: bool = False
    response_s: Setting | None = None
    commence_s: float | None = Field(default=None, gt=0)
    complete_s: float | None = Field(default=None, gt=0)

    @property
    def points(self) -> tuple[tuple[float, float], ...]:
        """Two pairs (voltage, power), defaults of a plant that cannot absorb."""
        return _pairs((self.v1, self.p1), (self.v2, self.p2))

    @property
    def absorbing_points(self) -> tuple[tuple[float, float], ...]:
        """Two pairs, defaults of a plant that can absorb."""
        return _pairs((self.v1, self.p1), (self.v2, self.p2_absorbing or self.p2))

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        _monotonic(self.points, "volt-watt", falling=not self.charging)
        _monotonic(self.absorbing_points, "volt-watt while absorbing", falling=not self.charging)
        return self


class ConstantPowerFactor(Cited):
    """Constant power factor; without ``power_factor`` the code names no default."""

    power_factor: Setting | None = None
    response_s: Setting | None = None
    greatest_response_s: float | None = Field(default=None, gt=0)


class ConstantReactivePower(Cited):
    """Constant reactive power, p.u. of rated apparent power."""

    reactive_pu: Setting | None = None
    response_s: Setting | None = None
    greatest_response_s: float | None = Field(default=None, gt=0)


class ReactiveCapability(Cited):
    """Reactive power that must be possible, p.u. of what ``relative_to`` names, and its power factor.

    ``above_va`` and ``up_to_va`` bound the apparent power of plants that this asks it of.
    """

    relative_to: Literal["rated apparent power", "rated active power"] = "rated apparent power"
    injection_pu: float = Field(ge=0, le=1)
    absorption_pu: float = Field(ge=0, le=1)
    power_factor: float | None = Field(default=None, gt=0, le=1)
    above_va: float | None = None
    up_to_va: float | None = None


class ActivePowerLimit(Cited):
    """Response to a limit of active power; ``greatest_response_s`` bounds it."""

    limit_pu: Setting | None = None
    greatest_response_s: float = Field(gt=0)


class NormalRules(Frozen):
    """All rules of one category of normal operation; ``None`` means that no limit is known."""

    name: str
    reactive_capability: ReactiveCapability | None = None
    volt_var: VoltVar | None = None
    watt_var: WattVar | None = None
    volt_watt: VoltWatt | None = None
    volt_watt_charging: VoltWatt | None = None
    constant_pf: ConstantPowerFactor | None = None
    constant_q: ConstantReactivePower | None = None
    active_power_limit: ActivePowerLimit | None = None


def _pairs(*pairs: tuple[Point | None, Point | None]) -> tuple[tuple[float, float], ...]:
    return tuple((x.default, y.default) for x, y in pairs if x is not None and y is not None)


def _monotonic(points: tuple[tuple[float, float], ...], what: str, *, falling: bool) -> None:
    """Refuse a curve whose x falls, or whose y moves both ways or the wrong way."""
    for (x0, y0), (x1, y1) in pairwise(points):
        if x1 < x0 or (x1 == x0 and y1 != y0):
            raise ValueError(f"{what} is not monotonic: {x0:g} is followed by {x1:g}")
        if (y1 > y0) if falling else (y1 < y0):
            raise ValueError(f"{what} is not monotonic: {y0:g} is followed by {y1:g}")
