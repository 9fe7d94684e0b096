"""What ``v2glab vehicle slac`` prints and writes of a run."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from v2glab.cli._vehicle_slac_run import Done, Setup, run

if TYPE_CHECKING:
    from v2glab.diagnosis import Finding
    from v2glab.links.slac import Match, Report


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

    done = asyncio.run(run(setup))
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


def _findings(done: Done) -> list[Finding]:
    from v2glab.diagnosis import Finding
    from v2glab.links.capture import SlacRun, slac_faults

    matched = done.match.evse_mac if done.match else b""
    # A run that failed has its own, better cause: only late answers are looked for.
    found = slac_faults(SlacRun(done.vehicle, b"", done.trace, (), matched))
    if done.failure is not None:
        f = done.failure
        evidence = (f"required: {f.required}", *([f"timer {f.timer}"] if f.timer else []))
        found.append(Finding("vehicle-slac", f.cause, "No match", f.found, evidence, f.remedy, "established"))
    return found


def _document(done: Done, findings: list[Finding]) -> dict[str, Any]:
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


def _print(done: Done, findings: list[Finding]) -> None:
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
        other = done.match.ev_mac if done.setup.end == "charger" else done.match.evse_mac
        who = done.names.get(other, "vehicle" if done.setup.end == "charger" else "charger")
        which = f"{who} {other.hex(':')}"
        print(f"matched with {which} in {(done.duration_s or 0) * 1e3:.0f} ms{how}")
        for note in done.match.notes:
            print(f"note: {note}")
    for text in finding_lines(findings) or ["no fault found"]:
        screen.print(text, markup=False)


def _write_page(path: Path, done: Done, findings: list[Finding]) -> None:
    from v2glab.evidence import write_atomic
    from v2glab.links.slac import load_slac_rules
    from v2glab.views import render_slac

    rules = load_slac_rules()
    thresholds = [(name, rules.level(f"{name}_db")) for name in ("direct", "potential", "limit")]
    setup = done.setup
    title = f"{setup.end} at {setup.interface}" if setup.interface else f"line {setup.channel}"
    title += f", cross-talk {setup.cross_talk}" if setup.cross_talk else ""
    page = render_slac(title, done.trace, done.reports, list(done.lines.items()), thresholds, findings)
    write_atomic(path, page.encode("utf-8"))
