"""Over-voltage that a plant causes: cumulative instantaneous, and fundamental (IEEE 1547-2018, 7.4)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from v2glab.evidence import InputError, Quantity
from v2glab.signals._rms import extreme_spread
from v2glab.signals._waveform import Array

#: Window over which durations are added up, s (7.4.2).
WINDOW_S = 60.0
_UNKNOWN = "the instrument states no uncertainty"
_FEWEST_SAMPLES_A_CYCLE = 32


def time_above(
    samples: Array,
    rate_hz: float,
    nominal_rms: float,
    levels_pu: Sequence[float],
    *,
    window_s: float = WINDOW_S,
    u_sample: float | None = None,
) -> tuple[Quantity, ...]:
    """Return, for each level, the longest time that the magnitude of the instantaneous voltage of one phase
    spends above it within any window, in ms: ``time_above_<level>`` (7.4.2).

    One per unit is the nominal peak. Between samples the voltage runs straight. The uncertainty joins what a
    shift of the level by ``u_sample`` changes with where between two samples an edge lies.

    Parameters
    ----------
    samples
        Voltage, shape (P, N) or (N,), in the unit of ``nominal_rms``.
    levels_pu
        Levels above 0, such as those of figure 3: 1.3, 1.4, 1.7, 2.0.
    window_s
        One minute in the standard.
    u_sample
        Standard uncertainty of a sample; taken as shared by all, the less favourable case.

    Raises
    ------
    InputError
        Samples are not finite, or a number is not positive.
    """
    x = np.abs(np.atleast_2d(np.asarray(samples, dtype=np.float64)))
    _check(x, (rate_hz, nominal_rms, window_s, *levels_pu))
    peak = nominal_rms * math.sqrt(2)
    return tuple(_time_above(x, rate_hz, level, peak, window_s, u_sample) for level in levels_pu)


def _time_above(
    x: Array, rate_hz: float, level: float, peak: float, window_s: float, u_sample: float | None
) -> Quantity:
    name, threshold = (
        f"time_above_{level:.1f}" if round(level, 1) == level else f"time_above_{level:g}",
        level * peak,
    )
    value_s = max(_longest(row, rate_hz, threshold, window_s) for row in x)
    if u_sample is None:
        return Quantity(name, 1e3 * value_s, "ms", no_uncertainty=_UNKNOWN)
    less = max(_longest(row, rate_hz, threshold + u_sample, window_s) for row in x)
    more = max(_longest(row, rate_hz, max(threshold - u_sample, 0.0), window_s) for row in x)
    edges = max(_edges(row, rate_hz, threshold, window_s) for row in x)
    placing = math.sqrt(edges / 12) / rate_hz
    shift = max(more - value_s, value_s - less)
    return Quantity(name, 1e3 * value_s, "ms", 1e3 * math.hypot(shift, placing))


def _longest(row: Array, rate_hz: float, threshold: float, window_s: float) -> float:
    """Return the longest time above the threshold within any window, s."""
    begins, ends = _spans(row, rate_hz, threshold)
    if not begins.size:
        return 0.0
    edges = np.stack([begins, ends], axis=1).ravel()
    done = np.cumsum(ends - begins)
    total = np.stack([done - (ends - begins), done], axis=1).ravel()
    # the most is held by a window that begins where time above begins, or ends where it ends
    later = np.interp(begins + window_s, edges, total) - total[::2]
    earlier = total[1::2] - np.interp(ends - window_s, edges, total)
    return float(max(later.max(), earlier.max()))


def _edges(row: Array, rate_hz: float, threshold: float, window_s: float) -> int:
    """Return the most crossings of the threshold within any window."""
    edges = np.sort(np.concatenate(_spans(row, rate_hz, threshold)))
    edges = edges[(edges > 0) & (edges < (row.size - 1) / rate_hz)]
    if not edges.size:
        return 0
    return int((np.searchsorted(edges, edges + window_s, "right") - np.arange(edges.size)).max())


def _spans(row: Array, rate_hz: float, threshold: float) -> tuple[Array, Array]:
    """Return when each stay above the threshold begins and ends, s since the first sample."""
    over = row - threshold
    above = over > 0
    change = np.flatnonzero(above[1:] != above[:-1])
    moments = (change + over[change] / (over[change] - over[change + 1])) / rate_hz
    rising = above[change + 1]
    begins, ends = moments[rising], moments[~rising]
    if above[0]:
        begins = np.concatenate([[0.0], begins])
    if above[-1]:
        ends = np.concatenate([ends, [(row.size - 1) / rate_hz]])
    return begins, ends


def fundamental_overvoltage(
    samples: Array,
    rate_hz: float,
    frequency_hz: float,
    nominal_rms: float,
    *,
    u_sample: float | None = None,
    u_gain: float = 0.0,
) -> Quantity:
    """Return the greatest fundamental over one period on any phase, in percent of nominal (7.4.1).

    The period slides over the recording sample by sample, so a voltage that holds for one whole period is
    seen in full, and a shorter one in part.

    Parameters
    ----------
    samples
        Voltage, shape (P, N) or (N,), over one period or more, in the unit of ``nominal_rms``.
    frequency_hz
        True fundamental frequency; an error of 1 % costs up to 0.5 % of the value, which the uncertainty
        does not hold.
    u_sample, u_gain
        Standard uncertainty of one sample (independent), and of the gain (relative, shared).

    Raises
    ------
    InputError
        Fewer than 32 samples a period, less than one period, samples that are not finite.
    """
    x = np.atleast_2d(np.asarray(samples, dtype=np.float64))
    _check(x, (rate_hz, frequency_hz, nominal_rms))
    per_cycle = rate_hz / frequency_hz
    if per_cycle < _FEWEST_SAMPLES_A_CYCLE or x.shape[1] < per_cycle + 1:
        found = f"{x.shape[1]} samples, {per_cycle:.1f} a period"
        required = f"a period or more, with {_FEWEST_SAMPLES_A_CYCLE} samples or more"
        raise InputError(found, required, "sample faster or record longer")
    turned = x * np.exp(-1j * math.tau / per_cycle * np.arange(x.shape[1]))
    integral = np.zeros_like(turned)
    np.cumsum((turned[:, 1:] + turned[:, :-1]) / 2, axis=1, out=integral[:, 1:])
    at = np.arange(x.shape[1], dtype=np.float64)
    starts = at[: int(x.shape[1] - 1 - per_cycle + 1e-9) + 1]
    ends = [np.interp(starts + per_cycle, at, row) for row in integral]
    sums = np.array(ends) - integral[:, : starts.size]
    percent = 100 * math.sqrt(2) / per_cycle / nominal_rms * np.abs(sums)
    value = float(percent.max())
    if u_sample is None:
        return Quantity("fundamental_overvoltage", value, "%", no_uncertainty=_UNKNOWN)
    noise = 100 * u_sample / math.sqrt(per_cycle) / nominal_rms
    straight = value * (math.tau / per_cycle) ** 2 / 6 / math.sqrt(3)
    scatter = extreme_spread(noise, float(percent.size))
    spread = math.sqrt(scatter**2 + straight**2 + (u_gain * value) ** 2)
    return Quantity("fundamental_overvoltage", value, "%", spread)


def _check(x: Array, numbers: tuple[float, ...]) -> None:
    if not all(math.isfinite(n) and n > 0 for n in numbers):
        raise InputError(f"numbers {numbers}", "rate, nominal, window and levels above zero", "correct them")
    if x.ndim != 2 or x.shape[1] < 2 or not np.isfinite(x).all():
        raise InputError(f"samples of shape {x.shape}", "finite (phases, N)", "repair or cut the recording")
