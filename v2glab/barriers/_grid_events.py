"""Anti-islanding and ride-through as barriers: trips and waits on recorded grid events, by a grid code.

A code leaves a plant some freedom: from a point on it may trip, from a later one it must. The first gives the
most trips that the code lets an owner suffer, the second the fewest.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from v2glab.barriers._segments import Floats
from v2glab.barriers._terms import Transformation
from v2glab.evidence import InputError
from v2glab.gridcodes import GridCode, assess_ride_through

#: Days of the year.
_YEAR_DAYS = 365.0


@dataclass(frozen=True)
class GridEvent:
    """One recording: times (K,), RMS voltages (K,) or (P, K) in p.u., frequency (K,) or ``None``."""

    name: str
    time_s: Floats
    voltage_pu: Floats
    frequency_hz: Floats | None = None


@dataclass(frozen=True, slots=True)
class EventLoss:
    """What one event cost: when a plant had to, and when it was free to, trip, and the export time lost.

    ``lost_least_s`` is with a plant that trips only when it must, ``lost_most_s`` with one that does as soon
    as it may: the rest of the recording, and the wait before export after it. Not ``conclusive``: the
    recording has gaps, or enters a region of which no source says what the code asks.
    """

    name: str
    code: str
    category: str
    must_trip_at_s: float | None
    may_trip_at_s: float | None
    wait_s: float
    lost_least_s: float
    lost_most_s: float
    conclusive: bool


def reconnection_wait(code: GridCode, category: str) -> tuple[float, str]:
    """Return how long a plant waits before it exports again, s, and where the code says so.

    Raises
    ------
    InputError
        The code does not say.
    """
    code.category(category)
    for part in (code.enter_service, code.reconnection):
        if part is not None:
            return float(part.delay_s.default), f"{code.id}, {part.clause}"
    raise InputError(
        f"{code.id}: no wait before entering service",
        "a code with [enter_service] or [reconnection]",
        "name another code",
    )


def replay(code: GridCode, category: str, events: Sequence[GridEvent]) -> list[EventLoss]:
    """Hold each recording against the category, and count the export time that it costs.

    Raises
    ------
    InputError
        A recording is no series, or the code does not say how long to wait.
    """
    wait, _ = reconnection_wait(code, category)
    out = []
    for event in events:
        found = assess_ride_through(code, category, event.time_s, event.voltage_pu, event.frequency_hz)
        end = float(event.time_s[-1])
        must, may = found.must_trip_at_s, found.may_trip_at_s
        earliest = min((t for t in (must, may) if t is not None), default=None)
        out.append(
            EventLoss(
                event.name,
                found.code,
                found.category,
                must,
                may,
                wait,
                0.0 if must is None else end - must + wait,
                0.0 if earliest is None else end - earliest + wait,
                found.conclusive,
            )
        )
    return out


def trips_rule(
    losses: Sequence[EventLoss], observed_days: float, rule: Transformation, *, most: bool
) -> Transformation:
    """Return the rule with the yearly number of trips that the recordings show.

    Parameters
    ----------
    observed_days
        Time over which all events were recorded.
    most
        Whether plants trip as soon as they may; else only when they must.

    The count of rare events has the standard uncertainty of a Poisson count, the root of the count plus one
    half, so that no event seen is no proof of none.

    Raises
    ------
    InputError
        The time is absurd, or an event is not conclusive.
    """
    if not (math.isfinite(observed_days) and 0 < observed_days <= 100 * _YEAR_DAYS):
        raise InputError(f"events of {observed_days:g} days", "above 0, up to 100 years", "mend the time")
    unclear = [loss.name for loss in losses if not loss.conclusive]
    if unclear:
        raise InputError(
            f"recordings that leave open what the code asked: {', '.join(unclear)}",
            "recordings without gaps, in regions that the code describes",
            "leave these recordings out, and the days they stand for",
        )
    lost = [loss.lost_most_s if most else loss.lost_least_s for loss in losses]
    count = int(np.count_nonzero(lost))
    scale = _YEAR_DAYS / observed_days
    which = "as soon as they may" if most else "only when they must"
    first = losses[0] if losses else None
    source = f"{first.code}, category {first.category}" if first else "no event"
    return rule.model_copy(
        update={
            "value": count * scale,
            "uncertainty": math.sqrt(count + 0.5) * scale,
            "value_source": f"{count} trips in {len(losses)} recordings over {observed_days:g} days, "
            f"plants trip {which} ({source})",
        }
    )
