"""What the parts of a grid code are made of: settings with ranges, limits, and where each was read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from v2glab.evidence import Confidence

_RELATIVE = re.compile(r"^\s*([a-z][a-z0-9_]*)\s*(?:([+-])\s*(\d+(?:\.\d+)?))?\s*$")


class Frozen(BaseModel):
    """Typed, frozen, without unknown fields and without numbers that are not finite."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def _rising(span: tuple[float, float]) -> tuple[float, float]:
    if span[0] > span[1]:
        raise ValueError(f"range {span} runs backwards")
    return span


#: Least and greatest value.
Span = Annotated[tuple[float, float], AfterValidator(_rising)]


class Setting(Frozen):
    """A default and the range within which it may be set."""

    default: float
    range: Span | None = None

    @model_validator(mode="after")
    def _check(self) -> Setting:
        if self.range and not self.range[0] <= self.default <= self.range[1]:
            raise ValueError(f"default {self.default} outside its range {self.range}")
        return self


class Point(Frozen):
    """One coordinate of a characteristic; a bound is a number or another setting, such as ``"v2 - 0.02"``.

    ``lower`` and ``upper`` are the ends of its range. ``at_least`` and ``at_most`` move the default itself,
    which is then the greater, or the lesser, of the number and that bound.
    """

    default: float
    lower: float | str | None = None
    upper: float | str | None = None
    at_least: float | str | None = None
    at_most: float | str | None = None

    @model_validator(mode="after")
    def _check(self) -> Point:
        for bound in (self.lower, self.upper, self.at_least, self.at_most):
            if isinstance(bound, str) and not _RELATIVE.match(bound):
                raise ValueError(f"bound {bound!r} is neither a number nor like 'v2 - 0.02'")
        return self

    def value(self, settings: Mapping[str, float]) -> float:
        """Return the default for a plant; ``settings`` holds what bounds refer to, such as ``p_min``."""
        value = self.default
        if self.at_least is not None:
            value = max(value, bound_value(self.at_least, settings, value))
        if self.at_most is not None:
            value = min(value, bound_value(self.at_most, settings, value))
        return value

    def limits(self, settings: Mapping[str, float]) -> tuple[float, float]:
        """Return least and greatest value; infinite where the code, or ``settings``, says nothing."""
        inf = float("inf")
        low = -inf if self.lower is None else bound_value(self.lower, settings, -inf)
        high = inf if self.upper is None else bound_value(self.upper, settings, inf)
        return low, high


def bound_value(bound: float | str, settings: Mapping[str, float], missing: float) -> float:
    """Return a bound as a number; ``missing`` when it refers to a setting that is not given."""
    if not isinstance(bound, str):
        return bound
    match = _RELATIVE.match(bound)
    if match is None or match[1] not in settings:
        return missing
    shift = float(match[3] or 0.0)
    return settings[match[1]] + (-shift if match[2] == "-" else shift)


def bound_name(bound: float | str | None) -> str | None:
    """Return the setting that a bound refers to; ``None`` for a number."""
    match = _RELATIVE.match(bound) if isinstance(bound, str) else None
    return match[1] if match else None


class Cited(Frozen):
    """What every limit carries: where it stands, where it was read, whether that was confirmed.

    ``standard`` and ``edition`` name the text that the clause belongs to; a code that extends another keeps
    those of the other for what it takes over.
    """

    clause: str = Field(min_length=1)
    source: str = Field(min_length=1)
    confidence: Confidence
    note: str = ""
    standard: str = ""
    edition: str = ""


class Limit(Cited):
    """One number with its unit."""

    limit: float
    unit: str = Field(min_length=1)
