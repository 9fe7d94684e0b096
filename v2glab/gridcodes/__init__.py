"""Rules as data: grid codes, what a disturbance asks of a plant, and the formulas that codes define."""

from v2glab.gridcodes._compare import Pair, compare_rows
from v2glab.gridcodes._demand import Demand, demand
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
from v2glab.gridcodes._rows import Row, code_rows, unverified


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
    "Demand",
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
    "Pair",
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
    "Row",
    "Segment",
    "Setting",
    "Trip",
    "TripRange",
    "TripUse",
    "VoltVar",
    "VoltWatt",
    "WattVar",
    "assess_ride_through",
    "code_rows",
    "compare_rows",
    "demand",
    "droop_power_pu",
    "list_codes",
    "load_code",
    "parse_code",
    "read_code",
    "trip_settings",
    "unverified",
]
