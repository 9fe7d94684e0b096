"""Real conversations over loopback, heard on the way: message links of both ends, in clear or in TLS."""

import asyncio
import contextlib
import time
from dataclasses import dataclass

from v2g_links import both, files_of, pki_of

from v2glab.links.exi import blank
from v2glab.links.sessions import Asker, Message, MessageLink, load_session_rules
from v2glab.links.sessions._message import namespace_of
from v2glab.links.tls import connect_plain, connect_tls, serve_plain, serve_tls

SESSION = "0102030405060708"
#: Requests of a short session by protocol; those of a loop come several times.
ASKED = {
    "din": ("SessionSetup", "ServiceDiscovery", "CurrentDemand", "SessionStop"),
    "iso2": ("SessionSetup", "ServiceDiscovery", "CurrentDemand", "SessionStop"),
    "iso20-dc": ("SessionSetup", "AuthorizationSetup", "DC_ChargeLoop", "SessionStop"),
    "iso20-ac": ("SessionSetup", "AuthorizationSetup", "AC_ChargeLoop", "SessionStop"),
}
_PREFER = (
    "DC_EVSEStatus",
    "DC_EVStatus",
    "EIM",
    "Scheduled_DC_CLReqControlMode",
    "Scheduled_DC_CLResControlMode",
)


@dataclass
class Heard:
    """What passed, and the trace of each end."""

    octets: list
    vehicle: object = None
    charger: object = None
    keys: bytes = b""
    ports: tuple = ()
    stream: object = None


def settings_of(folder, edition="iso15118-20", curve="secp521r1"):
    """Settings of both ends; the vehicle writes a key log."""
    files, _ = files_of(pki_of(edition, curve), folder / "pki")
    return both(files, edition, curve, evcc_key_log=folder / "keys.log")


def body_of(protocol, name):
    rules = load_session_rules()
    body = blank(namespace_of(name, rules.of_protocol(protocol)), name, _PREFER)
    return {k: v for k, v in body.items() if k != "Header"}


async def converse(protocol, settings=None, *, loops=3, delay_s=0.0, late=()):
    """Hold a session; ``delay_s`` is how long the charger thinks about the requests in ``late``."""
    heard = Heard([])

    async def serve(stream):
        link = MessageLink(stream, "secc")
        heard.charger = link.trace
        first = await link.receive(5, "supportedAppProtocolReq")
        chosen = next(
            o
            for o in first.body["AppProtocol"]
            if o["ProtocolNamespace"] in link.rules.of_protocol(protocol).offers
        )
        answer = {"ResponseCode": "OK_SuccessfulNegotiation", "SchemaID": chosen["SchemaID"]}
        await link.send(Message("supportedAppProtocolRes", answer))
        link.agree(protocol)
        while True:
            request = await link.receive(5, "request")
            stem = request.name.removesuffix("Req")
            if stem in late:
                await asyncio.sleep(delay_s)
            await link.send(Message(f"{stem}Res", body_of(protocol, f"{stem}Res"), SESSION))
            if stem == "SessionStop":
                return

    if settings is None:
        listener = await serve_plain(serve, port=0)
    else:
        listener = await serve_tls(settings[1], serve, port=0)
    async with listener, listening(listener.port, heard.octets) as port:
        stream = await (
            connect_plain("::1", port) if settings is None else connect_tls("::1", port, settings[0])
        )
        heard.stream, heard.ports = stream, (port, listener.port)
        asker = Asker(MessageLink(stream, "evcc"))
        heard.vehicle = asker.link.trace
        await asker.agree([protocol])
        for name in ASKED[protocol]:
            for _ in range(loops if "Loop" in name or "Demand" in name else 1):
                await asker.ask(name, body_of(protocol, f"{name}Req"))
        await asker.link.close()
        await asyncio.sleep(0.05)
    if settings is not None:
        heard.keys = settings[0].key_log.read_bytes()
    return heard


@contextlib.asynccontextmanager
async def listening(port, octets):
    """A relay that keeps what passes to a port; yields its own port."""
    relay = await asyncio.start_server(lambda r, w: _hear(r, w, port, octets), "::1", 0)
    async with relay:
        yield relay.sockets[0].getsockname()[1]


async def _hear(reader, writer, port, octets):
    onward_reader, onward = await asyncio.open_connection("::1", port)

    async def carry(source, target, from_vehicle):
        with contextlib.suppress(OSError):
            while data := await source.read(1 << 16):
                octets.append((time.time_ns(), from_vehicle, data))
                target.write(data)
                await target.drain()
        with contextlib.suppress(OSError):
            target.close()

    await asyncio.gather(carry(reader, onward, True), carry(onward_reader, writer, False))
