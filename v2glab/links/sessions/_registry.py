"""Which module speaks which protocol; imported when it is first needed."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from v2glab.links.sessions._offer import Offer
    from v2glab.links.sessions._plant import ChargerPlant
    from v2glab.links.sessions._serve import Service
    from v2glab.links.sessions._vehicle import DriverParts, VehicleDriver

#: Packages by protocol. Each has ``make_service(protocol, plant, offer)`` and
#: ``make_driver(parts)``.
_HOMES = {"din": "din", "iso2": "iso2", "iso20-ac": "iso20", "iso20-dc": "iso20"}


def load_service(protocol: str) -> None:
    """Import the charger's side of a protocol, so that no vehicle waits for that."""
    _ = _home(protocol).make_service


def load_driver(protocol: str) -> None:
    """Import the vehicle's side of a protocol, so that no charger waits for that."""
    _ = _home(protocol).make_driver


def service_maker(protocol: str, plant: ChargerPlant, offer: Offer) -> Callable[[], Service]:
    """Return what makes the charger's side of one session."""
    made = _home(protocol).make_service
    return lambda: cast("Service", made(protocol, plant, offer))


def make_driver(parts: DriverParts) -> VehicleDriver:
    """Return the vehicle's side of the protocol that the asker has agreed on."""
    made = _home(parts.asker.link.protocol_name).make_driver
    return cast("VehicleDriver", made(parts))


def _home(protocol: str) -> Any:  # noqa: ANN401 -- a module
    return import_module(f"v2glab.links.sessions.{_HOMES[protocol]}")
