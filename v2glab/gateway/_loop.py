"""An event loop in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from v2glab.evidence import UsageError

T = TypeVar("T")
_JOIN_S = 5.0


class LoopThread:
    """Runs coroutines for callers in other threads; starts at once.

    Parameters
    ----------
    name
        Of the thread.
    """

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether work can still be given to it."""
        return self._thread.is_alive()

    def run(self, work: Coroutine[Any, Any, T], timeout_s: float) -> T:
        """Carry out a coroutine and return its result; what takes longer is cancelled.

        Raises
        ------
        TimeoutError
            It did not end in time.
        UsageError
            The thread has ended.
        """
        if self._loop.is_closed():
            work.close()
            raise UsageError("a gateway that is not running", "start() first", "start it")
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(timeout_s)
        except BaseException:
            future.cancel()
            raise

    def end(self) -> None:
        """Stop the loop and its thread; a second call does nothing."""
        if self._loop.is_closed():
            return
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_JOIN_S)
        if not self._loop.is_running():
            self._loop.close()
