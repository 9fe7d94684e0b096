"""Our ends against the reference stack's, all protocols in turn; runs in a namespace of its own, prints JSON.

Called as ``own_ends.py vehicle|charger PYTHON``: which end is ours, and the interpreter of the reference's
environment. The Java codec takes seconds for its first documents: time limits are generous here.
"""

import asyncio
import contextlib
import json
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from reference_layout import lay_out

from v2glab.evidence import V2GError
from v2glab.links.pki import make_pki, write_pki
from v2glab.links.sdp import Multicast, discover, serve_sdp
from v2glab.links.sessions import (
    Asker,
    DriverParts,
    MessageLink,
    ModelBattery,
    ModelCharger,
    Offer,
    PowerLimits,
    SessionServer,
    Wanted,
    Wishes,
    load_session_rules,
)
from v2glab.links.sessions._registry import make_driver, service_maker
from v2glab.links.tls import TlsSettings, connect_plain, connect_tls, serve_plain, serve_tls

HERE = Path(__file__).parent
CHARGE_W, EXPORT_W = -4000.0, 5000.0
LONG_S = 60.0
#: Battery of the reference's vehicle.
PEER_V = 400.0


@dataclass(frozen=True)
class Case:
    """One session: protocol, TLS of which edition (empty for none), what our vehicle wants, and powers."""

    protocol: str
    edition: str
    wishes: Wishes
    powers: tuple[float, ...]


CASES = {
    "din": Case("din", "", Wishes("dc"), (CHARGE_W,)),
    "iso2-pnc": Case("iso2", "iso15118-2", Wishes("dc", authorisation="pnc"), (CHARGE_W,)),
    "iso20-bpt": Case("iso20-dc", "iso15118-20", Wishes("dc_bpt"), (CHARGE_W, EXPORT_W)),
}


def patient_rules():
    """Return the rules of sessions with long limits."""
    rules = load_session_rules()
    longer = {
        "message_default_s": LONG_S, "message_s": {}, "sequence_s": 60.0, "sequence_loop_s": LONG_S,
        "pre_charge_s": LONG_S, "ongoing_s": LONG_S, "cable_check_s": LONG_S,
    }  # fmt: skip
    limits = {name: found.model_copy(update=longer) for name, found in rules.limits.items()}
    return rules.model_copy(update={"limits": limits})


class Papers:
    """Certificates of both editions, in our layout and in that of the reference."""

    def __init__(self, folder):
        self.ours, self.theirs = {}, {}
        for edition in ("iso15118-2", "iso15118-20"):
            pki = make_pki(edition)
            self.ours[edition] = write_pki(pki, folder / edition)
            self.theirs[edition] = lay_out(pki, folder / f"{edition}-reference")

    def settings(self, end, edition):
        curve = "secp256r1" if edition == "iso15118-2" else "secp521r1"
        return TlsSettings(end, self.ours[edition], edition=edition, curve=curve)

    def command(self, edition):
        """Return what tells the reference how to speak."""
        if not edition:
            return "plain"
        return f"{'tls12' if edition == 'iso15118-2' else 'tls13'} {self.theirs[edition]}"


class Peer:
    """The reference's end: a process that takes commands and tells events."""

    def __init__(self, process):
        self._process = process

    @classmethod
    async def start(cls, python, script, *words):
        environment = {
            **os.environ, "NETWORK_INTERFACE": "lo", "LOG_LEVEL": "INFO", "MESSAGE_LOG_JSON": "false",
            # The quick compiler only: this Java lives for seconds.
            "JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto",
        }  # fmt: skip
        process = await asyncio.create_subprocess_exec(
            python, str(HERE / script), *words, env=environment, limit=1 << 20, stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE, stderr=sys.stderr,
        )  # fmt: skip
        return cls(process)

    async def tell(self, line):
        self._process.stdin.write(f"{line}\n".encode())
        await self._process.stdin.drain()

    async def event(self, *names):
        """Return the next event of those names; its log goes by."""
        async with asyncio.timeout(3 * LONG_S):
            while line := await self._process.stdout.readline():
                sys.stderr.write(line.decode("utf-8", "replace"))  # shown when a test fails
                with contextlib.suppress(ValueError):
                    told = json.loads(line)
                    if isinstance(told, dict) and told.get("event") in names:
                        return told
        raise EOFError("the reference's end is gone")

    async def stop(self):
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()


def wishes_of(case, papers):
    if case.wishes.authorisation == "eim":
        return case.wishes
    return Wishes(case.wishes.service, authorisation="pnc", contract=papers.ours[case.edition])


async def drive(case, papers):
    """Carry one session through as the vehicle; return what it saw."""
    from v2glab.links import SdpRequest

    found = await discover(Multicast("lo"), SdpRequest("tls" if case.edition else "none", "tcp"))
    if case.edition:
        stream = await connect_tls(found.host, found.response.port, papers.settings("evcc", case.edition))
    else:
        stream = await connect_plain(found.host, found.response.port)
    link = MessageLink(stream, "evcc", rules=patient_rules())
    asker = Asker(link)
    try:
        await asker.agree([case.protocol])
        driver = make_driver(DriverParts(asker, ModelBattery(), wishes_of(case, papers), asyncio.sleep))
        await driver.set_up()
        states = [await driver.cycle(Wanted(power)) for power in case.powers for _ in range(2)]
        await driver.stop()
    finally:
        await link.close()
    return {"powers": [s.power_w for s in states], "messages": seen(link)}


def seen(link):
    return [[r.direction, r.name, r.response_code] for r in link.trace.records]


async def vehicle(python, papers, chosen):
    """Our vehicle against the reference's charger."""
    peer, results = await Peer.start(python, "peer_secc.py"), {}
    try:
        await peer.event("ready")
        for name in chosen:
            case = CASES[name]
            await peer.tell(papers.command(case.edition))
            await peer.event("set")
            try:
                results[name] = await drive(case, papers)
            except (V2GError, OSError) as error:
                results[name] = {"error": f"{type(error).__name__}: {error}"}
            results[name]["peer"] = await peer.event("ended")
    finally:
        await peer.stop()
    return results


async def charger(python, papers, chosen):
    """Our charger against the reference's vehicle."""
    peer, results = await Peer.start(python, "peer_evcc.py"), {}
    try:
        await peer.event("ready")
        for name in chosen:
            results[name] = await wait_for_vehicle(CASES[name], name, papers, peer)
    finally:
        await peer.stop()
    return results


class Coupled(ModelCharger):
    """A charger whose model battery follows a vehicle in another program: its contactor closes with ours."""

    def __init__(self, battery):
        super().__init__(battery, PowerLimits(22_000, 22_000, 60, 60, 150, 1000))
        self.powers = []

    async def connect(self):
        await super().connect()
        self.battery.contactor_closed = True

    async def disconnect(self):
        self.battery.contactor_closed = False
        await super().disconnect()

    async def set_dc(self, voltage_v, current_a):
        await super().set_dc(voltage_v, current_a)
        self.powers.append((await self.read()).power_w)


async def wait_for_vehicle(case, name, papers, peer):
    plant = Coupled(ModelBattery(empty_v=PEER_V, full_v=PEER_V))
    way = case.wishes.authorisation
    roots = papers.ours[case.edition] if way == "pnc" else None
    make = service_maker(case.protocol, plant, Offer(authorisation=(way,), roots=roots))
    result = {"powers": plant.powers}
    ended = asyncio.Event()

    async def serve(stream):
        link = MessageLink(stream, "secc", rules=patient_rules())
        try:
            await SessionServer(link, plant, {case.protocol: make}).run()
        except (V2GError, OSError) as error:
            result["error"] = f"{type(error).__name__}: {error}"
        result["messages"] = seen(link)
        ended.set()

    def refused(failure):
        result["error"] = str(failure)
        ended.set()

    host = "fe80::1%lo"
    if case.edition:
        settings = papers.settings("secc", case.edition)
        listener = await serve_tls(settings, serve, host=host, port=0, on_failure=refused)
    else:
        listener = await serve_plain(serve, host=host, port=0)
    async with listener, await serve_sdp(Multicast("lo"), answer(listener, case)):
        await peer.tell(f"{papers.command(case.edition)} {name}")
        result["peer"] = await peer.event("ended")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), 2)
    return {**result, "safe": not (await plant.read()).contactor_closed}


def answer(listener, case):
    from ipaddress import IPv6Address

    from v2glab.links import SdpResponse

    security = "tls" if case.edition else "none"
    return lambda request: SdpResponse(IPv6Address("fe80::1"), listener.port, security, request.transport)


async def main():
    end, python, *chosen = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        papers = Papers(Path(folder))
        work = vehicle if end == "vehicle" else charger
        print(json.dumps(await work(python, papers, chosen or CASES)))


if __name__ == "__main__":
    asyncio.run(main())
