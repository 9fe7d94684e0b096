"""Verdicts on a session, each with the reason when it is not a pass."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from v2glab.evidence import Outcome, Verdict, judge, load_criteria, not_applicable
from v2glab.resources import find_data

if TYPE_CHECKING:
    from v2glab.diagnosis import Finding
    from v2glab.evidence import Criterion, Quantity
    from v2glab.procedures._vehicle_drive import Drive, DrivePlan

_METERED = {"energy_told_difference_percent", "energy_messages_difference_percent", "conversion_efficiency"}
_MESSAGES = ("tables/messages",)
_EVIDENCE = {"contactor_after": ("charger.contactor_feedback",), "soc_energy_share": ("tables/samples",)}


def verdicts(
    plan: DrivePlan,
    done: Drive,
    quantities: tuple[Quantity, ...],
    findings: tuple[Finding, ...],
    meter_doubt: str,
) -> tuple[Verdict, ...]:
    """Judge every criterion of a session; what was not observed is inconclusive and says why."""
    by_name = {quantity.name: quantity for quantity in quantities}
    silence = findings[0].cause if done.cause is not None and findings else "the session did not get there"
    out = [_negotiation(plan, by_name, silence, findings)]
    for criterion in _criteria(plan):
        name = criterion.quantity
        if why := _pointless(name, plan):
            out.append(not_applicable(criterion, why))
            continue
        quantity = by_name.get(name)
        doubt = (silence if quantity is None else "") or (meter_doubt if name in _METERED else "")
        verdict = judge(criterion, quantity, evidence=_EVIDENCE.get(name, _MESSAGES), doubt=doubt)
        out.append(_explained(verdict, findings))
    return tuple(out)


def _criteria(plan: DrivePlan) -> list[Criterion]:
    """Return the criteria; the time-outs are those of the protocol, with its source and confidence."""
    from v2glab.links.sessions import load_session_rules

    rules = load_session_rules()
    spoken = rules.of_protocol(plan.protocol)
    limits = rules.limits[spoken.limits]
    standard = {"standard": spoken.title, "source": limits.source, "confidence": limits.confidence}
    listed = load_criteria(find_data("datasets", "criteria", "vehicle.toml")).values()
    return [c.model_copy(update=standard) if c.quantity == "message_margin" else c for c in listed]


def _negotiation(
    plan: DrivePlan, by_name: dict[str, Quantity], silence: str, findings: tuple[Finding, ...]
) -> Verdict:
    from v2glab.links.tls import load_tls_rules

    criterion = load_tls_rules().criterion
    if plan.tls is None:
        return not_applicable(criterion, "the connection is in clear")
    quantity = by_name.get(criterion.quantity)
    verdict = judge(criterion, quantity, evidence=_MESSAGES, doubt="" if quantity is not None else silence)
    return _explained(verdict, findings, "tls-negotiation")


def _pointless(name: str, plan: DrivePlan) -> str:
    """Return why a criterion does not govern this service; empty when it does."""
    at_grid = plan.tells_grid_power
    if name == "energy_messages_difference_percent" and not at_grid:
        return "the power is that of the battery's side of the inverter, the meter sits at the grid's"
    if name == "conversion_efficiency" and at_grid:
        return "an AC session tells the power at the meter's side of the inverter"
    return ""


def _explained(verdict: Verdict, findings: tuple[Finding, ...], rule: str = "") -> Verdict:
    """Put code, cause and remedy into the reason of a failed verdict."""
    wanted = {"session_completed": "vehicle-session", "contactor_after": "vehicle-session"}
    rule = rule or wanted.get(verdict.criterion.quantity, "")
    found = next((f for f in findings if f.rule == rule), None)
    if verdict.outcome is not Outcome.FAIL or found is None:
        return verdict
    told = f"{found.code}: {found.title}: {found.cause}; {found.remedy}"
    return replace(verdict, reason=f"{verdict.reason}: {told}")
