"""Harmonic and interharmonic current as shares of rated current, and total rated-current distortion.

IEEE 1547-2018, 7.3: a component within a half band (5 Hz) of an order counts to that order; what lies between
two bands stands on its own, and the lesser limit of both neighbours holds for it. Windows follow IEC
61000-4-7 (ten cycles at 50 Hz, twelve at 60 Hz), joined by their mean square.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2glab.evidence import InputError, Quantity
from v2glab.signals._harmonics import PASSBAND, POINTS, filter_margin, resample_cycles
from v2glab.signals._waveform import Array

_UNKNOWN = "the instrument states no uncertainty"


@dataclass(frozen=True, eq=False)
class CurrentDistortion:
    """Current by order, in percent of rated current, with standard uncertainties (``None``: not known).

    ``order_percent`` (P, H): orders 1 … H with what lies within the half band. ``band_percent`` (P, H): what
    lies between the bands of orders h and h + 1, h = 0 … H − 1. ``rated_percent`` (P,): total rated-current
    distortion.
    """

    orders: NDArray[np.int64]
    order_percent: Array
    u_order_percent: Array | None
    band_percent: Array
    u_band_percent: Array | None
    rated_percent: Array
    u_rated_percent: Array | None
    frequency_hz: float
    windows: int

    def quantities(self) -> tuple[Quantity, ...]:
        """Return the greatest phase of each order from 2 on, of each band from that above order 1 on, and of
        the total, in percent: ``harmonic_current_h<h>``, ``interharmonic_current_h<h>_<h + 1>`` and
        ``rated_current_distortion``.
        """
        out = []
        for i, order in enumerate(self.orders.tolist()):
            if order > 1:
                name = f"harmonic_current_h{order}"
                out.append(_greatest(name, self.order_percent[:, i], _column(self.u_order_percent, i)))
            if i > 0:
                name = f"interharmonic_current_h{order - 1}_{order}"
                out.append(_greatest(name, self.band_percent[:, i], _column(self.u_band_percent, i)))
        out.append(_greatest("rated_current_distortion", self.rated_percent, self.u_rated_percent))
        return tuple(out)


def current_distortion(
    samples: Array,
    rate_hz: float,
    frequency_hz: float,
    rated_current: float,
    *,
    nominal_hz: float,
    orders: int = 49,
    half_band_hz: float = 5.0,
    u_sample: float | None = None,
    u_gain: float = 0.0,
) -> CurrentDistortion:
    """Return current by order and between orders over all whole windows of the recording.

    Parameters
    ----------
    samples
        Current, shape (P, N) or (N,), in the unit of ``rated_current``.
    frequency_hz
        True fundamental frequency, from :func:`fit_fundamental`.
    rated_current
        RMS, > 0.
    orders
        Highest order judged.
    half_band_hz
        What counts to an order; rounded to whole lines of the window's spectrum (about 5 Hz).
    u_sample
        Standard uncertainty of one sample, independent from sample to sample.
    u_gain
        Standard uncertainty of the instrument's gain, relative, the same for all samples.

    Raises
    ------
    InputError
        The recording is shorter than one window with the margin of the filter, too slow for ``orders``, or
        the rated current is not positive.
    """
    x = np.atleast_2d(np.asarray(samples, dtype=np.float64))
    cycles = 10 if nominal_hz < 55 else 12
    _check(x, rate_hz, frequency_hz, rated_current, orders, cycles)
    margin = filter_margin(rate_hz, frequency_hz, cycles)
    length = cycles / frequency_hz * rate_hz
    windows = int((x.shape[1] - 2 * margin) / length + 1e-9)
    starts = [margin + round(k * length) for k in range(windows)]
    power = np.zeros((x.shape[0], POINTS // 2 + 1))
    for start in starts:
        lines = np.fft.rfft(resample_cycles(x, rate_hz, frequency_hz, cycles, start=start), axis=1) / POINTS
        power += 2 * np.abs(lines) ** 2 / windows
    reach = max(0, min(round(half_band_hz * cycles / nominal_hz), (cycles - 1) // 2))
    centres = np.arange(1, orders + 1) * cycles
    inside = [power[:, c - reach : c + reach + 1].sum(axis=1) for c in centres]
    between = [power[:, c - cycles + reach + 1 : c - reach].sum(axis=1) for c in centres]
    rest = np.mean([_rest(x, rate_hz, frequency_hz, s, length) for s in starts], axis=0)
    share, noise = 100 / rated_current, None if u_sample is None else u_sample**2 / length
    by_order, by_band = np.sqrt(np.stack(inside, axis=1)), np.sqrt(np.stack(between, axis=1))
    total = np.sqrt(rest)

    def doubt(rms: Array, lines: float) -> Array | None:
        return None if noise is None else share * _spread(rms, noise, lines, windows, u_gain)

    return CurrentDistortion(
        np.arange(1, orders + 1, dtype=np.int64),
        share * by_order,
        doubt(by_order, 2 * reach + 1),
        share * by_band,
        doubt(by_band, cycles - 2 * reach - 1),
        share * total,
        doubt(total, length / 2),
        frequency_hz,
        windows,
    )


def band_limits(limits: Mapping[int, float]) -> dict[int, float]:
    """Return the limit of each band between orders h and h + 1, by h: the lesser of both neighbours' limits
    (IEEE 1547-2018, 7.3); bands with a neighbour that has none are left out.
    """
    return {h: min(limit, limits[h + 1]) for h, limit in sorted(limits.items()) if h + 1 in limits}


def _rest(x: Array, rate_hz: float, frequency_hz: float, start: int, length: float) -> Array:
    """Return the mean square of what the fundamental leaves over one window, shape (P,).

    Over whole cycles it equals RMS² less fundamental² (the definition of 7.3) without losing digits.
    """
    part = x[:, start : start + round(length)]
    angle = math.tau * frequency_hz / rate_hz * np.arange(part.shape[1])
    design = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    solution = np.linalg.lstsq(design, part.T, rcond=None)[0]
    return np.asarray(np.mean((part.T - design @ solution) ** 2, axis=0))


def _spread(rms: Array, noise: float, lines: float, windows: int, gain: float) -> Array:
    """Return the standard uncertainty of a root of summed lines.

    Noise of variance σ² puts 2σ²/N into each line. What it adds to the square is not taken off, since a
    stated uncertainty may exceed the true noise and taking it off would hide current: it counts in full as a
    doubt, with one standard deviation of its own scatter (JCGM 100:2008, F.2.4.5).
    """
    power = 2 * lines * noise
    scatter = power / math.sqrt(lines * windows)
    added = rms - np.sqrt(np.maximum(rms**2 - power - scatter, 0.0))
    return np.asarray(np.sqrt((gain * rms) ** 2 + added**2 + noise / windows))


def _column(values: Array | None, i: int) -> Array | None:
    return None if values is None else values[:, i]


def _greatest(name: str, values: Array, spread: Array | None) -> Quantity:
    worst = int(np.argmax(values))
    if spread is None:
        return Quantity(name, float(values[worst]), "%", no_uncertainty=_UNKNOWN)
    return Quantity(name, float(values[worst]), "%", float(spread[worst]))


def _check(x: Array, rate_hz: float, frequency_hz: float, rated: float, orders: int, cycles: int) -> None:
    numbers = (rate_hz, frequency_hz, rated)
    if not all(math.isfinite(n) and n > 0 for n in numbers) or orders < 2:
        found = f"rate {rate_hz:g} Hz, fundamental {frequency_hz:g} Hz, rated {rated:g}, {orders} orders"
        raise InputError(found, "numbers above zero, and two orders or more", "correct them")
    carried = int(PASSBAND * min(rate_hz, POINTS / cycles * frequency_hz) / 2 / frequency_hz - 0.5)
    if orders > carried:
        found = f"order {orders} at {rate_hz:g} Hz"
        raise InputError(found, f"orders up to {carried} at that rate", "sample faster or judge fewer orders")
    if x.ndim != 2 or not np.isfinite(x).all():
        raise InputError(f"samples of shape {x.shape}", "finite (phases, N)", "repair or cut the recording")
    needed = 2 * filter_margin(rate_hz, frequency_hz, cycles) + cycles / frequency_hz * rate_hz
    if x.shape[1] < needed:
        raise InputError(f"{x.shape[1]} samples", f"{math.ceil(needed)} samples or more", "record longer")
