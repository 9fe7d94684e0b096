"""Phase difference of two channels, symmetrical components, frequency over time."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2glab.evidence import InputError
from v2glab.signals._fundamental import fit_fundamental
from v2glab.signals._waveform import Array


@dataclass(frozen=True)
class PhaseDifference:
    """How far ``first`` leads ``second`` at the centre of the window, wrapped to (−π, π]; standard
    uncertainties.
    """

    difference_rad: float
    u_difference_rad: float
    frequency_difference_hz: float
    u_frequency_difference_hz: float


@dataclass(frozen=True)
class SymmetricalComponents:
    """Zero, positive and negative sequence of one quantity (Fortescue, Trans. AIEE 37(2), 1918), complex."""

    zero: complex
    positive: complex
    negative: complex

    @property
    def unbalance(self) -> float:
        """Negative over positive sequence (IEC 61000-4-30, 5.7); infinite without a positive sequence."""
        return abs(self.negative) / abs(self.positive) if self.positive else math.inf


@dataclass(frozen=True, eq=False)
class FrequencySeries:
    """Fits over consecutive windows: shapes (K,), ``amplitude`` and ``phase_rad`` (K, P); times are window
    centres.
    """

    time_s: Array
    frequency_hz: Array
    u_frequency_hz: Array
    rocof_hz_s: Array
    u_rocof_hz_s: Array
    amplitude: Array
    phase_rad: Array


def wrap_phase(angle_rad: float) -> float:
    """Return the same angle in (−π, π]."""
    return -((math.pi - angle_rad) % math.tau - math.pi)


def phase_difference(first: Array, second: Array, rate_hz: float, nominal_hz: float) -> PhaseDifference:
    """Compare two channels over the same window, each with a frequency of its own.

    Parameters
    ----------
    first, second
        Shape (N,) each, sampled at the same instants.

    Raises
    ------
    InputError
        As :func:`fit_fundamental`.
    """
    a = fit_fundamental(first, rate_hz, nominal_hz)
    b = fit_fundamental(second, rate_hz, nominal_hz)
    return PhaseDifference(
        wrap_phase(float(a.phase_rad[0] - b.phase_rad[0])),
        math.hypot(a.u_phase_rad[0], b.u_phase_rad[0]),
        a.frequency_hz - b.frequency_hz,
        math.hypot(a.u_frequency_hz, b.u_frequency_hz),
    )


def symmetrical_components(phasors: NDArray[np.complex128]) -> SymmetricalComponents:
    """Split three phasors, order a, b, c, shape (3,), into their sequences.

    Raises
    ------
    InputError
        There are not three.
    """
    if np.shape(phasors) != (3,):
        raise InputError(f"phasors of shape {np.shape(phasors)}", "three: a, b, c", "give all phases")
    turn = complex(-0.5, math.sqrt(0.75))
    a, b, c = (complex(p) for p in phasors)
    return SymmetricalComponents(
        (a + b + c) / 3, (a + turn * b + turn**2 * c) / 3, (a + turn**2 * b + turn * c) / 3
    )


def frequency_series(
    samples: Array,
    rate_hz: float,
    nominal_hz: float,
    *,
    window_cycles: float = 10.0,
    step_cycles: float = 10.0,
) -> FrequencySeries:
    """Fit the fundamental over consecutive windows of P phases.

    Parameters
    ----------
    samples
        Shape (P, N); a last part shorter than one window is left out, and one window is the whole of a
        shorter recording.

    Raises
    ------
    InputError
        As :func:`fit_fundamental`.
    """
    x = np.atleast_2d(np.asarray(samples, dtype=np.float64))
    length = min(x.shape[1], round(window_cycles * rate_hz / nominal_hz))
    step = max(1, round(step_cycles * rate_hz / nominal_hz))
    starts = range(0, x.shape[1] - length + 1, step)
    fits = [fit_fundamental(x[:, i : i + length], rate_hz, nominal_hz) for i in starts]
    return FrequencySeries(
        np.array([(i + (length - 1) / 2) / rate_hz for i in starts]),
        np.array([f.frequency_hz for f in fits]),
        np.array([f.u_frequency_hz for f in fits]),
        np.array([f.rocof_hz_s for f in fits]),
        np.array([f.u_rocof_hz_s for f in fits]),
        np.array([f.amplitude for f in fits]),
        np.array([f.phase_rad for f in fits]),
    )
