"""From measured verdicts to barriers: what the lab says about each, and the number it sets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import ValidationError

from v2glab.barriers._catalogue import Barrier, Catalogue, Measured
from v2glab.barriers._terms import Terms, Transformation
from v2glab.evidence import Outcome, Verdict


@dataclass(frozen=True, slots=True)
class BarrierEvidence:
    """What one verdict says about one barrier.

    Parameters
    ----------
    state
        ``set``: the verdict's number is the barrier's parameter; ``flagged``: the barrier is seen to act,
        without a number; ``refused``: the number is not one that the parameter can take.
    verdict
        Identity of the criterion, by which the verdict is found in ``verdicts.json``.
    value, unit, uncertainty
        The parameter and its standard uncertainty, where set.
    records
        Evidence that the verdict itself names.
    """

    barrier: str
    state: Literal["set", "flagged", "refused"]
    verdict: str
    outcome: str
    parameter: str
    value: float | None
    unit: str
    uncertainty: float | None
    reason: str
    records: tuple[str, ...] = ()


def map_verdicts(verdicts: Iterable[Verdict], catalogue: Catalogue) -> list[BarrierEvidence]:
    """Return what the verdicts say about barriers, in the catalogue's order.

    Only failed verdicts flag a barrier; a measured value counts whatever the outcome when the entry says so.
    Verdicts that are not applicable say nothing.
    """
    every = [v for v in verdicts if v.outcome is not Outcome.NOT_APPLICABLE]
    found = []
    for barrier in catalogue.barriers.values():
        for verdict in every:
            rule = next((m for m in barrier.measured if _bears(m, verdict)), None)
            if rule is not None:
                found.append(_evidence(barrier, rule, verdict))
    return found


def apply_evidence(
    rules: Mapping[str, Transformation], evidence: Iterable[BarrierEvidence]
) -> dict[str, Transformation]:
    """Return the rules with measured numbers in place of the catalogue's.

    Of several numbers for one barrier the most restrictive is taken: the longest delay, the smallest cap or
    share.
    """
    out = dict(rules)
    measured: dict[str, list[BarrierEvidence]] = {}
    for item in evidence:
        if item.state == "set" and item.barrier in out:
            measured.setdefault(item.barrier, []).append(item)
    for name, items in measured.items():
        longest = out[name].kind in ("start_delay_s", "trips_per_year", "fixed_cost_eur_per_year")
        pick = (max if longest else min)(items, key=lambda e: e.value or 0.0)
        out[name] = out[name].model_copy(
            update={
                "value": pick.value,
                "uncertainty": pick.uncertainty or 0.0,
                "value_source": f"measured: verdict {pick.verdict}"
                + (f" ({', '.join(pick.records)})" if pick.records else ""),
            }
        )
    return out


def _bears(rule: Measured, verdict: Verdict) -> bool:
    identity = verdict.criterion.id
    named = (
        identity.startswith(rule.criterion) if rule.criterion.endswith(".") else identity == rule.criterion
    )
    if not named or (rule.quantity and verdict.criterion.quantity != rule.quantity):
        return False
    if rule.when == "fail":
        return verdict.outcome is Outcome.FAIL
    quantity = verdict.quantity
    return quantity is not None and (not rule.unit or quantity.unit == rule.unit)


def _evidence(barrier: Barrier, rule: Measured, verdict: Verdict) -> BarrierEvidence:
    change, quantity = barrier.transformation, verdict.quantity
    state: Literal["set", "flagged", "refused"] = "flagged"
    value = uncertainty = None
    reason = f"{verdict.criterion.title}: {verdict.reason}"
    if change is not None and rule.take == "constant":
        state, value, uncertainty = "set", rule.constant, 0.0
    elif change is not None and rule.take == "value" and quantity is not None:
        state, value = "set", rule.factor * quantity.value
        uncertainty = None if quantity.uncertainty is None else abs(rule.factor) * quantity.uncertainty
    if value is not None and change is not None:
        try:
            Terms(**{change.kind: value})
        except ValidationError:
            state, reason = "refused", f"{value:g} is no value for {change.kind}"
            value = uncertainty = None
    return BarrierEvidence(
        barrier.id,
        state,
        verdict.criterion.id,
        str(verdict.outcome),
        change.kind if change else barrier.parameter,
        value,
        change.unit if change and value is not None else "",
        uncertainty,
        reason,
        verdict.evidence,
    )
