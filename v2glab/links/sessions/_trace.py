"""One record a message: times, octets, limit and margin."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pandas as pd

End = Literal["evcc", "secc"]


@dataclass(slots=True)
class MessageRecord:
    """One message as one end saw it. Durations are in seconds; None where this end cannot know it.

    Parameters
    ----------
    time_ns
        When the last octet had come, or the first went out; nanoseconds UTC.
    end
        Who writes the record.
    direction
        ``tx`` or ``rx``, seen from ``end``.
    name, response_code, session_id
        As in the message; ``?`` for the name of what could not be read.
    protocol
        Name in ``session.toml``; empty before the ends have agreed.
    octets
        Of the whole frame, header included.
    wire_s
        ``tx``: handing the octets to the kernel. ``rx``: half the round trip of TCP by the kernel.
    answer_s
        ``rx`` at the vehicle: from the request's last octet to the answer's last. ``tx`` at the charger:
        from the request's last octet to the answer's last octet handed over.
    decode_s, decide_s, encode_s
        Codec, and what the end did between two messages to decide on the next.
    limit_s
        What ``answer_s`` must not exceed: the message time-out at the vehicle, the performance time at the
        charger.
    note
        What was wrong.
    """

    time_ns: int
    end: End
    direction: Literal["tx", "rx"]
    name: str
    protocol: str = ""
    session_id: str = ""
    response_code: str = ""
    octets: int = 0
    wire_s: float | None = None
    answer_s: float | None = None
    decode_s: float | None = None
    decide_s: float | None = None
    encode_s: float | None = None
    limit_s: float | None = None
    note: str = ""
    payload_type: int = 0

    @property
    def margin_s(self) -> float | None:
        """Limit less what it took."""
        if self.limit_s is None or self.answer_s is None:
            return None
        return self.limit_s - self.answer_s


@dataclass
class Trace:
    """The messages of a session, oldest first; ``kept`` bounds how many a long loop leaves behind.

    The first ``kept`` records stay; ``dropped`` counts those that followed and were let go, but for the
    slowest answer, which stays in ``slowest``.
    """

    records: list[MessageRecord] = field(default_factory=list)
    kept: int = 200_000
    dropped: int = 0
    slowest: MessageRecord | None = None

    def add(self, record: MessageRecord) -> None:
        """Take a record."""
        if len(self.records) < self.kept:
            self.records.append(record)
        else:
            self.dropped += 1
        margin = record.margin_s
        if margin is not None and (
            self.slowest is None or self.slowest.margin_s is None or margin < self.slowest.margin_s
        ):
            self.slowest = record

    def frame(self) -> pd.DataFrame:
        """Return one row a message; columns as the attributes of :class:`MessageRecord`, and ``margin_s``."""
        import pandas as pd

        return pd.DataFrame([self._row(r) for r in self.records], columns=list(COLUMNS))

    @staticmethod
    def _row(record: MessageRecord) -> dict[str, Any]:
        return {name: getattr(record, name) for name in COLUMNS}


#: Columns of a trace's table, in order.
COLUMNS = (
    "time_ns",
    "end",
    "direction",
    "name",
    "protocol",
    "session_id",
    "response_code",
    "octets",
    "wire_s",
    "answer_s",
    "decode_s",
    "decide_s",
    "encode_s",
    "limit_s",
    "margin_s",
    "note",
)


def now_ns() -> int:
    """Return the time of a record, nanoseconds UTC."""
    return time.time_ns()
