"""Rules as data: grid codes, what a disturbance asks of a plant, and the formulas that codes define."""

from v2glab.gridcodes._droop import droop_power_pu
from v2glab.gridcodes._load import list_codes, load_code, parse_code, read_code
from v2glab.gridcodes._model import (
    CategoryRules,
    Cited,
    ConsecutiveDisturbances,
    ControlTimes,
    DroopSettings,
    DynamicVoltageSupport,
    EnterService,
    FrequencyResponse,
    GridCode,
    HarmonicGrouping,
    Islanding,
    Limit,
    MeasurementAccuracy,
    MomentaryCessation,
    NormalRules,
    PhaseJump,
    Point,
    Reconnection,
    Region,
    Requirement,
    RestoreOutput,
    RocofLimit,
    RocofTrip,
    Setting,
    Trip,
    TripRange,
)
from v2glab.gridcodes._normal import (
    ActivePowerLimit,
    ConstantPowerFactor,
    ConstantReactivePower,
    ReactiveCapability,
    VoltVar,
    VoltWatt,
    WattVar,
)
from v2glab.gridcodes._ride_through import (
    RegionUse,
    RideThroughAssessment,
    Segment,
    TripUse,
    assess_ride_through,
)


def trip_settings(code: GridCode, category: str) -> tuple[Trip, ...]:
    """Return all trips of a category, voltage before frequency.

    Raises
    ------
    UsageError
        The code has no such category.
    """
    rules = code.category(category)
    return rules.voltage_trips + rules.frequency_trips


__all__ = [
    "ActivePowerLimit",
    "CategoryRules",
    "Cited",
    "ConsecutiveDisturbances",
    "ConstantPowerFactor",
    "ConstantReactivePower",
    "ControlTimes",
    "DroopSettings",
    "DynamicVoltageSupport",
    "EnterService",
    "FrequencyResponse",
    "GridCode",
    "HarmonicGrouping",
    "Islanding",
    "Limit",
    "MeasurementAccuracy",
    "MomentaryCessation",
    "NormalRules",
    "PhaseJump",
    "Point",
    "ReactiveCapability",
    "Reconnection",
    "Region",
    "RegionUse",
    "Requirement",
    "RestoreOutput",
    "RideThroughAssessment",
    "RocofLimit",
    "RocofTrip",
    "Segment",
    "Setting",
    "Trip",
    "TripRange",
    "TripUse",
    "VoltVar",
    "VoltWatt",
    "WattVar",
    "assess_ride_through",
    "droop_power_pu",
    "list_codes",
    "load_code",
    "parse_code",
    "read_code",
    "trip_settings",
]
