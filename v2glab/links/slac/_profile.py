"""Attenuation profiles: the mean of a report with its uncertainty, and which of several chargers is meant."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from v2glab.evidence import Quantity
from v2glab.links.slac._error import SlacFailure
from v2glab.links.slac._frame import mac_text
from v2glab.links.slac._rules import SlacRules

Level = Literal["direct", "potential", "weak", "beyond", "unknown"]


@dataclass(frozen=True)
class Report:
    """What one charger says of the sounds that it heard.

    Parameters
    ----------
    evse_mac
        Address of the charger.
    num_sounds
        Sounds that the profile is the mean of.
    groups_db
        Attenuation for each carrier group, in whole dB; 254 means not measured.
    attenuation
        Mean over the measured groups; None when the profile is no measurement.
    no_attenuation
        Why there is none.
    level
        Where the mean stands between the thresholds.
    """

    evse_mac: bytes
    num_sounds: int
    groups_db: tuple[int, ...]
    attenuation: Quantity | None
    no_attenuation: str
    level: Level


@dataclass(frozen=True)
class Choice:
    """Candidates in the order in which they are tried; ``doubtful`` when only validation can decide."""

    candidates: tuple[Report, ...]
    doubtful: bool


def read_report(evse_mac: bytes, num_sounds: int, groups_db: tuple[int, ...], rules: SlacRules) -> Report:
    """Return a report with its mean attenuation, or the reason for having none."""
    reason = _refusal(groups_db, rules)
    if reason:
        return Report(evse_mac, num_sounds, groups_db, None, reason, "unknown")
    measured = _measured(groups_db, rules)
    quantity = Quantity(
        "plc_attenuation",
        math.fsum(measured) / len(measured),
        "dB",
        math.hypot(_receiver_u_db(len(measured), rules), rules.level("tx_halfwidth_db") / math.sqrt(3)),
        instrument=f"charger {mac_text(evse_mac)}",
    )
    return Report(evse_mac, num_sounds, groups_db, quantity, "", _level(quantity.value, rules))


def choose(reports: Sequence[Report], rules: SlacRules) -> Choice | SlacFailure:
    """Return the charger that the vehicle is plugged into, or why that cannot be said.

    The least attenuation wins. Two chargers whose difference lies within its expanded uncertainty cannot be
    told apart; the transmitter is the same for both, so that only the receivers count.
    """
    reports = sorted(reports, key=lambda r: r.evse_mac)
    usable = [r for r in reports if r.attenuation is not None]
    if not usable:
        told = "; ".join(f"{mac_text(r.evse_mac)}: {r.no_attenuation}" for r in reports)
        return rules.failed("unusable_profile", told, f"{rules.number('groups')} measured groups")
    least = rules.number("least_sounds")
    heard = [r for r in usable if r.num_sounds >= least]
    if not heard:
        told = ", ".join(f"{r.num_sounds} by {mac_text(r.evse_mac)}" for r in usable)
        return rules.failed("too_few_sounds", told, f"at least {least} sounds")
    heard.sort(key=_mean_db)
    best = heard[0]
    limit = rules.level("limit_db")
    if _mean_db(best) + _expanded_db(best) > limit:
        told = f"{mac_text(best.evse_mac)} at {_mean_db(best):.1f} dB"
        return rules.failed("cross_talk", told, f"at most {limit:g} dB, uncertainty included")
    alike = [r for r in heard if _mean_db(r) - _mean_db(best) <= _gap_u_db(best, r, rules)]
    return Choice(tuple(alike), doubtful=len(alike) > 1)


def ambiguity(choice: Choice, rules: SlacRules) -> SlacFailure:
    """Return the failure that names the chargers of a doubtful choice."""
    told = ", ".join(f"{mac_text(r.evse_mac)} at {_mean_db(r):.1f} dB" for r in choice.candidates)
    gap = max(_gap_u_db(choice.candidates[0], r, rules) for r in choice.candidates[1:])
    return rules.failed("ambiguous", told, f"more than {gap:.1f} dB between them")


def _mean_db(report: Report) -> float:
    return report.attenuation.value if report.attenuation is not None else math.inf


def _expanded_db(report: Report) -> float:
    """Expanded uncertainty, k = 2 for infinite degrees of freedom; Quantity.expanded() would load scipy here.

    A vehicle waits for its answer within 200 ms at this point.
    """
    u_db = report.attenuation.uncertainty if report.attenuation is not None else None
    return math.inf if u_db is None else 2 * u_db


def _receiver_u_db(groups: int, rules: SlacRules) -> float:
    """Standard uncertainty of a receiver: its level, and whole dB in each group (JCGM 100:2008, 4.3.7)."""
    return math.hypot(rules.level("rx_halfwidth_db") / math.sqrt(3), 1 / math.sqrt(12 * groups))


def _gap_u_db(first: Report, second: Report, rules: SlacRules) -> float:
    """Expanded uncertainty, k = 2, of the difference between two receivers."""
    parts = []
    for report in (first, second):
        parts.append(_receiver_u_db(len(_measured(report.groups_db, rules)), rules))
    return 2 * math.hypot(*parts)


def _refusal(groups_db: tuple[int, ...], rules: SlacRules) -> str:
    if len(groups_db) != rules.number("groups"):
        return f"{len(groups_db)} groups instead of {rules.number('groups')}"
    measured = _measured(groups_db, rules)
    ceiling = rules.level("implausible_db")
    wild = [value for value in measured if value > ceiling]
    if wild:
        return f"{len(wild)} groups above {ceiling:g} dB, up to {max(wild)}"
    if len(measured) < rules.level("least_share") * len(groups_db):
        return f"{len(measured)} of {len(groups_db)} groups measured"
    return ""


def _measured(groups_db: tuple[int, ...], rules: SlacRules) -> list[int]:
    sentinel = rules.level("not_measured")
    return [value for value in groups_db if value != sentinel]


def _level(value_db: float, rules: SlacRules) -> Level:
    if value_db <= rules.level("direct_db"):
        return "direct"
    if value_db <= rules.level("potential_db"):
        return "potential"
    return "weak" if value_db <= rules.level("limit_db") else "beyond"
