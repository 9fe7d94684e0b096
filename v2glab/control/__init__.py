"""Control laws: synchronisation, EVSE transitions, current foldback. Pure: values in, values out."""

from v2glab.control._evse import OPEN_ACTIONS, Answer, EvseState, Observation
from v2glab.control._evse import Action as EvseAction
from v2glab.control._evse import Command as EvseCommand
from v2glab.control._evse import Decision as EvseDecision
from v2glab.control._evse import Limits as EvseLimits
from v2glab.control._evse import Memory as EvseMemory
from v2glab.control._evse import complete as evse_complete
from v2glab.control._evse import decide as evse_decide
from v2glab.control._evse import derive_state as evse_derive_state
from v2glab.control._evse import fail as evse_fail
from v2glab.control._evse import react as evse_react
from v2glab.control._evse import restore as evse_restore
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
    compare_fundamentals,
    predict_phase,
    steer,
    wrap_phase,
)

__all__ = [
    "FOLDBACK_START",
    "OPEN_ACTIONS",
    "TEMPERATURE_RANGE_CELSIUS",
    "Answer",
    "EvseAction",
    "EvseCommand",
    "EvseDecision",
    "EvseLimits",
    "EvseMemory",
    "EvseState",
    "Observation",
    "SyncLimits",
    "SyncMeasurement",
    "SyncSetpoints",
    "allowed_current_pu",
    "check_temperature_limit",
    "closing_obstacles",
    "compare_fundamentals",
    "evse_complete",
    "evse_decide",
    "evse_derive_state",
    "evse_fail",
    "evse_react",
    "evse_restore",
    "predict_phase",
    "rise_share",
    "steer",
    "wrap_phase",
]
