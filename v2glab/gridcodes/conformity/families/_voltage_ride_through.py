"""Low and high voltage ride-through (IEEE 1547-2018, 6.4.2; IEEE 1547.1-2020, Tables 4 to 8)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from v2glab.evidence import Verdict
from v2glab.gridcodes._model import Region
from v2glab.gridcodes._ride_through import assess_ride_through
from v2glab.gridcodes.conformity._case import Case, Rules, cite
from v2glab.gridcodes.conformity._data import Condition, Signal
from v2glab.gridcodes.conformity._judging import verdict_on
from v2glab.gridcodes.conformity._measure import Estimate, mean, series, window
from v2glab.gridcodes.conformity._place import TIME, Place
from v2glab.gridcodes.conformity._record import Record
from v2glab.gridcodes.conformity._stimulus import Stimulus, Stretch
from v2glab.gridcodes.conformity.families._common import hold, stayed_verdict

if TYPE_CHECKING:
    from v2glab.gridcodes.der import DerSettings

_SAMPLE_S, _SLOW_SAMPLE_S = 0.005, 0.05
#: How long the signals stay in their last condition here; it only has to show the return.
_LAST_S = 3.0
_FIRST_S = 5.0
#: Shorter conditions leave no steady part to judge the current by.
_STEADY_S = 0.5


def voltage_ride_through_cases(rules: Rules) -> Iterator[Case]:
    """Yield the published signals of the category, and one a side through the middle of its regions."""
    wide = _wide(rules)
    published = (*rules.data.signals(rules.category, "lvrt"), *rules.data.signals(rules.category, "hvrt"))
    for signal in published:
        for power in signal.power_pu:
            yield _case(rules, signal, power, wide)
    for name, side in (("lvrt-regions", "low"), ("hvrt-regions", "high")):
        conditions = _through_regions(rules, side)
        if conditions:
            signal = rules.data.signal[0].model_copy(
                update={"name": name, "category": rules.category, "conditions": conditions}
            )
            # With its default trips where these leave room: then a device with fixed settings can be tested.
            yield _case(rules, signal, 1.0, rules.base if _default_rides(rules, conditions) else wide)
    yield _consecutive_case(rules, wide)


def _wide(rules: Rules) -> DerSettings:
    """Return settings whose trips leave the longest ride-through."""
    settings = rules.base
    for trip in rules.limits.voltage_trips:
        if trip.time_range_s and not trip.averaging_s:
            settings = settings.with_trip(trip.name, time_s=trip.time_range_s[1])
    return settings


def _default_rides(rules: Rules, conditions: tuple[Condition, ...]) -> bool:
    """Whether no trip at its default setting is due within the conditions."""
    for trip in rules.limits.voltage_trips:
        reach = rules.reach_v if trip.side == "low" else -rules.reach_v
        beyond = sum(d for _, d, v in conditions if trip.beyond(v - reach) or trip.beyond(v))
        if not trip.averaging_s and beyond + rules.reach_t(trip.time_s) >= trip.time_s:
            return False
    return True


def _through_regions(rules: Rules, side: str) -> tuple[Condition, ...]:
    """Return conditions from the worst region to the mildest; the clock of a region runs on in worse ones."""
    regions = [r for r in rules.limits.ride_through_voltage if r.minimum_s is not None]
    low = [r for r in regions if (r.upper or 9.0) <= 1.0]
    chosen = low if side == "low" else [r for r in reversed(regions) if r not in low]
    passed, middle = 0.0, []
    for region in chosen:
        value = _middle(region)
        required = (region.minimum_s or 0.0) + region.slope_s_per_unit * (value - (region.lower or 0.0))
        if required > passed:
            middle.append((region.name, required - passed, value))
            passed = required
    ends = (("before", _FIRST_S, 1.0), ("after", _LAST_S, 1.0))
    return (ends[0], *middle, ends[1]) if middle else ()


def _middle(region: Region) -> float:
    if region.lower is None:
        return (region.upper or 0.0) / 2
    return (region.lower + (region.upper or region.lower + 0.1)) / 2


def _case(rules: Rules, signal: Signal, power: float, settings: DerSettings) -> Case:
    return Case(
        id=f"voltage-ride-through.{signal.name}.p{round(100 * power)}",
        title=f"Voltage ride-through {signal.name} at {power:g} p.u.",
        clause="6.4.2",
        rules=rules,
        settings=settings,
        stimulus=_stimulus(rules, signal.conditions, power),
        evaluate=_verdicts,
        needs=frozenset({"ride_through"} if settings is rules.base else {"ride_through", "settings"}),
        **cite(rules, signal),
    )


def _consecutive_case(rules: Rules, settings: DerSettings) -> Case:
    fact = rules.data.consecutive
    count = fact.sets.get(rules.category, 1)
    conditions = _through_regions(rules, "low")
    parts: list[Condition] = [conditions[0]]
    for _ in range(count):
        parts += [*conditions[1:-1], ("between", 2.0, 1.0)]
    return Case(
        id="voltage-ride-through.consecutive",
        title=f"{count} voltage disturbances in a row",
        clause=fact.clause.removeprefix("1547 "),
        rules=rules,
        settings=settings,
        stimulus=_stimulus(rules, tuple(parts), 1.0),
        evaluate=partial(_stayed_only),
        needs=frozenset({"ride_through", "settings"}),
        **cite(rules, fact),
    )


def _stimulus(rules: Rules, conditions: tuple[Condition, ...], power: float) -> Stimulus:
    last = len(conditions) - 1
    stretches: list[Stretch] = []
    for place, (name, duration, volts) in enumerate(conditions):
        length = (
            min(duration, _FIRST_S) if place == 0 else min(duration, _LAST_S) if place == last else duration
        )
        stretches += _split(rules, length, volts, power, f"{place}:{name}")
    return Stimulus(tuple(stretches), _SAMPLE_S)


def _split(rules: Rules, length: float, volts: float, power: float, label: str) -> list[Stretch]:
    """Sample the beginning of a long condition finely, the rest coarsely."""
    if length <= 2.0:
        return [hold(rules, length, volts, demand_pu=power, label=label, sample_s=_SAMPLE_S)]
    first = hold(rules, 1.0, volts, demand_pu=power, label=label, sample_s=_SAMPLE_S)
    rest = hold(rules, length - 1.0, volts, demand_pu=power, label=f"{label}+", sample_s=_SLOW_SAMPLE_S)
    return [first, rest]


def _conditions(case: Case) -> list[tuple[str, float, float]]:
    """Return name, beginning and end of each condition."""
    assert case.stimulus is not None  # noqa: S101 -- made above
    out: list[tuple[str, float, float]] = []
    for start, stretch in zip(case.stimulus.starts(), case.stimulus.stretches, strict=True):
        name, end = stretch.label.partition(":")[2], start + stretch.duration_s
        if stretch.label.endswith("+"):
            out[-1] = (out[-1][0], out[-1][1], end)
        else:
            out.append((name, start, end))
    return out


def _stayed_only(case: Case, record: Record) -> list[Verdict]:
    conditions = _conditions(case)
    start = conditions[0][2]
    return [
        stayed_verdict(case, record, start_s=start, required_s=_required_s(case, record, conditions) - start)
    ]


def _verdicts(case: Case, record: Record) -> list[Verdict]:
    conditions = _conditions(case)
    out = _stayed_only(case, record)
    if record.doubt:
        return out
    before = mean(record, "i", conditions[0][2] - 1.0, conditions[0][2])
    for place, (name, start, end) in enumerate(conditions[1:-1], start=1):
        region = _region_of(case.rules, record, start, end)
        label = f"{place}-{name}".replace("'", "s")
        if region is None:
            continue
        if region.mode == "momentary cessation":
            out.append(_cease(case, record, region, label, start, end))
        if region.mode == "mandatory" and end - start >= _STEADY_S and before is not None:
            out.append(_current(case, record, region, label, (start + end) / 2, end, before))
    out += _restore(case, record, conditions, before)
    return out


def _required_s(case: Case, record: Record, conditions: list[tuple[str, float, float]]) -> float:
    """Return until when the plant has to stay, by the voltages as they were measured.

    Each condition's mean is taken a tolerance further out, where less is asked for (IEEE 1547.1-2020, 4.2).
    """
    times, volts = [], []
    for _, start, end in conditions:
        part = window(record, start + min(0.02, (end - start) / 4), end - 1e-3)
        if record.doubt or part.stop <= part.start:
            return conditions[-1][2]
        v = record.v_pu[:, part].mean(axis=1)
        v = v + np.where(v < 1.0, -1, 1) * case.rules.reach_v
        times += [start, end]
        volts += [v, v]
    found = assess_ride_through(
        case.rules.code, case.rules.category, times, np.array(volts).T, gap_s=float("inf")
    )
    end = conditions[-1][2] - 2 * _SLOW_SAMPLE_S
    return min(end, found.may_trip_at_s if found.may_trip_at_s is not None else end)


def _region_of(rules: Rules, record: Record, start: float, end: float) -> Region | None:
    """Return the region that holds the measured voltage whatever the tolerance; ``None`` at an edge."""
    part = window(record, start + min(0.02, (end - start) / 4), end - 1e-3)
    if part.stop <= part.start:
        return None
    low = float(series(record, "v_least", part).mean()) - rules.reach_v
    high = float(series(record, "v_greatest", part).mean()) + rules.reach_v
    for region in rules.limits.ride_through_voltage:
        if (region.lower is None or low >= region.lower) and (region.upper is None or high <= region.upper):
            return region
    return None


def _cease(case: Case, record: Record, region: Region, label: str, start: float, end: float) -> Verdict:
    """Judge how soon current ceases."""
    limit = region.max_response_s if region.max_response_s is not None else 0.16
    criterion = case.criterion(
        f"cease.{label}",
        f"time to cease in condition {label}",
        "cease_time",
        "s",
        upper=limit + case.rules.reach_t(limit),
        clause=region.clause,
    )
    threshold = case.rules.data.ceased.threshold_pu
    part = window(record, start, end - 1e-3)
    flows = np.flatnonzero(series(record, "i", part) > threshold)
    time = record.time_s[part]
    if not flows.size:
        return verdict_on(criterion, Estimate(0.0, _SAMPLE_S), record, case, place=Place(TIME, start, end))
    last = int(flows[-1])
    at = time[min(last + 1, time.size - 1)] - start
    clock = record.uncertainties.time_s
    return verdict_on(criterion, Estimate(float(at), clock), record, case, place=Place(TIME, start, end))


def _current(
    case: Case, record: Record, region: Region, label: str, start: float, end: float, before: Estimate
) -> Verdict:
    """Judge that mandatory operation keeps up the current."""
    fact = case.rules.data.mandatory
    criterion = case.criterion(
        f"current.{label}",
        f"current in condition {label}, share of the current before",
        "current_share",
        lower=fact.current_share,
        clause=region.clause,
    )
    seen = mean(record, "i", start, end)
    if seen is None or before.value <= 0:
        return verdict_on(criterion, None, record, case, missing="no current before the disturbance")
    u = None
    if seen.uncertainty is not None and before.uncertainty is not None:
        u = float(np.hypot(seen.uncertainty, before.uncertainty * seen.value / before.value)) / before.value
    place = Place("i", start, end, before.value)
    return verdict_on(criterion, Estimate(seen.value / before.value, u), record, case, place=place)


def _restore(
    case: Case, record: Record, conditions: list[tuple[str, float, float]], before: Estimate | None
) -> list[Verdict]:
    """Judge how soon output is back once the voltage is."""
    key = f"restore.time.{case.rules.category.lower()}"
    if f"{case.rules.code.id}.{key}" not in case.rules.code.criteria or before is None:
        return []
    rule = case.rules.from_code(key)
    limit = rule.upper or 0.0
    criterion = case.criterion(
        "restore",
        "time to 80 % of the current before",
        "restore_time",
        "s",
        upper=limit + case.rules.reach_t(limit),
        clause=rule.clause,
        source=rule.source,
        confidence=rule.confidence,
    )
    _, start, end = conditions[-1]
    part = window(record, start, end)
    low = np.flatnonzero(series(record, "i", part) < 0.8 * before.value)
    time = record.time_s[part]
    at = float(time[min(int(low[-1]) + 1, time.size - 1)]) - start if low.size else 0.0
    found = Estimate(at, record.uncertainties.time_s)
    return [verdict_on(criterion, found, record, case, place=Place(TIME, start, end))]
