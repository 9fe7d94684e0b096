"""The vehicle's side of a session at a station: a battery read by the charger's registers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from v2glab.links.sessions import PowerLimits, VehicleNeeds, VehicleReading

if TYPE_CHECKING:
    from v2glab.evidence import Quantity
    from v2glab.procedures._procedure import Sample
    from v2glab.procedures._series import Series
    from v2glab.station import Station

_POINTS = ("soc", "dc_voltage", "dc_current", "contactor_feedback")


@dataclass(frozen=True)
class BatterySettings:
    """What the vehicle tells of its battery; the needs in percent of the capacity."""

    capacity_wh: float
    least_soc_percent: float
    target_soc_percent: float
    limits: PowerLimits


class StationBattery:
    """Implements ``VehiclePlant``: each reading is measured, and kept as a sample.

    Parameters
    ----------
    series
        Takes one row a reading, station time; ``tell`` is given each.
    """

    def __init__(self, station: Station, settings: BatterySettings, series: Series) -> None:
        self._charger, self._clock = station.instrument("charger"), station.clock
        self._settings, self._series = settings, series
        self.tell: Callable[[Sample], None] = lambda sample: None
        self._closed = False

    @property
    def limits(self) -> PowerLimits:
        """Bounds of the battery."""
        return self._settings.limits

    @property
    def needs(self) -> VehicleNeeds:
        """What the driver wants."""
        s = self._settings
        return VehicleNeeds(s.capacity_wh, s.target_soc_percent, s.least_soc_percent, 100.0)

    async def read(self) -> VehicleReading:
        """Measure by the charger's registers."""
        found = self.sample()
        volts, amperes = found["dc_voltage"].value, found["dc_current"].value
        return VehicleReading(found["soc"].value, volts, amperes, self._closed)

    def sample(self) -> dict[str, Quantity]:
        """Read, and keep the row."""
        found = self._charger.read(*_POINTS)
        self.tell(self._series.add(self._clock.now_ns(), found))
        return dict(found)

    async def close_contactor(self) -> None:
        """Connect the battery: at a station without a vehicle the charger's contactor is the only one."""
        self._closed = True

    async def open_contactor(self) -> None:
        """Disconnect the battery."""
        self._closed = False
