"""Block 5 of the flicker meter: from sensation to severity (IEC 61000-4-15:2010, 4.6 and 5.7)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from v2glab.evidence import InputError, Quantity
from v2glab.signals._waveform import Array

#: Intervals that the standard knows for the short-term severity, s.
SHORT_INTERVALS_S = (60.0, 300.0, 600.0, 900.0)
#: Short-term values in one long-term value (5.7.3: twelve of ten minutes).
LONG_COUNT = 12

#: Weight of each smoothed level, and the shares of time (%) whose exceeded levels it is the mean of.
_LEVELS = (
    (0.0314, (0.1,)),
    (0.0525, (0.7, 1.0, 1.5)),
    (0.0657, (2.2, 3.0, 4.0)),
    (0.28, (6.0, 8.0, 10.0, 13.0, 17.0)),
    (0.08, (30.0, 50.0, 80.0)),
)


def short_term_severity(sensation: Array) -> float:
    """Return Pst from the instantaneous sensation over one interval.

    The levels are exact quantiles of the values, where a meter sorts them into classes.

    Parameters
    ----------
    sensation
        Shape (K,), not negative; a thousand values or more, so that a level exceeded for 0.1 % exists.

    Raises
    ------
    InputError
        Too few values, or values that are negative or not finite.
    """
    values = np.asarray(sensation, dtype=np.float64)
    if values.ndim != 1 or values.size < 1000:
        raise InputError(f"sensation of shape {values.shape}", "(K,) with K of 1000 or more", "record longer")
    if not (np.isfinite(values).all() and float(values.min()) >= 0):
        raise InputError("sensation below zero or not finite", "values of zero or more", "check the voltage")
    shares = np.concatenate([s for _, s in _LEVELS])
    level = dict(zip(shares.tolist(), np.quantile(values, 1 - shares / 100).tolist(), strict=True))
    weighted = (w * math.fsum(level[s] for s in group) / len(group) for w, group in _LEVELS)
    return math.sqrt(math.fsum(weighted))


def long_term_severity(severities: Sequence[Quantity], *, count: int = LONG_COUNT) -> Quantity:
    """Return Plt, the cubic mean of consecutive short-term severities.

    The deviation of one meter is the same in all of them, so the uncertainties add without cancelling.

    Raises
    ------
    InputError
        There are not ``count`` of them.
    """
    if len(severities) != count or count < 1:
        found = f"{len(severities)} short-term severities"
        raise InputError(found, f"{count} consecutive ones", "measure for the whole long interval")
    values = np.array([s.value for s in severities])
    value = float(np.mean(values**3) ** (1 / 3))
    if any(s.uncertainty is None for s in severities):
        reason = next(s.no_uncertainty for s in severities if s.uncertainty is None)
        return Quantity("flicker_plt", value, "1", no_uncertainty=reason)
    spread = np.array([s.uncertainty or 0.0 for s in severities])
    weight = values**2 / (count * value**2) if value > 0 else np.full(count, 1 / count)
    return Quantity("flicker_plt", value, "1", float(weight @ spread))
