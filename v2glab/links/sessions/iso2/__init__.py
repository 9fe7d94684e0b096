"""ISO 15118-2: AC and DC, at the charger or by contract, pause and renegotiation, both ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from v2glab.links.sessions.iso2._charger import Iso2Service
from v2glab.links.sessions.iso2._vehicle import Iso2Vehicle
from v2glab.links.sessions.iso2._vehicle_kinds import Iso2AcVehicle, Iso2DcVehicle

if TYPE_CHECKING:
    from v2glab.links.sessions._offer import Offer
    from v2glab.links.sessions._plant import ChargerPlant
    from v2glab.links.sessions._vehicle import DriverParts

__all__ = ["Iso2AcVehicle", "Iso2DcVehicle", "Iso2Service", "Iso2Vehicle", "make_driver", "make_service"]


def make_service(protocol: str, plant: ChargerPlant, offer: Offer) -> Iso2Service:
    """Return the charger's side of one session."""
    return Iso2Service(plant, offer)


def make_driver(parts: DriverParts) -> Iso2Vehicle:
    """Return the vehicle's side; a wish for a bidirectional service charges only.

    Raises
    ------
    InputError
        Plug and Charge without a contract, or one that cannot be read.
    """
    kind = Iso2AcVehicle if parts.wishes.service.startswith("ac") else Iso2DcVehicle
    return kind(parts)
