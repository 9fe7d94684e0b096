"""Inverters that speak SunSpec Modbus."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from v2glab.evidence import DeviceError, InputError, LimitError
from v2glab.instruments._address import parse_modbus_address
from v2glab.instruments._instrument import BaseInstrument, Reading, Setting
from v2glab.instruments._modbus_link import ModbusLink
from v2glab.instruments._profile import SunSpecProfile
from v2glab.instruments._sunspec_dump import dump_models
from v2glab.instruments._sunspec_map import SunSpecMap
from v2glab.instruments._sunspec_values import UNITS, exponent, is_number, scaled

#: Points that ask for something to be done each time they are written: a curve to be adopted.
_REQUESTS = ("AdptCrvReq", "AdptCtlReq")


class SunSpecInstrument(BaseInstrument):
    """A SunSpec device; points are named ``701.W``. See :func:`v2glab.instruments.open_instrument`."""

    def __init__(self, name: str, profile: SunSpecProfile, address: str, **common: Any) -> None:  # noqa: ANN401
        super().__init__(name, **common)
        self.profile = profile
        place = parse_modbus_address(address, profile.sunspec.default_unit)
        self._link = ModbusLink(place, self.timeout_s, self._tape if self._records else None)
        self._map = SunSpecMap(self._link, profile.sunspec)

    def identify(self) -> str:
        """Return manufacturer, model, version and serial number from the common model (1).

        Raises
        ------
        DeviceError
            The device does not answer, or has no common model.
        """
        common = self._map.models().get(1)
        if common is None:
            raise DeviceError(f"{self.name} has no common model", "SunSpec model 1", "check the device's map")
        values = (common.points[key].value for key in ("Mn", "Md", "Vr", "SN") if key in common.points)
        return " ".join(str(value).strip("\0 ") for value in values if value)

    def points(self) -> tuple[str, ...]:
        """Return the numeric points that the device implements, without those of repeating groups."""
        names: list[str] = []
        for number, model in self._map.models().items():
            for name, point in model.points.items():
                if name not in ("ID", "L") and is_number(point) and point.value is not None:
                    names.append(f"{number}.{name}")
        return tuple(names)

    def dump(self) -> dict[str, Any]:
        """Return every model with its settings, values and curves; see :func:`dump_models`.

        Raises
        ------
        DeviceError
            The device does not answer, or not as its models say.
        """
        # A fresh look: models, counts and scale factors may have changed since they were found.
        self._map.forget()
        return dump_models(self._map.models())

    def close(self) -> None:
        """Drop the connection and forget what was found; a later call starts afresh."""
        self._map.forget()
        self._link.close()

    def _require_point(self, point: str, known: tuple[str, ...]) -> None:
        if point not in known and not is_number(self._map.find(point)):
            raise InputError(f"{point} is a text", "a point with a number", "read it through identify()")

    def _measure(self, points: tuple[str, ...]) -> Mapping[str, Reading]:
        for number in dict.fromkeys(int(point.split(".")[0]) for point in points):
            self._map.refresh(number)
        return {point: self._reading(point) for point in points}

    def _reading(self, point: str) -> Reading:
        found = self._map.find(point)
        value = scaled(found)
        if value is None:
            raise DeviceError(
                f"{self.name}: {point} is marked as not implemented", "a number", "leave this point out"
            )
        units = str(found.pdef.get("units") or "")
        return Reading(value, UNITS.get(units, units))

    def _setting(self, point: str, value: float) -> Setting:
        found = self._map.find(point)
        if found.pdef.get("access") != "RW":
            raise LimitError(
                f"point {point!r}", "a point that SunSpec defines as writable", "choose another point"
            )
        self._map.refresh(int(point.split(".", maxsplit=1)[0]))  # the scale factor in force now
        power = exponent(found)
        raw = round(value / 10**power)
        low, high = _bounds(str(found.pdef["type"]))
        if not low <= raw <= high:
            raise LimitError(
                f"{point} = {value:g}",
                f"{low * 10.0**power:g} … {high * 10.0**power:g}",
                "choose a value that the register can hold at the device's scale factor",
            )

        step = 10.0**power
        momentary = str(found.pdef["name"]) in _REQUESTS
        return Setting(raw * step, 1e-6 * step, lambda: self._map.write(point, raw), momentary)


def _bounds(kind: str) -> tuple[int, int]:
    """Return what an integer type can hold; the value that means "not implemented" is left out."""
    bits = int("".join(filter(str.isdigit, kind)) or 16)
    if kind.startswith("int"):
        return -(2 ** (bits - 1)) + 1, 2 ** (bits - 1) - 1
    return 0, 2**bits - 2
