"""What commands and fault switches do to the plant's numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from v2glab.twin._physics import C, X
from v2glab.twin._settings import PlantSettings

Array = NDArray[np.float64]

#: Points that can be commanded, with their bounds.
COMMANDS: dict[str, tuple[float, float]] = {
    "contactor_command": (0, 1),
    "inverter_run": (0, 1),
    "power_setpoint": (-22_000, 22_000),
    "frequency_trim": (-2, 2),
    "voltage_setpoint": (0, 400),
    "watchdog_timeout": (0, 60),
    "watchdog_kick": (0, 65_535),
    "soc_discharge_limit": (0, 100),
    "max_temperature": (-40, 85),
    "fault_reset": (0, 1),
    "automatic_start": (0, 1),
    "discharge_authorisation": (0, 1),
}
_PLACES = {
    "inverter_run": C.RUN,
    "power_setpoint": C.POWER_W,
    "frequency_trim": C.TRIM_HZ,
    "voltage_setpoint": C.INVERTER_V,
    "soc_discharge_limit": C.SOC_LIMIT,
    "max_temperature": C.MAX_C,
    "automatic_start": C.AUTOMATIC,
    "discharge_authorisation": C.AUTHORISED,
}
_SCALES = {"soc_discharge_limit": 0.01}


def put(c: Array, name: str, value: float) -> None:
    """Write a command that is no more than a number.

    An inverter that is told to stop does not go on by itself, nor does one that starts by itself keep what
    was commanded before.
    """
    if name == "automatic_start" and c[C.AUTOMATIC] != value:
        c[C.CONTACTOR] = c[C.RUN] = 0.0
    c[_PLACES[name]] = value * _SCALES.get(name, 1.0)
    if name == "inverter_run" and value < 0.5:
        c[C.AUTOMATIC] = 0.0


def open_or_close(x: Array, c: Array, value: float) -> bool:
    """Command the contactor; return whether it is to open now."""
    opening = value < 0.5 and x[X.CONTACTOR_CLOSED] > 0.5
    if value < 0.5:
        c[C.AUTOMATIC] = 0.0
    c[C.CONTACTOR], x[X.RELEASED] = value, 0.0
    return bool(opening)


def switch(x: Array, c: Array, settings: PlantSettings, name: str, enabled: bool) -> None:
    """Let a fault begin or end."""
    if name == "contactor_weld":
        c[C.WELDED] = float(enabled)
        x[X.CONTACTOR_CLOSED] = 1.0 if enabled else x[X.CONTACTOR_CLOSED]
    elif name == "hot_heatsink":
        # A blocked fan: the same sink sheds half its heat, and stands hot already.
        c[C.SINK_K_PER_W] = 0.14 if enabled else 0.06
        c[C.SINK_HEAT_W] = 390.0 if enabled else 0.0
        if enabled:
            x[X.SINK_C] = x[X.JUNCTION_C] = c[C.AMBIENT_C] + 390.0 * 0.14
    elif name == "export_bit_off":
        c[C.EXPORT_ENABLE] = float(not enabled)
    elif name == "low_soc":
        x[X.SOC] = 0.12 if enabled else settings.soc_percent / 100
    elif name == "worn_connector":
        c[C.CONTACT_OHM] = 0.06 if enabled else 5e-4
