"""Numbers of a grid code as people write them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from v2glab.evidence import Criterion
from v2glab.gridcodes._normal import Characteristic
from v2glab.gridcodes._values import Cited, Point, Setting

#: Unit that the end of a field's name stands for; the longest that fits counts.
_UNITS = {
    "_percent_per_minute": "%/min",
    "_hz_s": "Hz/s",
    "_pu": "p.u.",
    "_hz": "Hz",
    "_deg": "deg",
    "_va": "VA",
    "_s": "s",
}
_CITATION = frozenset(Cited.model_fields)


def numbers(part: Cited) -> Iterator[tuple[str, float | str | tuple[float, float], str]]:
    """Yield name, value and range of each number of an entry, without those of a characteristic's points."""
    for name in type(part).model_fields:
        value = getattr(part, name)
        if name in _CITATION or value is None or isinstance(value, Point | bool):
            continue
        if isinstance(value, Setting):
            yield name, value.default, span_text(value.range, field_unit(name))
        elif isinstance(value, int | float | str | tuple):
            yield name, value, ""


def setting_text(name: str, value: float | str | tuple[float, float]) -> str:
    """Return a number with the unit that its name ends in."""
    if isinstance(value, str):
        return value
    if isinstance(value, tuple):
        return span_text(value, field_unit(name))
    return f"{value:g} {field_unit(name)}".strip()


def field_unit(name: str) -> str:
    """Return the unit of a field by the end of its name."""
    return next((unit for end, unit in _UNITS.items() if name.endswith(end)), "")


def span_text(span: tuple[float, float] | None, unit: str = "") -> str:
    """Return a range as ``0.1 … 100 s``; nothing without one."""
    return f"{span[0]:g} … {span[1]:g} {unit}".strip() if span else ""


def bound_text(lower: float | None, upper: float | None, unit: str) -> str:
    """Return the stretch between two bounds, either of which may be open."""
    if lower is None:
        return f"< {upper:g} {unit}"
    if upper is None:
        return f"> {lower:g} {unit}"
    return f"{lower:g} … {upper:g} {unit}"


def curve_text(curve: Characteristic) -> str:
    """Return the points of a characteristic, by default, as pairs."""
    parts = []
    for name in ("points", "load_points", "absorbing_points"):
        points = getattr(curve, name, ())
        if points and not (name == "absorbing_points" and points == getattr(curve, "points", ())):
            label = {"load_points": "charging ", "absorbing_points": "absorbing "}.get(name, "")
            parts.append(label + " ".join(f"({x:.4g}, {y:.4g})" for x, y in points))
    return "; ".join(parts)


def harmonic_rows(code: str, criteria: Iterable[Criterion]) -> list[tuple[str, Criterion]]:
    """Return name and criterion; harmonic orders with the same limit become one row."""
    out: dict[tuple[str, ...], tuple[list[str], Criterion]] = {}
    for criterion in criteria:
        name = criterion.id.removeprefix(f"{code}.")
        order = name.removeprefix("harmonic.h")
        key: tuple[str, ...] = (name,)
        if name.startswith("harmonic.h") and order.isdigit():
            key = (criterion.limit_text(), criterion.clause, criterion.confidence, str(int(order) % 2))
        out.setdefault(key, ([], criterion))[0].append(order if len(key) > 1 else name)
    return [
        (names[0] if len(key) == 1 else f"harmonic orders {', '.join(names)}", criterion)
        for key, (names, criterion) in out.items()
    ]
