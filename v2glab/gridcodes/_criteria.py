"""Criteria that follow from the tables of a grid code."""

from __future__ import annotations

from collections.abc import Iterator

from v2glab.evidence import Criterion
from v2glab.gridcodes._criteria_plant import make_criterion, plant_criteria, restore_criteria
from v2glab.gridcodes._model import CategoryRules, GridCode, Region, Trip

UNIT = {"voltage": "1", "frequency": "Hz"}


def derived_criteria(code: GridCode) -> Iterator[Criterion]:
    """Make one criterion for each trip, ride-through region, continuous region and rate-of-change limit.

    Identities: ``<code>.trip.<trip>.<category>``, ``<code>.ride-through.<region>.<category>``,
    ``<code>.continuous.<quantity>.<category>``, ``<code>.rocof.<category>``, ``<code>.restore.….<category>``,
    in lower case; for the plant as a whole ``<code>.control.…``, ``<code>.phase-jump.…``,
    ``<code>.islanding.time`` and ``<code>.accuracy.…``.
    """
    yield from plant_criteria(code)
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
            yield make_criterion(
                code,
                rules.name,
                rules.rocof_hz_s,
                "rocof",
                "Rate of change of frequency within what must be ridden through",
                quantity="rocof",
                upper=rules.rocof_hz_s.limit,
                unit="Hz/s",
            )
        yield from restore_criteria(code, rules)


def _trip(code: GridCode, rules: CategoryRules, trip: Trip) -> Criterion:
    sign, unit = ("<" if trip.side == "low" else ">"), {"voltage": "p.u.", "frequency": "Hz"}[trip.quantity]
    return make_criterion(
        code,
        rules.name,
        trip,
        f"trip.{trip.name}",
        f"Clearing time once {trip.quantity} {sign} {trip.threshold:g} {unit}",
        quantity=f"clearing_time.{trip.name}",
        upper=trip.time_s,
        unit="s",
    )


def _ride_through(code: GridCode, rules: CategoryRules, region: Region) -> Criterion:
    return make_criterion(
        code,
        rules.name,
        region,
        f"ride-through.{region.name}",
        f"Time without trip in region {region.name} ({region.mode})",
        quantity=f"ride_through_time.{region.name}",
        lower=region.minimum_s,
        unit="s",
    )


def _continuous(code: GridCode, rules: CategoryRules, region: Region) -> Criterion:
    return make_criterion(
        code,
        rules.name,
        region,
        f"continuous.{region.quantity}",
        f"{region.quantity.capitalize()} within the region of continuous operation",
        quantity=f"{region.quantity}_extreme",
        lower=region.lower,
        upper=region.upper,
        unit=UNIT[region.quantity],
    )
