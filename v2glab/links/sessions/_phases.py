"""How long each phase of a session took."""

from __future__ import annotations

import time
from collections.abc import Callable


class PhaseClock:
    """Measures phases, one after the other; a phase that comes again adds up."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._name, self._began = "", 0.0
        self.durations: dict[str, float] = {}

    def begin(self, name: str) -> None:
        """End the phase under way and begin another; the same name goes on."""
        if name == self._name:
            return
        self.end()
        self._name, self._began = name, time.perf_counter()
        self._tell(name)

    def end(self) -> None:
        """End the phase under way."""
        if self._name:
            passed = time.perf_counter() - self._began
            self.durations[self._name] = self.durations.get(self._name, 0.0) + passed
        self._name = ""

    def note(self, name: str, duration_s: float) -> None:
        """Move a known part of the phase under way into one of its own."""
        self.durations[name] = self.durations.get(name, 0.0) + duration_s
        self._began += duration_s
