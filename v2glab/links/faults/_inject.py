"""Inject one fault into a session between two models over loopback, and see what both ends make of it."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from ipaddress import IPv6Address
from pathlib import Path
from typing import TYPE_CHECKING, Any

from v2glab.evidence import DeviceError, V2GError
from v2glab.links.faults._between import stand_between
from v2glab.links.faults._finding import LinkFinding, explain_link, explain_slow
from v2glab.links.faults._rows import End, Fault, Spoil
from v2glab.links.faults._spoiler import Spoiler
from v2glab.links.sdp import Direct, load_sdp_rules
from v2glab.links.sessions import (
    Fixed,
    Identification,
    ModelBattery,
    ModelCharger,
    Offer,
    OpenSettings,
    PowerLimits,
    ServeSettings,
    Session,
    SessionRules,
    SessionsListener,
    Wishes,
    load_session_rules,
    open_session,
    serve_sessions,
)
from v2glab.links.tls import TlsSettings

if TYPE_CHECKING:
    from v2glab.links.pki import PkiFiles, V2GPki

#: Own values: power and length of the export that a healthy session carries through, by the models' clock.
POWER_W, EXPORT_S, CYCLE_S = 5000.0, 60.0, 20.0
_CURVE = "ed448"
_BRIEF = load_sdp_rules().model_copy(update={"attempts": 2})
_AC_LIMITS = PowerLimits(22_000, 22_000, 0, 0, 0, 0, phase_v=230)
_LONGEST_S = 30.0
#: More at a time would make the waits of each other look like faults.
_AT_ONCE = 4


@dataclass(frozen=True)
class Injected:
    """What came of a fault.

    ``findings`` is what each end says; an end without one saw a session in order. ``happened`` tells whether
    the fault came about; ``safe`` whether no contactor was closed and no current flowed at the end.
    """

    fault: Fault | None
    findings: dict[End, LinkFinding]
    happened: bool
    safe: bool

    @property
    def right(self) -> bool:
        """Whether the end that counts says what is expected; without a fault, whether nobody complains."""
        if self.fault is None:
            return not self.findings
        found, wanted = self.findings.get(self.fault.noticed), self.fault.expects
        return found is not None and self.happened and all(
            getattr(found, name) == getattr(wanted, name) for name in type(wanted).model_fields
        )  # fmt: skip


class _Clock:
    """Seconds that pass only when somebody sleeps: an export of minutes takes no time."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        self.now_s += seconds
        await asyncio.sleep(0)


async def inject(fault: Fault | None, *, protocol: str = "iso20-dc", service: Any = "dc_bpt") -> Injected:  # noqa: ANN401 -- a name
    """Run a session with a fault, or a healthy one for None, and return what both ends say.

    ``protocol`` and ``service`` are those of the healthy session; a fault names its own.
    """
    if fault is not None and fault.slac:
        from v2glab.links.faults._matching import match

        found = await match(fault.slac)
        return Injected(fault, {"evcc": found} if found else {}, happened=True, safe=True)
    with tempfile.TemporaryDirectory(prefix="v2glab-faults-") as folder:
        run = _Run(
            fault, fault.protocol if fault else protocol, fault.service if fault else service, Path(folder)
        )
        return await run.go()


async def inject_all(
    faults: Sequence[Fault | None], tell: Callable[[Injected], None] = lambda injected: None
) -> list[Injected]:
    """Inject several faults, a few at a time; ``tell`` hears of each as it is done, in no order."""
    room = asyncio.Semaphore(_AT_ONCE)

    async def one(fault: Fault | None) -> Injected:
        async with room:
            done = await inject(fault)
        tell(done)
        return done

    return await asyncio.gather(*(one(fault) for fault in faults))


class _Run:
    def __init__(self, fault: Fault | None, protocol: str, service: Any, folder: Path) -> None:  # noqa: ANN401
        self.fault, self.protocol, self.folder = fault, protocol, folder
        self.clock, self.battery = _Clock(), ModelBattery()
        self.charger = ModelCharger(self.battery, clock=self.clock, metered="connector")
        if service.startswith("ac"):
            self.charger.limits = _AC_LIMITS
        self.wishes = Wishes(service, **(fault.wishes if fault else {}))
        self.spoiler = Spoiler(fault, self._spoil_plants) if fault and fault.spoil else None
        self.rules = _patient(fault.patience_s) if fault and fault.patience_s else _unhurried()
        self.findings: dict[End, LinkFinding] = {}
        self._pki: dict[str, V2GPki] = {}

    async def go(self) -> Injected:
        async with asyncio.timeout(_LONGEST_S):
            async with self._charger() as (listener, way):
                await self._vehicle(way)
                await _ended(listener)
                self._take(listener)
        safe = not (self.battery.contactor_closed or self.battery.current_a)
        happened = self.spoiler.done if self.spoiler else True
        return Injected(self.fault, self.findings, happened, safe)

    async def _vehicle(self, way: Direct | Fixed) -> None:
        settings = OpenSettings(
            self.battery, way, self._tls("evcc"), self.wishes, (self.protocol,), cycle_s=CYCLE_S,
            keep_alive=False, clock=self.clock, sleep=self.clock.sleep, tamper=self._tamper("evcc"),
            rules=self.rules, discovery=_BRIEF,
        )  # fmt: skip
        try:
            async with open_session(settings) as session:
                if self.fault and self.fault.between and (found := explain_slow(session.stream)):
                    self.findings["evcc"] = found
                await _use(session, self.wishes)
        except DeviceError as error:
            self._note("evcc", error)

    @asynccontextmanager
    async def _charger(self) -> AsyncIterator[tuple[SessionsListener | None, Direct | Fixed]]:
        fault = self.fault
        if fault and not fault.listening:
            yield None, Fixed("::1", await _free_port())
            return
        settings = ServeSettings(
            self.charger, self._offer(), (self.protocol,), port=0, tls=self._tls("secc"),
            sdp=Direct("::1", 0) if not (fault and fault.discovery) else None,
            tamper=self._tamper("secc"), rules=self.rules,
        )  # fmt: skip
        async with await serve_sessions(settings) as listener:
            if fault and fault.between:
                async with stand_between(fault.between, listener.port) as port:
                    yield listener, Fixed("::1", port)
            elif fault and fault.discovery:
                async with _discovery(fault.discovery, listener.port) as port:
                    yield listener, Direct("::1", port)
            else:
                yield listener, Direct("::1", listener.sdp_port)

    def _offer(self) -> Offer:
        told = dict(self.fault.offer) if self.fault else {}
        grants = told.pop("grants", "granted")

        async def authorise(who: Identification) -> Any:  # noqa: ANN401 -- a word of the data
            return grants

        known: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in told.items()}
        return Offer(authorise=authorise, **known)

    def _tamper(self, end: End) -> Spoiler | None:
        return self.spoiler if self.fault and self.fault.by == end else None

    def _tls(self, end: End) -> TlsSettings | None:
        fault = self.fault
        if fault is None or not (fault.chain or fault.tls or fault.between or fault.discovery == "plain"):
            return None
        edition = "iso15118-20" if self.protocol.startswith("iso20") else "iso15118-2"
        spoilt = fault.by == end
        curve = _CURVE if edition == "iso15118-20" else "secp256r1"
        known: dict[str, Any] = {"edition": edition, "curve": curve} | (fault.tls if spoilt else {})
        return TlsSettings(
            end, self._files(fault.chain if spoilt else None, known["edition"], known["curve"]), **known
        )

    def _files(self, chain: tuple[str, str] | None, edition: Any, curve: Any) -> PkiFiles:  # noqa: ANN401 -- a name
        from v2glab.links.pki import PkiFiles, break_chain, make_pki, write_pki

        folder = self.folder / curve
        if curve not in self._pki:
            self._pki[curve] = make_pki(edition=edition, curve=curve)
            write_pki(self._pki[curve], folder)
        if chain is None:
            return PkiFiles(folder)
        return write_pki(
            self._pki[curve], self.folder / "bad", broken=[break_chain(self._pki[curve], *chain)]
        )

    def _spoil_plants(self, spoil: Spoil) -> None:
        for plant, values in ((self.charger, spoil.charger), (self.battery, spoil.battery)):
            for name, value in values.items():
                setattr(plant, name, value)

    def _take(self, listener: SessionsListener | None) -> None:
        if listener is None:
            return
        for served in listener.ended:
            if served.failure is not None:
                self._note("secc", served.failure)
        for refused in listener.refused:
            self._note("secc", refused)

    def _note(self, end: End, error: V2GError) -> None:
        found = explain_link(error)
        if found is None:
            raise error
        self.findings.setdefault(end, found)


async def _use(session: Session, wishes: Wishes) -> None:
    """Export where the service can, else charge."""
    both = wishes.service.endswith("_bpt")
    use: Callable[..., Any] = session.export if both else session.charge
    await use(power_w=POWER_W, duration_s=EXPORT_S)
    await session.stop()


async def _ended(listener: SessionsListener | None) -> None:
    """Wait until the charger knows how the session ended; a discovery that failed has none."""
    for _ in range(100):
        if listener is None or listener.ended or listener.refused:
            return
        await asyncio.sleep(0.005)


def _patient(seconds: float) -> SessionRules:
    """Return rules whose every wait is as long as a fault says."""
    names = (
        "message_default_s",
        "sequence_s",
        "sequence_loop_s",
        "ongoing_s",
        "cable_check_s",
        "pre_charge_s",
    )
    return _with_limits(dict.fromkeys(names, seconds) | {"message_s": {}})


def _unhurried() -> SessionRules:
    """Return the standard's rules without the loop's short waits, which the models' clock runs ahead of."""
    return _with_limits({"sequence_loop_s": 10.0, "message_s": {}, "message_default_s": 10.0})


def _with_limits(change: dict[str, Any]) -> SessionRules:
    rules = load_session_rules()
    return rules.model_copy(
        update={"limits": {n: limits.model_copy(update=change) for n, limits in rules.limits.items()}}
    )


@asynccontextmanager
async def _discovery(kind: str, port: int) -> AsyncIterator[int]:
    """Answer discovery wrongly: not at all, without TLS though it was asked for, or with garbage."""
    from v2glab.links import SdpResponse
    from v2glab.links.sdp import serve_sdp

    answer = SdpResponse(IPv6Address("::1"), port, "none")
    if kind == "garbage":
        answer = replace(answer, address=IPv6Address("ff02::1"), security="tls")
    async with await serve_sdp(
        Direct("::1", 0), lambda request: None if kind == "silent" else answer
    ) as server:
        yield server.port


async def _free_port() -> int:
    server = await asyncio.start_server(lambda reader, writer: None, "::1", 0)
    port = int(server.sockets[0].getsockname()[1])
    server.close()
    await server.wait_closed()
    return port
