"""What a recorded disturbance demanded of a plant, and whether the uncertainty lets anybody say so."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from v2glab.gridcodes._model import CategoryRules, GridCode
from v2glab.gridcodes._ride_through import RideThroughAssessment, assess_ride_through

Asked = Literal["stay", "may trip", "must trip", "no limit known"]
#: Coverage factor of the decision, as for verdicts.
COVERAGE = 2.0


@dataclass(frozen=True)
class Demand:
    """What one category demanded.

    ``asked`` is what the recorded values say; it holds only when ``reasons`` is empty. ``margin_s`` is the
    least of what remained of the time to be ridden through (negative once a plant was free to trip), in
    ``margin_region``; ``None`` when no region with an end to its time was entered. ``trip_margin_s`` is the
    least of what remained of a clearing time, of ``trip``. Uncertainties are standard ones; ``None`` where
    the recording states none. ``left_out`` names what is not judged: trips on means over
    minutes, and frequency that the recording does not show.
    """

    assessment: RideThroughAssessment
    asked: Asked
    reasons: tuple[str, ...]
    margin_s: float | None
    u_margin_s: float | None
    margin_region: str
    trip_margin_s: float | None
    u_trip_margin_s: float | None
    trip: str
    left_out: tuple[str, ...]

    @property
    def conclusive(self) -> bool:
        """Whether nothing stands against ``asked``."""
        return not self.reasons

    @property
    def may_trip_at_s(self) -> float | None:
        """First time at which the plant was free to trip."""
        return self.assessment.may_trip_at_s

    @property
    def must_trip_at_s(self) -> float | None:
        """First time by which the plant had to have ceased to energise."""
        return self.assessment.must_trip_at_s


def demand(
    code: GridCode,
    category: str,
    time_s: ArrayLike,
    voltage_pu: ArrayLike,
    frequency_hz: ArrayLike | None = None,
    *,
    u_voltage_pu: float | None,
    u_frequency_hz: float | None = None,
    gap_s: float | None = None,
) -> Demand:
    """Say what a category demanded, with the uncertainty of values and times.

    The values are shifted by their standard uncertainty to both sides for the uncertainty of the margins, and
    by twice that for the decision: when the answer is not the same throughout, there is none. Times carry
    the distance of the samples besides (rectangular, JCGM 100:2008, 4.3.7).

    Parameters
    ----------
    time_s, voltage_pu, frequency_hz, gap_s
        As for :func:`assess_ride_through`.
    u_voltage_pu, u_frequency_hz
        Standard uncertainty, the same for all samples; ``None`` where none is stated.

    Raises
    ------
    InputError
        As :func:`assess_ride_through`.
    UsageError
        The code has no such category.
    """
    volts = np.asarray(voltage_pu, dtype=np.float64)
    hertz = None if frequency_hz is None else np.asarray(frequency_hz, dtype=np.float64)

    def assess(shift_pu: float = 0.0, shift_hz: float = 0.0) -> RideThroughAssessment:
        moved = None if hertz is None else hertz + shift_hz
        return assess_ride_through(code, category, time_s, volts + shift_pu, moved, gap_s=gap_s)

    shifts = [(u_voltage_pu or 0.0, 0.0), (0.0, u_frequency_hz or 0.0 if hertz is not None else 0.0)]
    signed = [(s * v, s * f) for v, f in shifts if v or f for s in (1.0, -1.0)]
    nominal = assess()
    near = [assess(v, f) for v, f in signed]
    far = [assess(COVERAGE * v, COVERAGE * f) for v, f in signed]
    margin, trip = _margin(nominal, near), _trip_margin(nominal, near)
    stated = u_voltage_pu is not None and (hertz is None or u_frequency_hz is not None)
    reasons = [*_doubts(nominal, hertz is not None), *_undecided(nominal, far, (margin, trip), stated)]
    return Demand(
        nominal,
        _asked(nominal),
        tuple(reasons),
        margin[0],
        margin[1] if stated else None,
        margin[2],
        trip[0],
        trip[1] if stated else None,
        trip[2],
        _left_out(code.category(category), hertz is None),
    )


def _left_out(rules: CategoryRules, no_frequency: bool) -> tuple[str, ...]:
    by_frequency = bool(rules.ride_through_frequency or rules.frequency_trips)
    names = [t.name for t in rules.trips if t.averaging_s]
    return (*names, "frequency") if no_frequency and by_frequency else tuple(names)


def _asked(seen: RideThroughAssessment) -> Asked:
    if seen.must_trip_at_s is not None:
        return "must trip"
    if not seen.regions:
        return "no limit known"
    return "stay" if seen.may_trip_at_s is None else "may trip"


_Margin = tuple[float | None, float, str]


def _margin(nominal: RideThroughAssessment, near: list[RideThroughAssessment]) -> _Margin:
    """Least margin of the regions, its standard uncertainty, and the region."""
    uses = [u for u in nominal.regions if u.entered and math.isfinite(u.margin_s)]
    if not uses:
        return None, 0.0, ""
    worst = min(uses, key=lambda u: u.margin_s)
    others = [_least([u.margin_s for u in a.regions if u.entered]) for a in near]
    return worst.margin_s, _combined(worst.u_time_s, worst.margin_s, others), worst.region.name


def _trip_margin(nominal: RideThroughAssessment, near: list[RideThroughAssessment]) -> _Margin:
    """Least margin of the trips whose threshold was passed, its standard uncertainty, and the trip."""
    uses = [t for t in nominal.trips if t.longest_s > 0]
    if not uses:
        return None, 0.0, ""
    worst = min(uses, key=lambda t: t.margin_s)
    others = [_least([t.margin_s for t in a.trips if t.longest_s > 0]) for a in near]
    return worst.margin_s, _combined(worst.u_time_s, worst.margin_s, others), worst.trip.name


def _least(values: list[float]) -> float:
    return min((v for v in values if math.isfinite(v)), default=math.inf)


def _combined(u_time_s: float, value: float, others: list[float]) -> float:
    spread = max((abs(other - value) for other in others), default=0.0)
    return math.hypot(u_time_s, spread)


def _doubts(seen: RideThroughAssessment, with_frequency: bool) -> list[str]:
    """What stands against any answer, whatever the values."""
    out = []
    if seen.gaps:
        out.append(f"the recording has {len(seen.gaps)} gaps, of which nothing is assumed")
    shown = ("voltage", "frequency") if with_frequency else ("voltage",)
    out += [f"no source says what {q} this category must ride through" for q in shown if q not in seen.judged]
    if seen.unknown_regions:
        out.append(f"no source says what is asked for in: {', '.join(seen.unknown_regions)}")
    loose = [
        u.region.name
        for u in seen.regions
        if u.entered and u.region.mode != "not known" and u.region.confidence == "unverified"
    ]
    loose += [t.trip.name for t in seen.trips if t.longest_s > 0 and t.trip.confidence == "unverified"]
    if loose:
        out.append(f"limits not checked against the text: {', '.join(dict.fromkeys(loose))}")
    return out


def _undecided(
    nominal: RideThroughAssessment,
    far: list[RideThroughAssessment],
    margins: tuple[_Margin, ...],
    stated: bool,
) -> list[str]:
    """Why the uncertainty forbids an answer; nothing when it does not."""
    if not stated:
        return ["the recording states no uncertainty"]
    others = {_asked(a) for a in far} - {_asked(nominal)}
    if others:
        return [f"within the uncertainty of the values it may as well be: {', '.join(sorted(others))}"]
    close = [name for value, u, name in margins if value is not None and u and abs(value) <= COVERAGE * u]
    return [f"the uncertainty of the time does not separate it from the limit of {name}" for name in close]
