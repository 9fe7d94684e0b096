"""How long a negotiation took, where the time went, and whether that is too long."""

from __future__ import annotations

import math
import socket
import struct
from dataclasses import dataclass

from v2glab.diagnosis import Finding
from v2glab.evidence import Outcome, Quantity, Verdict, judge
from v2glab.links.tls._rules import TlsRules

# Offsets in struct tcp_info (linux/tcp.h): total_retrans, rtt, rttvar; min_rtt in µs.
_RTT_VAR, _RETRANSMITTED, _MIN_RTT, _ENOUGH = 72, 100, 148, 152


@dataclass(frozen=True)
class WayFacts:
    """What the kernel knows of the way to the other end; times in seconds."""

    round_trip_s: float
    spread_s: float
    lost_segments: int


@dataclass(frozen=True)
class Timing:
    """Where the time of a negotiation went; all in seconds.

    ``local_s`` was spent in this end's own cryptography. The rest was waited for: ``network_s`` is the number
    of waits times the shortest round trip, ``peer_s`` what remains. ``uncertainty_s`` is the standard
    uncertainty of that border. When segments were lost the border cannot be drawn: ``network_s`` is ``None``
    and ``peer_s`` holds both. In one process with other work, waiting for the processor counts as waiting for
    the other end.
    """

    total_s: float
    local_s: float
    network_s: float | None
    peer_s: float
    round_trips: int
    uncertainty_s: float | None
    connect_s: float | None = None
    lost_segments: int = 0

    @property
    def greatest(self) -> str:
        """The greatest share: ``"network"``, ``"peer"`` or ``"local"``; empty when it cannot be told."""
        shares = {"network": self.network_s or 0.0, "peer": self.peer_s, "local": self.local_s}
        first, second = sorted(shares, key=lambda k: shares[k], reverse=True)[:2]
        unsure = self.network_s is None and self.local_s < self.peer_s
        close = shares[first] - shares[second] < 2 * (self.uncertainty_s or 0.0)
        return "" if unsure or close else first


def split(
    total_s: float, local_s: float, waits: int, path: WayFacts | None, connect_s: float | None = None
) -> Timing:
    """Divide the time of a negotiation.

    Parameters
    ----------
    total_s, local_s
        Whole duration, and what this end worked.
    waits
        How often this end sent something and then waited for the answer.
    path
        ``None`` where the kernel does not tell.
    """
    waited = max(total_s - local_s, 0.0)
    lost = path.lost_segments if path else 0
    if path is None or lost:
        return Timing(total_s, local_s, None, waited, waits, None, connect_s, lost)
    network = min(waits * path.round_trip_s, waited)
    spread = math.sqrt(max(waits, 1)) * path.spread_s
    return Timing(total_s, local_s, network, waited - network, waits, spread, connect_s)


def measure_path(link: socket.socket) -> WayFacts | None:
    """Return round trip and losses of a TCP connection as Linux counts them; ``None`` elsewhere."""
    try:
        info = link.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    except (OSError, AttributeError):
        return None
    if len(info) < _ENOUGH:
        return None
    spread, lost, shortest = (
        struct.unpack_from("I", info, at)[0] for at in (_RTT_VAR, _RETRANSMITTED, _MIN_RTT)
    )
    if shortest in (0, 0xFFFFFFFF):
        return None
    return WayFacts(shortest * 1e-6, spread * 1e-6, lost)


def judge_duration(timing: Timing, rules: TlsRules, evidence: tuple[str, ...] = ()) -> Verdict:
    """Judge the duration of a negotiation against its limit.

    The clock of this machine gives the uncertainty: a microsecond covers its resolution and the call.
    """
    return judge(
        rules.criterion, Quantity(rules.criterion.quantity, timing.total_s, "s", 1e-6), evidence=evidence
    )


def slow_finding(timing: Timing, rules: TlsRules) -> Finding | None:
    """Return ISO-15118-403, with the split, when a negotiation exceeded its limit; ``None`` otherwise."""
    split_text = describe(timing)
    verdict = judge_duration(timing, rules, (split_text,))
    if verdict.outcome is Outcome.PASS:
        return None
    slow, greatest = rules.slow, timing.greatest
    limit, share = rules.criterion.limit_text(), greatest or "share not told"
    every = f"{slow.network}; {slow.peer}; {slow.local}"
    return Finding(
        rule="tls-negotiation",
        code=slow.code,
        title=slow.title,
        cause=f"{timing.total_s * 1e3:.0f} ms, required {limit}: {share}",
        evidence=(split_text,),
        remedy=getattr(slow, greatest) if greatest else every,
        certainty="established" if verdict.outcome is Outcome.FAIL else "suspected",
    )


def describe(timing: Timing) -> str:
    """Return the split in one line."""
    network = "network not told" if timing.network_s is None else f"network {timing.network_s * 1e3:.2f} ms"
    lost = f", {timing.lost_segments} segments lost" if timing.lost_segments else ""
    return (
        f"negotiation {timing.total_s * 1e3:.2f} ms: {network}, peer {timing.peer_s * 1e3:.2f} ms, "
        f"local {timing.local_s * 1e3:.2f} ms, {timing.round_trips} round trips{lost}"
    )
