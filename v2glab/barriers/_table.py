"""One vehicle under many rule sets: the job that is spread over processes or a cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from v2glab.barriers._problem import Market
from v2glab.barriers._sessions import Vehicle, VehicleYear
from v2glab.barriers._terms import Terms, Transformation, combine
from v2glab.barriers._value import VehicleValuer


@dataclass(frozen=True)
class VehicleColumn:
    """Values of one vehicle-year under each set of terms, and how they were found.

    Parameters
    ----------
    values
        Money a year under each set of terms.
    methods, gap_eur, solved, repeated
        As in :class:`VehicleValuer`.
    """

    values: tuple[float, ...]
    methods: dict[str, int] = field(default_factory=dict)
    gap_eur: float = 0.0
    solved: int = 0
    repeated: int = 0


def terms_of(rules: Mapping[str, Transformation], sets: Sequence[int]) -> list[Terms]:
    """Return the terms under each rule set; bit i stands for the i-th rule."""
    names = list(rules)
    return [combine(rules[name] for i, name in enumerate(names) if s >> i & 1) for s in sets]


def price_vehicle(
    year: VehicleYear, vehicle: Vehicle, market: Market, all_terms: Sequence[Terms]
) -> VehicleColumn:
    """Value one vehicle-year under every set of terms; identical problems are solved once."""
    valuer = VehicleValuer(year, vehicle, market)
    values = tuple(valuer.value(terms) for terms in all_terms)
    return VehicleColumn(values, dict(valuer.methods), valuer.gap_eur, valuer.solved, valuer.repeated)
