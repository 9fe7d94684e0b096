"""Enter service: criteria, delay and ramp (IEEE 1547-2018, 4.10; IEEE 1547.1-2020, Table 11)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial

import numpy as np

from v2glab.evidence import Verdict
from v2glab.gridcodes.conformity._case import Case, Rules, cite
from v2glab.gridcodes.conformity._data import EnterServiceCase
from v2glab.gridcodes.conformity._judging import verdict_on
from v2glab.gridcodes.conformity._measure import Estimate, between, connection, mean, series
from v2glab.gridcodes.conformity._place import TIME, Place
from v2glab.gridcodes.conformity._record import Record
from v2glab.gridcodes.conformity._stimulus import Stimulus
from v2glab.gridcodes.conformity.families._common import ceased_verdict, hold, only

#: How long the grid is held outside the criteria: longer than a hasty device could overlook.
_OUTSIDE_S = 60.0
_AFTER_S = 30.0
_SHARES = (0.25, 0.5, 0.75)


def enter_service_cases(rules: Rules) -> Iterator[Case]:
    """Yield the six cases of Table 11."""
    for fact in rules.data.enter_service:
        settings = only(rules).with_(
            enter_service={
                "enabled": True,
                "v_low_pu": fact.voltage_pu[0],
                "v_high_pu": fact.voltage_pu[1],
                "f_low_hz": fact.frequency_hz[0],
                "f_high_hz": fact.frequency_hz[1],
                "delay_s": fact.delay_s,
                "randomised_delay_s": 0.0,
                "ramp_s": fact.ramp_s,
            },
            droop={"enabled": False},
        )
        yield Case(
            id=f"enter-service.case-{fact.name}",
            title=f"Enter service, case {fact.name}",
            clause="4.10",
            rules=rules,
            settings=settings,
            stimulus=_stimulus(rules, fact),
            evaluate=partial(_verdicts, fact=fact),
            needs=frozenset({"settings", "cold", "enter_service"}),
            **cite(rules, fact),
        )


def _stimulus(rules: Rules, fact: EnterServiceCase) -> Stimulus:
    """Return a grid outside the criteria, then inside; sampled finely around the change.

    Frequency runs there no faster than must be ridden through: a jump would be a disturbance of its own.
    """
    waited = fact.delay_s + 2 * rules.reach_t(max(fact.delay_s, 5.0)) + 2.0
    fine = 0.01 if fact.delay_s == 0 else 0.2
    coarse = min(0.5, max(fine, fact.ramp_s / 50))
    outside = (fact.from_.voltage_pu, fact.from_.frequency_hz)
    inside = (fact.to.voltage_pu, fact.to.frequency_hz)
    change_hz = abs(inside[1] - outside[1])
    ramp_s = change_hz / rules.ramp_hz_s
    moving = (
        (hold(rules, ramp_s, inside[0], outside[1], frequency_to_hz=inside[1], sample_s=fine),)
        if change_hz
        else ()
    )
    return Stimulus(
        (
            hold(rules, _OUTSIDE_S - 1.0, *outside, sample_s=0.5),
            hold(rules, 1.0, *outside, sample_s=fine),
            *moving,
            hold(rules, 2.0, *inside, sample_s=fine),
            hold(rules, waited + fact.ramp_s + _AFTER_S, *inside, sample_s=coarse),
        ),
        coarse,
        cold=True,
    )


def _inside_since(record: Record, fact: EnterServiceCase) -> Estimate | None:
    """Return since when the grid, as it was measured, met the criteria; ``None`` when it never did."""
    (v_low, v_high), (f_low, f_high) = fact.voltage_pu, fact.frequency_hz
    least, most = series(record, "v_least"), series(record, "v_greatest")
    good = (least >= v_low) & (most <= v_high) & (record.f_hz >= f_low) & (record.f_hz <= f_high)
    bad = np.flatnonzero(~good)
    if not bad.size or bad[-1] == record.time_s.size - 1:
        return None
    return between(record, int(bad[-1]))


def _verdicts(case: Case, record: Record, *, fact: EnterServiceCase) -> list[Verdict]:
    rules = case.rules
    since = None if record.doubt else _inside_since(record, fact)
    record = record.with_doubt(
        "" if since else "the grid was not brought from outside to inside the criteria"
    )
    reach = rules.reach_t(fact.delay_s or 1.0)
    if fact.from_.frequency_hz != fact.to.frequency_hz:
        reach += rules.reach_f / rules.ramp_hz_s
    delay = case.criterion(
        "delay",
        "time from good grid to service",
        "enter_service_delay",
        "s",
        lower=fact.delay_s - reach,
        upper=fact.delay_s + reach,
        clause="4.10.3",
    )
    early = case.criterion(
        "criteria",
        "time in service while the grid is outside the criteria",
        "early_service",
        "s",
        upper=1.0,
        clause="4.10.2",
    )
    if since is None or record.doubt:
        return [verdict_on(early, None, record, case), verdict_on(delay, None, record, case)]
    before = float((record.connected[record.time_s < since.value - reach] > 0.5).mean()) * since.value
    out = [
        ceased_verdict(case, record, (since.value / 2, since.value - 0.5), "off"),
        verdict_on(early, Estimate(before, record.uncertainties.time_s), record, case),
    ]
    place, entered = Place(TIME, since.value, float(record.time_s[-1])), connection(record, 0.0)
    if entered is None:  # still off at the end: the true delay is longer
        found = Estimate(float(record.time_s[-1]) - since.value, since.uncertainty)
        return [*out, verdict_on(delay, found, record, case, place=place)]
    known = entered.uncertainty is not None and since.uncertainty is not None
    u = math.hypot(entered.uncertainty or 0.0, since.uncertainty or 0.0) if known else None
    out.append(verdict_on(delay, Estimate(entered.value - since.value, u), record, case, place=place))
    return [*out, *_ramp(case, record, fact, entered)]


def _ramp(case: Case, record: Record, fact: EnterServiceCase, entered: Estimate) -> list[Verdict]:
    """Judge output at quarters of the ramp; before and after it is judged by criteria and steady state."""
    rules = case.rules
    out = []
    for share in _SHARES:
        at = entered.value + share * fact.ramp_s
        half = max(0.02 * fact.ramp_s, 2.1 * (case.stimulus.sample_s if case.stimulus else 0.0))
        late = rules.reach_t(share * fact.ramp_s) / fact.ramp_s
        criterion = case.criterion(
            f"ramp.{round(100 * share)}",
            f"output {share:.0%} along the ramp",
            "p_pu",
            lower=(max(0.0, share - late)) * rules.p_rated - rules.reach_p,
            upper=(share + late) * rules.p_rated + rules.reach_p,
            clause="4.10.3",
        )
        seen, place = mean(record, "p", at - half, at + half), Place("p", at - half, at + half)
        out.append(verdict_on(criterion, seen, record, case, missing="no samples on the ramp", place=place))
    return out
