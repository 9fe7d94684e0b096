"""A recording: channels over time, with what was repaired."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from v2glab.evidence import InputError
from v2glab.signals import Waveform

Array = NDArray[np.float64]
Kind = Literal["waveform", "rms"]
Quantity = Literal["voltage", "current", "frequency"]
UNIT = {"voltage": "V", "current": "A", "frequency": "Hz"}
#: Steps up to this many median steps are closed by interpolation; longer ones split a waveform.
BRIDGE_STEPS = 3.5


@dataclass(frozen=True)
class Channel:
    """One channel in base units; ``uncertainty`` is the standard uncertainty of a value, ``None`` when not
    stated.
    """

    quantity: Quantity
    phase: str
    uncertainty: float | None = None
    source: str = ""

    @property
    def name(self) -> str:
        """Canonical name, such as ``voltage_a``."""
        return f"{self.quantity}_{self.phase}" if self.phase else self.quantity

    @property
    def unit(self) -> str:
        """V, A or Hz."""
        return UNIT[self.quantity]


@dataclass(frozen=True, eq=False)
class Recording:
    """Channels over time, checked.

    ``time_s`` (K,) counts from the first sample, does not fall; ``values`` (C, K) finite, in V, A and Hz.
    ``repairs`` says in words everything that was changed, ``sha256`` names the bytes that were read.
    """

    name: str
    kind: Kind
    channels: tuple[Channel, ...]
    time_s: Array
    values: Array
    start_ns: int
    nominal_voltage_v: float | None
    nominal_frequency_hz: float | None
    repairs: tuple[str, ...] = ()
    gap_s: float | None = None
    rated_current_a: float | None = None
    sha256: str = ""
    clock_uncertainty: float | None = None

    def of(self, quantity: Quantity) -> tuple[tuple[Channel, ...], Array]:
        """Return the channels of one quantity and their values, shape (P, K)."""
        rows = [i for i, c in enumerate(self.channels) if c.quantity == quantity]
        return tuple(self.channels[i] for i in rows), self.values[rows]

    @property
    def duration_s(self) -> float:
        """Time from first to last sample."""
        return float(self.time_s[-1])

    def waveforms(self) -> tuple[Waveform, ...]:
        """Cut a waveform recording at its gaps into evenly sampled parts.

        Steps that are uneven, or up to three samples long, are closed by a cubic spline; :attr:`repairs` said
        so when the recording was read.
        """
        step_s = median_step_s(self.time_s)
        cuts = np.flatnonzero(np.diff(self.time_s) > BRIDGE_STEPS * step_s) + 1
        edges = [0, *(int(c) for c in cuts), self.time_s.size]
        pairs = [(a, b) for a, b in pairwise(edges) if b - a >= 2]
        return tuple(self._part(a, b, step_s) for a, b in pairs)

    def _part(self, first: int, last: int, step_s: float) -> Waveform:
        time, values = self.time_s[first:last], self.values[:, first:last]
        steps = np.diff(time)
        if is_even(steps, step_s):
            rate = (time.size - 1) / float(time[-1] - time[0])
        else:
            from scipy.interpolate import CubicSpline

            rate = 1.0 / step_s
            even = time[0] + np.arange(int((time[-1] - time[0]) * rate + 1e-6) + 1) / rate
            values = CubicSpline(time, values, axis=1)(even)
        return Waveform(
            tuple(c.name for c in self.channels),
            tuple(c.unit for c in self.channels),
            values,
            rate,
            self.start_ns + round(float(time[0]) * 1e9),
            tuple(c.uncertainty for c in self.channels),
        )


def median_step_s(time_s: Array) -> float:
    """Return the step of a regular series: the mean of the steps close to the median one.

    Raises
    ------
    InputError
        Time does not pass.
    """
    steps = np.diff(time_s)
    steps = steps[steps > 0]
    if not steps.size:
        raise InputError("time stamps that are all equal", "time that passes", "check the time column")
    median = float(np.median(steps))
    return float(steps[np.abs(steps - median) <= 0.01 * median].mean())


def is_even(steps: Array, step_s: float) -> bool:
    """Whether all steps are within 1 % of the regular one, which covers rounded time stamps."""
    return bool(steps.size and np.abs(steps - step_s).max() <= 0.01 * step_s)
