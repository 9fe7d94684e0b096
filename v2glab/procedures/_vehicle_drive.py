"""Drive one session as a vehicle: open, read both meters, let power flow, read again, end."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from v2glab.evidence import DeviceError
from v2glab.links.sessions import OpenSettings, SessionFailure, Trace, Wishes, no_charger, open_session
from v2glab.procedures._vehicle_beside import run_beside

if TYPE_CHECKING:
    import pandas as pd

    from v2glab.evidence import Quantity
    from v2glab.links.sdp import Direct, Multicast
    from v2glab.links.sessions import EnergyCount, Fixed, LoopState, Session, SessionCause
    from v2glab.links.tls import Timing, TlsCause, TlsSettings
    from v2glab.procedures._procedure import Sample
    from v2glab.procedures._vehicle_battery import StationBattery
    from v2glab.station import Lease, Station

#: Wall time that one step of a session may take before the guardian acts; no message has a longer time-out.
_STEP_S = 10.0
_METER = ("energy_export", "energy_import")


@dataclass(frozen=True)
class DrivePlan:
    """What to do in a session; ``power_w`` exports when positive, None takes what both ends allow."""

    way: Multicast | Direct | Fixed
    tls: TlsSettings | None
    protocol: str
    wishes: Wishes
    power_w: float | None
    rated_w: float
    duration_s: float
    cycle_s: float

    @property
    def tells_grid_power(self) -> bool:
        """Whether the messages tell the power at the grid's side of the inverter.

        Those of DC tell it at the connector; AC of part 2 tells none, the vehicle's own is taken.
        """
        return self.protocol == "iso20-ac"


@dataclass
class Drive:
    """What came of a session; what was not reached stays None or empty."""

    protocol: str = ""
    tls_version: str = ""
    timing: Timing | None = None
    phases: dict[str, float] = field(default_factory=dict)
    power_w: float | None = None
    last: LoopState | None = None
    energy: EnergyCount | None = None
    meter: list[dict[str, Quantity]] = field(default_factory=list)
    soc: list[Quantity] = field(default_factory=list)
    flow_s: tuple[float, float] | None = None
    contactor_after: Quantity | None = None
    messages: pd.DataFrame = field(default_factory=lambda: Trace().frame())
    completed: bool = False
    cause: SessionCause | TlsCause | None = None


def get_ready(plan: DrivePlan) -> None:
    """Load the codec of the protocol, and wake the charger by one discovery; nothing is energised by that."""
    from v2glab.links import SdpRequest
    from v2glab.links.exi import prepare
    from v2glab.links.sdp import discover
    from v2glab.links.sessions import SAP_NAMESPACE, Fixed, load_session_rules

    for namespace in (SAP_NAMESPACE, *load_session_rules().of_protocol(plan.protocol).namespaces):
        prepare(namespace)
    if isinstance(plan.way, Fixed):
        return
    way, request = plan.way, SdpRequest("tls" if plan.tls else "none", "tcp")

    async def ask(tell: object) -> None:
        # The session itself asks again: what goes wrong here shows there, with its cause.
        with contextlib.suppress(DeviceError):
            await discover(way, request)

    run_beside(ask, lambda sample: None)


def drive(
    plan: DrivePlan,
    station: Station,
    lease: Lease,
    battery: StationBattery,
    done: Drive,
    progress: Callable[[Sample], None],
) -> None:
    """Carry a session through under a lease; what came of it, a failure too, ends up in ``done``.

    Raises
    ------
    LimitError
        The wanted power lies outside what both ends allow.
    SafeStateError
        The lease was lost.
    """

    async def work(tell: Callable[[Sample], None]) -> None:
        battery.tell = tell
        await _driven(plan, station, lease, battery, done)

    run_beside(work, progress)
    done.contactor_after = station.instrument("charger").read("contactor_feedback")["contactor_feedback"]


async def _driven(
    plan: DrivePlan, station: Station, lease: Lease, battery: StationBattery, done: Drive
) -> None:
    from v2glab.links.sdp import DiscoveryError
    from v2glab.links.tls import HandshakeError

    settings = OpenSettings(
        battery,
        plan.way,
        plan.tls,
        plan.wishes,
        protocols=(plan.protocol,),
        cycle_s=plan.cycle_s,
        keep_alive=False,
        clock=lambda: station.clock.now_ns() * 1e-9,
        sleep=_sleeper(station, lease),
        progress=lambda phase: lease.checkpoint(_STEP_S),
    )
    trace: Trace | None = None
    try:
        async with open_session(settings) as session:
            trace = session.trace
            _note_connection(session, done)
            await _flow(plan, session, station, battery, done)
        done.completed = True
    except SessionFailure as failure:
        done.cause, trace = failure.cause, failure.trace or trace
    except HandshakeError as failure:
        done.cause, done.timing = failure.cause, failure.timing or done.timing
    except DiscoveryError as failure:
        done.cause = no_charger(failure)
    done.messages = (trace or Trace()).frame()


def _sleeper(station: Station, lease: Lease) -> Callable[[float], Awaitable[None]]:
    async def sleep(duration_s: float) -> None:
        lease.checkpoint(_STEP_S + duration_s)
        # A thread of its own: the connection is read while station time passes.
        await asyncio.to_thread(station.clock.sleep, duration_s)

    return sleep


def _note_connection(session: Session, done: Drive) -> None:
    done.protocol, done.phases = session.protocol, session.phases
    done.timing = getattr(session.stream, "timing", None)
    done.tls_version = getattr(session.stream, "version", "")


async def _flow(
    plan: DrivePlan, session: Session, station: Station, battery: StationBattery, done: Drive
) -> None:
    """Let power flow between two readings of the meters, each at the moment of a message."""
    state = await session.idle(duration_s=0.0)
    done.power_w = _power(plan, state)
    _read(station, battery, done)
    began_ns, wall = station.clock.now_ns(), time.time_ns()
    act = session.export if done.power_w >= 0 else session.charge
    try:
        done.last = await act(power_w=abs(done.power_w), duration_s=plan.duration_s)
    finally:
        done.energy = session.energy
    _read(station, battery, done)
    done.flow_s = (station.clock.now_ns() - began_ns) * 1e-9, (time.time_ns() - wall) * 1e-9


def _power(plan: DrivePlan, state: LoopState) -> float:
    """Return the power to ask for: as planned, else the largest that both ends and the site allow."""
    exports = plan.wishes.service.endswith("_bpt")
    if plan.power_w is None:
        told = state.limit_export_w if exports else state.limit_charge_w
        most = plan.rated_w if told is None else min(told, plan.rated_w)
        return most if exports else -most
    return plan.power_w


def _read(station: Station, battery: StationBattery, done: Drive) -> None:
    meter = station.instrument("meter")
    known = [name for name in _METER if name in meter.points()]
    done.meter.append(dict(meter.read(*known)) if known else {})
    done.soc.append(battery.sample()["soc"])
