"""What is asked of a charging station, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from v2glab.gateway import Refusal
    from v2glab.links import Seen

Payload = dict[str, Any]

#: Request that changes nothing: a vendor's extension that no station has (OCPP 2.0.1 part 2, P01).
PROBE, PROBE_PAYLOAD = "DataTransfer", {"vendorId": "v2glab.round-trip"}


@dataclass(frozen=True)
class Plan:
    """What is asked of the station; times in seconds, as the procedure's parameters have them."""

    station_id: str
    connect_timeout_s: float
    meter_values: int
    event_timeout_s: float
    probes: int
    may_act: bool


@dataclass
class Talk:
    """What came of it.

    Attributes
    ----------
    messages
        All messages of the station, oldest first.
    connect_s
        Time until the station was in; ``None`` when it never was.
    events
        Events of our transaction in the order in which they came.
    not_started
        Why no transaction was tried, or why the station may rightly have declined; empty when one ran.
    not_reported
        Why a report that did not come by itself could not be asked for.
    problem
        What went wrong after the connection; empty when nothing did.
    """

    messages: tuple[Seen, ...] = ()
    connect_s: float | None = None
    tls_version: str = ""
    cipher: str = ""
    certificate: bytes | None = None
    refusals: tuple[Refusal, ...] = ()
    refused: int = 0
    boots: int = 0
    boot_status: str = ""
    vendor: str = ""
    model: str = ""
    statuses: int = 0
    heartbeats: int = 0
    tried: bool = False
    not_started: str = ""
    not_reported: str = ""
    events: list[Payload] = field(default_factory=list)
    problem: str = ""
