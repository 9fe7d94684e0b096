"""Physical values of DIN 70121 and ISO 15118-2: a short integer, a power of ten from -3 to 3, a unit.

DIN SPEC 70121:2014, 9.5.2.5; ISO 15118-2:2014, 8.5.2.7.
"""

from __future__ import annotations

import math
from typing import Any

from v2glab.evidence import LimitError

Body = dict[str, Any]
_SHORT = 32767
_EXPONENTS = range(-3, 4)
#: No measurement is told to more digits than a charger's meter has.
_FINEST = {"V": -1, "A": -2}


def physical(value: float, unit: str) -> Body:
    """Return a measured value, rounded to the nearest that can be told.

    Raises
    ------
    LimitError
        It is no number, or larger than the protocol can tell.
    """
    exponent = _exponent(value, unit)
    return _told(round(value / 10.0**exponent), exponent, unit)


def bound(value: float, unit: str) -> Body:
    """Return a limit; rounding never makes it larger.

    Raises
    ------
    LimitError
        As :func:`physical`.
    """
    exponent = _exponent(value, unit)
    # A limit such as 0.3 must not lose a digit to its binary form.
    return _told(math.trunc(value / 10.0**exponent + math.copysign(1e-6, value)), exponent, unit)


def number(told: Body) -> float:
    """Return the value that was told."""
    exponent = int(told["Multiplier"])
    value = int(told["Value"])
    # A division keeps 1/10 exact where a factor of 0.1 would not.
    return float(value * 10**exponent) if exponent >= 0 else value / 10**-exponent


def optional(body: Body, name: str) -> float | None:
    """Return a value that may be absent."""
    return number(body[name]) if name in body else None


def _exponent(value: float, unit: str) -> int:
    if not math.isfinite(value):
        raise LimitError(f"{value} {unit}", "a finite number", "look at its measurement")
    for exponent in _EXPONENTS:
        if exponent >= _FINEST.get(unit, 0) and abs(value) / 10.0**exponent <= _SHORT:
            return exponent
    raise LimitError(f"{value:g} {unit}", f"at most {_SHORT * 1000:g} {unit}", "mend the value")


def _told(value: int, exponent: int, unit: str) -> Body:
    return {"Multiplier": exponent, "Unit": unit, "Value": value}
