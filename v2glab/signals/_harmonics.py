"""Harmonics of a window of whole cycles."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from v2glab.evidence import InputError
from v2glab.signals._waveform import Array

POINTS = 2048
HALF_TAPS = 24
KAISER_BETA = 10.0
#: Share of the Nyquist frequency that the resampling filter passes unharmed.
PASSBAND = 0.85


@dataclass(frozen=True, eq=False)
class HarmonicSpectrum:
    """RMS values by order: ``rms`` (P, H + 1) with the constant at order 0; ``thd`` (P,) as a plain ratio.

    ``thd`` relates orders 2 … H to the fundamental (IEC 61000-4-7, 3.3.1, over single orders).
    """

    orders: NDArray[np.int64]
    rms: Array
    thd: Array
    frequency_hz: float
    cycles: int


def harmonics(
    samples: Array,
    rate_hz: float,
    frequency_hz: float,
    *,
    cycles: int = 10,
    orders: int = 50,
    method: Literal["resample", "least_squares"] = "resample",
) -> HarmonicSpectrum:
    """Harmonics over exactly ``cycles`` cycles at the start of the recording (IEC 61000-4-7: ten at 50 Hz,
    twelve at 60 Hz).

    ``"resample"`` brings the exact window to 2048 points by a Kaiser-windowed sinc and takes the Fourier
    series; ``"least_squares"`` fits all orders to the samples as they are.

    Parameters
    ----------
    samples
        Shape (P, N) or (N,).
    frequency_hz
        True fundamental frequency, from :func:`fit_fundamental`.
    orders
        Highest order; lowered to what the rate can carry.

    Raises
    ------
    InputError
        The recording is shorter than one cycle with the margin of the filter, or too slow for the second
        order.
    """
    x = np.atleast_2d(np.asarray(samples, dtype=np.float64))
    carried = int(PASSBAND * rate_hz / 2 / frequency_hz) if frequency_hz > 0 else 0
    points_order = int(PASSBAND * POINTS / 2 / cycles)
    orders = min(orders, carried, points_order if method == "resample" else carried)
    margin = filter_margin(rate_hz, frequency_hz, cycles) if method == "resample" else 0
    fitting = int((x.shape[1] - 2 * margin) / rate_hz * frequency_hz + 1e-9) if frequency_hz > 0 else 0
    cycles = min(cycles, fitting)
    if cycles < 1 or orders < 2:
        raise InputError(
            f"{x.shape[1]} samples at {rate_hz:g} Hz, fundamental {frequency_hz:g} Hz",
            f"one cycle and {2 * margin} samples or more, and a rate that carries the second harmonic",
            "record longer or faster",
        )
    series = (
        _by_resampling(x, rate_hz, frequency_hz, cycles, orders, margin)
        if method == "resample"
        else _by_least_squares(x, rate_hz, frequency_hz, cycles, orders)
    )
    rms = np.asarray(np.abs(series))
    rms[:, 1:] /= math.sqrt(2)
    with np.errstate(divide="ignore", invalid="ignore"):
        thd = np.sqrt(np.sum(rms[:, 2:] ** 2, axis=1)) / rms[:, 1]
    return HarmonicSpectrum(np.arange(orders + 1, dtype=np.int64), rms, thd, frequency_hz, cycles)


def resample_cycles(
    samples: Array, rate_hz: float, frequency_hz: float, cycles: int, *, start: int = 0, points: int = POINTS
) -> Array:
    """Resample ``cycles`` cycles from sample ``start`` on to ``points``; samples outside the recording count
    as zero.

    A Kaiser-windowed sinc of 48 taps (Oppenheim and Schafer, Discrete-Time Signal Processing, 7.5), stretched
    when the new rate is the lower one, so that nothing folds back.
    """
    x = np.atleast_2d(np.asarray(samples, dtype=np.float64))
    stride = cycles / frequency_hz * rate_hz / points
    cutoff = min(1.0, 1.0 / stride)
    half = math.ceil(HALF_TAPS / cutoff)
    position = start + np.arange(points) * stride
    first = np.floor(position).astype(np.int64) - half + 1
    index = first[:, None] + np.arange(2 * half)
    distance = position[:, None] - index
    from scipy.special import i0

    shape = np.sqrt(np.maximum(1.0 - (distance / half) ** 2, 0.0))
    weight = cutoff * np.sinc(cutoff * distance) * i0(KAISER_BETA * shape) / i0(KAISER_BETA)
    weight /= weight.sum(axis=1, keepdims=True)
    inside = (index >= 0) & (index < x.shape[1])
    weight *= inside
    index = np.clip(index, 0, x.shape[1] - 1)
    return np.stack([np.einsum("ij,ij->i", row[index], weight) for row in x])


def filter_margin(rate_hz: float, frequency_hz: float, cycles: int) -> int:
    """Samples that the filter needs beyond each end of the window."""
    stride = cycles / frequency_hz * rate_hz / POINTS if frequency_hz > 0 else 1.0
    return math.ceil(HALF_TAPS * max(1.0, stride)) + 1


def _by_resampling(
    x: Array, rate_hz: float, frequency_hz: float, cycles: int, orders: int, margin: int
) -> NDArray[np.complex128]:
    even = resample_cycles(x, rate_hz, frequency_hz, cycles, start=margin)
    spectrum = np.fft.rfft(even, axis=1) / POINTS
    series = spectrum[:, 0 : orders * cycles + 1 : cycles]
    series[:, 1:] *= 2
    return np.asarray(series)


def _by_least_squares(
    x: Array, rate_hz: float, frequency_hz: float, cycles: int, orders: int
) -> NDArray[np.complex128]:
    count = min(x.shape[1], round(cycles / frequency_hz * rate_hz))
    angle = math.tau * frequency_hz / rate_hz * np.arange(count)
    turns = angle[:, None] * np.arange(1, orders + 1)
    design = np.hstack([np.ones((count, 1)), np.cos(turns), np.sin(turns)])
    solution = np.linalg.lstsq(design, x[:, :count].T, rcond=None)[0].T
    out = np.empty((x.shape[0], orders + 1), dtype=np.complex128)
    out[:, 0] = solution[:, 0]
    out[:, 1:] = solution[:, 1 : orders + 1] - 1j * solution[:, orders + 1 :]
    return out
