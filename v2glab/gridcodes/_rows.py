"""A grid code as rows of text, for tables and for comparing codes side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from v2glab.gridcodes._criteria import derived_criteria
from v2glab.gridcodes._model import CategoryRules, Cited, GridCode
from v2glab.gridcodes._normal import Characteristic, NormalRules
from v2glab.gridcodes._rows_text import (
    bound_text,
    curve_text,
    harmonic_rows,
    numbers,
    setting_text,
    span_text,
)

UNIT = {"voltage": "p.u.", "frequency": "Hz"}


@dataclass(frozen=True)
class Row:
    """One limit in words: what it is, value, range, and where it stands."""

    group: str
    category: str
    name: str
    value: str
    range: str
    standard: str
    clause: str
    source: str
    confidence: str
    note: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What rows of two codes are matched by."""
        return (self.group, self.name)


def code_rows(code: GridCode, category: str | None = None, normal: str | None = None) -> tuple[Row, ...]:
    """Return all limits of a code, or of one category and one normal category with what holds for all plants.

    Raises
    ------
    UsageError
        The code has no such category.
    """
    abnormal = code.categories.values() if category is None else [code.category(category)]
    usual = code.normal.values() if normal is None else [code.normal_category(normal)]
    out = [row for rules in abnormal for row in _category(rules)]
    out += [row for rules in usual for row in _normal(rules)]
    return (*out, *_plant(code), *_criteria(code))


def unverified(rows: Iterable[Row]) -> tuple[Row, ...]:
    """Return the rows that somebody has to check against the text; verdicts on them are inconclusive."""
    return tuple(row for row in rows if row.confidence == "unverified")


def _row(group: str, category: str, name: str, value: str, cited: Cited, span: str = "") -> Row:
    standard = f"{cited.standard} {cited.edition}".strip()
    place = (standard, cited.clause, cited.source, cited.confidence, cited.note)
    return Row(group, category, name, value, span, *place)


def _category(rules: CategoryRules) -> Iterator[Row]:
    at = rules.name
    for trip in rules.trips:
        unit, sign = UNIT[trip.quantity], "<" if trip.side == "low" else ">"
        mean = f", mean of {trip.averaging_s:g} s" if trip.averaging_s else ""
        value = f"{sign} {trip.threshold:g} {unit} within {trip.time_s:g} s{mean}"
        span = ", ".join(
            x for x in (span_text(trip.threshold_range, unit), span_text(trip.time_range_s, "s")) if x
        )
        yield _row("trip", at, f"{trip.quantity} {trip.name}", value, trip, span)
    for band in rules.trip_ranges:
        span = _both(span_text(band.threshold_range, UNIT[band.quantity]), span_text(band.time_range_s, "s"))
        yield _row("trip", at, f"{band.quantity} {band.name}", "set by the operator", band, span)
    for region in (*rules.ride_through_voltage, *rules.ride_through_frequency):
        unit = UNIT[region.quantity]
        slope = f" + {region.slope_s_per_unit:g} s/{unit}" if region.slope_s_per_unit else ""
        least = f", at least {region.minimum_s:g} s{slope}" if region.minimum_s else ""
        value = f"{bound_text(region.lower, region.upper, unit)}: {region.mode}{least}"
        yield _row("ride-through", at, f"{region.quantity} {region.name}", value, region)
    if rules.rocof_hz_s:
        yield _row("ride-through", at, "rocof", f"{rules.rocof_hz_s.limit:g} Hz/s", rules.rocof_hz_s)
    if rules.rocof_trip:
        value = f"> {rules.rocof_trip.limit:g} Hz/s for {rules.rocof_trip.time_s:g} s"
        yield _row("trip", at, "rocof", value, rules.rocof_trip)
    if rules.consecutive_disturbances:
        sets = rules.consecutive_disturbances
        yield _row("ride-through", at, "consecutive disturbances", f"{sets.sets} sets", sets)
    if rules.restore_output:
        for name in ("time", "share", "current_ramp"):
            limit = getattr(rules.restore_output, name)
            if limit:
                sign = "≥" if name == "share" else "≤"
                value = f"{sign} {limit.limit:g} {limit.unit}".removesuffix(" 1")
                yield _row("restore output", at, name.replace("_", " "), value, limit)
    yield from _support(rules)


def _support(rules: CategoryRules) -> Iterator[Row]:
    for name in ("droop", "response_over_frequency", "response_under_frequency", "dynamic_voltage_support"):
        part = getattr(rules, name)
        if part is not None:
            yield from _settings("frequency and voltage support", rules.name, name.replace("_", " "), part)


def _normal(rules: NormalRules) -> Iterator[Row]:
    group = "normal operation"
    for name in type(rules).model_fields:
        part = getattr(rules, name)
        if isinstance(part, Characteristic):
            words = name.replace("_", "-")
            yield _row(group, rules.name, words, curve_text(part), part)
            yield from _settings(group, rules.name, words, part)
        elif isinstance(part, Cited):
            yield from _settings(group, rules.name, name.replace("_", " "), part)


def _plant(code: GridCode) -> Iterator[Row]:
    for name in ("enter_service", "reconnection", "control", "phase_jump", "islanding", "harmonics"):
        part = getattr(code, name)
        if part is not None:
            yield from _settings("plant", "", name.replace("_", " "), part)
    for accuracy in code.accuracy.values():
        unit = accuracy.unit + ("" if accuracy.relative_to == "absolute" else f" of {accuracy.relative_to}")
        yield _row(
            "accuracy",
            "",
            accuracy.name,
            f"± {accuracy.accuracy:g} {unit}",
            accuracy,
            span_text(accuracy.range),
        )
    for need in code.requirements.values():
        yield _row("requirement", "", need.name, need.title, need)


def _criteria(code: GridCode) -> Iterator[Row]:
    derived = {c.id for c in derived_criteria(code)}
    plain = [c for c in code.criteria.values() if c.id not in derived]
    for name, criterion in harmonic_rows(code.id, plain):
        place = (f"{criterion.standard} {criterion.edition}", criterion.clause, criterion.source)
        yield Row(
            "limit",
            criterion.category,
            name,
            criterion.limit_text(),
            "",
            *place,
            criterion.confidence,
            criterion.note,
        )


def _settings(group: str, category: str, name: str, part: Cited) -> Iterator[Row]:
    """One row for each setting and number of a cited entry."""
    for field, value, span in numbers(part):
        yield _row(group, category, f"{name}: {field}", setting_text(field, value), part, span)


def _both(first: str, second: str) -> str:
    return ", ".join(part for part in (first, second) if part)
