"""Settings from a grid code: what its file says, else the design of the device, else nothing, by name."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from v2glab.evidence import InputError, UsageError
from v2glab.gridcodes._model import CategoryRules, GridCode, NormalRules
from v2glab.gridcodes.der._figures import Figures, figures, greatest_reactive
from v2glab.gridcodes.der._model_data import Assumed, model_data
from v2glab.gridcodes.der._paths import plant
from v2glab.gridcodes.der._ranges import ranges_of
from v2glab.gridcodes.der._settings import DerSettings, parse_settings

_Q_MAX = "nameplate.q_max_pu"


def settings_for(
    code: GridCode,
    category: str,
    *,
    normal_category: str | None = None,
    nameplate: Mapping[str, object] | None = None,
) -> DerSettings:
    """Return the default settings of a code and category.

    Every figure that the code holds is taken from it. A function whose figures it lacks is disabled, and
    the settings concerned are listed in ``unknown``; times and the like that are the device's own come from
    its design, see :func:`assumed_settings`.

    Parameters
    ----------
    code
        As ``load_code`` gives it.
    category
        Abnormal performance category, such as ``"III"``.
    normal_category
        Category of normal operation, such as ``"B"``. By default the one that is called like the category,
        else the code's own default, unless that is for plants of another size.
    nameplate
        Members of the nameplate that differ from the example in ``datasets/der``.

    Raises
    ------
    UsageError
        The code has no such category.
    InputError
        The code has no such normal category, the plant is too large or too small for it, or a value does
        not fit.
    """
    return parse_settings(_drawn(code, category, normal_category, nameplate or {})[0])


def assumed_settings(
    code: GridCode,
    category: str,
    *,
    normal_category: str | None = None,
    nameplate: Mapping[str, object] | None = None,
) -> dict[str, Assumed]:
    """Return what :func:`settings_for` takes from the design of the device, for want of a figure in the code.

    Settings are named by dotted path; each has its value, source and confidence. Parameters and errors are
    those of :func:`settings_for`.
    """
    return _drawn(code, category, normal_category, nameplate or {})[1]


def _drawn(
    code: GridCode, category: str, normal_category: str | None, changes: Mapping[str, object]
) -> tuple[dict[str, Any], dict[str, Assumed]]:
    data, rules = model_data(), code.category(category)
    plate: dict[str, Any] = dict(data.nameplate) | dict(changes)
    _check_ratings(plate)
    normal = _normal_rules(code, rules, normal_category, plate)
    said = figures(code, rules, normal, plate)
    document: dict[str, Any] = {"rules": code.id, "nameplate": _nameplate(code, rules, normal, plate)}
    document["ranges"] = [r.model_dump() for r in ranges_of(code, rules, normal)]
    assumed, unknown = {}, _partly(rules)
    for path in {**said, **data.design, **data.absent}:
        if path == _Q_MAX:
            continue
        value = said.get(path)
        if value is None and path in data.design:
            found = data.design[path]
            value = found.value
            assumed[path] = found.model_copy(update={"source": data.sources[found.source]})
        elif value is None:
            absent = data.absent[path]
            value = absent.value * code.nominal_frequency_hz if absent.per_hz else absent.value
            unknown.append(path)
        plant(document, path, value)
    for switch in data.off(unknown):
        plant(document, switch, False)
    document["unknown"] = sorted(set(unknown))
    document["nameplate"] = _able(document["nameplate"] | dict(changes), said, assumed)
    return document, assumed


def _check_ratings(plate: Mapping[str, Any]) -> None:
    """Refuse ratings that nothing can be worked out from."""
    for name in ("s_max_va", "p_max_w", "p_charge_max_w"):
        value = plate[name]
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not (number and math.isfinite(value) and value >= 0.0) or (name == "s_max_va" and value <= 0.0):
            raise InputError(f"nameplate.{name} = {value!r:.40}", "a rating above 0", f"mend {name}")


def _partly(rules: CategoryRules) -> list[str]:
    """Return what the rules know for voltage only, or for frequency only."""
    names = []
    if not (rules.voltage_trips and rules.frequency_trips):
        names.append("trips")
    if not (rules.ride_through_voltage and rules.ride_through_frequency):
        names.append("ride_through.regions")
    return names


def _normal_rules(
    code: GridCode, rules: CategoryRules, wanted: str | None, plate: Mapping[str, Any]
) -> NormalRules:
    """Return the rules of normal operation; without any in the code, rules that know nothing."""
    if wanted is not None:
        try:
            found = code.normal_category(wanted)
        except UsageError as error:
            raise InputError(f"normal category {wanted!r}", error.required, error.remedy) from error
        if not _fits(found, plate):
            raise InputError(
                f"nameplate.s_max_va = {plate['s_max_va']:g} in normal category {found.name!r}",
                "a plant of the size that the category is for",
                "choose another normal category, or leave it out",
            )
        return found
    names = [n for n in (rules.name, code.default_normal_category) if n in code.normal]
    for name in [*names, *code.normal]:
        if _fits(code.normal[name], plate):
            return code.normal[name]
    return NormalRules(name="")


def _fits(normal: NormalRules, plate: Mapping[str, Any]) -> bool:
    able = normal.reactive_capability
    above, up_to = (able.above_va, able.up_to_va) if able else (None, None)
    size = float(plate["s_max_va"])
    return (above or 0.0) < size <= (math.inf if up_to is None else up_to)


def _nameplate(
    code: GridCode, rules: CategoryRules, normal: NormalRules, plate: Mapping[str, Any]
) -> dict[str, Any]:
    nominal, hertz = model_data().nominal_v, code.nominal_frequency_hz
    volts = nominal.get(f"{hertz:g}", nominal["50"])
    if code.nominal_voltage_v is not None:
        volts = code.nominal_voltage_v * (1.0 if plate["phases"] == 1 else math.sqrt(3.0))
    names = {"normal_category": normal.name, "abnormal_category": rules.name}
    return {"f_nominal_hz": hertz, "v_nominal_v": volts, **names, **plate}


def _able(plate: dict[str, Any], said: Figures, assumed: dict[str, Assumed]) -> dict[str, Any]:
    """Add the reactive power that the plant is built for: what the code asks for or its curves reach."""
    inject, absorb = greatest_reactive(said)
    inject = max(inject, plate["q_required_inject_pu"])
    absorb = max(absorb, plate["q_required_absorb_pu"])
    if not inject and not absorb:
        data = model_data()
        design = data.design[_Q_MAX]
        inject = absorb = design.value
        assumed[_Q_MAX] = design.model_copy(update={"source": data.sources[design.source]})
    reach = {"q_inject_max_var": inject, "q_absorb_max_var": absorb}
    return {n: min(q, 1.0) * plate["s_max_va"] for n, q in reach.items()} | plate
