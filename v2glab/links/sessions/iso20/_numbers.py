"""Numbers of ISO 15118-20: sixteen bits times a power of ten (8.3.5.3.8)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

from v2glab.evidence import InputError
from v2glab.links.sessions._message import Body

_LARGEST, _HIGHEST = 32767, 3
#: Exponent, largest magnitude, and what a value is multiplied with.
_STEPS = tuple((e, _LARGEST * 10.0**e, 10.0**-e) for e in range(-3, _HIGHEST + 1))
Rounding = Literal["nearest", "down", "up", "zero"]
_ROUND: dict[str, Callable[[float], int]] = {
    "nearest": round,
    "down": math.floor,
    "up": math.ceil,
    "zero": math.trunc,
}


def rational(value: float, rounding: Rounding = "nearest") -> Body:
    """Return a number with the most digits that fit, and no zeros behind them.

    Parameters
    ----------
    rounding
        ``down`` for an upper limit and ``up`` for a lower one, so that what is told lies within; ``zero``
        for a set-point that must not grow beyond a limit.

    Raises
    ------
    InputError
        It is not finite, or its magnitude exceeds 32,767,000.
    """
    magnitude = abs(value)
    for exponent, largest, scale in _STEPS:
        if magnitude <= largest:
            # Six decimals are kept: 0.57 / 0.01 must not become 56 by the binary fraction.
            whole = int(_ROUND[rounding](round(value * scale, 6)))
            if abs(whole) <= _LARGEST:
                return _shortest(exponent, whole)
    raise InputError(f"{value!r:.40}", "a finite number up to 32,767,000", "mend the value")


def _shortest(exponent: int, whole: int) -> Body:
    """Return the number with its smallest value: 22 kW as 22 · 10³ takes one octet less than as 22000."""
    if not whole:
        return {"Exponent": 0, "Value": 0}
    while exponent < _HIGHEST:
        shorter, rest = divmod(whole, 10)
        if rest:
            break
        exponent, whole = exponent + 1, shorter
    return {"Exponent": exponent, "Value": whole}


def number(found: Body) -> float:
    """Return the value of a number; always finite, whatever the exponent."""
    value, exponent = float(found["Value"]), int(found["Exponent"])
    # Divided where that is exact: 19 / 10 is 1.9, 19 · 0.1 is a little more.
    return value * 10.0**exponent if exponent >= 0 else value / 10.0**-exponent


def phases_sum(body: Body, name: str) -> float:
    """Return the sum over the phases of AC: the element of the first one, or of all, and ``_L2``, ``_L3``."""
    return sum(number(body[n]) for n in (name, f"{name}_L2", f"{name}_L3") if n in body)
