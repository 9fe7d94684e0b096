"""What is known of a station when the rules are asked: readings, certificates, logs, and what is missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from v2glab.diagnosis._events import Event, LogReport
from v2glab.diagnosis._log import LogLine
from v2glab.evidence import Quantity

E = TypeVar("E")


@dataclass(frozen=True, slots=True)
class CertificateSeen:
    """One certificate of the link to the gateway; ``problems`` is empty when it is valid."""

    role: str
    subject: str
    not_after: str
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Observations:
    """Everything that the rules may look at.

    Attributes
    ----------
    nominal_frequency_hz, nominal_voltage_v, rated_power_w
        Ratings of the site; voltage line to neutral.
    readings
        What instruments showed, each with the instrument's name and time; in order of time.
    logs
        One report a log that could be read.
    missing
        Why something that rules look for is not there, by its name: an instrument, a log, ``"ocpp"``.
    """

    nominal_frequency_hz: float
    nominal_voltage_v: float
    rated_power_w: float
    readings: tuple[Quantity, ...] = ()
    certificates: tuple[CertificateSeen, ...] = ()
    logs: tuple[LogReport, ...] = ()
    missing: Mapping[str, str] = field(default_factory=dict)

    def all(self, instrument: str, point: str) -> list[Quantity]:
        """Return all readings of a point, oldest first."""
        return [q for q in self.readings if q.instrument == instrument and q.name == point]

    def latest(self, instrument: str, point: str) -> Quantity | None:
        """Return the newest reading of a point."""
        found = self.all(instrument, point)
        return found[-1] if found else None

    def events(self, kind: type[E]) -> list[E]:
        """Return all events of one kind, log after log, each in the order of its file."""
        return [event for event in self._events() if isinstance(event, kind)]

    def absent(self, *names: str) -> tuple[str, ...]:
        """Say why each of these is missing."""
        return tuple(f"{name}: {self.missing.get(name, 'not observed')}" for name in names)

    def _events(self) -> Iterator[Event]:
        for log in self.logs:
            yield from log.events


def shown(quantity: Quantity) -> str:
    """Return a reading as evidence: instrument, point, value, expanded uncertainty, certificate."""
    spread = quantity.expanded()
    around = f" ± {spread[0]:.2g}" if spread and spread[0] > 0 else ""
    unit = "" if quantity.unit == "1" else f" {quantity.unit}"
    by = f" (certificate {quantity.certificate})" if quantity.certificate else ""
    return f"{quantity.instrument}: {quantity.name} = {quantity.value:.6g}{around}{unit}{by}"


def newer(line: LogLine | None, reading: Quantity) -> bool:
    """Whether a log line was written after a register was read, and so says more of the present."""
    return line is not None and reading.time_ns is not None and line.time_ns > reading.time_ns
