"""Control laws: synchronisation, EVSE transitions, current foldback. Pure: values in, values out."""

from v2glab.control._foldback import (
    FOLDBACK_START,
    TEMPERATURE_RANGE_CELSIUS,
    allowed_current_pu,
    check_temperature_limit,
    rise_share,
)
from v2glab.control._synchronisation import (
    SyncLimits,
    SyncMeasurement,
    SyncSetpoints,
    closing_obstacles,
    predict_phase,
    steer,
    wrap_phase,
)

__all__ = [
    "FOLDBACK_START",
    "TEMPERATURE_RANGE_CELSIUS",
    "SyncLimits",
    "SyncMeasurement",
    "SyncSetpoints",
    "allowed_current_pu",
    "check_temperature_limit",
    "closing_obstacles",
    "predict_phase",
    "rise_share",
    "steer",
    "wrap_phase",
]
