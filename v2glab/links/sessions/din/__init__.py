"""DIN SPEC 70121: direct current, authorised at the charger, both ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from v2glab.links.sessions.din._charger import DinService
from v2glab.links.sessions.din._vehicle import DinVehicle

if TYPE_CHECKING:
    from v2glab.links.sessions._offer import Offer
    from v2glab.links.sessions._plant import ChargerPlant
    from v2glab.links.sessions._vehicle import DriverParts

__all__ = ["DinService", "DinVehicle", "make_driver", "make_service"]


def make_service(protocol: str, plant: ChargerPlant, offer: Offer) -> DinService:
    """Return the charger's side of one session."""
    return DinService(plant, offer)


def make_driver(parts: DriverParts) -> DinVehicle:
    """Return the vehicle's side.

    Raises
    ------
    InputError
        DIN has neither AC nor Plug and Charge.
    """
    return DinVehicle(parts)
