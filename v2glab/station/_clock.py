"""Station time: in lockstep the plant's, in real time the machine's."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Protocol

from v2glab.evidence import InputError

#: Longest advance or sleep in one piece, so that a lost lease is noticed soon.
_LOCKSTEP_PIECE_S = 1.0
_REALTIME_PIECE_S = 0.05


class StationClock(Protocol):
    """Where procedures take the time from."""

    @property
    def mode(self) -> str:
        """``"lockstep"`` or ``"realtime"``."""

    def now_ns(self) -> int:
        """Return station time, UTC in integer nanoseconds."""

    def sleep(self, duration_s: float) -> None:
        """Let that much station time pass."""

    def moment(self) -> AbstractContextManager[None]:
        """Return a context in which nothing is commanded, so that one look at the time may serve for all."""


def _nothing() -> None:
    """Watch nothing."""


class LockstepClock:
    """Time of a twin that advances only when asked.

    Parameters
    ----------
    call
        JSON-RPC call to the twin's control port.
    watch
        Called between pieces of a long sleep; may raise to end it.
    """

    mode = "lockstep"

    def __init__(self, call: Callable[..., Any], watch: Callable[[], None] = _nothing) -> None:
        self._call = call
        self._watch = watch
        self._known_ns: int | None = None

    def now_ns(self) -> int:
        """Return the plant's time; asked each time, for opening the contactor advances it, too."""
        if self._known_ns is not None:
            return self._known_ns
        return int(self._call("clock.now")["time_ns"])

    @contextmanager
    def moment(self) -> Iterator[None]:
        """Ask for the time once and let it stand: readings without a command between them cost no time."""
        self._known_ns = self.now_ns()
        try:
            yield
        finally:
            self._known_ns = None

    def sleep(self, duration_s: float) -> None:
        """Advance the plant; returns when it has advanced."""
        left_ns = _duration_ns(duration_s)
        self._known_ns = None
        while left_ns > 0:
            self._watch()
            piece_ns = min(left_ns, round(_LOCKSTEP_PIECE_S * 1e9))
            self._call("clock.advance", duration_s=piece_ns * 1e-9)
            left_ns -= piece_ns


class RealtimeClock:
    """The machine's clock, shifted to the twin's epoch when there is a twin.

    Parameters
    ----------
    plant_now_ns
        Reads the plant's time once, at the start; ``None`` on a live station, which runs on UTC.
    watch
        Called between pieces of a long sleep; may raise to end it.
    """

    mode = "realtime"

    def __init__(
        self, plant_now_ns: Callable[[], int] | None = None, watch: Callable[[], None] = _nothing
    ) -> None:
        self._watch = watch
        self._shift_ns: int | None = None
        if plant_now_ns is not None:
            before_ns = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
            plant_ns = plant_now_ns()
            after_ns = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
            self._shift_ns = plant_ns - (before_ns + after_ns) // 2

    def now_ns(self) -> int:
        """Return UTC on a live station, else the plant's time by the monotonic clock."""
        if self._shift_ns is None:
            return time.clock_gettime_ns(time.CLOCK_REALTIME)
        return time.clock_gettime_ns(time.CLOCK_MONOTONIC) + self._shift_ns

    def moment(self) -> AbstractContextManager[None]:
        """Return a context that changes nothing: time runs on."""
        return nullcontext()

    def sleep(self, duration_s: float) -> None:
        """Sleep to an absolute instant of the monotonic clock."""
        end_ns = time.clock_gettime_ns(time.CLOCK_MONOTONIC) + _duration_ns(duration_s)
        while (left_s := (end_ns - time.clock_gettime_ns(time.CLOCK_MONOTONIC)) * 1e-9) > 0:
            self._watch()
            time.sleep(min(left_s, _REALTIME_PIECE_S))


def _duration_ns(duration_s: float) -> int:
    if not 0 <= duration_s < float("inf"):
        raise InputError(f"duration {duration_s} s", "a finite time, not negative", "mend the duration")
    return round(duration_s * 1e9)
