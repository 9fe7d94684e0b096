"""The inverter's SunSpec map: model definitions from pysunspec2, numbers from the plant.

Only models whose function the plant has are served; a curve that nothing obeys would be a lie.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from v2glab.twin._plant import PlantState
from v2glab.twin._settings import PlantSettings, site_droop, site_trips

BASE = 40_000
_MARK = (0x5375, 0x6E53)
_END = (0xFFFF, 0)
_WSET = "WSet"


class SunSpecMap:
    """All models in one block of registers from :data:`BASE`."""

    def __init__(self, settings: PlantSettings) -> None:
        from sunspec2.device import Model

        data = _static(settings)
        self._models = {number: Model(number, data=dict(content)) for number, content in data.items()}
        self._settings = settings
        self._places: dict[int, int] = {}
        address = BASE + len(_MARK)
        for number, model in self._models.items():
            self._places[number] = address
            address += len(model.get_mb()) // 2
        self.end = address + len(_END)
        self.setpoint = self._places[704] + self._models[704].points[_WSET].offset

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
        body = b"".join(model.get_mb() for model in self._models.values())
        middle = tuple(int.from_bytes(body[i : i + 2], "big") for i in range(0, len(body), 2))
        return (*_MARK, *middle, *_END)


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


def _static(settings: PlantSettings) -> dict[int, dict[str, Any]]:
    rated, volts = round(settings.rated_power_w), round(settings.nominal_voltage_v)
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
        704: {"WSetEna": 1, "WSetMod": 1, "WSet": 0, "WSet_SF": 0},
        **_trip_models(settings),
        **_droop_model(settings),
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


def _trip_models(settings: PlantSettings) -> dict[int, dict[str, Any]]:
    """Return models 707 to 710: what the plant trips on, as one read-only curve each."""
    trips = site_trips(settings)
    out: dict[int, dict[str, Any]] = {}
    for number, names, key, scale in (
        (707, ("uv2", "uv1"), "V", 100 * 100),
        (708, ("ov2", "ov1"), "V", 100 * 100),
        (709, ("uf2", "uf1"), "Hz", 1000),
        (710, ("of2", "of1"), "Hz", 1000),
    ):
        points = [
            {key: round(trips[n].threshold * scale), "Tms": round(trips[n].time_s * 100)}
            for n in names
            if n in trips
        ]
        if not points:
            continue
        unused = {"ActPt": 0, "Pt": [{} for _ in points]}
        curve = {
            "ReadOnly": 1,
            "MustTrip": {"ActPt": len(points), "Pt": points},
            "MayTrip": unused,
            "MomCess": dict(unused),
        }
        factor = {"V_SF": -2} if key == "V" else {"Hz_SF": -3}
        out[number] = {"Ena": 1, "NPt": len(points), "NCrvSet": 1, "Tms_SF": -2, **factor, "Crv": [curve]}
    return out


def _droop_model(settings: PlantSettings) -> dict[int, dict[str, Any]]:
    """Return model 711 when the grid code has a droop; the plant has one band and one slope."""
    droop = site_droop(settings)
    if droop is None:
        return {}
    band, slope = round(droop.deadband_over_hz.default * 1000), round(droop.droop_over.default * 1000)
    control = {
        "DbOf": band,
        "DbUf": band,
        "KOf": slope,
        "KUf": slope,
        "RspTms": 0,
        "PMin": -100,
        "ReadOnly": 1,
    }
    return {711: {"Ena": 1, "NCtl": 1, "Db_SF": -3, "K_SF": -3, "RspTms_SF": 0, "Ctl": [control]}}
