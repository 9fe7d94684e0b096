"""Everything that a SunSpec device says of itself, as plain values: models, settings, curves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from v2glab.instruments._sunspec_values import UNITS, is_number, scaled

Tree = dict[str, Any]
#: Neither a setting nor a value: the head of the model, scale factors (applied already) and filling.
_HEAD = ("ID", "L")
_HIDDEN = ("sunssf", "pad")


def dump_models(models: Mapping[int, Any]) -> Tree:
    """Return models by number, each with ``name``, ``settings``, ``values``, ``units``, and its groups.

    Parameters
    ----------
    models
        pysunspec2 models, freshly read.

    Returns
    -------
    dict
        ``settings`` holds the points that SunSpec defines as writable, ``values`` the others; both scaled.
        Points that the device does not implement are absent, and so are groups without any. A group that
        repeats is a list.

    Raises
    ------
    DeviceError
        A scale factor is not one.
    """
    return {str(number): {"name": _name(model), **_group(model)} for number, model in models.items()}


def _group(node: Any) -> Tree:  # noqa: ANN401 -- pysunspec2 has no types
    settings: Tree = {}
    values: Tree = {}
    units: dict[str, str] = {}
    for name, point in node.points.items():
        value = None if name in _HEAD else _value(point)
        if value is None:
            continue
        (settings if point.pdef.get("access") == "RW" else values)[name] = value
        if unit := str(point.pdef.get("units") or ""):
            units[name] = UNITS.get(unit, unit)
    out: Tree = {"settings": settings, "values": values, "units": units}
    out = {key: content for key, content in out.items() if content}
    for name, inner in node.groups.items():
        parts = [_group(part) for part in inner] if isinstance(inner, list) else _group(inner)
        # A list keeps its empty members, since their places count; one of empty members only says nothing.
        if any(parts):
            out[name] = parts
    return out


def _value(point: Any) -> float | int | str | None:  # noqa: ANN401
    if point.value is None or str(point.pdef["type"]) in _HIDDEN:
        return None
    if not is_number(point):
        return str(point.value).strip("\0 ") or None
    value = scaled(point)
    return int(value) if value is not None and not point.sf_required and value.is_integer() else value


def _name(model: Any) -> str:  # noqa: ANN401
    definition = model.gdef or {}
    return str(definition.get("name", ""))
