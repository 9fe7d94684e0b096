"""The heat sink is so hot that the charger folds its current back, or has stopped."""

from __future__ import annotations

import math

from v2glab.control import rise_share
from v2glab.diagnosis._conclusion import Examination, Symptom
from v2glab.diagnosis._events import DeratingLogged
from v2glab.diagnosis._fault_code import fault_code_symptom
from v2glab.diagnosis._knowledge import Entry
from v2glab.diagnosis._observations import Observations, newer, shown
from v2glab.evidence import Quantity

_SHARE, _ALLOWED, _CODE = (f"v2glab.diagnosis.thermal.{name}" for name in ("share", "allowed", "code"))


def examine(observations: Observations, entry: Entry) -> Examination:
    """Compare temperatures with the foldback, and with the share of current that the charger allows."""
    cause = _cause(observations, entry)
    symptoms = (
        _share(observations, cause),
        _allowed(observations, entry, cause),
        fault_code_symptom(observations, entry, _CODE, cause) if entry.fault_codes else None,
    )
    seen = tuple(s for s in symptoms if s is not None)
    # A fault register that is silent says nothing of a sink that is only warm.
    told = any(s.criterion != _CODE for s in seen)
    return Examination(seen, () if told else observations.absent("heatsink", "charger"))


def _share(observations: Observations, cause: str) -> Symptom | None:
    """Return the share of the permitted rise, by the independent sensor where there is one."""
    sink = observations.latest("heatsink", "heatsink")
    sink = sink or observations.latest("charger", "heatsink_temperature")
    ambient = observations.latest("heatsink", "ambient")
    limit = observations.latest("charger", "max_temperature")
    if sink is None or ambient is None or limit is None:
        return None
    permitted = limit.value - ambient.value
    value = rise_share(sink.value, ambient.value, limit.value)
    spread: float | None = None
    if sink.uncertainty is not None and ambient.uncertainty is not None:
        # The limit is a setting: the charger compares with exactly that number.
        by_ambient = (sink.value - limit.value) / permitted**2 if permitted > 0 else 0.0
        by_sink = 1 / permitted if permitted > 0 else 0.0
        spread = math.hypot(by_sink * sink.uncertainty, by_ambient * ambient.uncertainty)
    quantity = Quantity(
        "rise_share",
        value,
        "1",
        spread,
        "" if spread is not None else sink.no_uncertainty or ambient.no_uncertainty,
        time_ns=sink.time_ns,
        instrument=sink.instrument,
        certificate=sink.certificate,
    )
    evidence = (shown(sink), shown(ambient), f"{shown(limit)}: {value:.2f} of the permitted rise")
    return Symptom(_SHARE, quantity, evidence, cause)


def _allowed(observations: Observations, entry: Entry, cause: str) -> Symptom | None:
    """Return what the charger says it allows, by register or log, whichever is newer."""
    register = observations.latest("charger", "derating")
    logged = observations.events(DeratingLogged)
    lines = tuple(event.line.shown() for event in logged[-1:])
    if register is None and not logged:
        return None
    u_percent = entry.parameter("derating_step_percent") / math.sqrt(12)
    if register is None or newer(logged[-1].line if logged else None, register):
        last = logged[-1]
        value, time_ns, instrument = last.allowed_percent, last.line.time_ns, "charger log"
    else:
        value, time_ns, instrument = register.value, register.time_ns or 0, register.instrument
    quantity = Quantity("allowed_current", value, "%", u_percent, time_ns=time_ns, instrument=instrument)
    evidence = ((shown(register),) if register is not None else ()) + lines
    return Symptom(_ALLOWED, quantity, evidence, cause)


def _cause(observations: Observations, entry: Entry) -> str:
    """Tell a sink that its own load heats from one that is hot without any."""
    power = observations.latest("meter", "power") or observations.latest("analyser", "power")
    if power is None:
        return "hot"
    loaded = abs(power.value) > entry.parameter("load_share") * observations.rated_power_w
    return "hot_under_load" if loaded else "hot_at_rest"
