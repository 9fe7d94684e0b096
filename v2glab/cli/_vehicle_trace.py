"""What ``v2glab vehicle trace`` prints and writes."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from v2glab.diagnosis import Finding
    from v2glab.links.capture import Capture, CapturedSession

#: Events of a session that the terminal shows; files hold all of them.
_MOST_EVENTS = 24
#: More sessions than this are listed, one a line.
_MOST_FULL = 4
_PRINT = Path("-")


@dataclass(frozen=True)
class Outputs:
    """Files to write; ``-`` prints."""

    as_json: Path | None = None
    as_csv: Path | None = None
    html: Path | None = None


def show_trace(
    file: Path, key_log: Path | None, outputs: Outputs, *, only: tuple[int, ...] = (), strict: bool = False
) -> int:
    """Read a capture, print it and write what was asked for; return the exit code.

    Raises
    ------
    InputError
        The file is no capture, or cannot be read.
    UsageError
        JSON and CSV are both to be printed, or a session is none of the capture.
    """
    from v2glab.evidence import UsageError
    from v2glab.links.capture import find_faults, read_capture

    as_json, as_csv, html = outputs.as_json, outputs.as_csv, outputs.html
    if as_json == as_csv == _PRINT:
        raise UsageError("--json - and --csv -", "one of them", "write one of them into a file")
    capture = read_capture(file, key_log)
    for number in only:
        if not 1 <= number <= len(capture.sessions):
            required = f"1 to {len(capture.sessions)}"
            raise UsageError(f"session {number}", required, "leave out --session to see which there are")
    findings = find_faults(capture)
    if html is not None:
        from v2glab.links.tls import load_tls_rules
        from v2glab.views import render_vehicle_trace

        page = render_vehicle_trace(capture, findings, load_tls_rules().criterion.upper)
        _write(html, page)
    if as_json is not None:
        _write(as_json, json.dumps(document_of(capture, findings), indent=1, ensure_ascii=False) + "\n")
    if as_csv is not None:
        _write(as_csv, message_table(capture).to_csv(index=False))
    if _PRINT not in (as_json, as_csv):
        _print(capture, findings, only)
        for path in (html, as_json, as_csv):
            if path is not None:
                print(f"written: {path}")
    return 1 if strict and findings else 0


def message_table(capture: Capture) -> pd.DataFrame:
    """Return one row a message of all sessions; columns as ``Trace.frame()``, after ``session`` from 1."""
    import pandas as pd

    from v2glab.links.sessions._trace import COLUMNS

    frames = []
    for number, session in enumerate(capture.sessions, start=1):
        frame = session.trace.frame()
        frame.insert(0, "session", number)
        frames.append(frame)
    kept = [f for f in frames if len(f)]
    return pd.concat(kept, ignore_index=True) if kept else pd.DataFrame(columns=["session", *COLUMNS])


def document_of(capture: Capture, findings: tuple[Finding, ...]) -> dict[str, Any]:
    """Return everything as plain values."""
    from v2glab.links.capture import event_table

    return {
        "file": str(capture.path),
        "packets": capture.packets,
        "left_out": [asdict(entry) for entry in capture.left_out],
        "notes": list(capture.notes),
        "findings": [asdict(finding) for finding in findings],
        "discovery": _rows(event_table(capture.discovery)),
        "slac": [
            {
                "ev_mac": run.ev_mac.hex(":"),
                "run_id": run.run_id.hex(),
                "matched": run.matched.hex(":"),
                "reports": [
                    {"evse_mac": r.evse_mac.hex(":"), "groups_db": list(r.groups_db), "level": r.level}
                    for r in run.reports
                ],
                "frames": [asdict(seen) | {"margin_s": seen.margin_s} for seen in run.trace],
            }
            for run in capture.slac
        ],
        "sessions": [_session(session) for session in capture.sessions],
    }


def _session(session: CapturedSession) -> dict[str, Any]:
    from v2glab.links.capture import event_table

    names = ("vehicle", "charger", "began_ns", "ended_ns", "protocol", "guessed", "version", "suite")
    facts = {name: getattr(session, name) for name in (*names, "timing_seen", "undeciphered", "reason")}
    cause = session.cause
    return {
        **facts,
        "timing": asdict(session.timing) if session.timing else None,
        "cause": None
        if cause is None
        else {"name": cause.name, "phase": str(cause.phase), "text": cause.text},
        "notes": list(session.notes),
        "events": _rows(event_table(session.events)),
        "messages": [
            row | ({"body": session.bodies[place]} if place in session.bodies else {})
            for place, row in enumerate(_rows(session.trace.frame()))
        ],
    }


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as plain values; what is not known is null."""
    rows: list[dict[str, Any]] = json.loads(frame.to_json(orient="records", double_precision=9))
    return rows


def _print(capture: Capture, findings: tuple[Finding, ...], only: tuple[int, ...]) -> None:
    from v2glab.cli._common import console
    from v2glab.views import finding_lines, one_line, profile_line, rich_sessions, rich_slac

    screen = console()
    for run in capture.slac:
        screen.print(f"SLAC of {run.ev_mac.hex(':') or 'an unknown vehicle'}", style="bold")
        screen.print(rich_slac(run.trace))
        for report in run.reports:
            print(f"  {report.evse_mac.hex(':')}  {profile_line(report)}")
    if len(capture.sessions) > _MOST_FULL and not only:
        screen.print(rich_sessions(capture.sessions))
        print("one of them in full: --session NUMBER")
    for number, session in enumerate(capture.sessions, start=1):
        if number in only or (not only and len(capture.sessions) <= _MOST_FULL):
            _print_session(number, session)
    for entry in capture.left_out:
        first = f", first packet {entry.first}" if entry.first else ""
        print(one_line(f"left out: {entry.count} × {entry.reason}{first}"))
    for note in capture.notes:
        print(one_line(note))
    if not capture.sessions and not capture.slac:
        print("nothing of the vehicle link in this capture")
    for line in finding_lines(findings) or ["no fault found"]:
        screen.print(line, markup=False)


def _print_session(number: int, session: CapturedSession) -> None:
    from v2glab.cli._common import console
    from v2glab.links.tls import describe
    from v2glab.views import one_line, rich_exchanges

    screen = console()
    spoken = (session.protocol or "no protocol agreed") + (" (guessed)" if session.guessed else "")
    title = f"session {number}: {session.vehicle} to {session.charger}, {spoken}"
    screen.print(one_line(title), style="bold", markup=False)
    if session.version:
        print(one_line(f"  {session.version}, {session.suite}"))
    if session.timing is not None:
        least = "" if session.timing_seen else "at least: "
        print(f"  {least}{describe(session.timing)}")
    for event in session.events[:_MOST_EVENTS]:
        who = "vehicle" if event.end == "evcc" else "charger"
        at_ms = (event.time_ns - session.began_ns) / 1e6
        told = f"  {at_ms:10.3f} ms  {who}  {event.layer:<5} {event.name}  {event.text}"
        screen.print(one_line(told[:160]), markup=False)
    if len(session.events) > _MOST_EVENTS:
        print(f"  and {len(session.events) - _MOST_EVENTS} more events")
    if session.records:
        screen.print(rich_exchanges(session.trace.frame()))
    if session.undeciphered:
        print(one_line(f"  {session.undeciphered} records stayed closed: {session.reason}"))
        print("  remedy: record a key log at one end, and name it with --key-log")
    for note in session.notes:
        print(one_line(f"  {note}"))


def _write(path: Path, content: str) -> None:
    from v2glab.evidence import write_atomic

    if path == _PRINT:
        sys.stdout.write(content)
    else:
        write_atomic(path, content.encode("utf-8"))
