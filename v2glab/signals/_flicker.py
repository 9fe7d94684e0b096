"""Flicker meter after IEC 61000-4-15, edition 2.0 (2010): instantaneous sensation, short-term severity.

Block 1 relates the voltage to its own slow RMS, block 2 squares it, block 3 passes what lamp, eye and brain
pass, block 4 squares and smooths. One point, 8.8 Hz sinusoidal, sets the gain; the other points of the
standard's tables test it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from v2glab.evidence import InputError, Quantity
from v2glab.signals._flicker_statistics import SHORT_INTERVALS_S, short_term_severity
from v2glab.signals._waveform import Array

LampName = Literal["120 V", "230 V"]

#: Time constant of the adaptation to the slow RMS, s (4.2: 10 % to 90 % in one minute).
ADAPTATION_S = 27.3
#: Time constant of the sliding mean of block 4, s (4.5).
SMOOTHING_S = 0.3
#: Cut-off of the high-pass of block 3, Hz (4.4).
HIGH_PASS_HZ = 0.05
#: Blocks 3 and 4 run at this rate or more.
INNER_RATE_HZ = 2000.0
CALIBRATION_HZ = 8.8
#: Share of the start that is left out while the filters settle, s.
SETTLING_S = 60.0
#: Permitted deviation of a meter that meets the standard (6.1), taken as a rectangular distribution.
TOLERANCE = 0.05


@dataclass(frozen=True, slots=True)
class Lamp:
    """Weighting filter of one reference lamp (4.4, table 3) and its calibration point (tables 1a, 1b).

    ``gain`` is a plain number, the corners are in Hz; ``depth`` is the sinusoidal relative voltage change,
    peak to peak, that gives a greatest sensation of one at 8.8 Hz.
    """

    gain: float
    damping_hz: float
    resonance_hz: float
    zero_hz: float
    low_pole_hz: float
    high_pole_hz: float
    depth: float


LAMPS: dict[LampName, Lamp] = {
    "230 V": Lamp(1.74802, 4.05981, 9.15494, 2.27979, 1.22535, 21.9, 0.00250),
    "120 V": Lamp(1.6357, 4.167375, 9.077169, 2.939902, 1.394468, 17.31512, 0.00321),
}


@dataclass(frozen=True, eq=False)
class FlickerSensation:
    """``sensation`` (P, K): instantaneous flicker sensation; ``rate_hz`` its rate; ``time_s`` (K,) since the
    first sample; ``noise`` (P,) the part of the mean that the instrument's noise makes, ``None`` if unknown.
    """

    sensation: Array
    rate_hz: float
    noise: Array | None

    @property
    def time_s(self) -> Array:
        """Time of each value."""
        return np.arange(self.sensation.shape[1]) / self.rate_hz


def flicker_sensation(
    samples: Array,
    rate_hz: float,
    nominal_hz: float,
    *,
    lamp: LampName,
    u_sample: float | None = None,
) -> FlickerSensation:
    """Return the instantaneous flicker sensation (output of block 4), which is one at the threshold of
    perception.

    Parameters
    ----------
    samples
        Voltage in any unit, shape (P, N) or (N,), equidistant.
    rate_hz, nominal_hz
        Sampling rate, 2 kHz or more, and nominal frequency, 50 or 60 Hz.
    lamp
        Reference lamp.
    u_sample
        Standard uncertainty of one sample, independent from sample to sample, in the unit of the samples.

    Raises
    ------
    InputError
        The recording is shorter than one second, not finite, too slow, or a phase has no voltage.
    """
    x = np.atleast_2d(np.asarray(samples, dtype=np.float64))
    _check(x, rate_hz, nominal_hz, lamp)
    divisor = max(1, int(rate_hz / INNER_RATE_HZ))
    inner_hz = rate_hz / divisor
    filters = _Filters.design(LAMPS[lamp], rate_hz, inner_hz, nominal_hz)
    sensation = np.stack([filters.sensation(row, rate_hz, nominal_hz, divisor) for row in x])
    noise = None
    if u_sample is not None:
        noise = filters.noise_gain() * (u_sample / np.sqrt(np.mean(x * x, axis=1))) ** 2
    return FlickerSensation(sensation, inner_hz, noise)


def flicker_severity(
    samples: Array,
    rate_hz: float,
    nominal_hz: float,
    *,
    lamp: LampName,
    interval_s: float = 600.0,
    settling_s: float = SETTLING_S,
    u_sample: float | None = None,
) -> tuple[tuple[Quantity, ...], ...]:
    """Return the short-term severity Pst of each whole interval, per phase: ``result[phase][interval]``.

    Its uncertainty joins what the standard allows a meter (6.1: 5 %) with the noise of the instrument.

    Parameters
    ----------
    interval_s
        60, 300, 600 or 900 (5.7.2); limits are stated for 600.
    settling_s
        What is left out at the start.
    samples, rate_hz, nominal_hz, lamp, u_sample
        As in :func:`flicker_sensation`.

    Raises
    ------
    InputError
        The interval is none of the four, or the recording holds no whole one.
    """
    if interval_s not in SHORT_INTERVALS_S:
        raise InputError(f"interval {interval_s:g} s", f"one of {SHORT_INTERVALS_S} s", "choose one of them")
    seen = flicker_sensation(samples, rate_hz, nominal_hz, lamp=lamp, u_sample=u_sample)
    first, length = math.ceil(settling_s * seen.rate_hz), round(interval_s * seen.rate_hz)
    count = (seen.sensation.shape[1] - first) // length
    if count < 1:
        have = seen.sensation.shape[1] / seen.rate_hz
        raise InputError(
            f"{have:.1f} s of voltage", f"{settling_s + interval_s:g} s or more", "record longer"
        )
    spans = [slice(first + k * length, first + (k + 1) * length) for k in range(count)]
    return tuple(
        tuple(_severity(row[span], None if seen.noise is None else float(seen.noise[p])) for span in spans)
        for p, row in enumerate(seen.sensation)
    )


def _severity(sensation: Array, noise: float | None) -> Quantity:
    value = short_term_severity(sensation)
    if noise is None:
        return Quantity("flicker_pst", value, "1", no_uncertainty="the instrument states no uncertainty")
    # noise adds to the square of the severity; what it may have added counts as a rectangular doubt
    added = value - math.sqrt(max(value**2 - _noise_severity(noise) ** 2, 0.0))
    return Quantity("flicker_pst", value, "1", math.hypot(TOLERANCE * value, added) / math.sqrt(3))


def _noise_severity(mean: float) -> float:
    """Severity of a sensation that scatters as smoothed squared noise does: 0.51 is the sum of the weights in
    block 5, and the exceeded levels lie at 1.8 times the mean or less.
    """
    return math.sqrt(0.51 * 1.8 * mean)


@dataclass(frozen=True, eq=False)
class _Filters:
    low_pass: Array  # at the rate of the samples
    weighting: Array  # high-pass and lamp, at the inner rate
    smoothing: tuple[Array, Array]
    gain: float
    rate_hz: float
    inner_hz: float

    @classmethod
    def design(cls, lamp: Lamp, rate_hz: float, inner_hz: float, nominal_hz: float) -> _Filters:
        from scipy import signal

        low_pass = signal.butter(6, 35.0 if nominal_hz < 55 else 42.0, fs=rate_hz, output="sos")
        high_pass = signal.butter(1, HIGH_PASS_HZ, "highpass", fs=inner_hz, output="sos")
        corners = (lamp.damping_hz, lamp.resonance_hz, lamp.zero_hz, lamp.low_pole_hz, lamp.high_pole_hz)
        damping, resonance, zero, low, high = (math.tau * c for c in corners)
        numerator = lamp.gain * resonance * np.array([1 / zero, 1.0, 0.0])
        denominator = np.polymul(
            [1.0, 2 * damping, resonance**2], np.polymul([1 / low, 1.0], [1 / high, 1.0])
        )
        weighting = signal.tf2sos(*signal.bilinear(numerator, denominator, inner_hz))
        b, a = signal.bilinear([1.0], [SMOOTHING_S, 1.0], inner_hz)
        out = cls(low_pass, np.vstack([high_pass, weighting]), (b, a), 1.0, rate_hz, inner_hz)
        return cls(low_pass, out.weighting, (b, a), out._calibration(lamp.depth), rate_hz, inner_hz)

    def _calibration(self, depth: float) -> float:
        """Return the factor that makes the greatest sensation one at the calibration point.

        A change of ``depth`` makes the square swing by ``depth``; squared again, a constant and a swing at
        twice the frequency remain, of which block 4 passes a part.
        """
        from scipy import signal

        swing = depth * float(abs(self._response(np.array([CALIBRATION_HZ]))[0]))
        ripple = abs(signal.freqz(*self.smoothing, worN=[2 * CALIBRATION_HZ], fs=self.inner_hz)[1][0])
        return float(1.0 / (swing**2 / 2 * (1 + ripple)))

    def _response(self, hertz: Array) -> Array:
        from scipy import signal

        low = signal.sosfreqz(self.low_pass, worN=hertz, fs=self.rate_hz)[1]
        return np.asarray(low * signal.sosfreqz(self.weighting, worN=hertz, fs=self.inner_hz)[1])

    def noise_gain(self) -> float:
        """Return the mean sensation per square of the noise relative to the RMS voltage.

        Squaring turns noise of share σ into noise of share 2σ, whose part in the pass band is squared again.
        """
        hertz = np.linspace(0.01, 150.0, 15_000)
        power = np.sum(np.abs(self._response(hertz)) ** 2) * (hertz[1] - hertz[0]) / (self.rate_hz / 2)
        return float(self.gain * 4 * power)

    def sensation(self, row: Array, rate_hz: float, nominal_hz: float, divisor: int) -> Array:
        """Return the output of block 4 for one phase."""
        from scipy import signal

        square = (row / _slow_rms(row, rate_hz, nominal_hz)) ** 2
        start = square[: round(rate_hz * 2 / nominal_hz)].mean()
        state = signal.sosfilt_zi(self.low_pass) * start
        slow = signal.sosfilt(self.low_pass, square, zi=state)[0][::divisor]
        state = signal.sosfilt_zi(self.weighting) * start
        weighted = signal.sosfilt(self.weighting, slow, zi=state)[0]
        smooth = signal.lfilter(*self.smoothing, weighted**2)
        return np.asarray(np.maximum(self.gain * smooth, 0.0))


def _slow_rms(row: Array, rate_hz: float, nominal_hz: float) -> Array:
    """Return the RMS of half cycles behind a lag of 27.3 s, at each sample (4.2)."""
    from scipy import signal

    integral = np.concatenate([[0.0], np.cumsum(row * row)])
    half = rate_hz / nominal_hz / 2
    edges = np.arange(int(row.size / half) + 1) * half
    squares = np.diff(np.interp(edges, np.arange(row.size + 1), integral)) / half
    rms = np.sqrt(np.maximum(squares, 0.0))
    keep = math.exp(-1 / (2 * nominal_hz * ADAPTATION_S))
    first = float(np.sqrt(np.mean(squares[: round(2 * nominal_hz)])))
    if first <= 0 or float(rms.max()) <= 0:
        raise InputError("a phase without voltage", "voltage from the first second on", "check the channels")
    adapted, _ = signal.lfilter([1 - keep], [1.0, -keep], rms, zi=np.array([keep * first]))
    return np.interp(np.arange(row.size), edges[1:], adapted, left=first)


def _check(x: Array, rate_hz: float, nominal_hz: float, lamp: str) -> None:
    if lamp not in LAMPS or nominal_hz not in (50.0, 60.0):
        found = f"lamp {lamp!r} at {nominal_hz:g} Hz"
        raise InputError(found, f"a lamp among {', '.join(LAMPS)} at 50 or 60 Hz", "name one of these")
    if not (math.isfinite(rate_hz) and rate_hz >= INNER_RATE_HZ):
        raise InputError(f"rate {rate_hz:g} Hz", f"{INNER_RATE_HZ:g} Hz or more", "sample faster")
    if x.ndim != 2 or x.shape[1] < rate_hz:
        raise InputError(
            f"samples of shape {x.shape}", "(phases, N) over one second or more", "record longer"
        )
    if not np.isfinite(x).all():
        raise InputError("samples that are not finite", "finite samples", "repair or cut the recording")
