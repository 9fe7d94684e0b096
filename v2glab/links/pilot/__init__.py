"""Control pilot and proximity pilot (IEC 61851-1): what voltage, duty and resistance mean, and their checks.

Pure: numbers in, meanings and verdicts out. Limits are data: ``datasets/iso15118/pilot.toml``, and for the
coding of the proximity pilot ``datasets/diagnosis/pp_error.toml``.
"""

from v2glab.links.pilot._control import (
    DutyMeaning,
    PilotReading,
    check_state,
    duty_for_current,
    duty_meaning,
    pilot_state,
)
from v2glab.links.pilot._proximity import (
    Proximity,
    read_proximity,
    tolerable_contact_ohm,
    with_contact,
    worn_contact,
)
from v2glab.links.pilot._rules import DutyRow, PilotRules, StateRow, load_pilot_rules

__all__ = [
    "DutyMeaning",
    "DutyRow",
    "PilotReading",
    "PilotRules",
    "Proximity",
    "StateRow",
    "check_state",
    "duty_for_current",
    "duty_meaning",
    "load_pilot_rules",
    "pilot_state",
    "read_proximity",
    "tolerable_contact_ohm",
    "with_contact",
    "worn_contact",
]
