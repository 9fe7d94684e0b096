"""Rules as data: grid codes, what a disturbance asks of a plant, and the formulas that codes define."""

from v2glab.gridcodes._droop import droop_power_pu
from v2glab.gridcodes._load import list_codes, load_code, parse_code, read_code
from v2glab.gridcodes._model import (
    CategoryRules,
    DroopSettings,
    EnterService,
    GridCode,
    Region,
    Setting,
    Trip,
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
    "CategoryRules",
    "DroopSettings",
    "EnterService",
    "GridCode",
    "Region",
    "RegionUse",
    "RideThroughAssessment",
    "Segment",
    "Setting",
    "Trip",
    "TripUse",
    "assess_ride_through",
    "droop_power_pu",
    "list_codes",
    "load_code",
    "parse_code",
    "read_code",
    "trip_settings",
]
