"""Numbers out of a record: means, crossings, and when a plant tripped or ceased."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from v2glab.gridcodes.conformity._record import Array, Record

#: Fewest samples from which a mean is taken.
_FEWEST = 3


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its standard uncertainty, or ``None`` when the instrument declares none."""

    value: float
    uncertainty: float | None


def window(record: Record, start_s: float, stop_s: float) -> slice:
    """Return the samples of ``[start_s, stop_s)``."""
    time = record.time_s
    return slice(int(time.searchsorted(start_s - 1e-9)), int(time.searchsorted(stop_s - 1e-9)))


def mean(record: Record, channel: str, start_s: float, stop_s: float) -> Estimate | None:
    """Return the mean of a channel over ``[start_s, stop_s)``; ``None`` below three samples or with a doubt.

    The part of the instrument's uncertainty that all samples share does not average out; the rest, or the
    scatter seen when that is larger, does (JCGM 100:2008, 4.2.3).

    Parameters
    ----------
    channel
        ``"v"`` for the mean of the phases, ``"v_least"``, ``"v_greatest"``, ``"f"``, ``"p"``, ``"q"`` or
        ``"i"``.
    """
    if record.doubt:
        return None
    values = series(record, channel, window(record, start_s, stop_s))
    count = values.size
    if count < _FEWEST:
        return None
    declared = standard_uncertainty(record, channel)
    average = float(np.add.reduce(values)) / count
    if declared is None:
        return Estimate(average, None)
    shared = record.uncertainties.shared
    apart = values - average
    scatter = max(float(apart @ apart) / (count - 1), declared**2 * (1 - shared))
    return Estimate(average, math.sqrt(declared**2 * shared + scatter / count))


_EVERY = slice(None)
_FIELDS = {"f": "f_hz", "p": "p_pu", "q": "q_pu", "i": "i_pu"}


def series(record: Record, channel: str, part: slice = _EVERY) -> Array:
    """Return the samples of a channel, or a part of them, shape (K,)."""
    if channel in _FIELDS:
        found: Array = getattr(record, _FIELDS[channel])[part]
        return found
    a, b, c = record.v_pu[:, part]
    if channel == "v":
        return np.asarray((a + b + c) / 3)
    pick = np.minimum if channel == "v_least" else np.maximum
    return np.asarray(pick(pick(a, b), c))


def standard_uncertainty(record: Record, channel: str) -> float | None:
    """Return the declared uncertainty of one sample of a channel."""
    found: float | None = getattr(record.uncertainties, _FIELDS.get(channel, "v_pu"))
    return found


def disconnection(record: Record, after_s: float) -> Estimate | None:
    """Return when the plant disconnected for good after a time; ``None`` when it was connected at the end.

    The time lies between the last sample that shows it connected and the next; sampling and clock make its
    uncertainty (rectangular, JCGM 100:2008, 4.3.7).
    """
    on = np.flatnonzero(record.connected > 0.5)
    if on.size and on[-1] == record.time_s.size - 1:
        return None
    if not on.size or record.time_s[on[-1]] < after_s:
        return Estimate(after_s, record.uncertainties.time_s)
    return between(record, int(on[-1]))


def connection(record: Record, after_s: float) -> Estimate | None:
    """Return when the plant connected first after a time; ``None`` when it did not."""
    on = np.flatnonzero((record.connected > 0.5) & (record.time_s >= after_s - 1e-9))
    if not on.size:
        return None
    return between(record, int(on[0]) - 1) if on[0] else Estimate(float(record.time_s[0]), 0.0)


def crossing(record: Record, channel: str, level: float, after_s: float, *, rising: bool) -> Estimate | None:
    """Return when a channel passed a level first after a time, between samples by a straight line.

    ``None`` when it did not.
    """
    part = window(record, after_s, math.inf)
    values, time = series(record, channel, part), record.time_s[part]
    over = np.flatnonzero(values >= level if rising else values <= level)
    if not over.size:
        return None
    k = int(over[0])
    spacing = float(time[k] - time[k - 1]) if k else 0.0
    at = float(time[k])
    if k and values[k] != values[k - 1]:
        at -= spacing * float((values[k] - level) / (values[k] - values[k - 1]))
    return Estimate(at, _time_uncertainty(record, spacing))


def between(record: Record, k: int) -> Estimate:
    """Return the middle of samples k and k + 1."""
    spacing = float(record.time_s[k + 1] - record.time_s[k])
    return Estimate(float(record.time_s[k]) + spacing / 2, _time_uncertainty(record, spacing))


def _time_uncertainty(record: Record, spacing_s: float) -> float | None:
    clock = record.uncertainties.time_s
    return None if clock is None else math.hypot(clock, spacing_s / math.sqrt(12))
