"""A station: what stands on the bench or at the site, with its clock, its lease and its safe state.

Names are loaded on first use: the guardian process imports this package, and must be ready soon.
"""

from typing import TYPE_CHECKING

from v2glab.lazy import lazy_attributes

if TYPE_CHECKING:
    from v2glab.station._clock import LockstepClock, RealtimeClock, StationClock
    from v2glab.station._compile import compile_plan
    from v2glab.station._guardian import (
        GUARD_SOCKET_VARIABLE,
        GuardianHandle,
        Membership,
        start_guardian,
    )
    from v2glab.station._lease import Lease
    from v2glab.station._load import find_station, load_station
    from v2glab.station._lock import LOCK_HOLDER_VARIABLE, StationLock
    from v2glab.station._open import open_station
    from v2glab.station._settings import Site, StationFile, VehicleSection
    from v2glab.station._station import Station
    from v2glab.station._transition import Evse

__getattr__ = lazy_attributes(
    __name__,
    {
        "_clock": ("LockstepClock", "RealtimeClock", "StationClock"),
        "_compile": ("compile_plan",),
        "_guardian": ("GUARD_SOCKET_VARIABLE", "GuardianHandle", "Membership", "start_guardian"),
        "_lease": ("Lease",),
        "_load": ("find_station", "load_station"),
        "_lock": ("LOCK_HOLDER_VARIABLE", "StationLock"),
        "_settings": ("Site", "StationFile", "VehicleSection"),
        "_open": ("open_station",),
        "_station": ("Station",),
        "_transition": ("Evse",),
    },
)

__all__ = [
    "GUARD_SOCKET_VARIABLE",
    "LOCK_HOLDER_VARIABLE",
    "Evse",
    "GuardianHandle",
    "Lease",
    "LockstepClock",
    "Membership",
    "RealtimeClock",
    "Site",
    "Station",
    "StationClock",
    "StationFile",
    "StationLock",
    "VehicleSection",
    "compile_plan",
    "find_station",
    "load_station",
    "open_station",
    "start_guardian",
]
