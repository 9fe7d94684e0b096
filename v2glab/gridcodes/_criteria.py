"""Criteria that follow from the tables of a grid code."""

from __future__ import annotations

from collections.abc import Iterator

from v2glab.evidence import Criterion
from v2glab.gridcodes._model import CategoryRules, Cited, GridCode, Region, Trip

UNIT = {"voltage": "1", "frequency": "Hz"}


def derived_criteria(code: GridCode) -> Iterator[Criterion]:
    """Make one criterion for each trip, ride-through region, continuous region and rate-of-change limit.

    Identities: ``<code>.trip.<trip>.<category>``, ``<code>.ride-through.<region>.<category>``,
    ``<code>.continuous.<quantity>.<category>``, ``<code>.rocof.<category>``, in lower case.
    """
    for rules in code.categories.values():
        for trip in rules.trips:
            if not trip.averaging_s:
                yield _trip(code, rules, trip)
        for region in (*rules.ride_through_voltage, *rules.ride_through_frequency):
            if region.mode == "continuous":
                yield _continuous(code, rules, region)
            elif region.minimum_s is not None:
                yield _ride_through(code, rules, region)
        if rules.rocof_hz_s:
            yield _make(
                code,
                rules,
                rules.rocof_hz_s,
                "rocof",
                "Rate of change of frequency within what must be ridden through",
                quantity="rocof",
                upper=rules.rocof_hz_s.limit,
                unit="Hz/s",
            )


def _trip(code: GridCode, rules: CategoryRules, trip: Trip) -> Criterion:
    sign, unit = ("<" if trip.side == "low" else ">"), {"voltage": "p.u.", "frequency": "Hz"}[trip.quantity]
    return _make(
        code,
        rules,
        trip,
        f"trip.{trip.name}",
        f"Clearing time once {trip.quantity} {sign} {trip.threshold:g} {unit}",
        quantity=f"clearing_time.{trip.name}",
        upper=trip.time_s,
        unit="s",
    )


def _ride_through(code: GridCode, rules: CategoryRules, region: Region) -> Criterion:
    return _make(
        code,
        rules,
        region,
        f"ride-through.{region.name}",
        f"Time without trip in region {region.name} ({region.mode})",
        quantity=f"ride_through_time.{region.name}",
        lower=region.minimum_s,
        unit="s",
    )


def _continuous(code: GridCode, rules: CategoryRules, region: Region) -> Criterion:
    return _make(
        code,
        rules,
        region,
        f"continuous.{region.quantity}",
        f"{region.quantity.capitalize()} within the region of continuous operation",
        quantity=f"{region.quantity}_extreme",
        lower=region.lower,
        upper=region.upper,
        unit=UNIT[region.quantity],
    )


def _make(
    code: GridCode,
    rules: CategoryRules,
    cited: Cited,
    key: str,
    title: str,
    *,
    quantity: str,
    unit: str,
    lower: float | None = None,
    upper: float | None = None,
) -> Criterion:
    return Criterion(
        id=f"{code.id}.{key}.{rules.name}".lower(),
        title=title,
        standard=code.standard,
        edition=code.edition,
        clause=cited.clause,
        category=rules.name,
        quantity=quantity,
        lower=lower,
        upper=upper,
        unit=unit,
        source=cited.source,
        confidence=cited.confidence,
        note=cited.note,
    )
