"""The vehicle's charge lies below the limit that its user set for discharging."""

from __future__ import annotations

import math

from v2glab.diagnosis._conclusion import Examination, Symptom
from v2glab.diagnosis._events import ExportRefused
from v2glab.diagnosis._knowledge import Entry
from v2glab.diagnosis._observations import Observations, newer, shown
from v2glab.evidence import Quantity

_RESERVE = "v2glab.diagnosis.export.reserve"


def examine(observations: Observations, entry: Entry) -> Examination:
    """Compare the two numbers that the charger itself compares, so that only their resolution counts."""
    refused = [e for e in observations.events(ExportRefused) if e.reserve_percent is not None]
    lines = tuple(event.line.shown() for event in refused[-1:])
    soc = observations.latest("charger", "soc")
    limit = observations.latest("charger", "soc_discharge_limit")
    current = soc is not None and not newer(refused[-1].line if refused else None, soc)
    if soc is not None and limit is not None and current:
        quantity = _reserve(entry, soc.value - limit.value, soc.time_ns, soc.instrument)
        evidence = (shown(soc), shown(limit), *lines)
        return Examination((Symptom(_RESERVE, quantity, evidence, "below_limit"),))
    if not refused or refused[-1].reserve_percent is None:
        return Examination(missing=observations.absent("charger"))
    last = refused[-1]
    quantity = _reserve(entry, refused[-1].reserve_percent, last.line.time_ns, "charger log")
    return Examination((Symptom(_RESERVE, quantity, lines, "below_limit"),))


def _reserve(entry: Entry, value: float, time_ns: int | None, instrument: str) -> Quantity:
    # Two numbers of the same step: a triangular distribution of the difference.
    u_percent = entry.parameter("soc_step_percent") / math.sqrt(6)
    return Quantity("soc_above_limit", value, "%", u_percent, time_ns=time_ns, instrument=instrument)
