"""What a recorded disturbance asked of a plant: stay, may trip, must trip."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from v2glab.evidence import InputError
from v2glab.gridcodes._model import GridCode, Region, RegulatedQuantity, Trip
from v2glab.gridcodes._spans import Array, Timeline, span_ends, spans

RESOLUTION_S = 1e-9  # of records; less is rounding


@dataclass(frozen=True)
class Segment:
    """A stretch of time within one region.

    ``elapsed_s`` is the time since the value left the region's edge on the side of nominal, at the end of the
    segment; ``margin_s`` the least of what remained of the ride-through time, infinite where there is no end
    to it; negative from ``may_trip_at_s`` on.
    """

    region: str
    quantity: RegulatedQuantity
    mode: str
    start_s: float
    end_s: float
    extreme: float
    elapsed_s: float
    margin_s: float
    may_trip_at_s: float | None

    @property
    def duration_s(self) -> float:
        """End less start."""
        return self.end_s - self.start_s


@dataclass(frozen=True)
class RegionUse:
    """All visits to one region; ``longest_s`` is the longest time beyond its edge on the side of nominal.

    ``required_s`` is the ride-through time asked for by the visit with the least margin, ``None`` where
    nothing is asked; ``u_time_s`` the standard uncertainty of times from the distance of the samples
    (rectangular, JCGM 100:2008, 4.3.7).
    """

    region: Region
    entered: bool
    time_s: float
    longest_s: float
    required_s: float | None
    margin_s: float
    may_trip_at_s: float | None
    u_time_s: float


@dataclass(frozen=True)
class TripUse:
    """How long a trip's threshold was exceeded, and when energising had to have ended, if ever."""

    trip: Trip
    longest_s: float
    due_at_s: float | None
    u_time_s: float

    @property
    def margin_s(self) -> float:
        """Clearing time less longest time beyond; negative when a trip was due."""
        return self.trip.time_s - self.longest_s


@dataclass(frozen=True)
class RideThroughAssessment:
    """What the disturbance asked for, in the order of time.

    ``gaps`` are stretches without samples; nothing is assumed about them, so with any the assessment is not
    ``conclusive``; nor is it where the value entered a region of which no source says what it asks for.
    ``judged`` are the quantities for which the code has regions at all. Trips on mean values over minutes are
    left out.
    """

    code: str
    category: str
    segments: tuple[Segment, ...]
    regions: tuple[RegionUse, ...]
    trips: tuple[TripUse, ...]
    duplicates: int
    gaps: tuple[tuple[float, float], ...]

    @property
    def conclusive(self) -> bool:
        """Whether recording and code leave nothing open."""
        return not self.gaps and not self.unknown_regions

    @property
    def judged(self) -> tuple[RegulatedQuantity, ...]:
        """Quantities for which the category has ride-through regions."""
        return tuple(dict.fromkeys(use.region.quantity for use in self.regions))

    @property
    def unknown_regions(self) -> tuple[str, ...]:
        """Regions entered of which no source says what the code asks for."""
        return tuple(u.region.name for u in self.regions if u.entered and u.region.mode == "not known")

    @property
    def may_trip_at_s(self) -> float | None:
        """First time at which a plant was free to trip; ``None``: it had to stay throughout."""
        return min((s.may_trip_at_s for s in self.segments if s.may_trip_at_s is not None), default=None)

    @property
    def must_trip_at_s(self) -> float | None:
        """First time by which a plant had to have ceased to energise; ``None``: never."""
        return min((t.due_at_s for t in self.trips if t.due_at_s is not None), default=None)


def assess_ride_through(
    code: GridCode,
    category: str,
    time_s: ArrayLike,
    voltage_pu: ArrayLike,
    frequency_hz: ArrayLike | None = None,
    *,
    gap_s: float | None = None,
) -> RideThroughAssessment:
    """Hold a series of RMS voltages, and frequencies, against the regions and trips of a category.

    The least phase voltage governs below nominal, the greatest above. A sample stands until the next one;
    equal time stamps are steps and take no time. The clock of a region starts when the value leaves its edge
    towards nominal and runs on in worse regions, as in the test sequences of IEEE 1547.1-2020, Tables 4 to 8.

    Parameters
    ----------
    time_s
        Shape (K,), not falling, finite.
    voltage_pu
        Shape (K,) or (P, K), RMS in p.u. of nominal.
    frequency_hz
        Shape (K,), or ``None`` to leave frequency out.
    gap_s
        Distance of samples that counts as a gap; by default ten times the median distance and at least 20 ms.

    Raises
    ------
    InputError
        Shapes disagree, values are not finite, time runs backwards, or there are fewer than two samples.
    UsageError
        The code has no such category.
    """
    rules = code.category(category)
    volts = np.atleast_2d(np.asarray(voltage_pu, dtype=np.float64))
    line = Timeline.build(time_s, volts, gap_s)
    low, high = volts.min(axis=0), volts.max(axis=0)
    segments, regions = _regions(line, rules.ride_through_voltage, low, high)
    trips = [
        _trip(line, t, low if t.side == "low" else high) for t in rules.voltage_trips if not t.averaging_s
    ]
    if frequency_hz is not None:
        hertz = np.asarray(frequency_hz, dtype=np.float64)
        if hertz.shape != line.time_s.shape or not np.isfinite(hertz).all():
            raise InputError(
                f"frequencies of shape {hertz.shape}", "one finite value a time", "cut or repair"
            )
        more = _regions(line, rules.ride_through_frequency, hertz, hertz)
        segments, regions = segments + more[0], regions + more[1]
        trips += [_trip(line, t, hertz) for t in rules.frequency_trips if not t.averaging_s]
    return RideThroughAssessment(
        code.id,
        rules.name,
        tuple(sorted(segments, key=lambda s: (s.start_s, s.quantity))),
        tuple(regions),
        tuple(trips),
        line.duplicates,
        line.gaps(),
    )


def _regions(
    line: Timeline, regions: tuple[Region, ...], low: Array, high: Array
) -> tuple[list[Segment], list[RegionUse]]:
    if not regions:
        return [], []
    middle = next(r for r in regions if r.mode == "continuous")
    at = regions.index(middle)
    assert middle.lower is not None and middle.upper is not None  # noqa: S101 -- checked when the code was read
    segments: list[Segment] = []
    uses: list[RegionUse] = []
    for position, region in enumerate(regions):
        if position == at:
            inside = (low >= middle.lower) & (high <= middle.upper)
            visits = _visits(line, region, inside, inside, np.minimum(low, high))
        elif position < at:
            here = (low < _edge(region.upper)) & (low >= _edge(region.lower, -math.inf))
            visits = _visits(line, region, here, low < _edge(region.upper), low)
        else:
            here = (high > _edge(region.lower)) & (high <= _edge(region.upper, math.inf))
            visits = _visits(line, region, here, high > _edge(region.lower), high, rising=True)
        segments += visits[0]
        uses.append(visits[1])
    return segments, uses


def _edge(value: float | None, missing: float = math.nan) -> float:
    return missing if value is None else value


def _visits(
    line: Timeline,
    region: Region,
    here: NDArray[np.bool_],
    beyond: NDArray[np.bool_],
    value: Array,
    rising: bool = False,
) -> tuple[list[Segment], RegionUse]:
    """Cut the visits to one region into segments and sum them up."""
    begin = line.begins(beyond)
    required = _required_s(region, value[:-1])
    margin = required - (line.time_s[1:] - begin)
    segments = []
    for first, last in spans(here[:-1] & line.seen):
        part = slice(first, last)
        over = np.flatnonzero(margin[part] < -RESOLUTION_S)
        may = None
        if over.size:
            k = first + int(over[0])
            may = float(max(line.time_s[k], begin[k] + required[k]))
        worst = value[part].max() if rising else value[part].min()
        segments.append(
            Segment(
                region.name,
                region.quantity,
                region.mode,
                float(line.time_s[first]),
                float(line.time_s[last]),
                float(worst),
                float(line.time_s[last] - begin[first]),
                float(margin[part].min()),
                may,
            )
        )
    least = min(segments, key=lambda s: s.margin_s, default=None)
    bounded = least is not None and math.isfinite(least.margin_s)
    use = RegionUse(
        region=region,
        entered=bool(segments),
        time_s=sum(s.duration_s for s in segments),
        longest_s=max((s.elapsed_s for s in segments), default=0.0),
        required_s=_asked(region, here[:-1] & line.seen, value[:-1], margin) if bounded else None,
        margin_s=least.margin_s if least else math.inf,
        may_trip_at_s=min((s.may_trip_at_s for s in segments if s.may_trip_at_s is not None), default=None),
        u_time_s=line.u_time_s(span_ends(beyond)),
    )
    return segments, use


def _asked(region: Region, here: NDArray[np.bool_], value: Array, margin: Array) -> float:
    at = np.flatnonzero(here)
    return float(_required_s(region, value[at[[int(np.argmin(margin[at]))]]])[0])


def _required_s(region: Region, value: Array) -> Array:
    if region.mode in ("continuous", "not known"):
        return np.full(value.shape, math.inf)
    if region.minimum_s is None:
        return np.zeros(value.shape)
    return np.asarray(region.minimum_s + region.slope_s_per_unit * (value - (region.lower or 0.0)))


def _trip(line: Timeline, trip: Trip, value: Array) -> TripUse:
    beyond = value < trip.threshold if trip.side == "low" else value > trip.threshold
    longest, due = 0.0, None
    for first, last in spans(beyond[:-1] & line.seen):
        length = float(line.time_s[last] - line.time_s[first])
        longest = max(longest, length)
        if length > trip.time_s + RESOLUTION_S and due is None:
            due = float(line.time_s[first] + trip.time_s)
    return TripUse(trip, longest, due, line.u_time_s(span_ends(beyond)))
