"""RMS over windows of one cycle."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from v2glab.evidence import InputError
from v2glab.signals._waveform import Array


@dataclass(frozen=True, eq=False)
class RmsSeries:
    """``time_s`` (K,): centre of each window since the first sample; ``rms`` (P, K) in the unit of the
    samples.
    """

    time_s: Array
    rms: Array
    window_s: float


def rms_per_cycle(
    samples: Array, rate_hz: float, frequency_hz: float, *, step_cycles: float = 0.5
) -> RmsSeries:
    """RMS over one cycle, renewed every half cycle: ``U_rms(1/2)`` of IEC 61000-4-30, 3.32 and 5.4.1.

    The window is one cycle of ``frequency_hz`` exactly, not a whole number of samples: the integral of the
    square is interpolated at its ends.

    Parameters
    ----------
    samples
        Shape (P, N) or (N,).
    frequency_hz
        Fundamental frequency, which sets the window.
    step_cycles
        Renewal: 0.5 for each half cycle, 1 for each cycle, 0 for each sample.

    Raises
    ------
    InputError
        The recording is shorter than one cycle, or there are fewer than eight samples a cycle.
    """
    x = np.atleast_2d(np.asarray(samples, dtype=np.float64))
    window_s = 1.0 / frequency_hz if frequency_hz > 0 else 0.0
    last_s = (x.shape[1] - 1) / rate_hz - window_s
    if window_s * rate_hz < 8 or last_s < 0:
        raise InputError(
            f"{x.shape[1]} samples at {rate_hz:g} Hz for a fundamental of {frequency_hz:g} Hz",
            "one cycle or more, with eight samples each or more",
            "record longer or faster",
        )
    square = x * x
    integral = np.zeros_like(x)
    np.cumsum((square[:, 1:] + square[:, :-1]) * (0.5 / rate_hz), axis=1, out=integral[:, 1:])
    step_s = step_cycles * window_s if step_cycles > 0 else 1.0 / rate_hz
    starts = np.arange(int(last_s / step_s + 1e-9) + 1) * step_s
    at = np.arange(x.shape[1]) / rate_hz
    means = [np.interp(starts + window_s, at, row) - np.interp(starts, at, row) for row in integral]
    rms = np.sqrt(np.maximum(np.array(means) / window_s, 0.0))
    centres = np.asarray(starts + window_s / 2, dtype=np.float64)
    return RmsSeries(centres, rms, window_s)


def extreme_spread(single: float, looks: float) -> float:
    """Return the standard uncertainty of the greatest of many values with noise.

    The greatest of ``looks`` values is raised by up to ``single·√(2·ln looks)`` (E. Gumbel, Statistics of
    Extremes, 1958, 4.2), of which nothing is taken off: half of it joins the noise of one value, so that the
    interval of two standard uncertainties holds both.
    """
    raised = single * math.sqrt(2 * math.log(max(looks, 1.0)))
    return math.hypot(single, raised / 2)
