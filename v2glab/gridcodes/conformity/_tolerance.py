"""The acceptance band of a type test."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from v2glab.evidence import InputError


@dataclass(frozen=True, slots=True)
class Band:
    """Lowest and highest value that conform, and how far the limits move per unit of ``x``."""

    lower: float
    upper: float
    slope: float


def tolerance_band(
    function: Callable[[float], float],
    x: float,
    reach_x: float,
    reach_y: float,
    knees: Sequence[float] = (),
) -> Band:
    """Return the band of y at a measured x (IEEE 1547.1-2020, 4.2).

    The least and greatest of the characteristic over ``x ± reach_x``, enlarged by ``reach_y``; both reaches
    are 1.5 times the minimum required accuracy.

    Parameters
    ----------
    function
        The characteristic; monotonic between neighbouring ``knees``.
    x
        Measured, not commanded.
    knees
        Values of x at which the characteristic bends.

    Raises
    ------
    InputError
        A reach is not positive.
    """
    if not (reach_x > 0 and reach_y > 0):
        raise InputError(
            f"reaches {reach_x} and {reach_y}", "both above 0", "take them from the accuracy table"
        )
    low, high = x - reach_x, x + reach_x
    values = [function(low), function(high), function(x), *(function(k) for k in knees if low < k < high)]
    least, most = min(values), max(values)
    return Band(least - reach_y, most + reach_y, (most - least) / (2 * reach_x))


def response_target(initial: float, final: float, after_s: float, olrt_s: float, share: float = 0.9) -> float:
    """Return where an open-loop response stands some time after a step.

    An exponential from the measured initial to the measured final value that has covered ``share`` of the way
    at the open-loop response time (IEEE 1547.1-2020, 4.2; IEEE 1547-2018, 3.1).

    Parameters
    ----------
    after_s
        Time since the step; before it the initial value stands.
    """
    if after_s <= 0:
        return initial
    return float(initial + (final - initial) * (1.0 - (1.0 - share) ** (after_s / olrt_s)))


def interpolate(points: Sequence[tuple[float, float]], x: float) -> float:
    """Return a piecewise linear characteristic at x, flat beyond its ends; points rise, steps are allowed."""
    if x <= points[0][0]:
        return points[0][1]
    for (x0, y0), (x1, y1) in pairwise(points):
        if x <= x1:
            return y1 if x1 == x0 else y0 + (y1 - y0) * (x - x0) / (x1 - x0)
    return points[-1][1]
