"""Runs of ``v2glab vehicle slac``: both ends here with a line between them, or one at a real modem."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from v2glab.links.slac import EmulatedModem, Match, PlcChannel, Report, Seen, SlacFailure

_EV, _EVSE, _OTHER = (
    bytes.fromhex("02000000000e"),
    bytes.fromhex("02000000005a"),
    bytes.fromhex("02000000005b"),
)


@dataclass(frozen=True)
class Setup:
    """What is plugged together; as the options of the command."""

    channel: str
    extra_db: float
    motor: float
    cross_talk: str
    validate: bool
    fast: bool
    veth: bool
    seed: int
    interface: str = ""
    end: str = "vehicle"


@dataclass(frozen=True)
class Done:
    """What came of a run."""

    setup: Setup
    names: dict[bytes, str]
    lines: dict[str, PlcChannel]
    trace: tuple[Seen, ...]
    match: Match | None
    failure: SlacFailure | None
    duration_s: float | None
    lost: dict[str, int]
    vehicle: bytes = _EV

    @property
    def reports(self) -> list[tuple[str, Report]]:
        """Attenuation by charger; the chosen one first."""
        from v2glab.links.slac import Report

        m = self.match
        if m is None:
            return []
        heard = sum(s.name == "CM_MNBC_SOUND.IND" for s in self.trace)
        chosen = Report(m.evse_mac, heard, m.groups_db, m.attenuation, m.no_attenuation, m.level)  # type: ignore[arg-type]
        return [(self.names.get(r.evse_mac, r.evse_mac.hex(":")), r) for r in (chosen, *m.others)]


async def run(setup: Setup) -> Done:
    """Run to a match or to a failure.

    Raises
    ------
    UsageError
        Options that exclude each other.
    InputError
        A channel is unknown, or a number is out of range.
    DeviceError
        Sockets, namespaces or the interface cannot be had.
    """
    return await (_at_modem(setup) if setup.interface else _modelled(setup))


async def _at_modem(setup: Setup) -> Done:
    """Be one end behind a modem of the field; who else is on its line decides whether there is a match."""
    from v2glab.evidence import UsageError
    from v2glab.links.slac import RawLink, SlacFailure, load_slac_rules, match_charger, match_vehicle

    if setup.end not in {"vehicle", "charger"}:
        raise UsageError(f"--end {setup.end}", "vehicle or charger", "choose one of those")
    if setup.veth or setup.validate or setup.cross_talk:
        found = "--veth, --validate or --cross-talk with --interface"
        raise UsageError(found, "a line and a control pilot as they are", "leave it out")
    rules = load_slac_rules().fast() if setup.fast else load_slac_rules()
    link = RawLink(setup.interface)
    try:
        found_run = await (match_vehicle if setup.end == "vehicle" else match_charger)(link, rules)
        trace, match, failure, took = found_run.trace, found_run.match, None, found_run.duration_s
    except SlacFailure as error:
        trace, match, failure, took = error.trace, None, error, None
    finally:
        link.close()
    vehicle = match.ev_mac if match else link.address if setup.end == "vehicle" else b""
    return Done(setup, {}, {}, trace, match, failure, took, {}, vehicle)


async def _modelled(setup: Setup) -> Done:
    from v2glab.links.slac import (
        PilotWire,
        SlacFailure,
        load_slac_rules,
        make_channel,
        match_charger,
        match_vehicle,
    )

    rules = load_slac_rules().fast() if setup.fast else load_slac_rules()
    lines = {"charger": make_channel(setup.channel, rules, extra_db=setup.extra_db, motor_load=setup.motor)}
    if setup.cross_talk:
        lines["other charger"] = make_channel(setup.cross_talk, rules, motor_load=setup.motor)
    pilot, elsewhere = PilotWire(), PilotWire()
    wires = {"charger": pilot, "other charger": elsewhere}
    async with _modems(setup, lines) as (vehicle, chargers):
        names = {modem.address: name for name, modem in chargers.items()}
        waiting = [
            asyncio.create_task(
                match_charger(modem, rules, linger_s=0.0, pilot_pulses=lambda wire=wires[name]: wire.pulses)  # type: ignore[misc]
            )
            for name, modem in chargers.items()
        ]
        try:
            run = await match_vehicle(vehicle, rules, pilot=pilot, always_validate=setup.validate)
            trace, match, failure, took = run.trace, run.match, None, run.duration_s
            # The charger that was chosen has its own key to set; it is given the time of one answer.
            await asyncio.wait(waiting, timeout=rules.time_s("set_key"), return_when=asyncio.FIRST_COMPLETED)
        except SlacFailure as error:
            trace, match, failure, took = error.trace, None, error, None
        finally:
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
        lost = {"vehicle": vehicle.lost, **{name: modem.lost for name, modem in chargers.items()}}
    return Done(setup, names, lines, trace, match, failure, took, lost)


@asynccontextmanager
async def _modems(
    setup: Setup, lines: dict[str, PlcChannel]
) -> AsyncIterator[tuple[EmulatedModem, dict[str, EmulatedModem]]]:
    """Modems of the vehicle and of each charger, on a relay or on a cable of Ethernet."""
    from v2glab.links.slac import EmulatedModem, FrameRelay, RelayLink

    with contextlib.ExitStack() as stack:
        if setup.veth:
            links = _raw_links(setup, stack)
        else:
            relay = await FrameRelay.open()
            stack.callback(relay.close)
            addresses = {"vehicle": _EV, "charger": _EVSE, "other charger": _OTHER}
            links = {n: await RelayLink.open(relay.port, addresses[n]) for n in ("vehicle", *lines)}
        ev = links.pop("vehicle")
        heard = {links[name].address: line for name, line in lines.items()}
        vehicle = EmulatedModem(ev, heard, seed=setup.seed)
        chargers = {
            name: EmulatedModem(link, {ev.address: lines[name]}, seed=setup.seed + 1 + place)
            for place, (name, link) in enumerate(links.items())
        }
        for modem in (vehicle, *chargers.values()):
            stack.callback(modem.close)
        yield vehicle, chargers


def _raw_links(setup: Setup, stack: contextlib.ExitStack) -> dict[str, Any]:
    from v2glab.evidence import UsageError
    from v2glab.links.slac import INTERFACE, RawLink, inside, two_namespaces

    if setup.cross_talk:
        found = "--cross-talk with --veth"
        raise UsageError(found, "a line that all share", "leave out --veth: the frame relay is one")
    spaces = stack.enter_context(two_namespaces())
    return {
        name: inside(space, lambda: RawLink(INTERFACE))
        for name, space in zip(("vehicle", "charger"), spaces, strict=True)
    }
