"""Low and high frequency ride-through, and rate of change of frequency (IEEE 1547-2018, 6.5.2)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial

import numpy as np

from v2glab.evidence import Verdict
from v2glab.gridcodes._model import Region
from v2glab.gridcodes.conformity._case import Case, Rules
from v2glab.gridcodes.conformity._measure import window
from v2glab.gridcodes.conformity._record import Record
from v2glab.gridcodes.conformity._stimulus import Stimulus, Stretch
from v2glab.gridcodes.conformity.families._common import stayed_verdict

_FIRST_S, _LAST_S = 3.0, 3.0
#: Distance from a region's far edge, in tolerances of frequency.
_CLEAR = 1.5
#: How long a frequency of continuous operation is held: longer than any ride-through time.
_CONTINUOUS_S = 310.0
#: Share of the required rate of change at which the ramps run, so that rounding does not exceed it.
_SHARE = 0.99


def frequency_ride_through_cases(rules: Rules) -> Iterator[Case]:
    """Yield a hold near the far edge of each region, and at both ends of continuous operation."""
    for region in rules.limits.ride_through_frequency:
        if region.mode == "continuous":
            for side, value in (("low", region.lower), ("high", region.upper)):
                inwards = 1.0 if side == "low" else -1.0
                hertz = (value or rules.nominal_hz) + inwards * _CLEAR * rules.reach_f
                yield _hold_case(rules, region, f"continuous-{side}", hertz, _CONTINUOUS_S)
        elif region.minimum_s is not None:
            low = (region.upper or math.inf) < rules.nominal_hz
            edge = region.lower if low else region.upper
            near = region.upper if low else region.lower
            hertz = (edge or 0.0) + (1.0 if low else -1.0) * _CLEAR * rules.reach_f
            spent = 2 * abs(hertz - (near or 0.0)) / rules.ramp_hz_s
            yield _hold_case(rules, region, region.name, hertz, region.minimum_s - spent)


def rocof_cases(rules: Rules) -> Iterator[Case]:
    """Yield ramps up and down at the rate of change that must be ridden through."""
    rule = rules.limits.rocof_hz_s
    if rule is None:
        return
    regions = [r for r in rules.limits.ride_through_frequency if r.must_stay]
    top = max(r.upper for r in regions if r.upper is not None) - 0.1
    bottom = min(r.lower for r in regions if r.lower is not None) + 0.1
    rate = _SHARE * rule.limit
    nominal = rules.nominal_hz
    way = ((nominal, top), (top, top), (top, bottom), (bottom, bottom), (bottom, nominal))
    ramps = [
        Stretch(abs(b - a) / rate if a != b else 1.0, frequency_hz=a, frequency_to_hz=b, label=f"{k}")
        for k, (a, b) in enumerate(way)
    ]
    stimulus = Stimulus(
        (Stretch(_FIRST_S, frequency_hz=nominal), *ramps, Stretch(_LAST_S, frequency_hz=nominal)), 0.01
    )
    yield Case(
        id="rocof.ramp",
        title="Rate of change of frequency",
        clause=rule.clause,
        rules=rules,
        settings=rules.base,
        stimulus=stimulus,
        evaluate=partial(_rocof_verdicts, limit=rule.limit),
        source=rule.source,
        confidence=rule.confidence,
        needs=frozenset({"ride_through"}),
    )


def _hold_case(rules: Rules, region: Region, name: str, hertz: float, duration_s: float) -> Case:
    nominal = rules.nominal_hz
    ramp = abs(hertz - nominal) / rules.ramp_hz_s
    stretches = (
        Stretch(_FIRST_S, frequency_hz=nominal, label="before"),
        Stretch(ramp, frequency_hz=nominal, frequency_to_hz=hertz),
        Stretch(duration_s, frequency_hz=hertz, sample_s=0.25, label="hold"),
        Stretch(ramp, frequency_hz=hertz, frequency_to_hz=nominal),
        Stretch(_LAST_S, frequency_hz=nominal),
    )
    return Case(
        id=f"frequency-ride-through.{name}",
        title=f"Frequency ride-through, region {name}",
        clause=region.clause,
        rules=rules,
        settings=rules.base,
        stimulus=Stimulus(stretches, 0.05),
        evaluate=_verdicts,
        source=region.source,
        confidence=region.confidence,
        needs=frozenset({"ride_through"}),
    )


def _verdicts(case: Case, record: Record) -> list[Verdict]:
    assert case.stimulus is not None  # noqa: S101 -- made above
    required = case.stimulus.duration_s - _FIRST_S - 0.5
    return [stayed_verdict(case, record, start_s=_FIRST_S, required_s=required)]


def _rocof_verdicts(case: Case, record: Record, *, limit: float) -> list[Verdict]:
    assert case.stimulus is not None  # noqa: S101 -- made above
    if not record.doubt:
        start, end = case.stimulus.span("2")
        part = window(record, start, end)
        rate = abs(float(np.polyfit(record.time_s[part], record.f_hz[part], 1)[0]))
        if rate < 0.95 * limit:
            record = record.with_doubt(
                f"the grid changed by {rate:.3g} Hz/s only, {limit:g} Hz/s were wanted"
            )
    required = case.stimulus.duration_s - _FIRST_S - 0.5
    return [stayed_verdict(case, record, start_s=_FIRST_S, required_s=required)]
