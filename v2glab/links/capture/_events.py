"""What happens beside the messages: discovery, connection, handshake, alerts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pandas as pd

    from v2glab.links.sessions._trace import End

Layer = Literal["SDP", "TCP", "TLS", "V2GTP"]
#: Columns of a table of events, in order.
EVENT_COLUMNS = ("time_ns", "end", "layer", "name", "text")


@dataclass(frozen=True)
class Event:
    """One event.

    Parameters
    ----------
    time_ns
        When its last octet had passed, nanoseconds UTC.
    end
        Who sent it.
    name
        Such as ``ClientHello``, ``alert``, ``SYN``, ``SDP request``.
    text
        What is worth knowing of it.
    began_ns
        When its first octet passed.
    certificates
        DER, leaf first, of a Certificate message.
    alert
        Number of an alert (RFC 8446, 6.2).
    kind
        Type of a handshake message.
    """

    time_ns: int
    end: End
    layer: Layer
    name: str
    text: str = ""
    began_ns: int = 0
    certificates: tuple[bytes, ...] = ()
    alert: int | None = None
    kind: int | None = None


def event_table(events: tuple[Event, ...]) -> pd.DataFrame:
    """Return one row an event."""
    import pandas as pd

    rows = [{name: getattr(event, name) for name in EVENT_COLUMNS} for event in events]
    return pd.DataFrame(rows, columns=list(EVENT_COLUMNS))
