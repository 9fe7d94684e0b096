"""How long the vehicle bears a charger that is busy."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable


class Patience:
    """Counts the time of repeated requests: that of the exchanges, and that slept between them.

    What is slept counts as it was asked for, so that a simulated clock ends it as a real one does.
    """

    def __init__(
        self,
        limit_s: float,
        poll_s: float,
        sleep: Callable[[float], Awaitable[None]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limit_s, self._poll_s, self._sleep, self._clock = limit_s, poll_s, sleep, clock
        self.spent_s, self._since = 0.0, clock()

    async def wait(self) -> bool:
        """Pause before the next request; False when the time is up."""
        self.spent_s += self._clock() - self._since
        if self.spent_s >= self.limit_s:
            return False
        await self._sleep(self._poll_s)
        self.spent_s += self._poll_s
        self._since = self._clock()
        return True
