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


def certificates(section: VehicleSection, beside: Path, protocol: str) -> PkiFiles | None:
    """Return where the certificates for a protocol lie; a relative folder counts from the station file."""
    from v2glab.links.pki import PkiFiles
    from v2glab.links.sessions import load_session_rules

    edition = load_session_rules().of_protocol(protocol).edition
    folder = {"iso15118-20": section.pki, "iso15118-2": section.pki_iso2}.get(edition)
    return None if folder is None else PkiFiles(beside / folder)


def tls_of(files: PkiFiles | None, protocol: str) -> TlsSettings | None:
    """Return how the connection is encrypted: as the protocol's edition asks; DIN goes in clear."""
    from v2glab.links.sessions import load_session_rules
    from v2glab.links.tls import TlsSettings

    edition = load_session_rules().of_protocol(protocol).edition
    if files is None or not edition:
        return None
    return TlsSettings.of_edition("evcc", files, edition)
