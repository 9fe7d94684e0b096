"""Local months, weekdays and clock hours of equal steps in UTC, exact over clock changes and leap days."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from v2glab.barriers.tariffs._jit import jit
from v2glab.evidence import InputError

Ints = NDArray[np.int64]
_DAY_S = 86_400
#: Ten years of minutes; more is a mistake.
_MOST_STEPS = 5_300_000


@dataclass(frozen=True)
class Calendar:
    """Steps of equal length, laid over local time.

    Attributes
    ----------
    start_s, step_s, timezone
        Start in seconds since 1970 UTC, length of a step, and name of the time zone.
    cell
        Shape (T,): (month * 2 + weekend) * 24 + local clock hour. Saturday and Sunday are the weekend;
        public holidays are not known to the rate format.
    edge
        Shape (M + 1,): first step of each local month, and T.
    months, names
        Of length M: year * 12 + month, month from 0; and ``yyyy-mm``.
    number
        Shape (M,): calendar month from 0.
    days
        Shape (M,): days of each month.
    whole
        Whether the first step opens a month and the last one closes one.
    aligned_s
        Longest interval, up to an hour, that begins on the local clock hour all along.
    block, block_cell, block_edge
        Steps of such an interval; and ``cell`` and ``edge`` by blocks, which whole months consist of.
    """

    start_s: int
    step_s: int
    timezone: str
    cell: NDArray[np.int16]
    edge: Ints
    months: tuple[int, ...]
    names: tuple[str, ...]
    number: Ints
    days: Ints
    whole: bool
    aligned_s: int
    block: int
    block_cell: NDArray[np.int16]
    block_edge: Ints


@lru_cache(maxsize=64)
def calendar_of(start_s: int, step_s: int, steps: int, timezone: str) -> Calendar:
    """Return the calendar of ``steps`` steps of ``step_s`` seconds from ``start_s`` (seconds since 1970 UTC).

    Raises
    ------
    InputError
        The time zone is unknown, the steps do not divide the hour, or a step straddles a local clock hour.
    """
    if step_s <= 0 or 3600 % step_s or not 0 < steps <= _MOST_STEPS:
        raise InputError(
            f"{steps} steps of {step_s} s", "1 to 5.3 million steps that divide the hour", "resample the data"
        )
    try:
        zone = ZoneInfo(timezone)
        changes, offsets = _offsets(start_s, start_s + steps * step_s, zone)
    except (OSError, ValueError, KeyError, OverflowError, TypeError) as error:
        raise InputError(
            f"time zone {timezone!r} at {start_s} s", "a name like Europe/Oslo", "mend the name or the start"
        ) from error
    aligned_s = math.gcd(3600, *(c + o for c, o in zip(changes, offsets, strict=True)))
    if aligned_s % step_s:
        raise InputError(
            f"steps of {step_s} s from {start_s} s straddle clock hours of {timezone}",
            "steps that begin on the local clock hour",
            "use steps of 15 min, or start on the hour",
        )
    cell = np.empty(steps, dtype=np.int16)
    month = np.empty(steps, dtype=np.int32)
    _lay(start_s, step_s, np.array(changes), np.array(offsets), cell, month)
    edge = np.concatenate([[0], np.flatnonzero(np.diff(month)) + 1, [steps]])
    months = tuple(int(m) for m in month[edge[:-1]])
    names = tuple(f"{m // 12:04d}-{m % 12 + 1:02d}" for m in months)
    number = np.array(months, dtype=np.int64) % 12
    days = np.array([_days(m) for m in months], dtype=np.int64)
    block = aligned_s // step_s
    blocks = (block, np.ascontiguousarray(cell[::block]), edge // block)
    for array in (cell, edge, number, days, blocks[1], blocks[2]):
        array.flags.writeable = False
    end_s = start_s + steps * step_s
    whole = _opens_month(start_s, zone) and _opens_month(end_s, zone)
    return Calendar(
        start_s, step_s, timezone, cell, edge, months, names, number, days, whole, aligned_s, *blocks
    )


def part_months(calendar: Calendar) -> InputError:
    """Return the error for data that open or close within a month."""
    return InputError(
        f"{calendar.names[0]} to {calendar.names[-1]} in {calendar.timezone}, not whole months",
        "data from local midnight of a first of the month to that of another",
        "cut the data to whole local months",
    )


def _offsets(start_s: int, end_s: int, zone: ZoneInfo) -> tuple[list[int], list[int]]:
    """Return since when each offset from UTC holds, and the offsets, both in seconds."""

    def offset(second: int) -> int:
        delta = dt.datetime.fromtimestamp(second, zone).utcoffset()
        return int(delta.total_seconds()) if delta is not None else 0

    changes, offsets = [start_s], [offset(start_s)]
    for day in range(start_s, end_s, _DAY_S):
        low, high = day, min(day + _DAY_S, end_s - 1)
        if offset(high) == offsets[-1]:
            continue
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if offset(middle) == offsets[-1] else (low, middle)
        changes.append(high)
        offsets.append(offset(high))
    return changes, offsets


def _opens_month(second: int, zone: ZoneInfo) -> bool:
    local = dt.datetime.fromtimestamp(second, zone)
    return (local.day, local.hour, local.minute, local.second) == (1, 0, 0, 0)


def _days(month: int) -> int:
    first, after = (dt.date(m // 12, m % 12 + 1, 1) for m in (month, month + 1))
    return (after - first).days


@jit
def _lay(
    start_s: int, step_s: int, changes: Ints, offsets: Ints, cell: NDArray[np.int16], month: NDArray[np.int32]
) -> None:
    """Fill ``cell`` and ``month`` (year * 12 + month), both of shape (T,)."""
    piece = 0
    last_day = -1
    base, when = 0, 0
    for i in range(cell.size):
        second = start_s + i * step_s
        while piece + 1 < changes.size and second >= changes[piece + 1]:
            piece += 1
        local = second + offsets[piece]
        day = local // 86_400
        if day != last_day:
            last_day = day
            # Days to civil date, proleptic Gregorian; eras of 400 years that begin on 1 March.
            shifted = day + 719_468
            era = shifted // 146_097
            of_era = shifted - era * 146_097
            year = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
            of_year = of_era - (365 * year + year // 4 - year // 100)
            number = (5 * of_year + 2) // 153
            calendar_month = number + 2 if number < 10 else number - 10
            year = year + era * 400 + (1 if calendar_month < 2 else 0)
            when = year * 12 + calendar_month
            weekend = 1 if (day + 3) % 7 >= 5 else 0
            base = (calendar_month * 2 + weekend) * 24
        cell[i] = base + (local - day * 86_400) // 3600
        month[i] = when
