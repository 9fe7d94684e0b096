"""How to open a session as a vehicle."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from v2glab.links.sdp import Direct, Multicast, SdpRules
from v2glab.links.sessions._message import NEW_SESSION
from v2glab.links.sessions._rules import SessionRules, load_session_rules
from v2glab.links.sessions._vehicle import Wishes

if TYPE_CHECKING:
    from v2glab.links.sessions._plant import VehiclePlant
    from v2glab.links.sessions._wire import Tamper
    from v2glab.links.tls import TlsSettings


@dataclass(frozen=True)
class Fixed:
    """A charger whose address is known: no discovery."""

    host: str
    port: int = 15118


@dataclass(frozen=True)
class OpenSettings:
    """What a vehicle needs for a session.

    Parameters
    ----------
    plant
        Battery side.
    way
        How the charger is found.
    tls
        None for a connection in clear.
    wishes
        What the vehicle wants.
    protocols
        Offered in this order; by default that of -20 that fits the wanted service.
    session_id
        Of a paused session that is to be joined.
    cycle_s
        Between two loop messages; below the charger's wait for the next request (0.5 s in -20).
    keep_alive
        Exchange loop messages at zero power while no command is under way, so that the session lives on.
    clock, sleep
        Seconds that only grow, and how to wait them: the machine's, or those of a station in lockstep.
    progress
        Told of each phase as it begins.
    tamper
        Spoils what this end sends, for tests.
    rules
        Protocols, time limits and causes; those that travel with the package by default.
    leave_s
        Longest orderly end after an error inside the block; then the contactor opens without it.
    discovery
        Times of discovery; those that travel with the package by default.
    """

    plant: VehiclePlant
    way: Multicast | Direct | Fixed
    tls: TlsSettings | None = None
    wishes: Wishes = field(default_factory=Wishes)
    protocols: Sequence[str] = ()
    session_id: str = NEW_SESSION
    cycle_s: float = 0.25
    keep_alive: bool = True
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    progress: Callable[[str], None] = lambda phase: None
    tamper: Tamper | None = None
    rules: SessionRules = field(default_factory=load_session_rules, repr=False)
    leave_s: float = 0.2
    discovery: SdpRules | None = None

    @property
    def offered(self) -> tuple[str, ...]:
        """Protocols to offer."""
        return tuple(self.protocols) or (f"iso20-{self.wishes.service.split('_')[0]}",)
