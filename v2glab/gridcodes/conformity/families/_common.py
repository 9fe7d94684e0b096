"""Timelines and settings that several families use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from v2glab.evidence import Verdict
from v2glab.gridcodes.conformity._case import Case, Rules
from v2glab.gridcodes.conformity._judging import verdict_on
from v2glab.gridcodes.conformity._measure import Estimate, disconnection, mean
from v2glab.gridcodes.conformity._place import TIME, Place
from v2glab.gridcodes.conformity._record import Record
from v2glab.gridcodes.conformity._stimulus import Stretch, Three

if TYPE_CHECKING:
    from v2glab.gridcodes.der import DerSettings

#: Functions that move reactive or active power; a test switches off all but its own.
FUNCTIONS = ("volt_var", "watt_var", "volt_watt", "constant_pf", "constant_q", "p_limit")


def all_phases(value: float) -> Three:
    """Return the same voltage for the three phases."""
    return (value, value, value)


def hold(
    rules: Rules,
    duration_s: float,
    volts: float = 1.0,
    hertz: float | None = None,
    **more: Any,  # noqa: ANN401 -- whatever a stretch takes
) -> Stretch:
    """Return a stretch with all phases alike."""
    return Stretch(duration_s, all_phases(volts), rules.nominal_hz if hertz is None else hertz, **more)


def only(rules: Rules, function: str = "", **settings: Any) -> DerSettings:  # noqa: ANN401
    """Return the default settings with one function on, and changed, and the others off."""
    changes: dict[str, Any] = {name: {"enabled": name == function} for name in FUNCTIONS}
    if function:
        changes[function] |= settings
    return rules.base.with_(**changes)


def stayed_verdict(
    case: Case,
    record: Record,
    *,
    start_s: float,
    required_s: float,
    name: str = "stayed",
    **about: Any,  # noqa: ANN401
) -> Verdict:
    """Judge that the plant stayed connected for a time that begins with the disturbance.

    A plant that was not connected when the disturbance began proves nothing.
    """
    criterion = case.criterion(
        name, "time connected since the disturbance began", "connected_time", "s", lower=required_s, **about
    )
    if not record.doubt and not connected_at(record, start_s):
        record = record.with_doubt("the plant was not in service when the disturbance began")
    if record.doubt:
        return verdict_on(criterion, None, record, case)
    gone = disconnection(record, start_s)
    until = float(record.time_s[-1]) - start_s
    found = Estimate(gone.value - start_s, gone.uncertainty) if gone else Estimate(until, 0.0)
    place = Place(TIME, start_s, float(record.time_s[-1]))
    return verdict_on(criterion, found, record, case, place=place)


def connected_at(record: Record, at_s: float) -> bool:
    """Whether the plant was connected just before a time."""
    before = record.connected[record.time_s < at_s]
    return bool(before.size) and bool(before[-1] > 0.5)


def ceased_verdict(case: Case, record: Record, at: tuple[float, float], name: str = "ceased") -> Verdict:
    """Judge that no more than a little current flows while energising has ceased (IEEE 1547-2018, 4.5)."""
    ceased = case.rules.data.ceased
    criterion = case.criterion(
        name,
        "current while energising has ceased",
        "current_pu",
        upper=ceased.threshold_pu,
        clause="4.5",
        source=case.rules.data.sources[ceased.source],
        confidence=ceased.confidence,
    )
    seen, place = mean(record, "i", *at), Place("i", *at)
    return verdict_on(criterion, seen, record, case, missing="no samples after the trip", place=place)
