"""Digital multimeter in the dialect of the 34401A family: AC is phase a, DC the bus, ohms the PP contact."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import numpy as np

from v2glab.twin._plant import Plant
from v2glab.twin._plant_state import PlantState
from v2glab.twin._scpi import ScpiDevice, number

_READINGS: dict[str, Callable[[PlantState], float]] = {
    ":MEASure:VOLTage:AC?": lambda s: s.voltage_v[0],
    ":MEASure:VOLTage:DC?": lambda s: s.dc_voltage_v,
    ":MEASure:CURRent:AC?": lambda s: abs(s.current_a[0]),
    ":MEASure:CURRent:DC?": lambda s: s.dc_current_a,
    ":MEASure:FREQuency?": lambda s: s.grid_frequency_hz,
    ":MEASure:RESistance?": lambda s: s.pp_ohm,
}
_NOISE = 2e-5


def multimeter(plant: Plant) -> ScpiDevice:
    """Return the multimeter; readings carry 20 ppm of noise."""
    device = ScpiDevice("Keysight Technologies,34465A,TWIN0002,A.03.01")
    for header, reading in _READINGS.items():
        device.add(header, _reader(plant, header, reading))
    return device


def _reader(plant: Plant, header: str, reading: Callable[[PlantState], float]) -> Callable[..., str]:
    def read(*_: str) -> str:
        state = plant.state
        rng = np.random.default_rng(
            [plant.settings.seed, state.time_ns % (1 << 62), zlib.crc32(header.encode())]
        )
        return number(reading(state) * (1 + _NOISE * rng.standard_normal()))

    return read
