"""Rules as data: grid codes, what a disturbance asks of a plant, and the formulas that codes define."""

from v2glab.gridcodes._droop import droop_power_pu
from v2glab.gridcodes._load import list_codes, load_code, parse_code, read_code
from v2glab.gridcodes._model import (
    Authorisation,
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
    Region,
    RestoreOutput,
    RocofLimit,
    Setting,
    Trip,
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
    "Authorisation",
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
    "Region",
    "RegionUse",
    "RestoreOutput",
    "RideThroughAssessment",
    "RocofLimit",
    "Segment",
    "Setting",
    "Trip",
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
