"""Settings as SunSpec models 702 to 712, and the state as 701, 713 and 714: plain mappings, no registers.

Values are engineering values, as ``pysunspec2`` reads and writes them with ``computed=True``; groups are
mappings, repeated groups lists.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from v2glab.evidence import InputError, read_toml
from v2glab.gridcodes.der._paths import covers, get, plant, put, still_unknown
from v2glab.gridcodes.der._settings import DerSettings, parse_settings
from v2glab.resources import data_root

Points = dict[str, Any]
_KNOWN = range(701, 715)
_MOST_POINTS = 16
_OFF, _STARTING, _RUNNING = 0, 2, 3
_EV_PORT = 2


@lru_cache(maxsize=1)
def _table() -> Mapping[str, Any]:
    return read_toml(data_root("datasets") / "der" / "sunspec.toml")


def to_sunspec(settings: DerSettings, state: Mapping[str, Any] | None = None) -> dict[int, Points]:
    """Return model numbers and their points, none of a setting that is unknown or that no member names.

    Parameters
    ----------
    settings
        Of one plant.
    state
        As :attr:`Der.state` gives it; adds the models of measurements (701, 713, 714).

    Raises
    ------
    InputError
        A limit of active power below zero, which model 704 cannot say.
    """
    if settings.p_limit.enabled and settings.p_limit.limit_pu < 0.0:
        raise InputError(
            f"p_limit.limit_pu = {settings.p_limit.limit_pu}",
            "from 0 up, as WMaxLimPct is",
            "use a demand instead",
        )
    document, table = settings.model_dump(), _table()
    models: dict[int, Points] = {}
    for number in (n for n in table if n.isdigit()):
        points = models.setdefault(int(number), {})
        for name, entry in table[number].items():
            value = get(document, entry["path"])
            named = "choice" not in entry or value in entry["choice"].values()
            if value is not None and named and not covers(settings.unknown, entry["path"]):
                plant(points, name, _written(value, entry))
    for number, curve in table["curve"].items():
        if covers(settings.unknown, curve["path"]):
            continue
        _write_curve(models[int(number)], get(document, curve["path"]), curve)
    models[704]["VarSetMod"] = 3
    models[704]["WMaxLimPct"] = max(models[704]["WMaxLimPct"], 0.0)
    for number, kind in table["trip"].items():
        models[int(number)] = _trips(settings, kind)
    if state is not None:
        models |= _measured(settings, state)
    return dict(sorted(models.items()))


def from_sunspec(models: Mapping[int, Mapping[str, Any]], base: DerSettings) -> DerSettings:
    """Return ``base`` with what the models say; points that are no setting of this model are passed over.

    Raises
    ------
    InputError
        A model is unknown, a point is not a finite number, an enumeration has no such member, a curve has
        another number of points than the base, or a value does not fit; the point is named.
    """
    document, table, given = base.model_dump(), _table(), set()
    for number, points in models.items():
        if number not in _KNOWN or not isinstance(points, Mapping):
            raise InputError(
                f"model {number!r:.40}", "models 701 to 714 with mappings of points", "leave it out"
            )
        key = str(number)
        for name, entry in table.get(key, {}).items():
            value = get(points, name)
            if value is not None:
                put(document, entry["path"], _meant(f"{number}.{name}", value, entry), f"{number}.{name}")
                given.add(entry["path"])
        if key in table["curve"] and _read_curve(document, points, table["curve"][key], number):
            given.add(table["curve"][key]["path"])
        if key in table["trip"]:
            _read_trips(document, points, table["trip"][key], number)
    document["unknown"] = still_unknown(document, given)
    return parse_settings(document)


def _written(value: object, entry: Mapping[str, Any]) -> float | int:
    if entry.get("kind") == "enabled":
        return int(bool(value))
    if "choice" in entry:
        return next(int(n) for n, word in entry["choice"].items() if word == value)
    return float(str(value)) * float(entry.get("scale", 1.0))


def _number(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InputError(f"{name} = {value!r:.40}", "a finite number", f"read {name} again")
    return float(value)


def _meant(name: str, value: object, entry: Mapping[str, Any]) -> object:
    if entry.get("kind") == "enabled" or "choice" in entry:
        words = entry.get("choice", {"0": False, "1": True})
        key = str(value)
        if isinstance(value, bool) or not isinstance(value, int) or key not in words:
            raise InputError(f"{name} = {value!r:.40}", f"one of: {', '.join(words)}", f"read {name} again")
        return words[key]
    return _number(name, value) / float(entry.get("scale", 1.0))


def _write_curve(points: Points, values: Any, curve: Mapping[str, Any]) -> None:  # noqa: ANN401
    one = points.setdefault("Crv", [{}])[0]
    one |= curve["fixed"] | {"ActPt": len(values)}
    one["Pt"] = [{curve["x"]: x * 100.0, curve["y"]: y * 100.0} for x, y in values]
    points["NCrv"], points["NPt"] = 1, len(values)


def _pairs(
    points: Mapping[str, Any], where: str, x: str, y: str, number: int
) -> list[tuple[float, float]] | None:
    group = get(points, where)
    if not isinstance(group, Mapping) or "Pt" not in group:
        return None
    listed, count = group["Pt"], _number(f"{number}.{where}.ActPt", group.get("ActPt", len(group["Pt"])))
    if (
        not isinstance(listed, list)
        or not count <= len(listed) <= _MOST_POINTS
        or count != int(count)
        or count < 0
    ):
        raise InputError(
            f"{number}.{where} with ActPt {count}", f"that many of at most {_MOST_POINTS}", "mend it"
        )
    pairs = []
    for i, point in enumerate(listed[: int(count)]):
        name = f"{number}.{where}.Pt.{i}"
        if not isinstance(point, Mapping):
            raise InputError(f"{name} = {point!r:.40}", f"a mapping of {x} and {y}", "mend it")
        pairs.append((_number(f"{name}.{x}", point.get(x)), _number(f"{name}.{y}", point.get(y))))
    return pairs


def _read_curve(document: Points, points: Mapping[str, Any], curve: Mapping[str, Any], number: int) -> bool:
    """Whether there were points, which then stand in the document."""
    pairs = _pairs(points, "Crv.0", curve["x"], curve["y"], number)
    if pairs is None:
        return False
    for name, value in curve["fixed"].items():
        given = get(points, f"Crv.0.{name}")
        if given not in (None, value):
            raise InputError(f"{number}.Crv.0.{name} = {given!r:.40}", str(value), "convert the curve first")
    put(document, curve["path"], tuple((x / 100.0, y / 100.0) for x, y in pairs), str(number))
    return True


def _trips(settings: DerSettings, kind: Mapping[str, Any]) -> Points:
    mine = [t for t in settings.trips if (t.quantity, t.side) == (kind["quantity"], kind["side"])]
    mine = sorted((t for t in mine if t.enabled), key=lambda t: t.threshold, reverse=kind["side"] == "low")
    listed = [{kind["x"]: t.threshold * kind["scale"], "Tms": t.time_s} for t in mine]
    curve = {"MustTrip": {"ActPt": len(listed), "Pt": listed}}
    return {"Ena": int(bool(listed)), "NCrvSet": 1, "NPt": len(listed), "Crv": [curve]}


def _read_trips(document: Points, points: Mapping[str, Any], kind: Mapping[str, Any], number: int) -> None:
    pairs = _pairs(points, "Crv.0.MustTrip", kind["x"], "Tms", number)
    if pairs is None:
        return
    low = kind["side"] == "low"
    mine = [t for t in document["trips"] if (t["quantity"], t["side"]) == (kind["quantity"], kind["side"])]
    mine = sorted((t for t in mine if t["enabled"]), key=lambda t: t["threshold"], reverse=low)
    if len(mine) != len(pairs):
        raise InputError(
            f"{number}: {len(pairs)} trip points",
            f"{len(mine)}, as the base has",
            "choose a base of that code",
        )
    for trip, (x, seconds) in zip(mine, sorted(pairs, reverse=low), strict=True):
        trip["threshold"], trip["time_s"] = x / kind["scale"], seconds


def _measured(settings: DerSettings, state: Mapping[str, Any]) -> dict[int, Points]:
    """Return measurements: 701 alternating current, 713 battery, 714 its direct-current port."""
    plate = settings.nameplate
    p, q = (_number(n, state[n]) for n in ("p_pu", "q_pu"))
    apparent, connected = math.hypot(p, q), bool(state["connected"])
    running = _RUNNING if apparent > 0.0 else _STARTING
    ac: Points = {
        "ACType": 0 if plate.phases == 1 else 2,
        "St": int(connected),
        "InvSt": running if connected else _OFF,
        "ConnSt": int(connected),
        "W": p * plate.s_max_va,
        "Var": q * plate.s_max_va,
        "VA": apparent * plate.s_max_va,
    }
    if apparent > 0.0:
        ac["PF"] = abs(p) / apparent
    models = {
        701: ac,
        714: {"NPrt": 1, "DCW": ac["W"], "Prt": [{"PrtTyp": _EV_PORT, "ID": 1, "DCW": ac["W"]}]},
    }
    if plate.soc_capacity_wh is not None:
        soc = _number("soc", state["soc"])
        models[713] = {
            "WHRtg": plate.soc_capacity_wh,
            "WHAvail": plate.soc_capacity_wh * soc,
            "SoC": soc * 100.0,
        }
    return models
