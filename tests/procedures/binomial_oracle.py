"""Order statistics that enclose a quantile, by adding up binomial probabilities one by one."""

from fractions import Fraction
from itertools import accumulate
from math import comb


def interval(count: int, share: float, coverage: float) -> tuple[int, int]:
    """Return ranks of the narrowest interval with at most half of the rest in each tail."""
    tail = (1 - Fraction(str(coverage))) / 2
    below = list(accumulate(_mass(count, share)))
    # The quantile lies below the l-th smallest when fewer than l samples are below it.
    lower = max(r for r in range(1, count + 1) if below[r - 1] <= tail)
    upper = min(r for r in range(1, count + 1) if 1 - below[r - 1] <= tail)
    return lower, upper


def coverage(count: int, share: float, lower: int, upper: int) -> float:
    """Return the probability that the l-th and the u-th smallest enclose the quantile."""
    return float(sum(_mass(count, share)[lower:upper]))


def _mass(count: int, share: float) -> list[Fraction]:
    p = Fraction(str(share))
    return [comb(count, k) * p**k * (1 - p) ** (count - k) for k in range(count + 1)]
