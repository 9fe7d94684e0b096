"""What the charger itself says: its fault register, or its log where the register was not read."""

from __future__ import annotations

from v2glab.diagnosis._conclusion import Symptom
from v2glab.diagnosis._events import FaultLogged
from v2glab.diagnosis._knowledge import Entry
from v2glab.diagnosis._observations import Observations, newer, shown
from v2glab.evidence import Quantity


def fault_code_symptom(
    observations: Observations, entry: Entry, criterion: str, cause: str
) -> Symptom | None:
    """Return whether the charger reports one of the entry's codes; ``None`` when nothing says so or not.

    A code that stands in the log, but not in the register when that was read later, is doubted: the fault was
    reset since.
    """
    logged = [e for e in observations.events(FaultLogged) if e.code in entry.fault_codes]
    lines = tuple(event.line.shown() for event in logged[-2:])
    register = observations.latest("charger", "fault_code")
    if register is None and not logged:
        return None
    if register is None or newer(logged[-1].line if logged else None, register):
        present, time_ns, instrument = True, logged[-1].line.time_ns, "charger log"
    else:
        present = round(register.value) in entry.fault_codes
        time_ns, instrument = register.time_ns or 0, register.instrument
    value = float(present or bool(logged))
    reported = Quantity("fault_code_reported", value, "1", 0.0, time_ns=time_ns, instrument=instrument)
    doubt = "" if present else "the log holds the fault code, the register no longer does"
    evidence = ((shown(register),) if register is not None else ()) + lines
    return Symptom(criterion, reported, evidence, cause, doubt=doubt if logged else "")
