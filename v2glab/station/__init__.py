"""A station: what stands on the bench or at the site, with its clock, its lease and its safe state.

Names are loaded on first use: the guardian process imports this package, and must be ready soon.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

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
    from v2glab.station._settings import Site, StationFile
    from v2glab.station._station import Station
    from v2glab.station._transition import Evse

_HOMES = {
    "_clock": ("LockstepClock", "RealtimeClock", "StationClock"),
    "_compile": ("compile_plan",),
    "_guardian": ("GUARD_SOCKET_VARIABLE", "GuardianHandle", "Membership", "start_guardian"),
    "_lease": ("Lease",),
    "_load": ("find_station", "load_station"),
    "_lock": ("LOCK_HOLDER_VARIABLE", "StationLock"),
    "_settings": ("Site", "StationFile"),
    "_open": ("open_station",),
    "_station": ("Station",),
    "_transition": ("Evse",),
}
_MODULE_OF = {name: module for module, names in _HOMES.items() for name in names}

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
    "compile_plan",
    "find_station",
    "load_station",
    "open_station",
    "start_guardian",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 -- the module protocol asks for it
    """Load a public name on first use."""
    if name in _MODULE_OF:
        return getattr(import_module(f"v2glab.station.{_MODULE_OF[name]}"), name)
    raise AttributeError(f"module 'v2glab.station' has no attribute {name!r}")
