"""``v2glab gateway``: the OCPP service of the gateway by itself, as a service manager runs it."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from v2glab.station import StationFile


def gateway(
    station: Annotated[
        str | None, typer.Option(help="Station file whose [gateway] and [logs] say where and with what.")
    ] = None,
    pki: Annotated[Path | None, typer.Option(help="Folder with ca.pem, gateway.pem, gateway.key.")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.  [default: 127.0.0.1]")] = None,
    port: Annotated[int | None, typer.Option(help="0 for a free one.  [default: 8883]")] = None,
    log: Annotated[Path | None, typer.Option(help="Log, appended to.  [default: gateway.log]")] = None,
    journal: Annotated[
        Path, typer.Option(help="SQLite file that keeps every message before it is answered.")
    ] = Path("ocpp-journal.sqlite"),
) -> int:
    """Take charging stations in over OCPP 2.0.1 and TLS 1.3 until stopped by SIGTERM or Ctrl-C.

    Options given here go before what the station file says.

    Examples:

      v2glab gateway --station my-site.toml

      v2glab gateway --pki /etc/v2glab/pki --host 0.0.0.0 --port 8883
    """
    from v2glab.evidence import UsageError
    from v2glab.gateway import OcppGateway, PkiPaths

    settings, folder = _settings(station)
    section = settings.gateway if settings is not None else None
    if pki is None and section is None:
        raise UsageError(
            "neither certificates nor a station file that names them", "--pki or --station", "give one"
        )
    keys = pki if pki is not None else folder / (section.pki if section is not None else "")
    named_log = settings.logs.get("gateway") if settings is not None else None
    place = host or (section.host if section is not None else "127.0.0.1")
    number = port if port is not None else section.port if section is not None else 8883
    if not 0 <= number <= 65535:
        raise UsageError(f"port {number}", "0 to 65535", "choose another")
    stopping = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stopping.set())
    with OcppGateway(
        place, number, PkiPaths(keys), log or Path(named_log or "gateway.log"), journal
    ) as service:
        sys.stdout.write(f"listening on {place}:{service.port}\n")
        sys.stdout.flush()
        stopping.wait()
    return 0


def _settings(station: str | None) -> tuple[StationFile | None, Path]:
    """Read the station file; return it with the folder that its relative paths count from."""
    from v2glab.evidence import UsageError
    from v2glab.station import find_station, load_station

    if station is None:
        return None, Path()
    path = find_station(station)
    settings = load_station(path)
    if settings.gateway is None:
        raise UsageError(
            f"{path} without [gateway]", "a section [gateway]", "add host, port, station_id, pki"
        )
    if settings.gateway.pki.startswith("twin:"):
        raise UsageError(
            f"{path}, whose certificates the twin makes",
            "the resolved file of a twin under way, or a live station",
            "v2glab twin --resolved bench.toml, then v2glab gateway --station bench.toml",
        )
    return settings, path.parent
