"""What the maker of the modelled device declares of it, beyond its settings.

These figures belong to the device, as a data sheet's do; none is a limit, and none comes from a standard.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from v2glab.evidence import InputError


@dataclass(frozen=True)
class DeviceDesign:
    """Emissions at rated output, over-voltages in events, and the search for islands.

    Parameters
    ----------
    dc_pu
        Direct current of each phase, share of rated current.
    harmonics, lines
        RMS currents as shares of rated current, by order and by multiple of the fundamental frequency.
    rise_pu
        Change of voltage that rated active power makes on the reference impedance.
    fluctuation_pu, fluctuation_hz
        Amplitude and frequency at which active power fluctuates, share of rated power.
    inrush_pu, inrush_s
        Active power drawn when output begins, share of rated power, and how long.
    rejection_peak_pu, rejection_decay_s
        Peak of the voltage when the load is lost, by which time constant it falls back to nominal.
    ground_fault_pu, ground_fault_s
        Voltage of the sound phases under a ground fault, and how long until the plant is off.
    shift_gain_pu, shift_offset
        Sandia frequency shift: gain per unit of nominal frequency, offset; see
        :class:`~v2glab.gridcodes.islanding.IslandInverter`. At a quality factor of 1 the least gain that
        leaves no zone undetected is 4/π.
    detection_s
        How long that shift stands at its limit until an island is declared; ``None``: it never is.

    Raises
    ------
    InputError
        A number is not finite, or negative where it cannot be.
    """

    dc_pu: float = 0.0005
    harmonics: Mapping[int, float] = field(
        default_factory=lambda: {2: 0.001, 3: 0.006, 5: 0.012, 7: 0.008, 11: 0.004, 13: 0.003, 35: 0.0005}
    )
    lines: Mapping[float, float] = field(default_factory=lambda: {2.5: 0.001, 4.5: 0.0008})
    rise_pu: float = 0.015
    fluctuation_pu: float = 0.02
    fluctuation_hz: float = 8.8
    inrush_pu: float = 0.0
    inrush_s: float = 0.1
    rejection_peak_pu: float = 1.25
    rejection_decay_s: float = 0.02
    ground_fault_pu: float = 1.2
    ground_fault_s: float = 0.1
    shift_gain_pu: float = 1.9
    shift_offset: float = 0.02
    detection_s: float | None = 0.2

    def __post_init__(self) -> None:
        free = (self.dc_pu, self.rise_pu, self.shift_offset)
        positive = (
            *self.harmonics.values(),
            *self.lines.values(),
            *(self.fluctuation_pu, self.fluctuation_hz, self.inrush_pu, self.inrush_s),
            *(self.rejection_peak_pu, self.rejection_decay_s, self.ground_fault_pu, self.ground_fault_s),
            *(self.shift_gain_pu, self.detection_s or 0.0),
        )
        if not (all(map(math.isfinite, (*free, *positive))) and min(positive) >= 0):
            raise InputError(
                f"{self}", "finite figures, none below 0 but direct current, rise and offset", "correct them"
            )
        if not self.rejection_decay_s:
            raise InputError("a decay of 0 s", "a time above 0", "correct it")
