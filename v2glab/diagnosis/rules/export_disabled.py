"""The grid operator has not enabled export: register 0x4002 is off."""

from __future__ import annotations

from dataclasses import replace

from v2glab.diagnosis._conclusion import Examination, Symptom
from v2glab.diagnosis._events import ExportRefused
from v2glab.diagnosis._knowledge import Entry
from v2glab.diagnosis._observations import Observations, newer, shown
from v2glab.evidence import Quantity

_ENABLED = "v2glab.diagnosis.export.enabled"


def examine(observations: Observations, entry: Entry) -> Examination:
    """Read the bit; where it was not read later, the log of refused exports says as much."""
    refused = [e for e in observations.events(ExportRefused) if e.reason == "export_enable"]
    lines = tuple(event.line.shown() for event in refused[-1:])
    register = observations.latest("charger", "export_enable")
    if register is not None and not newer(refused[-1].line if refused else None, register):
        # A bit has no uncertainty.
        bit = replace(register, uncertainty=0.0, no_uncertainty="")
        return Examination((Symptom(_ENABLED, bit, (f"{shown(register)} (0x4002)", *lines), "bit_off"),))
    if not refused:
        return Examination(missing=observations.absent("charger"))
    line = refused[-1].line
    bit = Quantity("export_enable", 0.0, "1", 0.0, time_ns=line.time_ns, instrument="charger log")
    return Examination((Symptom(_ENABLED, bit, lines, "bit_off"),))
