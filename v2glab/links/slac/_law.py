"""What the laws of both ends share: actions, the timer that runs, the result."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field

from v2glab.evidence import Quantity
from v2glab.links.slac._error import SlacFailure
from v2glab.links.slac._messages import Message
from v2glab.links.slac._profile import Report
from v2glab.links.slac._rules import SlacRules


@dataclass(frozen=True)
class Send:
    """Put a message on the line, or hand it to the modem."""

    destination: bytes
    message: Message


@dataclass(frozen=True)
class Toggle:
    """Toggle S2 of the vehicle: ``count`` pulses on the control pilot within a time."""

    count: int
    within_s: float


Action = Send | Toggle


@dataclass(frozen=True)
class Waiting:
    """The timer that bounds the answer which is due."""

    timer: str
    since_s: float
    limit_s: float


@dataclass(frozen=True)
class Match:
    """A vehicle and a charger that found each other.

    Parameters
    ----------
    ev_mac, evse_mac, run_id
        The two ends and the run.
    attenuation
        Mean over the carrier groups as the charger reported it, with its uncertainty; None on the charger's
        side when the vehicle matched without a report.
    no_attenuation
        Why there is none.
    level
        ``direct``, ``potential`` or ``weak``: where it stands between the thresholds.
    groups_db
        The profile behind it, one whole number of dB a carrier group.
    others
        Reports of further chargers: what cross-talk there is.
    validated
        The charger counted the toggles of the control pilot.
    nid, nmk
        The network of both, to be kept secret.
    notes
        What was odd but did no harm.
    """

    ev_mac: bytes
    evse_mac: bytes
    run_id: bytes
    attenuation: Quantity | None
    no_attenuation: str
    level: str
    groups_db: tuple[int, ...]
    others: tuple[Report, ...]
    validated: bool
    nid: bytes
    nmk: bytes = field(repr=False)
    notes: tuple[str, ...] = ()


class Law(ABC):
    """Base of both ends: messages and times in, actions out; no sockets, no clocks.

    Times are seconds on any clock that only moves forward. ``deadline_s`` is when :meth:`tick` is due;
    ``outcome`` is set when the run has ended.
    """

    def __init__(self, rules: SlacRules, mac: bytes, modem: bytes) -> None:
        self.rules, self.mac, self.modem = rules, mac, modem
        self.outcome: Match | SlacFailure | None = None
        self.waiting: Waiting | None = None
        self.notes: list[str] = []

    @property
    def deadline_s(self) -> float | None:
        """When :meth:`tick` is due, or None."""
        return self.waiting.since_s + self.waiting.limit_s if self.waiting else None

    @abstractmethod
    def start(self, now_s: float) -> list[Action]:
        """Begin; call once."""

    @abstractmethod
    def receive(self, now_s: float, source: bytes, message: Message) -> list[Action]:
        """Take one message that came in."""

    @abstractmethod
    def tick(self, now_s: float) -> list[Action]:
        """Take note that the time of the deadline has come."""

    def wait(self, timer: str, now_s: float, limit_s: float | None = None) -> None:
        """Start a timer; its time comes from the rules unless given."""
        self.waiting = Waiting(timer, now_s, self.rules.time_s(timer) if limit_s is None else limit_s)

    def end(self, outcome: Match | SlacFailure) -> list[Action]:
        """End the run; the first outcome stands."""
        self.outcome = self.outcome or outcome
        self.waiting = None
        return []
