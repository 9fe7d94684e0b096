"""What ``v2glab vehicle listen`` does: be the charger, with a model behind it, until told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from v2glab.links.sdp import Direct, Multicast
    from v2glab.links.sessions import Served, SessionsListener

_SERVED = ("iso20-dc", "iso20-ac", "iso2", "din")


@dataclass(frozen=True)
class Listening:
    """How to listen; as the options of the command. ``make_pki`` makes folders that are not there."""

    host: str
    port: int
    interface: str
    pki: Path | None
    pki_iso2: Path | None
    make_pki: bool
    sessions: int
    key_log: Path | None = None


def listen(settings: Listening, *, as_json: bool) -> int:
    """Serve vehicles until SIGINT, SIGTERM or the wanted number of sessions; the model ends safe.

    Raises
    ------
    InputError
        Certificates cannot be used.
    DeviceError
        A port is taken, or there is no such address or interface.
    """
    return asyncio.run(_listen(settings, as_json=as_json))


async def _listen(settings: Listening, *, as_json: bool) -> int:
    stop, failed = asyncio.Event(), list[bool]()
    charger = _charger()

    def tell(served: Served) -> None:
        failed.append(served.failure is not None)
        _tell(served, as_json=as_json)
        if settings.sessions and len(failed) >= settings.sessions:
            stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with await _open(settings, charger, tell) as listener:
        _announce(listener, settings, as_json=as_json)
        await stop.wait()
    # Whoever sends one signal more wants out at once; the model holds no power any more.
    loop.remove_signal_handler(signal.SIGINT)
    reading = await charger.read()
    state = "open" if not reading.contactor_closed else "CLOSED"
    sys.stderr.write(f"stopped; {len(failed)} sessions, contactor {state}\n")
    return 4 if reading.contactor_closed else 0


def _charger() -> Any:  # noqa: ANN401 -- a ChargerPlant
    from v2glab.cli._vehicle_models import FarVehicleCharger
    from v2glab.links.sessions import ModelBattery

    return FarVehicleCharger(ModelBattery())


async def _open(settings: Listening, charger: Any, tell: Any) -> SessionsListener:  # noqa: ANN401 -- a plant
    from v2glab.links.pki import PkiFiles, make_pki, write_pki
    from v2glab.links.sessions import Offer, ServeSettings, load_session_rules, serve_sessions
    from v2glab.links.tls import TlsSettings

    tls = []
    for edition, folder in (("iso15118-20", settings.pki), ("iso15118-2", settings.pki_iso2)):
        if folder is None:
            continue
        if settings.make_pki and not folder.exists():
            write_pki(make_pki(edition), folder)
        files = PkiFiles(folder)
        tls.append(TlsSettings.of_edition("secc", files, edition, key_log=settings.key_log))
    offer = Offer(authorisation=("eim", "pnc") if tls else ("eim",))
    protocols, editions = load_session_rules().protocol, {one.edition for one in tls}
    served = [name for name in _SERVED if not tls or protocols[name].edition in editions]
    return await serve_sessions(
        ServeSettings(
            plant=charger,
            offer=offer,
            protocols=served,
            host=_host(settings),
            port=settings.port,
            tls=tls or None,
            sdp=_sdp(settings),
            on_end=tell,
        )
    )


def _host(settings: Listening) -> str:
    """Return where to listen: the link-local address of the interface, else the given host."""
    if not settings.interface:
        return settings.host
    from v2glab.evidence import DeviceError

    # proc(5), net/if_inet6: address, index, prefix, scope (20 is the link), flags, name.
    with contextlib.suppress(OSError):
        for line in Path("/proc/net/if_inet6").read_text(encoding="ascii").splitlines():
            address, _, _, scope, _, name = line.split()
            if name == settings.interface and scope == "20":
                groups = ":".join(address[i : i + 4] for i in range(0, 32, 4))
                return f"{groups}%{name}"
    raise DeviceError(
        f"{settings.interface}: no link-local address",
        "an interface that is up, with IPv6",
        "see: ip -6 address",
    )


def _sdp(settings: Listening) -> Direct | Multicast:
    from v2glab.links.sdp import Direct, Multicast

    return Multicast(settings.interface) if settings.interface else Direct(settings.host, settings.port)


def _announce(listener: SessionsListener, settings: Listening, *, as_json: bool) -> None:
    host = _host(settings)
    if as_json:
        print(json.dumps({"host": host, "port": listener.port, "discovery": listener.sdp_port}), flush=True)
        return
    print(
        f"charger at [{host}]:{listener.port} (TCP), discovery at port {listener.sdp_port} (UDP)", flush=True
    )


def _tell(served: Served, *, as_json: bool) -> None:
    """Print one session: protocol, messages, slowest answer, how it ended."""
    link, failure = served.server.link, served.failure
    trace = link.trace
    slowest = trace.slowest
    late = [r for r in trace.records if r.margin_s is not None and r.margin_s < 0]
    told = {
        "protocol": link.protocol_name,
        "messages": len(trace.records) + trace.dropped,
        "least_margin_s": None if slowest is None else slowest.margin_s,
        "late": len(late),
        "failure": None if failure is None else failure.found,
        "remedy": None if failure is None else failure.remedy,
    }
    if as_json:
        print(json.dumps(told, ensure_ascii=False), flush=True)
        return
    end = "ended in order" if failure is None else f"failed: {failure.found}; remedy: {failure.remedy}"
    print(
        f"session {told['protocol'] or '-'}: {told['messages']} messages, {len(late)} late; {end}", flush=True
    )
