"""Typed, frozen model of one grid code."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from v2glab.evidence import Criterion, UsageError
from v2glab.gridcodes._abnormal import (
    CategoryRules,
    ConsecutiveDisturbances,
    DroopSettings,
    DynamicVoltageSupport,
    EnterService,
    FrequencyResponse,
    Mode,
    MomentaryCessation,
    Reconnection,
    Region,
    RegulatedQuantity,
    RestoreOutput,
    RocofLimit,
    RocofTrip,
    Trip,
    TripRange,
)
from v2glab.gridcodes._normal import NormalRules
from v2glab.gridcodes._plant import (
    ControlTimes,
    HarmonicGrouping,
    Islanding,
    MeasurementAccuracy,
    PhaseJump,
    Requirement,
)
from v2glab.gridcodes._values import Cited, Frozen, Limit, Point, Setting


class CriteriaByName(dict[str, Criterion]):
    """Criteria by identity; a category may be written in capitals, as people do: ``…trip.uv1.III``."""

    def __missing__(self, key: str) -> Criterion:
        lowered = key.lower()
        if lowered == key:
            raise KeyError(key)
        return self[lowered]


class GridCode(Frozen):
    """One grid code: standard, edition, nominal values, categories and criteria.

    ``nominal_voltage_v`` is the voltage that per-unit values of its text are taken from, line to neutral;
    ``None`` when the text is in per unit of the site's own. ``extends`` names the code that this one is a
    difference to. A code without categories is named but not yet transcribed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")
    title: str
    standard: str = Field(min_length=1)
    edition: str = Field(min_length=1)
    nominal_frequency_hz: float = Field(gt=0)
    nominal_voltage_v: float | None = Field(default=None, gt=0)
    default_category: str
    default_normal_category: str = ""
    extends: str = ""
    note: str = ""
    sources: dict[str, str]
    categories: dict[str, CategoryRules]
    normal: dict[str, NormalRules] = Field(default_factory=dict)
    enter_service: EnterService | None = None
    control: ControlTimes | None = None
    phase_jump: PhaseJump | None = None
    islanding: Islanding | None = None
    harmonics: HarmonicGrouping | None = None
    reconnection: Reconnection | None = None
    requirements: dict[str, Requirement] = Field(default_factory=dict)
    accuracy: dict[str, MeasurementAccuracy] = Field(default_factory=dict)
    criteria: CriteriaByName

    def category(self, name: str) -> CategoryRules:
        """Return the rules of a category.

        Raises
        ------
        UsageError
            The code has none of that name.
        """
        for known, rules in self.categories.items():
            if known.lower() == name.lower():
                return rules
        raise _unknown(self.id, "category", name, list(self.categories))

    def normal_category(self, name: str | None = None) -> NormalRules:
        """Return the rules of a category of normal operation, by default of the code's default one.

        Raises
        ------
        UsageError
            The code has none of that name.
        """
        wanted = (self.default_normal_category if name is None else name).lower()
        for known, rules in self.normal.items():
            if known.lower() == wanted:
                return rules
        raise _unknown(self.id, "normal category", wanted, list(self.normal))

    def criteria_of(self, group: str) -> dict[str, Criterion]:
        """Return the criteria of a group such as ``"harmonic"`` or ``"sync.phase"``, by identity."""
        prefix = f"{self.id}.{group}."
        return {k: c for k, c in self.criteria.items() if k == prefix[:-1] or k.startswith(prefix)}


def _unknown(code: str, kind: str, name: str, known: list[str]) -> UsageError:
    if not known:
        return UsageError(
            f"{code}: no {kind} is transcribed",
            "a category whose limits are known",
            "transcribe the text of that edition, or use another code",
        )
    return UsageError(f"{kind} {name!r} of {code}", f"one of: {', '.join(known)}", "choose one of those")


__all__ = [
    "CategoryRules",
    "Cited",
    "ConsecutiveDisturbances",
    "ControlTimes",
    "CriteriaByName",
    "DroopSettings",
    "DynamicVoltageSupport",
    "EnterService",
    "FrequencyResponse",
    "GridCode",
    "HarmonicGrouping",
    "Islanding",
    "Limit",
    "MeasurementAccuracy",
    "Mode",
    "MomentaryCessation",
    "NormalRules",
    "PhaseJump",
    "Point",
    "Reconnection",
    "Region",
    "RegulatedQuantity",
    "Requirement",
    "RestoreOutput",
    "RocofLimit",
    "RocofTrip",
    "Setting",
    "Trip",
    "TripRange",
]
