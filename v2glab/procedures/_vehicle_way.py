"""From a station file to how a vehicle finds the charger, and what it shows it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from v2glab.evidence import UsageError

if TYPE_CHECKING:
    from v2glab.links.pki import PkiFiles
    from v2glab.links.sdp import Direct, Multicast
    from v2glab.links.sessions import Fixed
    from v2glab.links.tls import TlsSettings
    from v2glab.station import Station, VehicleSection


def vehicle_section(station: Station) -> VehicleSection:
    """Return the section ``[vehicle]``.

    Raises
    ------
    UsageError
        The station file has none.
    """
    if (section := station.settings.vehicle) is None:
        raise UsageError(
            f"{station.name} has no section [vehicle]",
            "how the charger is reached over ISO 15118",
            "add it to the station file; see drivers/stations/example-site.toml",
        )
    return section


def way_to_charger(section: VehicleSection) -> Multicast | Direct | Fixed:
    """Return how the charger is found."""
    from v2glab.links.sdp import Direct, Multicast
    from v2glab.links.sessions import Fixed

    if section.transport == "multicast":
        return Multicast(section.address)
    return (Direct if section.transport == "direct" else Fixed)(*section.endpoint)


def certificates(section: VehicleSection, beside: Path) -> PkiFiles | None:
    """Return where the vehicle's certificates lie; a relative folder counts from the station file."""
    from v2glab.links.pki import PkiFiles

    return None if section.pki is None else PkiFiles(beside / section.pki)


def tls_of(files: PkiFiles | None, protocol: str) -> TlsSettings | None:
    """Return how the connection is encrypted; part 2 and DIN go in clear, as this project speaks them."""
    from v2glab.links.tls import TlsSettings

    if files is None or not protocol.startswith("iso20"):
        return None
    return TlsSettings("evcc", files)
