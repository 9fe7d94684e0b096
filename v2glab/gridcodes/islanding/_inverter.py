"""What an inverter in an island does: set-points, grid-support functions, trips, anti-islanding."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from v2glab.evidence import InputError

Array = NDArray[np.float64]
#: A first-order lag reaches 90 % of a step, the open-loop response of the codes, after 2.3 time constants.
RESPONSE_TO_TIME_CONSTANT = math.log(10)
CURVE_POINTS = 6


class TripLike(Protocol):
    """What is used of a trip; :class:`v2glab.gridcodes.Trip` fits."""

    @property
    def quantity(self) -> Literal["voltage", "frequency"]:
        """What is compared."""

    @property
    def side(self) -> Literal["low", "high"]:
        """Below or above the threshold."""

    @property
    def threshold(self) -> float:
        """Voltage in p.u., frequency in Hz."""

    @property
    def time_s(self) -> float:
        """How long the value must lie beyond the threshold."""


class IslandTrip(NamedTuple):
    """A trip as plain values: threshold in p.u. or Hz."""

    quantity: Literal["voltage", "frequency"]
    side: Literal["low", "high"]
    threshold: float
    time_s: float


@dataclass(frozen=True, slots=True)
class Curve:
    """Straight lines between points, level outside, behind a lag that reaches 90 % after ``response_s``.

    ``x`` rises (two equal values make a step); two to six points. Volt-var and volt-watt: voltage in p.u. to
    reactive power or power limit in p.u.; watt-var: power to reactive power.
    """

    x: tuple[float, ...]
    y: tuple[float, ...]
    response_s: float

    def __post_init__(self) -> None:
        rising = all(a <= b for a, b in zip(self.x, self.x[1:], strict=False))
        finite = all(map(math.isfinite, (*self.x, *self.y, self.response_s)))
        fits = len(self.x) == len(self.y) and 2 <= len(self.x) <= CURVE_POINTS
        if not (rising and finite and fits and self.response_s >= 0):
            raise InputError(
                f"{self}", f"two to {CURVE_POINTS} rising points, response >= 0", "mend the curve"
            )


@dataclass(frozen=True, slots=True)
class Droop:
    """Frequency droop: power falls by (Δf − dead band)/(f₀·droop) per unit above nominal, rises below."""

    deadband_hz: float
    droop: float
    response_s: float

    def __post_init__(self) -> None:
        good = self.deadband_hz >= 0 and self.droop > 0 and 0 <= self.response_s < math.inf
        if not good:
            raise InputError(f"{self}", "dead band and response >= 0, droop > 0", "mend the droop")


@dataclass(frozen=True, slots=True)
class IslandInverter:
    """An inverter as the island sees it; export and injection are positive.

    Parameters
    ----------
    p_pu, q_pu
        Set-points, p_pu > 0.
    constant_current
        Whether set-points are currents, so that power follows voltage; else they are powers.
    droop, volt_var, volt_watt, watt_var
        Functions that are on; volt-var and watt-var add to ``q_pu``.
    frequency_shift_gain, frequency_shift_offset
        Sandia frequency shift: the current leads by π/2·(offset + gain·(f − f₀)), gain in 1/Hz.
    frequency_shift_limit
        Greatest magnitude of that bracket, 0 to 1.
    detection_s
        How long the bracket must stand at its limit until the inverter declares an island, besides any trip;
        ``None``: it never does.
    voltage_shift_gain
        Sandia voltage shift: power is multiplied by 1 + gain·(V − 1).
    p_max_pu, current_limit_pu
        Greatest power, and greatest current, which cuts power and reactive power alike.
    measuring_s
        Time constant behind which the inverter sees voltage and frequency.
    """

    p_pu: float
    q_pu: float = 0.0
    constant_current: bool = False
    droop: Droop | None = None
    volt_var: Curve | None = None
    volt_watt: Curve | None = None
    watt_var: Curve | None = None
    frequency_shift_gain: float = 0.0
    frequency_shift_offset: float = 0.0
    frequency_shift_limit: float = 0.5
    detection_s: float | None = None
    voltage_shift_gain: float = 0.0
    p_max_pu: float = 1.0
    current_limit_pu: float = 1.2
    measuring_s: float = 0.02

    def __post_init__(self) -> None:
        numbers = (self.q_pu, self.frequency_shift_gain, self.frequency_shift_offset, self.voltage_shift_gain)
        positive = (self.p_pu, self.p_max_pu, self.current_limit_pu, self.measuring_s)
        if not (all(map(math.isfinite, (*numbers, *positive))) and min(positive) > 0):
            found = f"inverter {numbers + positive}"
            raise InputError(found, "finite numbers; power, limits and measuring time > 0", "correct them")
        if not 0 <= self.frequency_shift_limit <= 1:
            raise InputError(f"shift limit {self.frequency_shift_limit:g}", "0 to 1", "correct the limit")
        if self.detection_s is not None and not 0 < self.detection_s < math.inf:
            raise InputError(f"detection {self.detection_s:g} s", "a time above 0, or None", "correct it")
        if self.p_pu > self.p_max_pu:
            raise InputError(
                f"{self.p_pu:g} p.u.", f"power up to {self.p_max_pu:g} p.u.", "lower the set-point"
            )


# places in the row of numbers that the kernel takes
P, Q, CONSTANT_CURRENT, P_MAX, I_MAX, MEASURING = 0, 1, 2, 3, 4, 5
SFS_GAIN, SFS_OFFSET, SFS_LIMIT, DETECTION, SVS_GAIN = 6, 7, 8, 9, 10
DROOP_ON, DROOP_BAND, DROOP, DROOP_TAU = 11, 12, 13, 14
CURVE_WIDTH = 2 + 2 * CURVE_POINTS
VV, VW, WV, WIDTH = 15, 15 + CURVE_WIDTH, 15 + 2 * CURVE_WIDTH, 15 + 3 * CURVE_WIDTH


def packed(inverter: IslandInverter) -> Array:
    """Return the inverter as the kernel takes it, shape (WIDTH,); a curve is count, time constant, x, y."""
    out = np.zeros(WIDTH)
    out[:DROOP_ON] = (
        inverter.p_pu,
        inverter.q_pu,
        float(inverter.constant_current),
        inverter.p_max_pu,
        inverter.current_limit_pu,
        inverter.measuring_s,
        inverter.frequency_shift_gain,
        inverter.frequency_shift_offset,
        inverter.frequency_shift_limit,
        inverter.detection_s or 0.0,
        inverter.voltage_shift_gain,
    )
    if inverter.droop is not None:
        droop = inverter.droop
        out[DROOP_ON:VV] = (1.0, droop.deadband_hz, droop.droop, droop.response_s / RESPONSE_TO_TIME_CONSTANT)
    for place, curve in ((VV, inverter.volt_var), (VW, inverter.volt_watt), (WV, inverter.watt_var)):
        if curve is not None:
            count = len(curve.x)
            out[place], out[place + 1] = count, curve.response_s / RESPONSE_TO_TIME_CONSTANT
            out[place + 2 : place + 2 + count] = curve.x
            out[place + 2 + CURVE_POINTS : place + 2 + CURVE_POINTS + count] = curve.y
    return out


def packed_trips(trips: Iterable[TripLike]) -> Array:
    """Return trips as the kernel takes them: rows of (frequency?, high?, threshold, time), shape (T, 4).

    Raises
    ------
    InputError
        A word is unknown or a number out of bounds.
    """
    rows = []
    for trip in trips:
        known = trip.quantity in ("voltage", "frequency") and trip.side in ("low", "high")
        if not (known and math.isfinite(trip.threshold) and trip.threshold >= 0 and trip.time_s > 0):
            required = "voltage or frequency, low or high, threshold >= 0, time > 0"
            raise InputError(f"trip {trip}", required, "correct the trip")
        kind, side = float(trip.quantity == "frequency"), float(trip.side == "high")
        rows.append((kind, side, trip.threshold, trip.time_s))
    return np.array(rows, dtype=np.float64).reshape(-1, 4)
