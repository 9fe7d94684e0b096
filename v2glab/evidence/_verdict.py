"""A criterion applied to a measurement, with four possible outcomes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from v2glab.evidence._criterion import Criterion
from v2glab.evidence._errors import InputError
from v2glab.evidence._quantity import Quantity


class Outcome(StrEnum):
    """What a criterion says of a measurement."""

    PASS = "pass"  # noqa: S105 -- an outcome, not a secret
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Outcome of one criterion with everything needed to follow it back.

    ``margin`` is the distance from value to the nearest bound in the criterion's unit, positive inside.
    ``evidence`` names the records behind the value: run-relative paths, or measured points.
    """

    criterion: Criterion
    outcome: Outcome
    reason: str
    quantity: Quantity | None = None
    expanded_uncertainty: float | None = None
    coverage_factor: float | None = None
    margin: float | None = None
    evidence: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return plain values, ready for ``verdicts.json``."""
        return {
            "criterion": self.criterion.model_dump(),
            "outcome": str(self.outcome),
            "reason": self.reason,
            "quantity": self.quantity.to_json() if self.quantity else None,
            "expanded_uncertainty": self.expanded_uncertainty,
            "coverage_factor": self.coverage_factor,
            "margin": self.margin,
            "evidence": list(self.evidence),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Verdict:
        """Build a verdict from what :meth:`to_json` returned.

        Raises
        ------
        InputError
            A key is missing or a value is not allowed.
        """
        try:
            quantity = data["quantity"]
            return cls(
                criterion=Criterion(**data["criterion"]),
                outcome=Outcome(data["outcome"]),
                reason=data["reason"],
                quantity=Quantity.from_json(quantity) if quantity else None,
                expanded_uncertainty=data["expanded_uncertainty"],
                coverage_factor=data["coverage_factor"],
                margin=data["margin"],
                evidence=tuple(data["evidence"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"verdict: {error}", "the keys of a verdict", "write it with to_json()"
            ) from error


def judge(
    criterion: Criterion,
    quantity: Quantity | None,
    *,
    evidence: tuple[str, ...] = (),
    doubt: str = "",
) -> Verdict:
    """Apply a criterion to a quantity with guard bands on both sides of each bound.

    The acceptance interval is the tolerance interval reduced, and the rejection interval enlarged, by
    ``criterion.guard_band`` times the expanded uncertainty (JCGM 106:2012, 8.3.2 and 8.3.3); between the two
    the verdict is inconclusive.

    Parameters
    ----------
    quantity
        ``None`` when the evidence is missing.
    doubt
        A reason known to the caller that forbids a decision, such as an expired certificate.

    Raises
    ------
    InputError
        The units of criterion and quantity differ.
    """
    if quantity is None:
        return Verdict(criterion, Outcome.INCONCLUSIVE, doubt or "no measurement", evidence=evidence)
    if quantity.unit != criterion.unit:
        raise InputError(
            f"{quantity.name} in {quantity.unit!r}",
            f"{criterion.id} in {criterion.unit!r}",
            "convert it first",
        )
    margin = _margin(criterion, quantity.value)
    spread = quantity.expanded()
    outcome, reason = _decide(criterion, margin, spread, quantity, doubt)
    return Verdict(
        criterion,
        outcome,
        reason,
        quantity,
        spread[0] if spread else None,
        spread[1] if spread else None,
        margin,
        evidence,
    )


def not_applicable(criterion: Criterion, reason: str) -> Verdict:
    """Return the verdict for a criterion that does not govern this case."""
    return Verdict(criterion, Outcome.NOT_APPLICABLE, reason)


def _margin(criterion: Criterion, value: float) -> float:
    distances = []
    if criterion.upper is not None:
        distances.append(criterion.upper - value)
    if criterion.lower is not None:
        distances.append(value - criterion.lower)
    return min(distances)


def _decide(
    criterion: Criterion,
    margin: float,
    spread: tuple[float, float] | None,
    quantity: Quantity,
    doubt: str,
) -> tuple[Outcome, str]:
    if doubt:
        return Outcome.INCONCLUSIVE, doubt
    if criterion.confidence == "unverified":
        return Outcome.INCONCLUSIVE, "the limit has not been checked against the text of the standard"
    if spread is None:
        return Outcome.INCONCLUSIVE, f"no uncertainty: {quantity.no_uncertainty}"
    guard = criterion.guard_band * spread[0]
    if margin >= guard and margin >= 0:
        return Outcome.PASS, "inside the limit by more than the guard band"
    if margin < -guard or (margin < 0 and guard == 0):
        return Outcome.FAIL, "outside the limit by more than the guard band"
    return Outcome.INCONCLUSIVE, "the uncertainty does not separate value from limit"
