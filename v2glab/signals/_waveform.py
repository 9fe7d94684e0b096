"""Samples of several channels taken at one rate."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2glab.evidence import InputError

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Waveform:
    """Samples of several channels taken at one rate, checked when built.

    Parameters
    ----------
    names, units
        One of each per channel; names differ.
    samples
        Shape (channels, N), in the channel's unit; finite.
    rate_hz
        Samples a second, > 0.
    start_ns
        Time of the first sample, integer nanoseconds UTC.
    uncertainty
        Standard uncertainty of a sample of each channel in its unit, or ``None`` where it is not known.

    Raises
    ------
    InputError
        Shapes disagree, a sample is not finite, the rate is not positive, or two names are equal.
    """

    names: tuple[str, ...]
    units: tuple[str, ...]
    samples: Array
    rate_hz: float
    start_ns: int
    uncertainty: tuple[float | None, ...]

    def __post_init__(self) -> None:
        samples = np.array(self.samples, dtype=np.float64)
        samples.setflags(write=False)
        object.__setattr__(self, "samples", samples)
        count = len(self.names)
        _require(count > 0 and len(set(self.names)) == count, f"channels {self.names}", "different names")
        fits = samples.ndim == 2 and samples.shape[0] == count and samples.shape[1] > 0
        _require(fits, f"samples of shape {samples.shape}", f"shape ({count}, N) with N > 0")
        lengths = (len(self.units), len(self.uncertainty))
        _require(lengths == (count, count), f"{lengths} units and uncertainties", f"{count} of each")
        _require(
            math.isfinite(self.rate_hz) and self.rate_hz > 0, f"rate {self.rate_hz}", "a rate above 0 Hz"
        )
        _require(bool(np.isfinite(samples).all()), "samples that are not finite", "finite samples")

    @property
    def duration_s(self) -> float:
        """Number of samples over rate."""
        return float(self.samples.shape[1] / self.rate_hz)

    def time_s(self) -> Array:
        """Return the time of each sample since the first, shape (N,)."""
        return np.arange(self.samples.shape[1]) / self.rate_hz

    def channel(self, name: str) -> Array:
        """Return the samples of one channel, shape (N,).

        Raises
        ------
        InputError
            There is none of that name.
        """
        _require(name in self.names, f"channel {name!r}", f"one of: {', '.join(self.names)}")
        return np.asarray(self.samples[self.names.index(name)])

    def select(self, *names: str) -> Waveform:
        """Return a waveform of these channels only, in this order."""
        rows = np.vstack([self.channel(name) for name in names])
        order = [self.names.index(name) for name in names]
        return Waveform(
            names,
            tuple(self.units[i] for i in order),
            rows,
            self.rate_hz,
            self.start_ns,
            tuple(self.uncertainty[i] for i in order),
        )


def _require(condition: bool, found: str, required: str) -> None:
    if not condition:
        raise InputError(f"waveform: {found}", required, "check where the samples come from")
