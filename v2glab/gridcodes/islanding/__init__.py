"""Unintentional islands: a plant and a parallel RLC load without a grid, and whether the plant notices."""

from v2glab.gridcodes.islanding._inverter import Curve, Droop, IslandInverter, IslandTrip, TripLike
from v2glab.gridcodes.islanding._load import RlcLoad, capacitor_steps, match_load, mismatched_load
from v2glab.gridcodes.islanding._simulate import (
    IslandRecord,
    NonDetectionMap,
    RunOn,
    non_detection_map,
    run_on_time,
    simulate_island,
)
from v2glab.gridcodes.islanding._zone import (
    critical_frequency_shift_gain,
    critical_voltage_shift_gain,
    passive_power_boundary,
    passive_reactive_boundary,
)

__all__ = [
    "Curve",
    "Droop",
    "IslandInverter",
    "IslandRecord",
    "IslandTrip",
    "NonDetectionMap",
    "RlcLoad",
    "RunOn",
    "TripLike",
    "capacitor_steps",
    "critical_frequency_shift_gain",
    "critical_voltage_shift_gain",
    "match_load",
    "mismatched_load",
    "non_detection_map",
    "passive_power_boundary",
    "passive_reactive_boundary",
    "run_on_time",
    "simulate_island",
]
