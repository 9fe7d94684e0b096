"""The inverter's SunSpec map: model definitions from pysunspec2, numbers from plant and device.

Only models whose function the device has are served; a curve that nothing obeys would be a lie.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from v2glab.evidence import InputError
from v2glab.twin._plant_state import PlantState
from v2glab.twin._settings import PlantSettings
from v2glab.twin._sunspec_settings import (
    Place,
    adopt,
    build,
    is_request,
    meaning,
    places,
    refuse_what_has_no_effect,
)

if TYPE_CHECKING:
    from v2glab.gridcodes.der import DerSettings

BASE = 40_000
_MARK = (0x5375, 0x6E53)
_END = (0xFFFF, 0)
_WSET = "WSet"


@dataclass(frozen=True)
class Change:
    """What a write means: a set-point, new settings, or neither."""

    setpoint_w: float | None = None
    settings: DerSettings | None = None


class SunSpecMap:
    """All models in one block of registers from :data:`BASE`.

    Parameters
    ----------
    settings
        Of the plant.
    device
        Settings of the grid-support functions at the beginning.
    """

    def __init__(self, settings: PlantSettings, device: DerSettings) -> None:
        from sunspec2.device import Model

        static = {n: Model(n, data=dict(data)) for n, data in _static(settings, device).items()}
        self._held = build(device)
        self._models = dict(sorted((static | self._held).items()))
        self._settings, self._device = settings, device
        self._bytes: dict[int, bytes] = {}
        self._at: dict[int, Place] = {}
        address = BASE + len(_MARK)
        for number, model in self._models.items():
            for place in places({number: model}):
                self._at[address + place.point.offset] = place
            address += len(model.get_mb()) // 2
        self.end = address + len(_END)

    def words(self, state: PlantState) -> tuple[int, ...]:
        """Return every register from :data:`BASE` to :attr:`end` for this moment."""
        for number, values in _live(state, self._settings).items():
            points = self._models[number].points
            for name, value in values.items():
                _put(points[name], value)
        port = self._models[714].groups["Prt"][0].points
        _put(port["DCA"], state.dc_current_a)
        _put(port["DCV"], state.dc_voltage_v)
        _put(port["DCW"], state.dc_voltage_v * state.dc_current_a)
        body = b"".join(self._block(number) for number in self._models)
        middle = tuple(int.from_bytes(body[i : i + 2], "big") for i in range(0, len(body), 2))
        return (*_MARK, *middle, *_END)

    def locate(self, address: int, words: Sequence[int]) -> list[tuple[Place, int]] | None:
        """Return the points that a write covers with their new raw values; ``None`` where it may not write.

        Only whole points can be written that the definition makes writable and the device has.
        """
        found, rest = [], list(words)
        while rest:
            place = self._at.get(address)
            if place is None or not self._writable(place) or len(rest) < place.point.len:
                return None
            size = int(place.point.len)
            data = b"".join(word.to_bytes(2, "big") for word in rest[:size])
            found.append((place, place.point.info.data_to(data)))
            address, rest = address + size, rest[size:]
        return found

    def write(self, points: Sequence[tuple[Place, int]]) -> Change:
        """Take new values, all or none.

        Raises
        ------
        InputError
            They make no settings of this device; nothing has changed.
        """
        touched = {place.model for place, _ in points}
        before = {number: self._models[number].get_dict() for number in touched}
        try:
            return self._take(points)
        except InputError:
            for number, content in before.items():
                self._models[number].set_dict(content)
            raise
        finally:
            for number in touched:
                self._bytes.pop(number, None)

    def _take(self, points: Sequence[tuple[Place, int]]) -> Change:
        setpoint, touched = None, set()
        for place, raw in points:
            if not place.point.info.is_impl(raw):
                raise InputError(f"{place.model}.{place.name} = {raw}", "a number", "write one")
            place.point.value = raw
            if place.name == _WSET:
                setpoint = float(raw)
            elif is_request(place):
                adopt(self._held, place)
                touched.add(place.model)
            elif place.curve is None:
                touched.add(place.model)
        if not touched:
            return Change(setpoint)
        settings = meaning(self._held, touched, self._device)
        refuse_what_has_no_effect(self._held, touched, settings)
        self._device = settings
        return Change(setpoint, settings)

    def _writable(self, place: Place) -> bool:
        point = place.point
        known = place.model in self._held and point.value is not None
        return known and point.pdef.get("access") == "RW" and place.curve != 0

    def _block(self, number: int) -> bytes:
        """Return the bytes of a model; those of settings are kept until they are written."""
        if number not in self._held or number == 704:
            return bytes(self._models[number].get_mb())
        if number not in self._bytes:
            self._bytes[number] = bytes(self._models[number].get_mb())
        return self._bytes[number]


def _put(point: Any, value: float) -> None:  # noqa: ANN401 -- pysunspec2 has no types
    """Set one point; those without a scale factor hold whole numbers."""
    point.cvalue = value if point.pdef.get("sf") else round(value)


def _live(state: PlantState, settings: PlantSettings) -> Mapping[int, Mapping[str, float]]:
    volts, amps = state.voltage_v, state.current_a
    apparent = sum(abs(v * a) for v, a in zip(volts, amps, strict=True))
    phase: dict[str, float] = {}
    for k, (v, a) in enumerate(zip(volts, amps, strict=True), start=1):
        phase |= {f"WL{k}": v * a, f"AL{k}": abs(a), f"VL{k}": v}
    return {
        701: {
            "St": int(state.inverter_running),
            "ConnSt": int(state.contactor_closed),
            "W": state.power_w,
            "VA": apparent,
            "Var": state.reactive_power_var,
            "A": sum(abs(a) for a in amps),
            "LNV": sum(volts) / 3,
            "Hz": state.grid_frequency_hz,
            "TotWhInj": state.energy_export_wh,
            "TotWhAbs": state.energy_import_wh,
            "TmpAmb": state.ambient_celsius,
            "TmpSnk": state.heatsink_celsius,
            "TmpSw": state.junction_celsius,
            "ThrotPct": state.derating_percent,
            **phase,
        },
        704: {"WSet": state.power_setpoint_w},
        713: {
            "WHAvail": settings.battery_wh * state.soc_percent / 100,
            "SoC": state.soc_percent,
        },
        714: {"DCA": state.dc_current_a, "DCW": state.dc_voltage_v * state.dc_current_a},
    }


def _static(settings: PlantSettings, device: DerSettings) -> dict[int, dict[str, Any]]:
    rated, volts = round(settings.rated_power_w), round(device.nameplate.v_nominal_v)
    amps = round(settings.rated_current_a * 10)
    both = {
        "WMax": rated,
        "WChaRteMax": rated,
        "WDisChaRteMax": rated,
        "VAMax": rated,
        "VNom": volts,
        "AMax": amps,
    }
    ratings = {f"{name}Rtg": value for name, value in both.items()}
    category = {"I": 0, "II": 1, "III": 2}.get(settings.category, 0)
    return {
        1: {"Mn": "v2glab", "Md": "twin bidirectional charger", "Vr": "1", "SN": f"TWIN-{settings.seed}"},
        701: {
            "ACType": 2,
            "A_SF": -2,
            "V_SF": -1,
            "Hz_SF": -3,
            "W_SF": 0,
            "VA_SF": 0,
            "Var_SF": 0,
            "PF_SF": -3,
            "TotWh_SF": 0,
            "TotVarh_SF": 0,
            "Tmp_SF": -1,
        },
        702: {
            **ratings,
            **both,
            "AbnOpCatRtg": category,
            "W_SF": 0,
            "VA_SF": 0,
            "Var_SF": 0,
            "V_SF": 0,
            "A_SF": -1,
            "PF_SF": -3,
            "S_SF": 0,
        },
        713: {"WHRtg": round(settings.battery_wh / 10), "SoH": 1000, "Sta": 0, "WH_SF": 1, "Pct_SF": -1},
        714: {
            "NPrt": 1,
            "DCA_SF": -1,
            "DCV_SF": -1,
            "DCW_SF": 0,
            "DCWH_SF": 0,
            "Tmp_SF": -1,
            "Prt": [{"PrtTyp": 2, "ID": 1, "IDStr": "battery"}],
        },
    }
