"""Keep the battery of the device under test where it can give and take throughout any test."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from v2glab.evidence import DeviceError

if TYPE_CHECKING:
    from v2glab.instruments import Instrument
    from v2glab.station import Lease, Station

#: Own values, percent of capacity: outside the first two it is brought to the third.
_LOW, _HIGH, _GOAL = 40.0, 85.0, 65.0
_LOOK_S, _PATIENCE_S = 20.0, 600.0


def charge_wanted(charger: Instrument) -> float:
    """Return the demand that brings the battery back, per unit of rated power, export positive; 0 for none.

    A charger that does not tell the state of charge is taken to have enough.
    """
    if "soc" not in charger.points():
        return 0.0
    soc = charger.read("soc")["soc"].value
    return -1.0 if soc < _LOW else 1.0 if soc > _HIGH else 0.0


def await_charge(
    station: Station, lease: Lease, demand_pu: float, tell: Callable[[float], None] = lambda soc: None
) -> None:
    """Wait until the battery has reached the middle of its range.

    Raises
    ------
    DeviceError
        The state of charge stands still: no test would say anything about the device.
    """
    charger, sign = station.instrument("charger"), -1.0 if demand_pu > 0 else 1.0
    best = charger.read("soc")["soc"].value
    still_s = 0.0
    while sign * (_GOAL - best) > 0:
        lease.checkpoint(within_s=_LOOK_S + 60.0)
        station.clock.sleep(_LOOK_S)
        soc = charger.read("soc")["soc"].value
        tell(soc)
        still_s = 0.0 if sign * (soc - best) > 0 else still_s + _LOOK_S
        if still_s >= _PATIENCE_S:
            raise DeviceError(
                f"a battery that stays at {soc:.1f} % for {still_s:.0f} s",
                f"{_LOW:g} to {_HIGH:g} %, so that it can give and take",
                "bring its charge into this range, then repeat",
            )
        best = soc if sign * (soc - best) > 0 else best
