"""The contactor is closed though commanded open: auxiliary contact, fault code, and voltage behind it."""

from __future__ import annotations

from dataclasses import replace

from v2glab.diagnosis._conclusion import Examination, Symptom
from v2glab.diagnosis._fault_code import fault_code_symptom
from v2glab.diagnosis._knowledge import Entry
from v2glab.diagnosis._observations import Observations, shown
from v2glab.evidence import Quantity

_FOLLOWS, _CODE, _BEHIND = (f"v2glab.diagnosis.weld.{name}" for name in ("follows", "code", "behind"))
_CAUSE = "welded"


def examine(observations: Observations, entry: Entry) -> Examination:
    """Look at three signs that do not depend on each other."""
    auxiliary = _auxiliary(observations, entry)
    behind = _voltage_behind(observations)
    if auxiliary is not None and behind is not None and auxiliary.quantity.value and _dead(behind, entry):
        auxiliary = replace(auxiliary, doubt="no voltage behind it: the auxiliary contact may be stuck")
    reported = fault_code_symptom(observations, entry, _CODE, _CAUSE)
    symptoms = tuple(s for s in (auxiliary, reported, behind) if s is not None)
    missing = observations.absent("charger") if auxiliary is None and reported is None else ()
    return Examination(symptoms, missing)


def _auxiliary(observations: Observations, entry: Entry) -> Symptom | None:
    """Compare command and auxiliary contact read at the same time, back to when they last agreed."""
    commands = {q.time_ns: q for q in observations.all("charger", "contactor_command")}
    pairs = [
        (commands[q.time_ns], q)
        for q in observations.all("charger", "contactor_feedback")
        if q.time_ns in commands
    ]
    if not pairs:
        return None
    stuck: list[tuple[Quantity, Quantity]] = []
    for command, feedback in reversed(pairs):
        if not (command.value < 0.5 < feedback.value):
            break
        stuck.append((command, feedback))
    command, feedback = pairs[-1]
    quantity = Quantity(
        "contactor_closed_while_open",
        float(bool(stuck)),
        "1",
        0.0,
        time_ns=feedback.time_ns,
        instrument=feedback.instrument,
    )
    held_s = ((stuck[0][1].time_ns or 0) - (stuck[-1][1].time_ns or 0)) * 1e-9 if stuck else 0.0
    evidence = (f"{shown(command)}, {shown(feedback)}" + (f", for {held_s:.2g} s or more" if stuck else ""),)
    short = bool(stuck) and held_s < entry.parameter("settle_s")
    doubt = "seen once only: a contactor takes a moment to fall" if short else ""
    return Symptom(_FOLLOWS, quantity, evidence, _CAUSE, doubt=doubt)


def _voltage_behind(observations: Observations) -> Symptom | None:
    """Return the voltage on the inverter's side while nothing but welded contacts could bring it there."""
    measured = observations.latest("scope", "inverter_side_voltage")
    states = [observations.latest("charger", point) for point in ("contactor_command", "inverter_run")]
    if measured is None or any(state is None or state.value > 0.5 for state in states):
        return None
    nominal_v = observations.nominal_voltage_v
    quantity = replace(
        measured,
        name="voltage_behind_contactor",
        value=measured.value / nominal_v,
        unit="1",
        uncertainty=None if measured.uncertainty is None else measured.uncertainty / nominal_v,
    )
    evidence = (f"{shown(measured)} while the inverter is off and the contactor commanded open",)
    return Symptom(_BEHIND, quantity, evidence, _CAUSE)


def _dead(behind: Symptom, entry: Entry) -> bool:
    return behind.quantity.value < entry.parameter("dead_pu")
