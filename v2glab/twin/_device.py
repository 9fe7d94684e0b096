"""The device's settings, and the reference model that obeys them."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import TYPE_CHECKING

from v2glab.gridcodes import load_code
from v2glab.gridcodes.der import Der, settings_for

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from v2glab.gridcodes.der import DerSettings
    from v2glab.twin._settings import PlantSettings

#: Faults that make the device act on other settings than those that it was given and reports.
DEVIATIONS = ("late_trip", "shifted_volt_var", "vector_shift")
_LATE = 1.5
_SHIFT_PU = 0.05
_SHIFT_DEG = 10.0


def device_settings(settings: PlantSettings) -> DerSettings:
    """Return what the device is delivered with: the defaults of the site's grid code.

    Its battery is that of the plant, so the model's own is left out. However fast the frequency moves and
    however far the angle jumps, it stays.

    Raises
    ------
    UsageError, InputError
        There is no such grid code or category.
    """
    rated, volts = settings.rated_power_w, settings.nominal_voltage_v
    base_a = rated / (3.0 * volts)
    plate: dict[str, object] = {
        "p_max_w": rated,
        "p_charge_max_w": rated,
        "s_max_va": rated,
        "s_charge_max_va": rated,
        "v_nominal_v": round(volts * math.sqrt(3.0), 1),
        "f_nominal_hz": settings.nominal_frequency_hz,
        "phases": 3,
        "current_max_pu": settings.rated_current_a / base_a,
        "soc_capacity_wh": None,
    }
    found = settings_for(load_code(settings.grid_code), settings.category, nameplate=plate)
    return found.with_(rocof_hz_s=None, phase_jump_deg=None)


class Device:
    """The grid-support functions of the inverter.

    Parameters
    ----------
    settings
        Of the plant that it is part of.
    """

    def __init__(self, settings: PlantSettings) -> None:
        self.settings = device_settings(settings)
        self._der = Der(self.settings, step_s=settings.step_s, seed=settings.seed, initial="off")
        self._angles_deg = (0.0, 0.0, 0.0)

    @property
    def memory(self) -> NDArray[np.float64]:
        """Numbers of the model, for the plant's kernel."""
        return self._der.memory

    def configure(self, settings: DerSettings, faults: Collection[str]) -> None:
        """Take settings; with a fault that makes it deviate the device acts on others."""
        self.settings = settings
        self._der.apply(_deviating(settings, faults))

    def see_angles(self, angles_rad: tuple[float, float, float], jump_rad: float) -> None:
        """Take notice of how far the phases are turned, and of a jump of their positive sequence."""
        a, b, c = (math.degrees(angle) for angle in angles_rad)
        if (a, b, c) != self._angles_deg:
            self._angles_deg = (a, b, c)
            self._der.turn((a, b - 120.0, c + 120.0))
        if abs(jump_rad) > 0.0:
            self._der.phase_jump(math.degrees(jump_rad))


def _deviating(settings: DerSettings, faults: Collection[str]) -> DerSettings:
    """Return the settings that a faulty device acts on, without any regard to the grid code's ranges."""
    if not set(faults) & set(DEVIATIONS):
        return settings
    actual = settings.with_(rules=None, ranges=())
    if "late_trip" in faults:
        trips = [
            t.model_dump() | {"time_s": t.time_s * _LATE if t.quantity == "voltage" else t.time_s}
            for t in actual.trips
        ]
        actual = actual.with_(trips=trips)
    if "shifted_volt_var" in faults:
        points = [(v + _SHIFT_PU, q) for v, q in actual.volt_var.points]
        actual = actual.with_(volt_var={"points": points})
    if "vector_shift" in faults:
        actual = actual.with_(phase_jump_deg=_SHIFT_DEG)
    return actual
