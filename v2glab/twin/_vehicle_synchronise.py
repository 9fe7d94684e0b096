"""The charger's own controller: bring the inverter into step before a session closes the contactor."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from v2glab.control import SyncLimits, SyncMeasurement, closing_obstacles, compare_fundamentals, steer
from v2glab.evidence import DeviceError
from v2glab.gridcodes import load_code
from v2glab.signals import fit_fundamental

if TYPE_CHECKING:
    from v2glab.twin._plant import Plant
    from v2glab.twin._settings import PlantSettings

_CHANNELS = ("a", "b", "c", "inverter_a")
_WINDOW_S = 1 / 6
#: Between a set-point and the next window, for the inverter to follow.
_FOLLOW_S = 0.1
_CLOSING_S = 0.02
#: Good windows in a row before the charger counts itself in step.
_IN_A_ROW = 3
#: Of the grid's voltage; the inverter forms a pure one.
_HARMONICS = 7
_SMALL_VA = 500_000


def closing_limits(settings: PlantSettings) -> SyncLimits:
    """Return at which differences the grid code lets this charger close.

    Raises
    ------
    DeviceError
        No source gives the limits of that grid code.
    """
    code = load_code(settings.grid_code)
    if settings.rated_power_w > _SMALL_VA:
        raise DeviceError(f"{settings.rated_power_w:g} W", "a charger up to 500 kVA", "mend [site]")
    bounds = {}
    for quantity in ("frequency", "voltage", "phase"):
        criterion = code.criteria.get(f"{code.id}.sync.{quantity}.500kva")
        if criterion is None or criterion.upper is None:
            raise DeviceError(
                f"{code.id} has no limit of synchronisation for the {quantity}",
                "a grid code that gives it",
                "name another grid code for the site",
            )
        bounds[quantity] = criterion.upper
    return SyncLimits(bounds["frequency"], bounds["voltage"] / 100, math.radians(bounds["phase"]))


class Synchroniser:
    """Steers the inverter behind the open contactor, one step at each :meth:`look`.

    ``obstacles`` says what forbade closing at the last look.
    """

    def __init__(self, plant: Plant) -> None:
        self._plant, self._limits = plant, closing_limits(plant.settings)
        self._good, self._fresh_ns, self._running = 0, 0, False
        self.obstacles: tuple[str, ...] = ("nothing measured yet",)

    @property
    def in_step(self) -> bool:
        """Whether enough windows in a row were good, the last one included."""
        return self._good >= _IN_A_ROW

    def look(self) -> bool:
        """Measure the newest window when it is fresh, steer unless in step; return whether in step."""
        plant, nominal_v = self._plant, self._plant.settings.nominal_voltage_v
        if not self._running:
            for name, value in (
                ("power_setpoint", 0.0),
                ("voltage_setpoint", nominal_v),
                ("inverter_run", 1),
            ):
                plant.command(name, value)
            self._running, self._good = True, 0
            self._wait(_WINDOW_S)
        if plant.time_ns < self._fresh_ns:
            return self.in_step
        found = self._measure()
        self.obstacles = closing_obstacles(found, self._limits, closing_time_s=_CLOSING_S)
        self._good = 0 if self.obstacles else self._good + 1
        if not self.in_step:
            told = steer(found, plant.settings.nominal_frequency_hz)
            plant.command("frequency_trim", told.frequency_trim_hz)
            plant.command("voltage_setpoint", told.voltage_v)
            self._wait(_FOLLOW_S + _WINDOW_S)
        return self.in_step

    def end(self) -> None:
        """Forget what was measured; the next look begins anew."""
        self._running, self._good, self.obstacles = False, 0, ("nothing measured yet",)

    def _wait(self, duration_s: float) -> None:
        self._fresh_ns = self._plant.time_ns + round(duration_s * 1e9)

    def _measure(self) -> SyncMeasurement:
        settings = self._plant.settings
        samples = self._plant.waveform(_CHANNELS, round(_WINDOW_S / settings.step_s))
        rate_hz, nominal_v = 1 / settings.step_s, settings.nominal_voltage_v
        nominal_hz = settings.nominal_frequency_hz
        grid = fit_fundamental(samples[:3], rate_hz, nominal_hz, harmonics=_HARMONICS, rate_of_change=False)
        own = fit_fundamental(samples[3:], rate_hz, nominal_hz, harmonics=1, rate_of_change=False)
        return compare_fundamentals(grid, own, nominal_v)
