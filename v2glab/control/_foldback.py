"""Fold the current back before the heat sink reaches its limit, and stop at it."""

from __future__ import annotations

from v2glab.evidence import LimitError

FOLDBACK_START = 0.85
"""Share of the permitted temperature rise at which the current begins to fold back."""

TEMPERATURE_RANGE_CELSIUS = (-40.0, 85.0)
"""Range in which the limit of a charger may be set: what IEC 61851-23 is applied with here."""


def rise_share(temperature_celsius: float, ambient_celsius: float, limit_celsius: float) -> float:
    """Return u: temperature rise over the rise that is permitted; 1 at the limit.

    With an ambient at or above the limit nothing is permitted: 1.
    """
    permitted = limit_celsius - ambient_celsius
    if permitted <= 0.0:
        return 1.0
    return (temperature_celsius - ambient_celsius) / permitted


def allowed_current_pu(share: float, start: float = FOLDBACK_START) -> float:
    """Return the share of rated current that may flow: 1 up to ``start``, then a straight line to 0 at 1."""
    if share <= start:
        return 1.0
    if share >= 1.0:
        return 0.0
    return (1.0 - share) / (1.0 - start)


def check_temperature_limit(limit_celsius: float) -> float:
    """Return the limit when it may be set.

    Raises
    ------
    LimitError
        It lies outside the permitted range.
    """
    low, high = TEMPERATURE_RANGE_CELSIUS
    if not low <= limit_celsius <= high:
        raise LimitError(
            f"temperature limit {limit_celsius:g} °C",
            f"{low:g} to {high:g} °C",
            "choose a limit in that range",
        )
    return limit_celsius
