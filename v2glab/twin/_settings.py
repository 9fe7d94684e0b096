"""Ratings, switches and events of the plant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from v2glab.evidence import InputError, UsageError
from v2glab.twin._device import DEVIATIONS
from v2glab.twin._physics import P

FAULTS = (
    "contactor_weld",
    "frequency_drift",
    "expired_certificate",
    "hot_heatsink",
    "export_bit_off",
    "low_soc",
    "worn_connector",
    *DEVIATIONS,
)

Three = tuple[float, float, float]

#: As long as a step of a list of the grid simulator may be.
LONGEST_EVENT_S = 1e6


@dataclass(frozen=True)
class PlantSettings:
    """What the plant is built from.

    Powers in watts, voltages line to neutral RMS, impedances per phase.
    """

    seed: int = 7
    step_s: float = 1e-4
    epoch_ns: int = 1_767_225_600_000_000_000
    nominal_voltage_v: float = 277.0
    nominal_frequency_hz: float = 60.0
    rated_power_w: float = 22_000.0
    rated_current_a: float = 28.9
    grid_code: str = "ieee1547-2018"
    category: str = "III"
    grid_frequency_hz: float = 60.02
    grid_voltage_pu: float = 1.0
    grid_ohm: float = 0.12
    grid_henry: float = 2e-4
    soc_percent: float = 70.0
    soc_limit_percent: float = 20.0
    ambient_celsius: float = 25.0
    battery_wh: float = 60_000.0


@dataclass(frozen=True)
class GridEvent:
    """The grid leaves its normal state for a while.

    ``start_ns`` is plant time. ``voltage_pu`` holds the three phases; ``None`` leaves a quantity as it is.
    Where there is a value to end at, the quantity runs there evenly. All phases jump by ``phase_jump_rad``,
    and each by its own ``turn_rad`` besides. A source that ``senses`` keeps its voltage at the charger's
    terminals, whatever current flows.
    """

    start_ns: int
    duration_s: float
    voltage_pu: Three | None = None
    frequency_hz: float | None = None
    phase_jump_rad: float = 0.0
    turn_rad: Three = (0.0, 0.0, 0.0)
    voltage_to_pu: Three | None = None
    frequency_to_hz: float | None = None
    senses: bool = False

    def __post_init__(self) -> None:
        volts = [v for v in (self.voltage_pu, self.voltage_to_pu) if v is not None]
        volts_good = all(len(v) == 3 and all(0.0 <= x <= 1.5 for x in v) for v in volts)
        hertz = [f for f in (self.frequency_hz, self.frequency_to_hz) if f is not None]
        hertz_good = all(40.0 <= f <= 70.0 for f in hertz)
        times_good = 0 < self.duration_s <= LONGEST_EVENT_S
        starts = (self.voltage_to_pu is None or self.voltage_pu is not None) and (
            self.frequency_to_hz is None or self.frequency_hz is not None
        )
        turns_good = len(self.turn_rad) == 3 and all(abs(a) <= np.pi for a in self.angles_rad)
        if not (times_good and volts_good and hertz_good and starts and turns_good):
            raise InputError(
                f"grid event {self}",
                f"duration up to {LONGEST_EVENT_S:g} s, three voltages 0 to 1.5 p.u., frequency 40 to 70 Hz, "
                "a beginning for each end, jumps up to π",
                "mend the event",
            )

    @property
    def angles_rad(self) -> Three:
        """Shift of each phase against the undisturbed grid."""
        a, b, c = (self.phase_jump_rad + turn for turn in self.turn_rad)
        return a, b, c

    @property
    def end_ns(self) -> int:
        """Plant time at which the grid is normal again."""
        return self.start_ns + round(self.duration_s * 1e9)


@dataclass
class Switches:
    """Fault switches that are on."""

    on: set[str] = field(default_factory=set)

    def set(self, name: str, enabled: bool) -> None:
        """Turn one switch.

        Raises
        ------
        UsageError
            There is none of that name.
        """
        if name not in FAULTS:
            raise UsageError(f"fault {name!r}", f"one of: {', '.join(FAULTS)}", "choose one of those")
        (self.on.add if enabled else self.on.discard)(name)


def constants(settings: PlantSettings) -> NDArray[np.float64]:
    """Return the kernel's constants."""
    values: dict[P, float] = {
        P.STEP_S: settings.step_s,
        P.NOMINAL_V: settings.nominal_voltage_v,
        P.NOMINAL_HZ: settings.nominal_frequency_hz,
        P.RATED_W: settings.rated_power_w,
        P.RATED_A: settings.rated_current_a,
        P.GRID_OHM: settings.grid_ohm,
        P.GRID_HENRY: settings.grid_henry,
        P.HARMONIC_5: 0.012,
        P.HARMONIC_7: 0.008,
        P.CURRENT_LAG_S: 0.02,
        P.PLL_S: 0.008,
        P.METER_S: 0.05,
        P.CLOSE_S: 0.02,
        P.OPEN_S: 0.015,
        P.SYNC_OHM: 1.5,
        P.INRUSH_TAU_S: 0.03,
        P.MAX_PHASE_RAD: np.pi / 3,
        P.BATTERY_WH: settings.battery_wh,
        P.BATTERY_OHM: 0.08,
        P.RC_OHM: 0.04,
        P.RC_TAU_S: 20.0,
        P.EMPTY_V: 330.0,
        P.FULL_V: 410.0,
        P.BUS_FARAD: 2e-3,
        P.BUS_V: 750.0,
        P.BUS_GAIN: 200.0,
        P.LOSS_FIXED_W: 60.0,
        P.LOSS_PER_A: 6.0,
        P.LOSS_PER_A2: 0.45,
        P.JUNCTION_J_K: 40.0,
        P.JUNCTION_K_W: 0.02,
        P.SINK_J_K: 2000.0,
        P.CONNECTOR_J_K: 150.0,
        P.CONNECTOR_K_W: 1.1,
        P.FOLDBACK_START: 0.85,
    }
    out = np.zeros(len(P))
    for place, value in values.items():
        out[place] = value
    return out


def check_ranges(settings: PlantSettings, events: Sequence[GridEvent]) -> None:
    """Refuse settings that make no plant.

    Raises
    ------
    InputError
        A value is out of range, or two events overlap.
    """
    good = 0 < settings.step_s <= 1e-3 and 0 <= settings.soc_percent <= 100 and settings.battery_wh > 0
    if not good:
        raise InputError(f"{settings}", "step up to 1 ms, SoC 0 to 100 %, a battery", "mend [twin]")
    ordered = sorted(events, key=lambda e: e.start_ns)
    for first, second in pairwise(ordered):
        if second.start_ns < first.end_ns:
            raise InputError(f"events {first} and {second}", "one at a time", "move one of them")
