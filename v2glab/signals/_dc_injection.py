"""Direct current that a plant injects, as a share of its rated current (IEEE 1547-2018, 7.1)."""

from __future__ import annotations

import math

import numpy as np

from v2glab.evidence import InputError, Quantity
from v2glab.signals._waveform import Array

#: Weights of the four-term Blackman–Harris window (F. Harris, Proc. IEEE 66(1), 1978): side lobes at −92 dB.
_WEIGHTS = (0.35875, -0.48829, 0.14128, -0.01168)
_SIDE_LOBE = 10 ** (-92 / 20)
#: The main lobe ends at the fourth line: the fundamental must lie beyond it.
_FEWEST_CYCLES = 6


def dc_injection(
    samples: Array,
    rate_hz: float,
    nominal_hz: float,
    rated_current: float,
    *,
    u_offset: float | None,
    u_sample: float = 0.0,
) -> tuple[Quantity, ...]:
    """Return the magnitude of the direct current of each phase in percent of rated current.

    The mean is weighted by a window that suppresses the fundamental to 25 parts in a million whatever its
    frequency does.

    Parameters
    ----------
    samples
        Current, shape (P, N) or (N,), over six nominal cycles or more, in the unit of ``rated_current``.
    rated_current
        RMS, > 0.
    u_offset
        Standard uncertainty of the instrument's zero; ``None`` where it is not known, and then the result
        has none.
    u_sample
        Standard uncertainty of one sample, independent from sample to sample.

    Raises
    ------
    InputError
        The recording is too short or not finite, or a number is not positive.
    """
    x = np.atleast_2d(np.asarray(samples, dtype=np.float64))
    if not all(math.isfinite(n) and n > 0 for n in (rate_hz, nominal_hz, rated_current)):
        found = f"rate {rate_hz:g} Hz, nominal {nominal_hz:g} Hz, rated {rated_current:g}"
        raise InputError(found, "numbers above zero", "correct them")
    needed = math.ceil(_FEWEST_CYCLES * rate_hz / nominal_hz)
    if x.ndim != 2 or x.shape[1] < needed or not np.isfinite(x).all():
        required = f"finite (phases, N) with N of {needed} or more"
        raise InputError(f"samples of shape {x.shape}", required, "record longer, or repair the recording")
    turn = math.tau * (np.arange(x.shape[1]) + 0.5) / x.shape[1]
    weight = np.sum([w * np.cos(k * turn) for k, w in enumerate(_WEIGHTS)], axis=0)
    weight /= weight.sum()
    value = np.abs(x @ weight)
    leak = _SIDE_LOBE * np.sqrt(2 * np.mean(x * x, axis=1)) / math.sqrt(3)
    noise = u_sample * math.sqrt(float(weight @ weight))
    return tuple(
        _quantity(float(value[p]), rated_current, u_offset, math.hypot(noise, float(leak[p])))
        for p in range(x.shape[0])
    )


def _quantity(value: float, rated: float, u_offset: float | None, other: float) -> Quantity:
    percent = 100 * value / rated
    if u_offset is None:
        reason = "the instrument states no uncertainty of its zero"
        return Quantity("dc_current", percent, "%", no_uncertainty=reason)
    return Quantity("dc_current", percent, "%", 100 * math.hypot(u_offset, other) / rated)
