"""Trips by voltage and frequency: magnitude, and time, neither late nor early.

IEEE 1547-2018, 6.4.1 and 6.5.1.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from v2glab.evidence import Verdict
from v2glab.gridcodes._model import Trip
from v2glab.gridcodes.conformity._case import Case, Rules
from v2glab.gridcodes.conformity._judging import verdict_on
from v2glab.gridcodes.conformity._measure import Estimate, crossing, disconnection, mean
from v2glab.gridcodes.conformity._place import TIME, Place
from v2glab.gridcodes.conformity._record import Record
from v2glab.gridcodes.conformity._stimulus import Stimulus, Stretch
from v2glab.gridcodes.conformity.families._common import (
    all_phases,
    ceased_verdict,
    connected_at,
    stayed_verdict,
)

if TYPE_CHECKING:
    from v2glab.gridcodes.der import DerSettings

POINTS = ("default", "least", "most")
#: How far inside and outside the tolerance of the threshold the grid is held, in tolerances.
_CLEAR = 1.2
#: Distance to a trip on the same side that must not interfere, in tolerances.
_APART = 6.0
_BEFORE_S = 2.0
_WATCH_S = 1.0
#: What an instrument may take to show a step: more than its update interval.
_SETTLE_S = 0.2


def trip_cases(rules: Rules) -> Iterator[Case]:
    """Yield for each trip, at its default and at both ends of its ranges, a magnitude and a time test."""
    for trip in rules.limits.trips:
        if trip.averaging_s:
            continue
        for point in POINTS:
            threshold, time_s = _setting(rules, trip, point)
            if point != "default" and (threshold, time_s) == (trip.threshold, trip.time_s):
                continue
            settings = _settings(rules, trip, point, threshold, time_s)
            if threshold > 2 * _reach(rules, trip):
                yield _time_case(rules, trip, point, threshold, time_s, settings)
            yield _magnitude_case(rules, trip, point, threshold, time_s, settings)


def _settings(rules: Rules, trip: Trip, point: str, threshold: float, time_s: float) -> DerSettings:
    """Return the settings of a point; slower trips of that side are moved out of the way."""
    settings = rules.base
    if point == "default":
        return settings
    for other in _siblings(rules, trip):
        if other.time_s > trip.time_s and other.time_range_s:
            settings = settings.with_trip(other.name, time_s=other.time_range_s[1])
    return settings.with_trip(trip.name, threshold=threshold, time_s=time_s)


def _siblings(rules: Rules, trip: Trip) -> list[Trip]:
    return [
        t
        for t in rules.limits.trips
        if (t.quantity, t.side) == (trip.quantity, trip.side) and t.name != trip.name and not t.averaging_s
    ]


def _setting(rules: Rules, trip: Trip, point: str) -> tuple[float, float]:
    """Return threshold and time of a point, kept apart from the other trips of that side."""
    if point == "default":
        return trip.threshold, trip.time_s
    end = 0 if point == "least" else 1
    threshold = trip.threshold_range[end] if trip.threshold_range else trip.threshold
    time_s = trip.time_range_s[end] if trip.time_range_s else trip.time_s
    outwards = 1.0 if trip.side == "high" else -1.0
    apart = _APART * _reach(rules, trip)
    for other in _siblings(rules, trip):
        if other.time_s < trip.time_s:  # further out and faster
            bound = other.threshold - outwards * apart
            threshold = min(threshold, bound) if outwards > 0 else max(threshold, bound)
        else:
            bound = other.threshold + outwards * apart
            threshold = max(threshold, bound) if outwards > 0 else min(threshold, bound)
            time_s = min(time_s, (other.time_range_s or (0.0, other.time_s))[1] / 2)
    return round(threshold, 4), time_s


def _sign(trip: Trip) -> float:
    return 1.0 if trip.side == "high" else -1.0


def _reach(rules: Rules, trip: Trip) -> float:
    return rules.reach_v if trip.quantity == "voltage" else rules.reach_f


def _case(rules: Rules, trip: Trip, kind: str, point: str, **more: Any) -> Case:  # noqa: ANN401
    return Case(
        id=f"trip.{kind}.{trip.name}.{point}",
        title=f"Trip {trip.name} at {point} settings, {kind}",
        clause=trip.clause,
        rules=rules,
        source=trip.source,
        confidence=trip.confidence,
        needs=frozenset({"trips"} if point == "default" else {"trips", "settings"}),
        **more,
    )


def _time_case(
    rules: Rules, trip: Trip, point: str, threshold: float, time_s: float, settings: DerSettings
) -> Case:
    beyond = threshold + _sign(trip) * _CLEAR * _reach(rules, trip)
    watched = time_s + 2 * rules.reach_t(time_s) + _WATCH_S
    sample = min(0.5, max(0.002, time_s / 200))
    stretches = (*_lead(rules, trip, beyond, time_s), _at(rules, trip, beyond, watched, sample, "beyond"))
    check = partial(_time_verdicts, trip=trip, threshold=threshold, time_s=time_s)
    stimulus = Stimulus(stretches, sample)
    return _case(rules, trip, "time", point, settings=settings, stimulus=stimulus, evaluate=check)


def _magnitude_case(
    rules: Rules, trip: Trip, point: str, threshold: float, time_s: float, settings: DerSettings
) -> Case:
    inside = threshold - _sign(trip) * _CLEAR * _reach(rules, trip)
    held = 1.2 * time_s + 2 * rules.reach_t(time_s)
    sample = min(0.5, max(0.005, time_s / 100))
    lead = _lead(rules, trip, inside, time_s)
    stretches = (*lead, _at(rules, trip, inside, held, sample, "inside"))
    check = partial(_magnitude_verdicts, trip=trip, threshold=threshold, required_s=held - 2 * sample)
    stimulus = Stimulus(stretches, sample)
    return _case(rules, trip, "magnitude", point, settings=settings, stimulus=stimulus, evaluate=check)


def _lead(rules: Rules, trip: Trip, to: float, time_s: float) -> tuple[Stretch, ...]:
    """Return the way there: at once for a voltage, no faster than must be ridden through for a frequency."""
    nominal = rules.nominal_hz
    before = Stretch(_BEFORE_S, frequency_hz=nominal, sample_s=0.02)
    if trip.quantity == "voltage":
        return (before,)
    sample = min(0.02, max(0.002, time_s / 2000))
    return (
        before,
        Stretch(
            abs(to - nominal) / rules.ramp_hz_s, frequency_hz=nominal, frequency_to_hz=to, sample_s=sample
        ),
    )


def _at(rules: Rules, trip: Trip, value: float, duration_s: float, sample_s: float, label: str) -> Stretch:
    volts = all_phases(max(0.0, value)) if trip.quantity == "voltage" else all_phases(1.0)
    hertz = value if trip.quantity == "frequency" else rules.nominal_hz
    return Stretch(duration_s, volts, hertz, sample_s=sample_s, label=label)


def _time_verdicts(
    case: Case, record: Record, *, trip: Trip, threshold: float, time_s: float
) -> list[Verdict]:
    rules = case.rules
    reach_t = rules.reach_t(time_s)
    if not record.doubt and not connected_at(record, _BEFORE_S):
        record = record.with_doubt("the plant was not in service when the test began")
    record = record.with_doubt(_misplaced(case, record, trip, threshold, "beyond"))
    criterion = case.criterion(
        "time",
        f"time from {threshold:g} to the trip",
        f"clearing_time.{trip.name}",
        "s",
        lower=max(0.0, time_s - reach_t),
        upper=time_s + reach_t,
    )
    if record.doubt:
        return [verdict_on(criterion, None, record, case)]
    passed = crossing(record, _channel(trip), threshold, _BEFORE_S / 2, rising=trip.side == "high")
    if passed is None:
        return [verdict_on(criterion, None, record, case, missing="the grid never passed the threshold")]
    end = float(record.time_s[-1])
    gone = disconnection(record, 0.0)
    place = Place(TIME, passed.value, end)
    if gone is None:  # connected to the end: the true time is longer, so the end itself decides
        found = Estimate(end - passed.value, passed.uncertainty)
        return [verdict_on(criterion, found, record, case, place=place)]
    u = None
    if gone.uncertainty is not None and passed.uncertainty is not None:
        u = math.hypot(gone.uncertainty, passed.uncertainty)
    found = Estimate(gone.value - passed.value, u)
    out = [verdict_on(criterion, found, record, case, place=place)]
    return [*out, ceased_verdict(case, record, (gone.value + 0.05, end))] if end > gone.value + 0.1 else out


def _magnitude_verdicts(
    case: Case, record: Record, *, trip: Trip, threshold: float, required_s: float
) -> list[Verdict]:
    """Judge that nothing tripped just inside the threshold; the way there belongs to the disturbance."""
    assert case.stimulus is not None  # noqa: S101 -- made above
    inside_s, _ = case.stimulus.span("inside")
    record = record.with_doubt(_misplaced(case, record, trip, threshold, "inside"))
    required = inside_s - _BEFORE_S + required_s
    return [stayed_verdict(case, record, start_s=_BEFORE_S, required_s=required, name="magnitude")]


def _channel(trip: Trip) -> str:
    if trip.quantity == "frequency":
        return "f"
    return "v_greatest" if trip.side == "high" else "v_least"


def _misplaced(case: Case, record: Record, trip: Trip, threshold: float, where: str) -> str:
    """Return why the grid, as it was measured, did not stand clear of the threshold's tolerance."""
    assert case.stimulus is not None  # noqa: S101 -- made above
    start, end = case.stimulus.span(where)
    seen = mean(record, _channel(trip), start + min(_SETTLE_S, (end - start) / 4), end)
    if seen is None:
        return record.doubt or f"no samples {where} the threshold"
    outwards = _sign(trip) if where == "beyond" else -_sign(trip)
    clear = outwards * (seen.value - threshold)
    if clear >= _reach(case.rules, trip):
        return ""
    return f"the grid stood at {seen.value:.5g}, not clear of {threshold:g} ± {_reach(case.rules, trip):g}"
