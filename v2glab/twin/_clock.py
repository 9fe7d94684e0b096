"""How the plant's time passes: asked for, or with the wall clock."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from v2glab.evidence import InputError, UsageError
from v2glab.twin._plant import Plant
from v2glab.twin._plant_state import PlantState

_TICK_S = 0.005
_LONGEST_ADVANCE_S = 3600.0


class TwinClock:
    """Advances the plant without holding up the servers.

    Parameters
    ----------
    mode
        ``"lockstep"``: only by :meth:`advance`; ``"realtime"``: with the monotonic clock.
    after
        Called with the plant's state after each advance (lockstep) or ten times a second.
    """

    def __init__(self, plant: Plant, mode: str, after: Callable[[PlantState], None]) -> None:
        self._plant, self._mode, self._after = plant, mode, after
        self._turn = asyncio.Lock()

    def now(self) -> dict[str, Any]:
        """Return plant time and mode."""
        return {"time_ns": self._plant.time_ns, "mode": self._mode}

    async def advance(self, duration_s: float) -> dict[str, Any]:
        """Advance the plant and answer when it has.

        Raises
        ------
        UsageError
            The clock runs by itself.
        InputError
            The duration is out of range.
        """
        if self._mode != "lockstep":
            raise UsageError(
                "clock.advance in real time", "a twin in lockstep", "start it with --clock lockstep"
            )
        number = isinstance(duration_s, int | float) and not isinstance(duration_s, bool)
        if not number or not 0 <= duration_s <= _LONGEST_ADVANCE_S:
            raise InputError(
                f"duration {duration_s!r}", f"0 to {_LONGEST_ADVANCE_S:g} s", "mend the duration"
            )
        async with self._turn:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(None, self._plant.advance, duration_s)
            self._after(self._plant.state)
        return self.now()

    async def run(self) -> None:
        """Follow the wall clock for ever; in lockstep there is nothing to follow."""
        if self._mode == "lockstep":
            await asyncio.Event().wait()
        loop = asyncio.get_running_loop()
        start_wall, start_plant = time.monotonic_ns(), self._plant.time_ns
        ticks = 0
        while True:
            behind_s = (time.monotonic_ns() - start_wall - (self._plant.time_ns - start_plant)) * 1e-9
            if behind_s > 0:
                await loop.run_in_executor(None, self._plant.advance, behind_s)
            ticks += 1
            if ticks % 20 == 0:
                self._after(self._plant.state)
            await asyncio.sleep(_TICK_S)


class Watchdog:
    """Opens the contactor when it is armed and nobody kicks it in time; counts wall time."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._last_s = time.monotonic()

    def note(self, point: str) -> None:
        """Take a write to the charger into account."""
        if point in ("watchdog_kick", "watchdog_timeout"):
            self._last_s = time.monotonic()

    async def run(self) -> None:
        """Watch for ever."""
        while True:
            timeout_s = self._plant.watchdog_timeout_s
            if timeout_s > 0 and time.monotonic() - self._last_s > timeout_s:
                self._plant.trip_watchdog()
            await asyncio.sleep(_TICK_S)
