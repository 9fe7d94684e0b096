"""A capture, or a run of SLAC, as a page that stands alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from v2glab.views._numbers import utc_text
from v2glab.views._page import embedded, html_page
from v2glab.views._report_parts import text
from v2glab.views._vehicle_data import by_message, exchanges
from v2glab.views._vehicle_slac import plot_slac
from v2glab.views._vehicle_terminal import ms_text
from v2glab.views._vehicle_trace import plot_vehicle_trace

if TYPE_CHECKING:
    import pandas as pd

    from v2glab.diagnosis import Finding
    from v2glab.links.capture import Capture, CapturedSession, SlacRun
    from v2glab.links.slac import PlcChannel, Report, Seen

#: Sessions, runs of SLAC and events of a page that are shown in full.
_MOST_PARTS, _MOST_EVENTS = 12, 300
_FOOTER = "Written by v2glab. Limits marked as suspected were not checked against the text of the standard."


def render_vehicle_trace(capture: Capture, findings: Sequence[Finding], limit_s: float | None = None) -> str:
    """Return a page: what was found, then each session and each run of SLAC.

    Parameters
    ----------
    limit_s
        How long the negotiation of TLS may take.
    """
    shown, runs = capture.sessions[:_MOST_PARTS], capture.slac[:_MOST_PARTS]
    figures: dict[str, Any] = {}
    for place, session in enumerate(shown):
        frame = session.trace.frame()
        figures[f"session{place}"] = plot_vehicle_trace(frame, session.events, session.timing, limit_s)
    for place, run in enumerate(runs):
        figures[f"slac{place}"] = plot_slac(run.trace, _named(run))
    scripts, drawn = embedded(figures)
    body = [
        f"<header><h1>Trace of the vehicle link</h1><p class=sub>{text(capture.path.name)}, "
        f"{capture.packets} packets, {len(capture.sessions)} sessions.</p></header>",
        _findings(findings),
        _notes(
            "What was left out",
            [f"{o.count} packets: {o.reason}" for o in capture.left_out] + list(capture.notes),
        ),
    ]
    for place, run in enumerate(runs):
        who = text(_mac(run.ev_mac) or "unknown vehicle")
        body.append(f"<h2>SLAC of {who}</h2><div class=figure>{drawn[f'slac{place}']}</div>")
    for place, session in enumerate(shown):
        body += _session(place, session, drawn[f"session{place}"])
    return html_page(f"Trace: {text(capture.path.name)}", "".join(body), scripts, footer=_FOOTER)


def render_slac(
    title: str,
    trace: Sequence[Seen],
    reports: Sequence[tuple[str, Report]],
    channels: Sequence[tuple[str, PlcChannel]],
    thresholds: Sequence[tuple[str, float]],
    findings: Sequence[Finding],
) -> str:
    """Return a page on one run of SLAC."""
    scripts, drawn = embedded({"slac": plot_slac(trace, reports, channels, thresholds)})
    body = f"<header><h1>SLAC</h1><p class=sub>{text(title)}</p></header>{_findings(findings)}"
    body += f"<div class=figure>{drawn['slac']}</div>"
    return html_page(f"SLAC: {text(title)}", body, scripts, footer=_FOOTER)


def _session(place: int, session: CapturedSession, figure: str) -> list[str]:
    facts = {
        "Began": utc_text(session.began_ns),
        "Protocol": (session.protocol or "none agreed") + (" (guessed)" if session.guessed else ""),
        "TLS": f"{session.version}, {session.suite}" if session.version else "none",
        "Messages": str(len(session.records)),
    }
    if session.timing is not None:
        least = "" if session.timing_seen else "at least "
        facts["Negotiation"] = f"{least}{ms_text(session.timing.total_s)}"
    if session.undeciphered:
        facts["Not deciphered"] = f"{session.undeciphered} records: {session.reason}"
    cells = "".join(f"<div><dt>{text(k)}</dt><dd>{text(v)}</dd></div>" for k, v in facts.items())
    return [
        f"<h2>Session {place + 1}: {text(session.vehicle)} to {text(session.charger)}</h2>",
        f"<dl class=meta>{cells}</dl>",
        f"<div class=figure>{figure}</div>",
        _messages(session.trace.frame()),
        _notes("What was odd", session.notes),
        _events(session),
    ]


def _messages(frame: pd.DataFrame) -> str:
    rows = []
    for t in by_message(exchanges(frame)):
        said = ", ".join((*t.codes, *t.notes)) + (f" ({t.late} late)" if t.late else "")
        cells = (
            t.message,
            t.count,
            *(ms_text(v) for v in (t.middle_s, t.slowest_s, t.limit_s, t.margin_s)),
            said,
        )
        rows.append(
            f"<tr class={'fail' if t.late else 'plain'}>{''.join(f'<td>{text(c)}</td>' for c in cells)}</tr>"
        )
    if not rows:
        return ""
    names = ("Message", "Times", "Median", "Slowest", "Limit", "Margin", "Response")
    return f"<h3>Messages</h3>{_table(names, rows)}"


def _events(session: CapturedSession) -> str:
    rows = []
    for event in session.events[:_MOST_EVENTS]:
        at = f"{(event.time_ns - session.began_ns) / 1e6:.3f} ms"
        cells = (at, "vehicle" if event.end == "evcc" else "charger", event.layer, event.name, event.text)
        rows.append(f"<tr>{''.join(f'<td>{text(c)}</td>' for c in cells)}</tr>")
    names = ("Time", "Sent by", "Layer", "Event", "")
    return f"<details><summary>Connection and handshake</summary>{_table(names, rows)}</details>"


def _findings(findings: Sequence[Finding]) -> str:
    if not findings:
        return "<h2>Findings</h2><p>No fault was found in what the trace shows.</p>"
    rows = []
    for f in findings:
        cause = "; ".join((f.cause, *f.evidence))
        cells = (f.code, f.title, cause, f.remedy, f.certainty)
        rows.append(f"<tr>{''.join(f'<td>{text(c)}</td>' for c in cells)}</tr>")
    return f"<h2>Findings</h2>{_table(('Code', 'What', 'Cause', 'Remedy', 'Certainty'), rows)}"


def _notes(title: str, notes: Iterable[str]) -> str:
    items = "".join(f"<li>{text(note)}</li>" for note in notes)
    return f"<h3>{text(title)}</h3><ul class=check>{items}</ul>" if items else ""


def _table(names: Sequence[str], rows: Sequence[str]) -> str:
    head = "".join(f"<th>{text(name)}</th>" for name in names)
    return (
        f"<div class=wide><table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _named(run: SlacRun) -> list[tuple[str, Report]]:
    return [(_mac(r.evse_mac), r) for r in run.reports]


def _mac(address: bytes) -> str:
    return address.hex(":")
