"""Turn the content of a grid code's file into the model, naming the entry that does not fit."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from itertools import pairwise
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from v2glab.evidence import Criterion, InputError
from v2glab.gridcodes._criteria import derived_criteria
from v2glab.gridcodes._model import (
    CategoryRules,
    ControlTimes,
    CriteriaByName,
    EnterService,
    GridCode,
    HarmonicGrouping,
    Islanding,
    MeasurementAccuracy,
    NormalRules,
    PhaseJump,
    Reconnection,
    Region,
    Requirement,
    Trip,
)
from v2glab.gridcodes._refuse import refuse
from v2glab.gridcodes._sides import check_sides

_Model = TypeVar("_Model", bound=BaseModel)
_SINGLE: dict[str, type[BaseModel]] = {
    "enter_service": EnterService,
    "control": ControlTimes,
    "phase_jump": PhaseJump,
    "islanding": Islanding,
    "harmonics": HarmonicGrouping,
    "reconnection": Reconnection,
}


def build_code(document: Mapping[str, Any], where: str) -> GridCode:
    """Build the model from a whole document, whose sources are in words.

    Raises
    ------
    InputError
        An entry does not fit; the message names it.
    """
    head = document["code"]
    trips = _several(Trip, document.get("trip", []), f"{where}, trip")
    regions = _several(Region, document.get("region", []), f"{where}, region")
    categories = {
        name: _category(name, body, trips, regions, f"{where}, category {name}")
        for name, body in document.get("category", {}).items()
    }
    normal = {
        name: model(NormalRules, {"name": name, **body}, f"{where}, normal {name}")
        for name, body in document.get("normal", {}).items()
    }
    accuracy = _several(MeasurementAccuracy, document.get("accuracy", []), f"{where}, accuracy")
    needs = _several(Requirement, document.get("requirement", []), f"{where}, requirement")
    single = {
        key: model(kind, document[key], f"{where}, {key}") for key, kind in _SINGLE.items() if key in document
    }
    _defaults(head, categories, normal, where)
    fields = {**head, **single, "sources": document["sources"], "categories": categories, "normal": normal}
    fields |= {"accuracy": {a.name: a for a in accuracy}, "criteria": CriteriaByName()}
    fields["requirements"] = {r.name: r for r in needs}
    code = model(GridCode, fields, f"{where}, code")
    check_sides(code, where)
    _fill_criteria(code, document.get("criterion", []), where)
    return code


def model(kind: type[_Model], entry: object, where: str) -> _Model:
    """Build one model; what does not fit is an :class:`InputError` that names file, entry and field."""
    try:
        return kind.model_validate(entry)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        field = ".".join(str(step) for step in first["loc"])
        reason = first["msg"].removeprefix("Value error, ")
        raise InputError(
            f"{where}{f', {field}' if field else ''}: {reason}",
            f"an entry {kind.__name__} that holds together",
            f"mend that entry ({error.error_count()} in it)",
        ) from error


def _several(kind: type[_Model], entries: list[dict[str, Any]], where: str) -> list[_Model]:
    built = [model(kind, e, f"{where} {e.get('name')}") for e in entries]
    names = [e["name"] for e in entries]
    refuse(len(set(names)) < len(names), where, "two entries of one name", "one")
    return built


def _defaults(
    head: Mapping[str, Any], categories: Collection[str], normal: Collection[str], where: str
) -> None:
    for key, known in (("default_category", categories), ("default_normal_category", normal)):
        name = head.get(key, "")
        refuse(
            name not in known if known else bool(name),
            f"{where}, code, {key}",
            f"unknown category {name!r}",
            f"one of: {', '.join(known) or 'none, for the code has no such categories'}",
        )


def _category(
    name: str, body: Mapping[str, Any], trips: list[Trip], regions: list[Region], where: str
) -> CategoryRules:
    own = {k: v for k, v in body.items() if k not in ("trip", "region")}
    all_trips = [*_several(Trip, body.get("trip", []), f"{where}, trip"), *trips]
    refuse(len({t.name for t in all_trips}) < len(all_trips), where, "two trips alike", "one")
    all_regions = [*_several(Region, body.get("region", []), f"{where}, region"), *regions]
    fields = {
        **own,
        "name": name,
        "trips": tuple(all_trips),
        "ride_through_voltage": _ordered(all_regions, "voltage", where),
        "ride_through_frequency": _ordered(all_regions, "frequency", where),
    }
    return model(CategoryRules, fields, where)


def _ordered(regions: list[Region], quantity: str, where: str) -> tuple[Region, ...]:
    """Sort regions by value and check that they cover all values once."""
    chosen = sorted(
        (r for r in regions if r.quantity == quantity),
        key=lambda r: float("-inf") if r.lower is None else r.lower,
    )
    if not chosen:
        return ()
    for below, above in pairwise(chosen):
        touch = below.upper is not None and below.upper == above.lower
        refuse(not touch, where, f"regions {below.name} and {above.name} do not touch", "no gap, no overlap")
    open_ends = chosen[0].lower is None and chosen[-1].upper is None
    refuse(not open_ends, where, f"{quantity} regions without open ends", "all values covered")
    middle = [r for r in chosen if r.mode == "continuous"]
    refuse(len(middle) != 1, where, f"{len(middle)} continuous regions of {quantity}", "exactly one")
    return tuple(chosen)


def _fill_criteria(code: GridCode, entries: list[dict[str, Any]], where: str) -> None:
    explicit = [_criterion(code, entry, where) for entry in entries]
    for criterion in (*derived_criteria(code), *explicit):
        refuse(criterion.id in code.criteria, where, f"two criteria {criterion.id!r}", "one")
        code.criteria[criterion.id] = criterion


def _criterion(code: GridCode, entry: Mapping[str, Any], where: str) -> Criterion:
    name = entry.get("id")
    refuse(
        not str(name).startswith(f"{code.id}."),
        f"{where}, criterion {name!r}",
        "another prefix",
        f"{code.id}.…",
    )
    refuse(
        not all(entry.get(k) for k in ("clause", "unit", "source", "confidence")),
        f"{where}, criterion {name!r}",
        "clause, unit, source or confidence missing",
        "all four on each criterion",
    )
    criterion = model(Criterion, entry, f"{where}, criterion {name!r}")
    bounds = [b for b in (criterion.lower, criterion.upper) if b is not None]
    refuse(
        not all(map(math.isfinite, bounds)),
        f"{where}, criterion {name!r}",
        f"bounds {bounds}",
        "finite bounds",
    )
    return criterion
