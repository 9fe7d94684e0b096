"""Lines of the charger's and the gateway's log into events that rules understand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from v2glab.diagnosis._log import LogLine, parse_lines
from v2glab.evidence import InputError


@dataclass(frozen=True, slots=True)
class FaultLogged:
    """The charger latched a fault of that code."""

    line: LogLine
    code: int


@dataclass(frozen=True, slots=True)
class DeratingLogged:
    """The share of rated current that the charger allows crossed 100 %; ``allowed_percent`` after it."""

    line: LogLine
    allowed_percent: float


@dataclass(frozen=True, slots=True)
class ExportRefused:
    """The charger was asked to export and did not; ``reserve_percent`` is charge less the user's limit."""

    line: LogLine
    reason: str
    reserve_percent: float | None = None


@dataclass(frozen=True, slots=True)
class TlsFailed:
    """A handshake failed.

    ``by`` is the end that wrote the line; ``certificate`` is ``"station"``, ``"gateway"``, or empty when the
    log does not say.
    """

    line: LogLine
    by: str
    reason: str
    certificate: str = ""
    about: str = ""


@dataclass(frozen=True, slots=True)
class LinkUp:
    """Station and gateway accepted each other."""

    line: LogLine


@dataclass(frozen=True, slots=True)
class LinkDown:
    """The connection of station and gateway ended."""

    line: LogLine


Event = FaultLogged | DeratingLogged | ExportRefused | TlsFailed | LinkUp | LinkDown


@dataclass(frozen=True)
class LogReport:
    """What one log holds: its events in the order of the file, and what could not be read, by reason."""

    name: str
    lines: int
    events: tuple[Event, ...] = ()
    skipped: Mapping[str, int] = field(default_factory=dict)


def read_log(name: str, text: str, since_ns: int | None = None) -> LogReport:
    """Read a log whose text may hold anything.

    Parameters
    ----------
    since_ns
        Older lines are counted as skipped.
    """
    lines, refused = parse_lines(name, text)
    skipped, events = Counter(refused), list[Event]()
    for line in lines:
        if since_ns is not None and line.time_ns < since_ns:
            skipped["older than asked for"] += 1
            continue
        try:
            event = parse_event(line)
        except InputError:
            skipped[f"unreadable {line.event}"] += 1
            continue
        if event is not None:
            events.append(event)
    return LogReport(name, len(lines), tuple(events), dict(skipped))


def parse_event(line: LogLine) -> Event | None:
    """Return what a line says; ``None`` when no rule needs it.

    Raises
    ------
    InputError
        It is a known event whose fields cannot be read.
    """
    read = _READERS.get((line.source, line.event))
    return read(line) if read else None


def _fault(line: LogLine) -> FaultLogged:
    return FaultLogged(line, int(line.number("code")))


def _derating(line: LogLine) -> DeratingLogged:
    return DeratingLogged(line, line.number("allowed_percent"))


def _export_refused(line: LogLine) -> ExportRefused:
    reason = line.fields.get("reason", "")
    if reason != "soc":
        return ExportRefused(line, reason)
    return ExportRefused(line, reason, line.number("soc_percent") - line.number("limit_percent"))


def _tls_alert(line: LogLine) -> TlsFailed:
    fields = line.fields
    parts = [fields.get("subject", ""), fields.get("not_after", "") and f"valid until {fields['not_after']}"]
    certificate = fields.get("certificate", "")
    return TlsFailed(
        line, "station", fields.get("reason", ""), certificate, ", ".join(part for part in parts if part)
    )


def _gateway_refused(line: LogLine) -> TlsFailed | None:
    """HTTP 401 is how a gateway refuses a certificate that names another station (OCPP 2.0.1 part 2, A00)."""
    reason = line.fields.get("reason", "")
    return TlsFailed(line, "station", reason, "station") if reason == "HTTP 401" else None


_READERS: dict[tuple[str, str], Callable[[LogLine], Event | None]] = {
    ("charger", "fault"): _fault,
    ("charger", "derating"): _derating,
    ("charger", "export_refused"): _export_refused,
    ("charger", "tls_alert"): _tls_alert,
    ("charger", "gateway_refused"): _gateway_refused,
    ("charger", "boot"): lambda line: LinkUp(line) if line.fields.get("status") == "Accepted" else None,
    ("gateway", "tls_rejected"): lambda line: TlsFailed(line, "gateway", line.fields.get("reason", "")),
    ("gateway", "auth_rejected"): lambda line: TlsFailed(
        line, "gateway", line.fields.get("reason", ""), "station"
    ),
    ("gateway", "connected"): LinkUp,
    ("gateway", "disconnected"): LinkDown,
    ("charger", "gateway_lost"): LinkDown,
}
