"""From a run of the lab to barriers: what it says about each, and the number it sets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import ValidationError

from v2glab.barriers._catalogue import Barrier, Catalogue, Measured
from v2glab.barriers._terms import Terms, Transformation
from v2glab.evidence import Outcome, Quantity, Verdict

#: Of several measured numbers the largest restricts most; of all other terms, the smallest.
_LARGEST = (
    *("start_delay_s", "trips_per_year", "fixed_cost_eur_per_year", "settlement_minutes"),
    *("demand_charge_eur_per_kw_month", "bid_least_kw", "bid_block_h", "penalty_eur_per_mwh"),
)

ByProcedure = Mapping[str, Iterable[Verdict]]


@dataclass(frozen=True, slots=True)
class BarrierEvidence:
    """What one verdict, or one measured quantity, says about one barrier.

    Parameters
    ----------
    state
        ``set``: its number is the barrier's parameter; ``flagged``: the barrier is seen to act, without a
        number; ``refused``: the number is not one that the parameter can take.
    verdict
        Identity of the criterion, by which the verdict is found in ``verdicts.json``; empty where a quantity
        counts by itself.
    value, unit, uncertainty
        The parameter and its standard uncertainty, where set; no uncertainty when none is known.
    procedure, quantity
        Where the number is found: ``results/<procedure>/result.json``, by name.
    records
        Evidence that the verdict itself names, in the procedure's folder.
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
    procedure: str = ""
    quantity: str = ""

    @property
    def origin(self) -> str:
        """Where the number comes from, in words."""
        name = f"verdict {self.verdict}" if self.verdict else f"quantity {self.quantity}"
        return f"{name} ({self.procedure}: {', '.join(self.records) or 'result.json'})"


def map_verdicts(
    verdicts: ByProcedure,
    catalogue: Catalogue,
    quantities: Mapping[str, Iterable[Quantity]] | None = None,
) -> list[BarrierEvidence]:
    """Return what a run says about barriers, in the catalogue's order.

    Verdicts that are not applicable say nothing.

    Parameters
    ----------
    verdicts, quantities
        By procedure.
    """
    measured = {p: {q.name: q for q in several} for p, several in (quantities or {}).items()}
    every = [
        (procedure, verdict)
        for procedure, several in verdicts.items()
        for verdict in several
        if verdict.outcome is not Outcome.NOT_APPLICABLE
    ]
    found: list[BarrierEvidence] = []
    for barrier in catalogue.barriers.values():
        for procedure, verdict in every:
            rule = next((m for m in barrier.measured if _bears(m, verdict)), None)
            if rule is not None:
                found.append(_from_verdict(barrier, rule, procedure, verdict, measured))
        found.extend(_from_quantities(barrier, measured))
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
        pick = (max if out[name].kind in _LARGEST else min)(items, key=lambda e: e.value or 0.0)
        unknown = ", uncertainty not known" if pick.uncertainty is None else ""
        out[name] = out[name].model_copy(
            update={
                "value": pick.value,
                "uncertainty": pick.uncertainty or 0.0,
                "value_source": f"measured: {pick.origin}{unknown}",
            }
        )
    return out


def _bears(rule: Measured, verdict: Verdict) -> bool:
    if not rule.fits(verdict.criterion.id):
        return False
    if not rule.procedure and rule.quantity and verdict.criterion.quantity != rule.quantity:
        return False
    if rule.when != "any":
        return verdict.outcome is (Outcome.FAIL if rule.when == "fail" else Outcome.PASS)
    quantity = verdict.quantity
    return quantity is not None and (bool(rule.procedure) or not rule.unit or quantity.unit == rule.unit)


def _from_verdict(
    barrier: Barrier,
    rule: Measured,
    procedure: str,
    verdict: Verdict,
    measured: Mapping[str, Mapping[str, Quantity]],
) -> BarrierEvidence:
    quantity = verdict.quantity
    if rule.procedure:
        quantity = measured.get(rule.procedure, {}).get(rule.quantity)
    return _evidence(
        barrier,
        rule,
        quantity,
        verdict=verdict.criterion.id,
        outcome=str(verdict.outcome),
        reason=f"{verdict.criterion.title}: {verdict.reason}",
        records=verdict.evidence,
        procedure=procedure,
    )


def _from_quantities(
    barrier: Barrier, measured: Mapping[str, Mapping[str, Quantity]]
) -> Iterator[BarrierEvidence]:
    for rule in barrier.measured:
        quantity = None if rule.criterion else measured.get(rule.procedure, {}).get(rule.quantity)
        if quantity is not None and (not rule.unit or quantity.unit == rule.unit):
            reason = f"measured {quantity.value:g} {quantity.unit}"
            if quantity.uncertainty is None:
                reason += f"; uncertainty not known: {quantity.no_uncertainty}"
            yield _evidence(
                barrier, rule, quantity, verdict="", outcome="", reason=reason, procedure=rule.procedure
            )


def _evidence(
    barrier: Barrier,
    rule: Measured,
    quantity: Quantity | None,
    *,
    verdict: str,
    outcome: str,
    reason: str,
    procedure: str,
    records: tuple[str, ...] = (),
) -> BarrierEvidence:
    change = barrier.transformation
    state: Literal["set", "flagged", "refused"] = "flagged"
    value = uncertainty = None
    if change is not None and rule.take == "constant":
        state, value, uncertainty = "set", rule.constant, 0.0
    elif change is not None and rule.take == "value" and quantity is not None:
        state, value = "set", rule.factor * quantity.value
        uncertainty = None if quantity.uncertainty is None else abs(rule.factor) * quantity.uncertainty
        if rule.most is not None and value > rule.most:
            reason += f"; {value:g} is more than {rule.most:g}: nothing is lost"
            if uncertainty is not None and value - 2 * uncertainty > rule.most:
                uncertainty = 0.0
            value = rule.most
    if value is not None and change is not None:
        try:
            Terms(**{change.kind: value})
        except ValidationError:
            state, reason = "refused", f"{value:g} is no value for {change.kind}"
            value = uncertainty = None
    return BarrierEvidence(
        barrier.id,
        state,
        verdict,
        outcome,
        change.kind if change else barrier.parameter,
        value,
        change.unit if change and value is not None else "",
        uncertainty,
        reason,
        records,
        procedure,
        quantity.name if quantity else "",
    )
