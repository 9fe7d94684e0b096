"""Criteria that follow from the rules for a plant as a whole."""

from __future__ import annotations

from collections.abc import Iterator

from v2glab.evidence import Criterion
from v2glab.gridcodes._model import CategoryRules, Cited, GridCode

_CONTROL = {
    "disable_permit_s": ("disable-permit", "Time to cease after permit service is withdrawn", "disable_time"),
    "active_power_limit_s": (
        "active-power-limit",
        "Response time of the active power limit",
        "limit_response_time",
    ),
    "mode_execution_s": (
        "mode-execution",
        "Execution time of a changed mode or setting",
        "mode_execution_time",
    ),
}
_SHARE = {"nominal": ", share of nominal", "rating": ", share of rated apparent power", "absolute": ""}


def plant_criteria(code: GridCode) -> Iterator[Criterion]:
    """Make the criteria on control times, phase jumps, islanding and the plant's own measurement."""
    yield from _control(code)
    if code.phase_jump:
        for key, value, what in (
            ("single", code.phase_jump.single_phase_deg, "Phase angle change of one phase"),
            ("multi", code.phase_jump.multi_phase_deg, "Positive-sequence phase angle change"),
        ):
            yield make_criterion(
                code,
                "",
                code.phase_jump,
                f"phase-jump.{key}",
                f"{what} that must be ridden through",
                quantity=f"phase_step_{key}",
                lower=value,
                unit="deg",
            )
    if code.islanding:
        yield make_criterion(
            code,
            "",
            code.islanding,
            "islanding.time",
            "Time to cease energising an unintentional island",
            quantity="islanding_time",
            upper=code.islanding.time_s,
            unit="s",
        )
    for entry in code.accuracy.values():
        share = _SHARE.get(entry.relative_to, ", share of the duration")
        yield make_criterion(
            code,
            "",
            entry,
            f"accuracy.{entry.name}",
            f"Accuracy of {entry.quantity.replace('_', ' ')}{share}, {entry.regime} state",
            quantity=f"{entry.quantity}_accuracy_{entry.regime}",
            upper=entry.accuracy,
            unit=entry.unit,
        )


def restore_criteria(code: GridCode, rules: CategoryRules) -> Iterator[Criterion]:
    """Make the criteria on the return of output: time, share, and duration of the ramp of active current."""
    restore = rules.restore_output
    if restore is None:
        return
    if restore.time:
        yield make_criterion(
            code,
            rules.name,
            restore.time,
            "restore.time",
            "Time to restore output after momentary cessation",
            quantity="restore_time",
            upper=restore.time.limit,
            unit=restore.time.unit,
        )
    if restore.share:
        yield make_criterion(
            code,
            rules.name,
            restore.share,
            "restore.output",
            "Active current restored, share of the value before the disturbance",
            quantity="restored_share",
            lower=restore.share.limit,
            unit=restore.share.unit,
        )
    if restore.current_ramp:
        yield make_criterion(
            code,
            rules.name,
            restore.current_ramp,
            "restore.ramp",
            "Duration of the ramp of active current from nothing to full",
            quantity="restore_ramp_time",
            upper=restore.current_ramp.limit,
            unit=restore.current_ramp.unit,
        )


def _control(code: GridCode) -> Iterator[Criterion]:
    if code.control is None:
        return
    for field, (key, title, quantity) in _CONTROL.items():
        value = getattr(code.control, field)
        if value is not None:
            yield make_criterion(
                code, "", code.control, f"control.{key}", title, quantity=quantity, upper=value, unit="s"
            )


def make_criterion(
    code: GridCode,
    category: str,
    cited: Cited,
    key: str,
    title: str,
    *,
    quantity: str,
    unit: str,
    lower: float | None = None,
    upper: float | None = None,
) -> Criterion:
    """Make the criterion ``<code>.<key>`` or ``<code>.<key>.<category>`` from a cited entry."""
    return Criterion(
        id=".".join(part for part in (code.id, key, category) if part).lower(),
        title=title,
        standard=cited.standard or code.standard,
        edition=cited.edition or code.edition,
        clause=cited.clause,
        category=category,
        quantity=quantity,
        lower=lower,
        upper=upper,
        unit=unit,
        source=cited.source,
        confidence=cited.confidence,
        note=cited.note,
    )
