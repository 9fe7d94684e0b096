"""The messages of a run with their times, limits and margins."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from v2glab.evidence import Direction
from v2glab.links.slac._frame import Frame, mac_text
from v2glab.links.slac._rules import SlacRules

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Seen:
    """One frame that passed.

    Parameters
    ----------
    time_ns
        When, in nanoseconds UTC.
    at_s
        Seconds since the first frame of the run, by a clock that only moves forward.
    direction
        ``tx`` or ``rx``.
    source, destination
        Addresses; empty when the frame could not be read.
    name
        Message, such as ``CM_SLAC_PARM.REQ``; ``?`` when it could not be read.
    length
        Bytes of the frame.
    elapsed_s, limit_s
        For an answer: time since what it answers, and how long it may take; None otherwise.
    note
        What was wrong with the frame.
    """

    time_ns: int
    at_s: float
    direction: Direction
    source: str
    destination: str
    name: str
    length: int
    elapsed_s: float | None = None
    limit_s: float | None = None
    note: str = ""

    @property
    def margin_s(self) -> float | None:
        """Time that was left; negative when the answer came late."""
        if self.elapsed_s is None or self.limit_s is None:
            return None
        return self.limit_s - self.elapsed_s


class Trace:
    """Collects frames and times answers; keeps no more than ``longest`` of them."""

    def __init__(self, rules: SlacRules, longest: int = 10_000) -> None:
        self._rules, self._longest = rules, longest
        self._seen: list[Seen] = []
        self._first: dict[str, float] = {}
        self._last: dict[str, float] = {}
        self._answered: dict[tuple[str, str], float] = {}
        self._began_s: float | None = None

    def add(
        self,
        time_ns: int,
        now_s: float,
        direction: Direction,
        frame: Frame | None,
        length: int,
        note: str = "",
    ) -> None:
        """Keep one frame; None stands for one that could not be read."""
        if self._began_s is None:
            self._began_s = now_s
        if len(self._seen) >= self._longest:
            return
        at_s = now_s - self._began_s
        if frame is None:
            self._seen.append(Seen(time_ns, at_s, direction, "", "", "?", length, note=note))
            return
        source, destination = mac_text(frame.source), mac_text(frame.destination)
        name = frame.message.NAME
        elapsed_s, limit_s = self._timed(at_s, source, name)
        self._first.setdefault(name, at_s)
        self._last[name] = at_s
        self._seen.append(
            Seen(time_ns, at_s, direction, source, destination, name, length, elapsed_s, limit_s, note)
        )

    def records(self) -> tuple[Seen, ...]:
        """Return what was kept, oldest first."""
        return tuple(self._seen)

    def _timed(self, at_s: float, source: str, name: str) -> tuple[float | None, float | None]:
        answer = self._rules.answer.get(name)
        if answer is None:
            return None, None
        asked_s = (self._first if answer.since_first else self._last).get(answer.to)
        if asked_s is None or self._answered.get((name, source), -1.0) >= asked_s:
            return None, None
        self._answered[name, source] = at_s
        return at_s - asked_s, sum(self._rules.time_s(timer) for timer in answer.timers)


def trace_table(trace: Iterable[Seen]) -> pd.DataFrame:
    """Return a trace as a table, one row a frame, times in seconds."""
    import pandas as pd

    columns = ["time_ns", "at_s", "direction", "source", "destination", "name", "length", "elapsed_s"]
    columns += ["limit_s", "margin_s", "note"]
    rows: list[dict[str, Any]] = [{name: getattr(seen, name) for name in columns} for seen in trace]
    return pd.DataFrame(rows, columns=columns)
