"""Verdicts that many tests share."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from v2glab.evidence import Criterion, Outcome, Quantity, Verdict, judge
from v2glab.gridcodes.conformity._case import Case
from v2glab.gridcodes.conformity._measure import Estimate, mean, window
from v2glab.gridcodes.conformity._place import Place
from v2glab.gridcodes.conformity._record import Record
from v2glab.gridcodes.conformity._tolerance import Band, response_target, tolerance_band

NO_UNCERTAINTY = "the instrument declares no uncertainty"


def verdict_on(
    criterion: Criterion,
    found: Estimate | None,
    record: Record,
    case: Case,
    *,
    missing: str = "",
    place: Place | None = None,
) -> Verdict:
    """Judge an estimate; without one, or with a doubt about the record, nothing can be decided.

    ``place`` says where in the record it was read.
    """
    quantity = None if found is None else quantity_of(criterion, found, record)
    verdict = judge(
        criterion,
        quantity,
        evidence=(f"tables/samples: {case.id}", *([place.text()] if place else [])),
        doubt=record.doubt or ("" if quantity else missing),
    )
    return _eaten(verdict)


def quantity_of(criterion: Criterion, found: Estimate, record: Record) -> Quantity:
    """Return an estimate as a quantity with its provenance."""
    return Quantity(
        criterion.quantity,
        found.value,
        criterion.unit,
        found.uncertainty,
        "" if found.uncertainty is not None else NO_UNCERTAINTY,
        instrument=record.instrument,
        certificate=record.certificate,
    )


def _eaten(verdict: Verdict) -> Verdict:
    """Say so when an undecided verdict could not have been a pass at any value."""
    c, spread = verdict.criterion, verdict.expanded_uncertainty
    if verdict.outcome is not Outcome.INCONCLUSIVE or c.lower is None or c.upper is None or spread is None:
        return verdict
    half = (c.upper - c.lower) / 2
    if c.guard_band * spread < half or "uncertainty" not in verdict.reason:
        return verdict
    return Verdict(
        c,
        verdict.outcome,
        f"the uncertainty (± {spread:.3g}) eats the whole band (± {half:.3g})",
        verdict.quantity,
        spread,
        verdict.coverage_factor,
        verdict.margin,
        verdict.evidence,
    )


def with_input(y: Estimate, x: Estimate, slope: float) -> Estimate:
    """Return y with the uncertainty of x added through the characteristic's slope (JCGM 100:2008, 5.1.2)."""
    if y.uncertainty is None or x.uncertainty is None:
        return Estimate(y.value, None)
    return Estimate(y.value, math.hypot(y.uncertainty, slope * x.uncertainty))


def steady_verdict(
    case: Case,
    record: Record,
    name: str,
    *,
    x: str,
    y: str,
    at: tuple[float, float],
    function: Callable[[float], float],
    knees: Sequence[float] = (),
    **about: Any,  # noqa: ANN401 -- clause, confidence, source
) -> Verdict:
    """Judge a steady output against its characteristic at the measured input.

    Parameters
    ----------
    x, y
        Channels, as :func:`~v2glab.gridcodes.conformity._measure.mean` names them.
    at
        Beginning and end of the steady part.
    """
    rules = case.rules
    reach = {"f": rules.reach_f, "p": rules.reach_p, "q": rules.reach_q}
    seen_x, seen_y = mean(record, x, *at), mean(record, y, *at)
    if seen_x is None or seen_y is None or record.doubt:
        criterion = case.criterion(name, f"steady {y}", f"{y}_pu", lower=-1.0, upper=1.0, **about)
        return verdict_on(criterion, None, record, case, missing="no samples of the steady state")
    band = tolerance_band(function, seen_x.value, reach.get(x, rules.reach_v), reach.get(y, 0.0), knees)
    criterion = _band_criterion(case, name, f"steady {y} at {x} = {seen_x.value:.4g}", y, band, **about)
    return verdict_on(criterion, with_input(seen_y, seen_x, band.slope), record, case, place=Place(y, *at))


def response_verdict(
    case: Case,
    record: Record,
    name: str,
    *,
    y: str,
    step_s: float,
    olrt_s: float,
    end_s: float,
    before_s: float,
    **about: Any,  # noqa: ANN401
) -> Verdict | None:
    """Judge an output at its open-loop response time after a step of the input.

    The target runs exponentially between the measured value before the step and the one at the end; it is
    taken within the tolerance of time. ``None`` when the output hardly moved: there is no response to time.

    Parameters
    ----------
    step_s, end_s
        Time of the step, and when the output is steady.
    before_s
        How long before the step the output was steady.
    """
    rules = case.rules
    reach_y, reach_t = (rules.reach_p if y == "p" else rules.reach_q), rules.reach_t(olrt_s)
    span = max(0.04 * olrt_s, 4 * _spacing(record, step_s + olrt_s))
    initial = mean(record, y, step_s - before_s, step_s)
    final = mean(record, y, end_s - max(span, 0.2 * olrt_s), end_s)
    at = (step_s + olrt_s - span / 2, step_s + olrt_s + span / 2)
    seen, place = mean(record, y, *at), Place(y, *at)
    title = f"{y} after the open-loop response time of {olrt_s:g} s"
    if initial is None or final is None or seen is None or record.doubt:
        criterion = case.criterion(name, title, f"{y}_pu", lower=-1.0, upper=1.0, **about)
        return verdict_on(criterion, None, record, case, missing="no samples at the response time")
    if abs(final.value - initial.value) < 2 * reach_y:
        return None
    share = rules.data.tolerance.response_share
    ends = [
        response_target(initial.value, final.value, olrt_s + d, olrt_s, share) for d in (-reach_t, reach_t)
    ]
    band = Band(min(ends) - reach_y, max(ends) + reach_y, 0.0)
    criterion = _band_criterion(case, name, title, y, band, **about)
    spreads = [seen.uncertainty, initial.uncertainty, final.uncertainty]
    if any(s is None for s in spreads):
        return verdict_on(criterion, Estimate(seen.value, None), record, case, place=place)
    weights = (1.0, 1 - share, share)
    joint = math.hypot(*(w * (s or 0.0) for w, s in zip(weights, spreads, strict=True)))
    return verdict_on(criterion, Estimate(seen.value, joint), record, case, place=place)


def _band_criterion(case: Case, name: str, title: str, y: str, band: Band, **about: Any) -> Criterion:  # noqa: ANN401
    return case.criterion(name, title, f"{y}_pu", lower=band.lower, upper=band.upper, **about)


def _spacing(record: Record, at_s: float) -> float:
    part = window(record, at_s, math.inf)
    k = min(max(part.start, 1), record.time_s.size - 1)
    return float(record.time_s[k] - record.time_s[k - 1]) if record.time_s.size > 1 else 0.0
