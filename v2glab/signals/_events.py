"""Dips, swells and interruptions of voltage (IEC 61000-4-30, 5.4 and 5.5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from v2glab.evidence import InputError
from v2glab.signals._waveform import Array

EventKind = Literal["dip", "swell", "interruption"]


@dataclass(frozen=True)
class VoltageEvent:
    """One event.

    ``extreme_pu`` is the residual voltage of a dip or interruption (the least RMS on any phase), the greatest
    RMS of a swell. ``phases`` holds the index of each phase that took part. ``complete`` says whether both
    ends lie in the recording.
    """

    kind: EventKind
    start_s: float
    duration_s: float
    extreme_pu: float
    phases: tuple[int, ...]
    complete: bool


def find_events(
    time_s: Array,
    voltage_pu: Array,
    *,
    dip_pu: float = 0.9,
    swell_pu: float = 1.1,
    interruption_pu: float = 0.05,
    hysteresis_pu: float = 0.02,
) -> tuple[VoltageEvent, ...]:
    """Find events in a series of RMS values.

    A dip begins when the voltage of one phase falls below the threshold and ends when all are at or above
    threshold plus hysteresis (5.4.2); a swell is the mirror image (5.4.3); an interruption needs all phases
    below (5.5). Thresholds are shares of the declared voltage.

    Parameters
    ----------
    time_s
        Shape (K,), rising; equal time stamps are allowed.
    voltage_pu
        Shape (P, K) or (K,), RMS.

    Raises
    ------
    InputError
        Shapes disagree, values are not finite, or time runs backwards.
    """
    volts = np.atleast_2d(np.asarray(voltage_pu, dtype=np.float64))
    time = np.asarray(time_s, dtype=np.float64)
    if volts.shape[1:] != time.shape or time.size == 0:
        raise InputError(f"{time.shape} times, {volts.shape} voltages", "the same length", "cut the longer")
    if not (np.isfinite(volts).all() and np.isfinite(time).all()):
        raise InputError("values that are not finite", "finite times and voltages", "repair the recording")
    if (np.diff(time) < 0).any():
        raise InputError("time that runs backwards", "rising time stamps", "sort the recording")
    low, high = volts.min(axis=0), volts.max(axis=0)
    out: list[VoltageEvent] = []
    for first, last, open_end in _spans(low < dip_pu, low >= dip_pu + hysteresis_pu):
        part = volts[:, first:last]
        taking = tuple(int(i) for i in np.flatnonzero((part < dip_pu).any(axis=1)))
        out.append(_event("dip", time, first, last, float(part.min()), taking, open_end))
    for first, last, open_end in _spans(high > swell_pu, high <= swell_pu - hysteresis_pu):
        part = volts[:, first:last]
        taking = tuple(int(i) for i in np.flatnonzero((part > swell_pu).any(axis=1)))
        out.append(_event("swell", time, first, last, float(part.max()), taking, open_end))
    for first, last, open_end in _spans(high < interruption_pu, high >= interruption_pu + hysteresis_pu):
        least = float(volts[:, first:last].min())
        out.append(_event("interruption", time, first, last, least, tuple(range(len(volts))), open_end))
    return tuple(sorted(out, key=lambda e: (e.start_s, e.kind)))


def _spans(begin: np.ndarray, end: np.ndarray) -> list[tuple[int, int, bool]]:
    """Return (first, one past last, ends inside) for each span from a ``begin`` to the next ``end``."""
    starts, ends = np.flatnonzero(begin), np.flatnonzero(end)
    spans, at = [], 0
    while (i := np.searchsorted(starts, at)) < starts.size:
        first = int(starts[i])
        j = np.searchsorted(ends, first)
        inside = bool(j < ends.size)
        at = int(ends[j]) if inside else begin.size
        spans.append((first, at, inside))
    return spans


def _event(
    kind: EventKind, time: Array, first: int, last: int, extreme: float, phases: tuple[int, ...], inside: bool
) -> VoltageEvent:
    end_s = time[last] if inside else time[-1]
    return VoltageEvent(
        kind, float(time[first]), float(end_s - time[first]), extreme, phases, inside and first > 0
    )
