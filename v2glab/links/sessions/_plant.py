"""What stands behind the messages of both ends: charger and vehicle as physics.

Power and current are positive towards the grid (export), as in the whole house; the message layers turn the
sign where a protocol counts charging positive.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

Check = Literal["ongoing", "valid", "fault"]


@dataclass(frozen=True)
class PowerLimits:
    """Bounds of one end. Powers and currents are magnitudes; zero export means charging only.

    Parameters
    ----------
    charge_w, export_w
        Largest power towards the vehicle, and towards the grid, W.
    charge_a, export_a
        The same for the DC current, A; zero where there is no DC connector.
    low_v, high_v
        DC voltage, V.
    least_charge_w, least_export_w, least_a
        Smallest that can be held, W and A.
    phase_v
        Nominal phase voltage of AC, V; zero where there is no AC connector.
    """

    charge_w: float
    export_w: float
    charge_a: float
    export_a: float
    low_v: float
    high_v: float
    least_charge_w: float = 0.0
    least_export_w: float = 0.0
    least_a: float = 0.0
    phase_v: float = 0.0


@dataclass(frozen=True)
class ChargerReading:
    """What the charger measures. ``fault``: empty, ``contactor``, ``emergency`` or ``insulation``."""

    voltage_v: float
    current_a: float
    power_w: float
    reactive_power_var: float
    energy_import_wh: float
    energy_export_wh: float
    contactor_closed: bool
    frequency_hz: float = 0.0
    fault: str = ""


class ChargerPlant(Protocol):
    """Power side of a charger: the twin's plant, a charger on a fieldbus, or a model."""

    @property
    def limits(self) -> PowerLimits:
        """Bounds that it offers."""

    async def insulation(self, voltage_v: float) -> Check:
        """Test the insulation of the DC side; called until it is not ``ongoing``."""

    async def pre_charge(self, voltage_v: float, current_a: float) -> None:
        """Bring the DC output to the battery's voltage."""

    async def connect(self) -> None:
        """Close the contactor, after synchronisation where the charger is on the AC side.

        Raises
        ------
        DeviceError
            It did not close.
        """

    async def disconnect(self) -> None:
        """Take the power away and open the contactor.

        Raises
        ------
        DeviceError
            It did not open.
        """

    async def set_power(self, power_w: float) -> None:
        """Set the power at the grid, W, export positive.

        Raises
        ------
        LimitError
            Outside :attr:`limits`.
        """

    async def set_dc(self, voltage_v: float, current_a: float) -> None:
        """Set the DC current, A, export positive, below a voltage, V.

        Raises
        ------
        LimitError
            Outside :attr:`limits`.
        """

    async def read(self) -> ChargerReading:
        """Measure."""

    async def make_safe(self) -> None:
        """Export off, contactor open; never raises."""


@dataclass(frozen=True)
class VehicleReading:
    """What the vehicle measures. ``soc_percent`` of the capacity; the voltage is that of the battery, V."""

    soc_percent: float
    voltage_v: float
    current_a: float
    contactor_closed: bool
    fault: str = ""


@dataclass(frozen=True)
class VehicleNeeds:
    """What the driver wants: energy in Wh, states of charge in percent; ``departure_s`` from now or open."""

    capacity_wh: float
    target_soc_percent: float
    least_soc_percent: float
    most_soc_percent: float
    departure_s: float | None = None


class VehiclePlant(Protocol):
    """Battery side of a vehicle."""

    @property
    def limits(self) -> PowerLimits:
        """Bounds of the battery."""

    @property
    def needs(self) -> VehicleNeeds:
        """What the driver wants."""

    async def read(self) -> VehicleReading:
        """Measure."""

    async def close_contactor(self) -> None:
        """Connect the battery to the inlet."""

    async def open_contactor(self) -> None:
        """Disconnect the battery; never raises."""
