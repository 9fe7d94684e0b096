"""The link between station and gateway: its certificates, and on the twin a short session."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from v2glab.diagnosis import CertificateSeen
from v2glab.evidence import DeviceError, InputError
from v2glab.gateway import CertificateFacts, OcppGateway, PkiPaths, inspect_certificate

if TYPE_CHECKING:
    from v2glab.station import Station

#: Time that the refused end needs to log the alert.
_ALERT_S = 0.3


def look_at_certificates(folder: Path, station_id: str) -> tuple[tuple[CertificateSeen, ...], str]:
    """Judge the certificates of a PKI folder by the machine's clock, as TLS does.

    Returns
    -------
    tuple
        What could be read, and why nothing could be, if so.
    """
    pki, seen, now = PkiPaths(folder), [], datetime.now(UTC)
    root = _facts(pki.ca)
    for role, path in (("root", pki.ca), *((r, pki.certificate(r)) for r in ("gateway", "station"))):
        facts = root if role == "root" else _facts(path)
        if facts is None:
            continue
        problems = list(facts.problems(now, root.subject if root is not None else ""))
        name = f"CN={station_id}"
        if role == "station" and name not in facts.subject.split(","):
            problems.append(f"names '{facts.subject}', not '{name}'")
        until = f"{facts.not_after:%Y-%m-%d %H:%M} UTC"
        seen.append(CertificateSeen(role, facts.subject, until, tuple(problems)))
    return tuple(seen), "" if seen else f"no certificate in {folder.name or folder}"


def _facts(path: Path) -> CertificateFacts | None:
    try:
        return inspect_certificate(path)
    except InputError:
        return None


def let_connect(station: Station, within_s: float, journal: Path) -> dict[str, str]:
    """Bring the gateway up until the twin's charging station was accepted or refused; nothing is energised.

    Returns
    -------
    dict
        Why it could not be, by ``"ocpp"`` and, when something else has the port, ``"gateway"``.
    """
    gateway, log = station.settings.gateway, station.settings.logs.get("gateway")
    if gateway is None or log is None or gateway.port == 0:
        return {"ocpp": "the station file names no gateway, port or log of it"}
    service = OcppGateway(gateway.host, gateway.port, PkiPaths(Path(gateway.pki)), Path(log), journal)
    try:
        with service:
            told = service.wait_for(
                lambda: service.connected(gateway.station_id) or bool(service.rejected), within_s
            )
            if service.rejected:
                time.sleep(_ALERT_S)
    except (DeviceError, InputError) as error:
        return {"ocpp": error.found, "gateway": error.found}
    return {} if told else {"ocpp": f"the station did not connect within {within_s:g} s"}
