"""Sessions that vehicles have paused, kept by the charger's process until they are joined again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from v2glab.links.sessions._serve import session_identifier


@dataclass(frozen=True)
class Paused:
    """What the charger keeps of a session; ``facts`` is what its protocol wants to find again."""

    session_id: str
    vehicle: str
    protocol: str
    facts: Mapping[str, Any] = field(default_factory=dict)


class PausedSessions:
    """A store of paused sessions; when it is full the oldest gives way: vehicles cannot fill memory."""

    def __init__(self, most: int = 1000) -> None:
        self._most = most
        self._kept: OrderedDict[str, Paused] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def keep(self, paused: Paused) -> None:
        """Keep a session."""
        self._kept.pop(paused.session_id, None)
        self._kept[paused.session_id] = paused
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def join(self, session_id: str, vehicle: str, protocol: str) -> Paused | None:
        """Take a session out; None when there is none of that identifier, vehicle and protocol.

        A wrong vehicle leaves the session where it is: its owner can still join it.
        """
        found = self._kept.get(session_id)
        if found is None or (found.vehicle, found.protocol) != (vehicle, protocol):
            return None
        return self._kept.pop(session_id)

    def new_id(self, random: Callable[[int], bytes]) -> str:
        """Return an identifier that no paused session has."""
        while (made := session_identifier(random)) in self._kept:
            pass
        return made
