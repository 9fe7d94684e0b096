"""Settings of a device under test, written over SunSpec and read back.

Curves are staged in the first one that can be written, adopted, and seen in the one in force.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from v2glab.evidence import DeviceError, InputError
from v2glab.gridcodes.der import from_sunspec, to_sunspec

if TYPE_CHECKING:
    from v2glab.gridcodes.der import DerSettings

#: Models of settings: enter service, controls, curves, trips, droop.
_MODELS = range(703, 713)
_REQUESTS = {"Crv": ("AdptCrvReq", "AdptCrvRslt"), "Ctl": ("AdptCtlReq", "AdptCtlRslt")}
_COMPLETED = 1.0
#: Settings of which SunSpec knows nothing and no test depends on the value: the device has its own.
_OWN = ("olrt_s", "response_s", "mode_transition_s", "execution_delay_s", "restore.ramp_s", "rocof_window_s")
#: What is no setting but tells of the plate or of the rules.
_APART = ("rules", "ranges", "unknown", "nameplate", "rocof_hz_s", "phase_jump_deg", "v2g_authorised")
#: Coarsest resolution of the models: a hundredth of a percent, a thousandth of a hertz.
_RELATIVE, _ABSOLUTE = 2e-5, 6e-5


class SettingsWriter:
    """Writes settings to an inverter.

    Parameters
    ----------
    inverter
        Open SunSpec instrument.
    base
        Settings that the device is delivered with.
    """

    def __init__(self, inverter: Any, base: DerSettings) -> None:  # noqa: ANN401 -- instruments have many kinds
        self._inverter, self._base = inverter, base

    def staged(self) -> dict[int, int]:
        """Return by model the number, from 1, of the first curve that can be written."""
        out = {}
        for number, model in self._models().items():
            group = _group(model)
            curves = model.get(group, []) if group else []
            free = [k for k, c in enumerate(curves, start=1) if c.get("ReadOnly") == 0]
            if free:
                out[number] = free[0]
        return out

    def write(self, wanted: DerSettings) -> str:
        """Bring the device to settings; return what it would not take, empty when it took all.

        Raises
        ------
        DeviceError
            The device does not answer.
        """
        target, present = to_sunspec(wanted), self._models()
        refused = []
        for number in (n for n in _MODELS if n in target):
            have = present.get(number)
            if have is None:
                continue
            try:
                self._write_model(number, target[number], have)
            except (DeviceError, InputError) as error:
                refused.append(f"model {number}: {error.found}")
        return "; ".join(refused) or self._difference(wanted)

    def _write_model(self, number: int, target: Mapping[str, Any], have: Mapping[str, Any]) -> None:
        group = _group(target)
        if group and _curve_differs(target[group][0], have[group][0]):
            self._adopt(number, group, target[group][0], have[group])
        for path, value in _leaves(target, skip=(group, "NPt", "NCrv", "NCrvSet", "NCtl", "VarSetMod")):
            if not _close(value, _at(have, path)):
                self._inverter.ensure(f"{number}.{path}", float(value))

    def _adopt(self, number: int, group: str, target: Mapping[str, Any], curves: list[Any]) -> None:
        place = next((k for k, c in enumerate(curves) if c.get("ReadOnly") == 0), None)
        if place is None:
            raise DeviceError(
                f"{number}.{group} is read-only", "a curve that can be written", "see its manual"
            )
        for path, value in _leaves(target):
            if not _close(value, _at(curves[place], path)):
                self._inverter.ensure(f"{number}.{group}[{place + 1}].{_from_one(path)}", float(value))
        request, result = _REQUESTS[group]
        self._inverter.ensure(f"{number}.{request}", float(place + 1))
        said = self._inverter.read(f"{number}.{result}")[f"{number}.{result}"].value
        if said != _COMPLETED:
            raise DeviceError(f"{number}.{result} = {said:g}", "1, completed", "read the device's log")

    def _difference(self, wanted: DerSettings) -> str:
        """Return which settings in force differ from those that are wanted, by what the device says."""
        models = {n: m for n, m in self._models().items() if n in _MODELS}
        seen = dict(_flat(from_sunspec(models, self._base).model_dump()))
        names = []
        for name, value in _flat(wanted.model_dump()):
            if name.startswith(_APART) or name.endswith(_OWN):
                continue
            if not _close(value, seen.get(name)):
                names.append(f"{name} = {value}")
        plate, mine = wanted.nameplate.soc_capacity_wh, self._base.nameplate.soc_capacity_wh
        if plate != mine:
            names.append(f"nameplate.soc_capacity_wh = {plate:g}")
        return ", ".join(names)

    def _models(self) -> dict[int, dict[str, Any]]:
        return {int(n): _plain(model) for n, model in self._inverter.dump().items()}


def _plain(node: Any) -> Any:  # noqa: ANN401 -- any part of a dump
    """Return settings and values of a dump side by side, without names and units."""
    if isinstance(node, list):
        return [_plain(part) for part in node]
    if not isinstance(node, dict):
        return node
    out = {**node.get("values", {}), **node.get("settings", {})}
    out |= {k: _plain(v) for k, v in node.items() if k not in ("values", "settings", "units", "name")}
    return out


def _group(model: Mapping[str, Any]) -> str:
    return next((name for name in _REQUESTS if name in model), "")


def _leaves(node: Any, path: str = "", skip: tuple[str, ...] = ()) -> Iterator[tuple[str, float]]:  # noqa: ANN401
    """Yield dotted paths and numbers; members of lists are counted from 0."""
    members = enumerate(node) if isinstance(node, list) else node.items()
    for name, value in members:
        if name in skip:
            continue
        if isinstance(value, dict | list):
            yield from _leaves(value, f"{path}{name}.")
        elif value is not None:
            yield f"{path}{name}", value


def _flat(node: Any, path: str = "") -> Iterator[tuple[str, Any]]:  # noqa: ANN401
    """Yield dotted names and values of settings; members of lists are counted from 0."""
    if isinstance(node, dict):
        for name, value in node.items():
            yield from _flat(value, f"{path}.{name}" if path else name)
    elif isinstance(node, list | tuple) and node:
        for place, value in enumerate(node):
            yield from _flat(value, f"{path}.{place}")
    else:
        yield path, node


def _at(node: Any, path: str) -> Any:  # noqa: ANN401
    for step in path.split("."):
        if isinstance(node, list):
            node = node[int(step)] if int(step) < len(node) else None
        else:
            node = node.get(step) if isinstance(node, dict) else None
    return node


def _from_one(path: str) -> str:
    """Return a path as instruments write it: ``Pt.0.V`` becomes ``Pt[1].V``."""
    out: list[str] = []
    for step in path.split("."):
        if step.isdigit():
            out[-1] += f"[{int(step) + 1}]"
        else:
            out.append(step)
    return ".".join(out)


def _curve_differs(target: Mapping[str, Any], have: Mapping[str, Any]) -> bool:
    return any(not _close(value, _at(have, path)) for path, value in _leaves(target))


def _close(a: Any, b: Any) -> bool:  # noqa: ANN401
    numbers = all(isinstance(x, int | float) and not isinstance(x, bool) for x in (a, b))
    return math.isclose(a, b, rel_tol=_RELATIVE, abs_tol=_ABSOLUTE) if numbers else a == b
