"""Numbers of ISO 15118-20: sixteen bits times a power of ten (8.3.5.3.8)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

from v2glab.evidence import InputError
from v2glab.links.sessions._message import Body

_LARGEST, _EXPONENTS = 32767, range(-3, 4)
Rounding = Literal["nearest", "down", "up", "zero"]
_ROUND: dict[str, Callable[[float], int]] = {
    "nearest": round,
    "down": math.floor,
    "up": math.ceil,
    "zero": math.trunc,
}


def rational(value: float, rounding: Rounding = "nearest") -> Body:
    """Return a number with the most digits that fit.

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
    if math.isfinite(value):
        for exponent in _EXPONENTS:
            # Ten digits are kept: 60.0 / 0.01 must not become 5999 by the binary fraction.
            scaled = round(value / 10.0**exponent, 6)
            whole = int(_ROUND[rounding](scaled))
            if abs(whole) <= _LARGEST:
                return {"Exponent": exponent, "Value": whole}
    raise InputError(f"{value!r:.40}", "a finite number up to 32,767,000", "mend the value")


def number(found: Body) -> float:
    """Return the value of a number; always finite, whatever the exponent."""
    return float(found["Value"]) * 10.0 ** int(found["Exponent"])


def number_or_none(body: Body, name: str) -> float | None:
    """Return the number of an element that may be missing."""
    return number(body[name]) if name in body else None
