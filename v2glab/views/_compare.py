"""What changed between two runs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from v2glab.evidence import Quantity, Result
from v2glab.views._numbers import rounded, spread_text, with_unit

if TYPE_CHECKING:
    from v2glab.campaigns import RunFolder

Entry = dict[str, Any]


def compare_runs(first: RunFolder, second: RunFolder) -> dict[str, list[Entry]]:
    """Return differences by kind; each entry has ``name``, ``before``, ``after``, and mostly ``procedure``.

    Kinds are ``verdicts`` (outcomes), ``quantities`` (apart by more than their joint expanded uncertainty, or
    present in one run only), ``parameters``, ``settings``, ``versions`` and ``datasets``.
    """
    before, after = first.record, second.record
    return {
        "verdicts": list(_verdicts(first, second)),
        "quantities": list(_quantities(first.results(), second.results())),
        "parameters": [
            entry | {"procedure": procedure}
            for procedure in _names(before["parameters"], after["parameters"])
            for entry in _values(
                before["parameters"].get(procedure, {}), after["parameters"].get(procedure, {})
            )
        ],
        "settings": list(_values(_settings(before), _settings(after))),
        "versions": list(_values(before["versions"], after["versions"])),
        "datasets": list(_values(before["datasets"], after["datasets"])),
    }


def differs(first: Quantity, second: Quantity) -> bool:
    """Return whether two values lie further apart than their joint expanded uncertainty.

    Joint: root of the sum of squares, as for independent measurements (JCGM 100:2008, 5.1.2). A quantity
    without uncertainty differs when its value does.
    """
    if first.unit != second.unit:
        return True
    spreads = [spread[0] for q in (first, second) if (spread := q.expanded())]
    return abs(first.value - second.value) > math.hypot(*spreads)


def _verdicts(first: RunFolder, second: RunFolder) -> Iterator[Entry]:
    before, after = (
        {(name, v.criterion.id): str(v.outcome) for name, several in run.verdicts().items() for v in several}
        for run in (first, second)
    )
    for key in _names(before, after):
        if before.get(key) != after.get(key):
            yield _entry(key[1], before.get(key, "absent"), after.get(key, "absent"), key[0])


def _quantities(first: Mapping[str, Result], second: Mapping[str, Result]) -> Iterator[Entry]:
    before, after = (
        {(name, q.name): q for name, result in results.items() for q in result.quantities}
        for results in (first, second)
    )
    # What depends on the clock of the machine differs between any two runs.
    timing = {(name, q) for results in (first, second) for name, r in results.items() for q in r.timing}
    for key in _names(before, after):
        one, other = before.get(key), after.get(key)
        if key in timing or (one is not None and other is not None and not differs(one, other)):
            continue
        yield _entry(key[1], _quantity_text(one), _quantity_text(other), key[0])


def _values(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Entry]:
    for name in _names(before, after):
        if before.get(name) != after.get(name):
            yield {"name": name, "before": before.get(name), "after": after.get(name)}


def _settings(record: Mapping[str, Any]) -> dict[str, Any]:
    names = ("status", "station", "campaign", "seed", "clock", "faults", "python", "git")
    return {name: record[name] for name in names}


def _names(before: Mapping[Any, Any], after: Mapping[Any, Any]) -> list[Any]:
    return list(dict.fromkeys([*before, *after]))


def _entry(name: str, before: str, after: str, procedure: str) -> Entry:
    return {"procedure": procedure, "name": name, "before": before, "after": after}


def _quantity_text(quantity: Quantity | None) -> str:
    if quantity is None:
        return "absent"
    spread = quantity.expanded()
    value = rounded(quantity.value, spread[0] if spread else None)
    return with_unit(f"{value} ± {spread_text(spread[0])}" if spread else value, quantity.unit)
