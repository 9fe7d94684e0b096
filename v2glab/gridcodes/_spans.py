"""Stretches of time in irregular series."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from v2glab.evidence import InputError

Array = NDArray[np.float64]
GAP_FACTOR = 10.0
GAP_FLOOR_S = 0.02


@dataclass(frozen=True, eq=False)
class Timeline:
    """Time stamps (K,), and for each of the K − 1 steps whether it is short enough to trust (``seen``)."""

    time_s: Array
    seen: NDArray[np.bool_]
    duplicates: int

    @classmethod
    def build(cls, time_s: ArrayLike, values: Array, gap_s: float | None) -> Timeline:
        """Check time stamps and values, shape (P, K).

        Raises
        ------
        InputError
            Shapes disagree, values are not finite, time runs backwards, or there are fewer than two samples.
        """
        time = np.asarray(time_s, dtype=np.float64)
        if time.ndim != 1 or values.ndim != 2 or values.shape[1] != time.size or time.size < 2:
            raise InputError(
                f"{time.shape} times, {values.shape} values", "two or more pairs", "cut the longer"
            )
        if not (np.isfinite(time).all() and np.isfinite(values).all()):
            raise InputError("values that are not finite", "finite times and values", "repair the recording")
        step = np.diff(time)
        if (step < 0).any():
            at = int(np.argmax(step < 0))
            raise InputError(f"time runs backwards at {time[at]:g} s", "rising time", "sort the recording")
        moving = step[step > 0]
        if not moving.size:
            raise InputError("all time stamps are equal", "time that passes", "check the time column")
        limit = gap_s if gap_s is not None else max(GAP_FACTOR * float(np.median(moving)), GAP_FLOOR_S)
        return cls(time, np.asarray(step <= limit), int((step == 0).sum()))

    def gaps(self) -> tuple[tuple[float, float], ...]:
        """Return begin and end of each stretch without samples."""
        return tuple((float(self.time_s[k]), float(self.time_s[k + 1])) for k in np.flatnonzero(~self.seen))

    def begins(self, beyond: NDArray[np.bool_]) -> Array:
        """For each step, when its run of ``beyond`` began, shape (K − 1,); a gap ends a run."""
        begin = self.time_s[:-1].copy()
        for first, last in spans(beyond[:-1] & self.seen):
            begin[first:last] = self.time_s[first]
        return begin

    def u_time_s(self, edges: NDArray[np.int64]) -> float:
        """Standard uncertainty of a time between two changes of state, each known to one step before it."""
        if not edges.size:
            return 0.0
        steps = np.diff(self.time_s)[edges]
        return float(math.sqrt(2 / 12) * steps.max())


def spans(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return (first, one past last) for each run of true values."""
    padded = np.concatenate([[False], mask, [False]]).astype(np.int8)
    change = np.diff(padded)
    firsts, lasts = np.flatnonzero(change == 1), np.flatnonzero(change == -1)
    return [(int(a), int(b)) for a, b in zip(firsts, lasts, strict=True)]


def span_ends(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the step before each change of state."""
    return np.flatnonzero(np.diff(mask.astype(np.int8))).astype(np.int64)
