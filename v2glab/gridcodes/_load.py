"""Read a grid code from its data file."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from v2glab.evidence import Criterion, InputError, read_toml
from v2glab.gridcodes._criteria import derived_criteria
from v2glab.gridcodes._model import CategoryRules, Cited, CriteriaByName, EnterService, GridCode, Region, Trip
from v2glab.resources import data_root, find_data


@lru_cache(maxsize=16)
def load_code(name: str) -> GridCode:
    """Return the grid code of that name, such as ``"ieee1547-2018"``; each file is read once.

    Raises
    ------
    InputError
        There is none of that name, or its file is wrong.
    """
    return read_code(find_data("datasets", "gridcodes", f"{name}.toml"))


def list_codes() -> tuple[str, ...]:
    """Return the names of all grid codes that travel with the package."""
    return tuple(sorted(p.stem for p in (data_root("datasets") / "gridcodes").glob("*.toml")))


def read_code(path: Path) -> GridCode:
    """Read a grid code from any file of the same form.

    Raises
    ------
    InputError
        The file cannot be read or does not fit the model.
    """
    return parse_code(read_toml(path), path.name)


def parse_code(document: Mapping[str, Any], where: str) -> GridCode:
    """Build a grid code from the content of its file.

    Raises
    ------
    InputError
        An entry is unknown, missing or wrong, regions overlap or leave a gap, or two criteria share an
        identity.
    """
    try:
        return _build(document, where)
    except (ValidationError, TypeError, ValueError, KeyError, AttributeError) as error:
        raise InputError(f"{where}: {error}", "a grid code of schema 1", "mend that entry") from error


_Model = TypeVar("_Model", bound=Cited)
_TOP = {"schema", "code", "sources", "trip", "region", "category", "enter_service", "criterion"}


def _build(document: Mapping[str, Any], where: str) -> GridCode:
    _refuse(document.get("schema") != 1, where, f"schema {document.get('schema')!r}", "schema = 1")
    unknown = set(document) - _TOP
    _refuse(bool(unknown), where, f"unknown keys {sorted(unknown)}", f"among {sorted(_TOP)}")
    head, sources = document["code"], dict(document["sources"])
    trips = [_cited(Trip, t, sources, where) for t in document.get("trip", [])]
    regions = [_cited(Region, r, sources, where) for r in document.get("region", [])]
    categories = {
        name: _category(name, body, trips, regions, sources, where)
        for name, body in document["category"].items()
    }
    _refuse(head["default_category"] not in categories, where, "an unknown default_category", "a category")
    enter = document.get("enter_service")
    code = GridCode(
        **head,
        sources=sources,
        categories=categories,
        enter_service=_cited(EnterService, enter, sources, where) if enter else None,
        criteria=CriteriaByName(),
    )
    explicit = [_criterion(code, entry, where) for entry in document.get("criterion", [])]
    for criterion in (*derived_criteria(code), *explicit):
        _refuse(criterion.id in code.criteria, where, f"two criteria {criterion.id!r}", "one")
        code.criteria[criterion.id] = criterion
    return code


def _category(
    name: str,
    body: Mapping[str, Any],
    trips: list[Trip],
    regions: list[Region],
    sources: dict[str, str],
    where: str,
) -> CategoryRules:
    own = {k: v for k, v in body.items() if k not in ("trip", "region")}
    for key in ("rocof_hz_s", "droop"):
        if key in own:
            _known_source(own[key], sources, f"{where}, category {name}, {key}")
            own[key] = {**own[key], "source": sources[own[key]["source"]]}
    all_trips = [*(_cited(Trip, t, sources, where) for t in body.get("trip", [])), *trips]
    _refuse(len({t.name for t in all_trips}) < len(all_trips), where, f"two trips alike in {name}", "one")
    all_regions = [*(_cited(Region, r, sources, where) for r in body.get("region", [])), *regions]
    return CategoryRules(
        name=name,
        trips=tuple(all_trips),
        ride_through_voltage=_ordered(all_regions, "voltage", f"{where}, category {name}"),
        ride_through_frequency=_ordered(all_regions, "frequency", f"{where}, category {name}"),
        **own,
    )


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
        _refuse(not touch, where, f"regions {below.name} and {above.name} do not touch", "no gap, no overlap")
    open_ends = chosen[0].lower is None and chosen[-1].upper is None
    _refuse(not open_ends, where, f"{quantity} regions without open ends", "all values covered")
    middle = [r for r in chosen if r.mode == "continuous"]
    _refuse(len(middle) != 1, where, f"{len(middle)} continuous regions of {quantity}", "exactly one")
    return tuple(chosen)


def _cited(model: type[_Model], entry: Mapping[str, Any], sources: dict[str, str], where: str) -> _Model:
    _known_source(entry, sources, f"{where}, {entry.get('name', model.__name__)}")
    return model(**{**entry, "source": sources[entry["source"]]})


def _known_source(entry: Mapping[str, Any], sources: dict[str, str], where: str) -> None:
    _refuse(
        entry.get("source") not in sources, where, f"source {entry.get('source')!r}", f"among {list(sources)}"
    )


def _criterion(code: GridCode, entry: Mapping[str, Any], where: str) -> Criterion:
    _known_source(entry, code.sources, f"{where}, {entry.get('id')}")
    _refuse(
        not str(entry["id"]).startswith(f"{code.id}."), where, f"criterion {entry['id']!r}", f"{code.id}.…"
    )
    shared = {"standard": code.standard, "edition": code.edition}
    return Criterion(**{**shared, **entry, "source": code.sources[entry["source"]]})


def _refuse(condition: bool, where: str, found: str, required: str) -> None:
    if condition:
        raise InputError(f"{where}: {found}", required, "mend the data file")
