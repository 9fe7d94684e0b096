"""Messages of the vehicle link as questions and answers, for figures and tables."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

#: Exchanges that a figure shows; of longer sessions it shows the slowest of each message, and every n-th.
MOST_SHOWN = 2000
#: Shares of the limit from which an answer is close to late, and late.
CLOSE, LATE = 0.5, 1.0
_LOOPS = ("AC_ChargeLoop", "DC_ChargeLoop", "CurrentDemand", "ChargingStatus")


@dataclass(frozen=True)
class Exchange:
    """A request and its answer.

    Times are seconds since the first message; ``answer_s`` and ``limit_s`` are None where they are not known,
    ``answered_s`` where no answer came. ``next_s`` is when the vehicle asked again.
    """

    message: str
    asked_s: float
    answered_s: float | None
    next_s: float | None
    answer_s: float | None
    limit_s: float | None
    code: str
    note: str

    @property
    def loop(self) -> bool:
        """Whether energy flows in it."""
        return self.message in _LOOPS

    @property
    def share(self) -> float | None:
        """What part of its limit the answer took."""
        if self.answer_s is None or not self.limit_s:
            return None
        return self.answer_s / self.limit_s


@dataclass(frozen=True)
class MessageTimes:
    """The answers to one message: how many, how long, against which limit (seconds)."""

    message: str
    count: int
    middle_s: float | None
    slowest_s: float | None
    quickest_s: float | None
    limit_s: float | None
    late: int
    codes: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def margin_s(self) -> float | None:
        """Limit less the slowest answer."""
        if self.slowest_s is None or self.limit_s is None:
            return None
        return self.limit_s - self.slowest_s


def exchanges(frame: pd.DataFrame) -> list[Exchange]:
    """Return what a trace's table holds as questions and answers, in the order of time.

    Parameters
    ----------
    frame
        As ``Trace.frame()`` returns it, from an end or from a capture.
    """
    if frame.empty:
        return []
    start = int(frame["time_ns"].iloc[0])
    columns = ("time_ns", "name", "answer_s", "limit_s", "response_code", "note")
    found: list[Exchange] = []
    asked: tuple[str, float] | None = None
    for time_ns, name, answer, limit, code, note in zip(*(frame[c] for c in columns), strict=True):
        at = (int(time_ns) - start) / 1e9
        if str(name).endswith("Req"):
            if asked is not None:
                found.append(Exchange(asked[0], asked[1], None, at, None, None, "", "no answer"))
            asked = (str(name).removesuffix("Req"), at)
            if found and found[-1].next_s is None:
                found[-1] = _followed(found[-1], at)
            continue
        message, asked_s = asked or (str(name).removesuffix("Res"), at)
        asked = None
        times = _number(answer), _number(limit)
        found.append(Exchange(message, asked_s, at, None, *times, str(code), str(note)))
    if asked is not None:
        found.append(Exchange(asked[0], asked[1], None, None, None, None, "", "no answer"))
    return found


def by_message(several: list[Exchange]) -> list[MessageTimes]:
    """Return one entry a message, in the order in which they first came."""
    groups: dict[str, list[Exchange]] = {}
    for exchange in several:
        groups.setdefault(exchange.message, []).append(exchange)
    return [_times(name, group) for name, group in groups.items()]


def thinned(several: list[Exchange]) -> list[Exchange]:
    """Return no more exchanges than a figure can show; the slowest of each message is always among them."""
    if len(several) <= MOST_SHOWN:
        return several
    step = math.ceil(len(several) / MOST_SHOWN)
    worst: dict[str, int] = {}
    for place, exchange in enumerate(several):
        known = worst.get(exchange.message)
        if known is None or (exchange.share or 0.0) > (several[known].share or 0.0):
            worst[exchange.message] = place
    kept = set(range(0, len(several), step)) | set(worst.values())
    return [several[k] for k in sorted(kept)]


def _times(name: str, group: list[Exchange]) -> MessageTimes:
    taken = [e.answer_s for e in group if e.answer_s is not None]
    limits = [e.limit_s for e in group if e.limit_s is not None]
    late = sum((e.share or 0.0) > LATE for e in group)
    codes = tuple(dict.fromkeys(e.code for e in group if e.code))
    notes = tuple(dict.fromkeys(e.note for e in group if e.note))
    return MessageTimes(
        name,
        len(group),
        median(taken) if taken else None,
        max(taken, default=None),
        min(taken, default=None),
        min(limits, default=None),
        late,
        codes,
        notes,
    )


def _followed(exchange: Exchange, at: float) -> Exchange:
    values = vars(exchange) | {"next_s": at}
    return Exchange(**values)


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None
