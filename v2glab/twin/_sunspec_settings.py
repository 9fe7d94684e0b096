"""Settings of the device as SunSpec models 703 to 712: read, staged, adopted.

The first curve of a model is the one in force and is only read; the second one can be written, and comes
into force when it is adopted (``AdptCrvReq``). Everything else is in force as soon as it is written. A value
that the device does not act on exactly is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from v2glab.evidence import InputError
from v2glab.gridcodes.der import from_sunspec, to_sunspec

if TYPE_CHECKING:
    from v2glab.gridcodes.der import DerSettings

_TRIP = {"NCrvSet": 2, "Tms_SF": -3, "AdptCrvReq": 0, "AdptCrvRslt": 1}
_CURVE = {"NCrv": 2, "V_SF": -2, "DeptRef_SF": -2, "RspTms_SF": -2, "AdptCrvReq": 0, "AdptCrvRslt": 1}
#: Counts, scale factors and answers of each model.
_LAYOUT: dict[int, dict[str, int]] = {
    703: {"V_SF": -2, "Hz_SF": -3},
    704: {
        "PF_SF": -4,
        "WMaxLimPct_SF": -2,
        "WSet_SF": 0,
        "VarSetPct_SF": -2,
        "WSetEna": 1,
        "WSetMod": 1,
        "WSet": 0,
    },
    705: _CURVE,
    706: _CURVE,
    707: _TRIP | {"V_SF": -2},
    708: _TRIP | {"V_SF": -2},
    709: _TRIP | {"Hz_SF": -3},
    710: _TRIP | {"Hz_SF": -3},
    711: {"NCtl": 2, "Db_SF": -3, "K_SF": -4, "RspTms_SF": -2, "AdptCtlReq": 0, "AdptCtlRslt": 1},
    712: {"NCrv": 2, "W_SF": -2, "DeptRef_SF": -2, "AdptCrvReq": 0, "AdptCrvRslt": 1},
}
_REQUESTS = {"AdptCrvReq": "Crv", "AdptCtlReq": "Ctl"}
_COMPLETED = 1


@dataclass(frozen=True)
class Place:
    """One point: its model, the curve that it belongs to (``None``: no curve), and the point itself."""

    model: int
    curve: int | None
    point: Any

    @property
    def name(self) -> str:
        """Name of the point."""
        return str(self.point.pdef["name"])


def build(settings: DerSettings) -> dict[int, Any]:
    """Return the models that the device has a function for; both curves are the one in force."""
    from sunspec2.device import Model

    models: dict[int, Any] = {}
    for number, points in to_sunspec(settings).items():
        if number not in _LAYOUT or not _has_content(number, points):
            continue
        layout = dict(_LAYOUT[number])
        if "NPt" in points:
            layout["NPt"] = points["NPt"]
        model = Model(number, data=layout)
        _fill(model, points)
        models[number] = model
    return models


def places(models: Mapping[int, Any]) -> Iterator[Place]:
    """Yield every point of models."""
    for number, model in models.items():
        yield from _walk(number, None, model)


def meaning(models: Mapping[int, Any], numbers: set[int], base: DerSettings) -> DerSettings:
    """Return the settings that models stand for.

    Raises
    ------
    InputError
        They make no settings of this device.
    """
    return from_sunspec({n: _without_none(models[n].get_dict(computed=True)) for n in numbers}, base)


def refuse_what_has_no_effect(models: Mapping[int, Any], numbers: set[int], settings: DerSettings) -> None:
    """Raise ``InputError`` where a model's point in force says something else than the settings."""
    expected = build(settings)
    for number in numbers:
        pairs = zip(places({number: models[number]}), places({number: expected[number]}), strict=True)
        for mine, theirs in pairs:
            transient = mine.name in ("WSet", *_REQUESTS) or mine.curve not in (None, 0)
            if not transient and mine.point.value != theirs.point.value:
                raise InputError(
                    f"{number}.{mine.name} = {mine.point.cvalue}", f"{theirs.point.cvalue}", "write that"
                )


def adopt(models: Mapping[int, Any], place: Place) -> None:
    """Copy the curve that is asked for over the one in force.

    Raises
    ------
    InputError
        There is no such curve.
    """
    curves, wanted = models[place.model].groups[_REQUESTS[place.name]], place.point.value
    if not 1 <= wanted <= len(curves):
        raise InputError(f"{place.name} = {wanted}", f"1 to {len(curves)}", "choose a curve that there is")
    content = curves[wanted - 1].get_dict()
    content.pop("ReadOnly", None)
    curves[0].set_dict(content)
    models[place.model].points[place.name.replace("Req", "Rslt")].value = _COMPLETED


def is_request(place: Place) -> bool:
    """Whether writing it adopts a curve."""
    return place.name in _REQUESTS


def _has_content(number: int, points: Mapping[str, Any]) -> bool:
    if number == 711:
        return "Ctl" in points
    curves = points.get("Crv")
    if number in range(707, 711):
        return bool(points.get("NPt"))
    return bool(curves and curves[0].get("Pt")) or number in (703, 704)


def _fill(model: Any, points: Mapping[str, Any]) -> None:  # noqa: ANN401 -- pysunspec2 has no types
    for name, value in points.items():
        if name in model.points and name not in ("NCrv", "NCrvSet", "NPt", "NCtl"):
            _put(model.points[name], value)
        elif name in model.groups and not isinstance(model.groups[name], list):
            _fill(model.groups[name], value)
        elif name in ("Crv", "Ctl"):
            for index, group in enumerate(model.groups[name]):
                _fill(group, value[0])
                group.points["ReadOnly"].value = int(index == 0)
                for unused in ("MayTrip", "MomCess"):
                    if unused in group.groups:
                        group.groups[unused].points["ActPt"].value = 0
        elif name == "Pt":
            for group, pair in zip(model.groups["Pt"], value, strict=True):
                _fill(group, pair)


def _put(point: Any, value: float) -> None:  # noqa: ANN401
    """Set one point; those without a scale factor hold whole numbers."""
    point.cvalue = value if point.pdef.get("sf") else round(value)


def _walk(number: int, curve: int | None, group: Any) -> Iterator[Place]:  # noqa: ANN401
    for point in group.points.values():
        yield Place(number, curve, point)
    for name, inner in group.groups.items():
        members = inner if isinstance(inner, list) else [inner]
        for index, member in enumerate(members):
            yield from _walk(number, index if name in ("Crv", "Ctl") else curve, member)


def _without_none(node: Any) -> Any:  # noqa: ANN401 -- any part of a model
    """Drop what the device does not implement."""
    if isinstance(node, dict):
        return {k: _without_none(v) for k, v in node.items() if v is not None}
    return [_without_none(v) for v in node] if isinstance(node, list) else node
