"""Proximity pilot: what a cable may carry, and how worn contacts show."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from v2glab.diagnosis import Coding, Knowledge, load_knowledge, pp_deviation
from v2glab.evidence import InputError, Outcome, Quantity, Verdict, judge

_RULE, _CODING = "pp_error", "v2glab.diagnosis.pp.coding"


@dataclass(frozen=True)
class Proximity:
    """What the resistance between proximity pilot and protective earth says.

    Parameters
    ----------
    resistance
        As measured, in ohm.
    ampacity_a
        What the cable may carry; None unless the verdict is a pass.
    nearest
        The coding that lies nearest.
    verdict
        Whether it is that coding: a fail is the PP error.
    code, remedy
        Fault code and what to do, when it is not.
    """

    resistance: Quantity
    ampacity_a: float | None
    nearest: Coding
    verdict: Verdict
    code: str = ""
    remedy: str = ""


def read_proximity(resistance: Quantity, knowledge: Knowledge | None = None) -> Proximity:
    """Return the ampacity that a resistance codes, or the PP error.

    Raises
    ------
    InputError
        The resistance is not a positive number of ohms.
    """
    knowledge = load_knowledge() if knowledge is None else knowledge
    entry = knowledge.entry(_RULE)
    resistance = _in_ohm(resistance)
    nearest, deviation = pp_deviation(resistance, entry)
    verdict = judge(knowledge.criteria[_CODING], deviation)
    if verdict.outcome is Outcome.PASS:
        return Proximity(resistance, nearest.ampacity_a, nearest, verdict)
    code = entry.code if verdict.outcome is Outcome.FAIL else ""
    return Proximity(resistance, None, nearest, verdict, code, entry.cause["no_coding"].remedy)


def with_contact(ampacity_a: float, contact_ohm: float, knowledge: Knowledge | None = None) -> float:
    """Return the resistance that a charger sees of a cable whose contact is worn: both in series, in ohm.

    Raises
    ------
    InputError
        No resistor codes this ampacity, or the contact is not 0 ohm or more.
    """
    if not (math.isfinite(contact_ohm) and contact_ohm >= 0):
        raise InputError(f"contact of {contact_ohm:g} ohm", "0 ohm or more", "give its resistance")
    return _coded(ampacity_a, knowledge).ohm + contact_ohm


def worn_contact(resistance: Quantity, ampacity_a: float, knowledge: Knowledge | None = None) -> Quantity:
    """Return the resistance of the contacts of a cable whose ampacity is known, in ohm.

    Measured less coded resistance; the resistor's own tolerance is not known here, so that the uncertainty is
    that of the measurement alone.

    Raises
    ------
    InputError
        No resistor codes this ampacity, or the resistance is not a positive number of ohms.
    """
    resistance = _in_ohm(resistance)
    extra = resistance.value - _coded(ampacity_a, knowledge).ohm
    return replace(resistance, name="pp_contact_resistance", value=extra)


def tolerable_contact_ohm(ampacity_a: float, knowledge: Knowledge | None = None) -> float:
    """Return the contact resistance in ohm at which a cable becomes a PP error, for an exact resistor.

    Raises
    ------
    InputError
        No resistor codes this ampacity.
    """
    knowledge = load_knowledge() if knowledge is None else knowledge
    limit_percent = knowledge.criteria[_CODING].upper or 0.0
    return _coded(ampacity_a, knowledge).ohm * limit_percent / 100


def _coded(ampacity_a: float, knowledge: Knowledge | None) -> Coding:
    codings = (load_knowledge() if knowledge is None else knowledge).entry(_RULE).coding
    for coding in codings:
        if coding.ampacity_a == ampacity_a:
            return coding
    known = ", ".join(f"{coding.ampacity_a:g}" for coding in codings)
    raise InputError(
        f"{ampacity_a:g} A", f"one of {known} A", "name the ampacity that the cable is coded for"
    )


def _in_ohm(resistance: Quantity) -> Quantity:
    if resistance.unit not in ("ohm", "Ω") or resistance.value <= 0:
        found = f"{resistance.name} = {resistance.value:g} {resistance.unit}"
        raise InputError(found, "a resistance above 0 ohm", "check unit and sign")
    return resistance
