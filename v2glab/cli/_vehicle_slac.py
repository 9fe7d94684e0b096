"""What ``v2glab vehicle slac`` does: a vehicle, a charger or two, and the line between them."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from v2glab.diagnosis import Finding
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


@dataclass(frozen=True)
class _Done:
    """What came of a run."""

    setup: Setup
    names: dict[bytes, str]
    lines: dict[str, PlcChannel]
    trace: tuple[Seen, ...]
    match: Match | None
    failure: SlacFailure | None
    duration_s: float | None
    lost: dict[str, int]

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


def run_slac(setup: Setup, *, as_json: bool, html: Path | None, strict: bool) -> int:
    """Run, print and write; return the exit code.

    Raises
    ------
    UsageError
        Options that exclude each other.
    InputError
        A channel is unknown, or a number is out of range.
    DeviceError
        Sockets or namespaces cannot be had.
    """
    from v2glab.evidence import ExitCode

    done = asyncio.run(_run(setup))
    findings = _findings(done)
    if html is not None:
        _write_page(html, done, findings)
    if as_json:
        print(json.dumps(_document(done, findings), indent=1, ensure_ascii=False))
    else:
        _print(done, findings)
        if html is not None:
            print(f"written: {html}")
    if done.failure is not None:
        return int(ExitCode.DEVICE)
    return int(ExitCode.FINDINGS) if strict and findings else 0


async def _run(setup: Setup) -> _Done:
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
    return _Done(setup, names, lines, trace, match, failure, took, lost)


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


def _findings(done: _Done) -> list[Finding]:
    from v2glab.diagnosis import Finding
    from v2glab.links.capture import SlacRun, slac_faults

    matched = done.match.evse_mac if done.match else b""
    # A run that failed has its own, better cause: only late answers are looked for.
    found = slac_faults(SlacRun(_EV, b"", done.trace, (), matched))
    if done.failure is not None:
        f = done.failure
        evidence = (f"required: {f.required}", *([f"timer {f.timer}"] if f.timer else []))
        found.append(Finding("vehicle-slac", f.cause, "No match", f.found, evidence, f.remedy, "established"))
    return found


def _document(done: _Done, findings: list[Finding]) -> dict[str, Any]:
    from v2glab.links.slac import load_slac_rules
    from v2glab.views import slac_phases

    rules = load_slac_rules()
    return {
        "setup": asdict(done.setup),
        "standard": f"{rules.standard}:{rules.edition}",
        "duration_s": done.duration_s,
        "match": None if done.match is None else _match(done.match, done.names),
        "phases": [asdict(p) for p in slac_phases(done.trace)],
        "reports": [_report(name, report) for name, report in done.reports],
        "lines": {
            name: {
                "frequency_hz": line.frequency_hz.tolist(),
                "attenuation_db": line.attenuation_db.tolist(),
                "snr_db": line.snr_db.tolist(),
                "group_loss": line.group_loss().tolist(),
                "frame_loss": line.frame_loss(),
            }
            for name, line in done.lines.items()
        },
        "lost_frames": done.lost,
        "frames": [asdict(seen) | {"margin_s": seen.margin_s} for seen in done.trace],
        "findings": [asdict(f) for f in findings],
    }


def _match(match: Match, names: dict[bytes, str]) -> dict[str, Any]:
    """The match without its key, which stays secret."""
    return {
        "charger": names.get(match.evse_mac, ""),
        "ev_mac": match.ev_mac.hex(":"),
        "evse_mac": match.evse_mac.hex(":"),
        "run_id": match.run_id.hex(),
        "level": match.level,
        "validated": match.validated,
        "notes": list(match.notes),
    }


def _report(name: str, report: Report) -> dict[str, Any]:
    mean = report.attenuation
    return {
        "charger": name,
        "evse_mac": report.evse_mac.hex(":"),
        "mean_db": None if mean is None else mean.value,
        "u_db": None if mean is None else mean.uncertainty,
        "no_mean": report.no_attenuation,
        "level": report.level,
        "groups_db": list(report.groups_db),
    }


def _print(done: _Done, findings: list[Finding]) -> None:
    from v2glab.cli._common import console
    from v2glab.views import finding_lines, profile_line, rich_slac, slac_phases

    screen = console()
    screen.print(rich_slac(done.trace))
    spans = ", ".join(f"{p.name} {(p.ended_s - p.began_s) * 1e3:.0f} ms" for p in slac_phases(done.trace))
    print(f"phases: {spans}")
    for name, report in done.reports:
        print(f"{name}: {profile_line(report)}")
    for name, line in done.lines.items():
        snr = line.snr_db
        lost = f"{done.lost.get(name, 0)} frames lost"
        print(
            f"line to {name}: SNR {snr.min():.0f} to {snr.max():.0f} dB, worst group loses "
            f"{line.group_loss().max():.2g}, a frame {line.frame_loss():.2g}; {lost}"
        )
    if done.match is not None:
        how = ", validated by the control pilot" if done.match.validated else ""
        which = f"{done.names.get(done.match.evse_mac, '?')} {done.match.evse_mac.hex(':')}"
        print(f"matched with {which} in {(done.duration_s or 0) * 1e3:.0f} ms{how}")
        for note in done.match.notes:
            print(f"note: {note}")
    for text in finding_lines(findings) or ["no fault found"]:
        screen.print(text, markup=False)


def _write_page(path: Path, done: _Done, findings: list[Finding]) -> None:
    from v2glab.evidence import write_atomic
    from v2glab.links.slac import load_slac_rules
    from v2glab.views import render_slac

    rules = load_slac_rules()
    thresholds = [(name, rules.level(f"{name}_db")) for name in ("direct", "potential", "limit")]
    title = f"line {done.setup.channel}" + (
        f", cross-talk {done.setup.cross_talk}" if done.setup.cross_talk else ""
    )
    page = render_slac(title, done.trace, done.reports, list(done.lines.items()), thresholds, findings)
    write_atomic(path, page.encode("utf-8"))
