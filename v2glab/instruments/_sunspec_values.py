"""Numbers and units of SunSpec points, as pysunspec2 holds them."""

from __future__ import annotations

from typing import Any

from v2glab.evidence import DeviceError

#: Units of the definitions in this project's spelling; what is not here stays as it is.
UNITS = {
    "C": "degC",
    "Pct": "%",
    "Var": "var",
    "Secs": "s",
    "Varh": "varh",
    "": "1",
    "Wh": "Wh",
    "WH": "Wh",
    "Vah": "VAh",
}


def is_number(point: Any) -> bool:  # noqa: ANN401  (pysunspec2 has no types)
    """Return whether a point holds a number of its own."""
    kind = str(point.pdef["type"])
    return kind not in ("string", "pad", "sunssf", "ipaddr", "ipv6addr", "eui48")


def exponent(point: Any) -> int:  # noqa: ANN401
    """Return the power of ten behind a point (SunSpec: value = raw · 10^SF, SF from -10 to 10)."""
    if not point.sf_required:
        return 0
    source = point.group.points.get(point.sf) or point.model.points.get(point.sf) if point.sf else None
    value = source.value if source is not None else point.sf_value
    if not isinstance(value, int) or not -10 <= value <= 10:
        raise DeviceError(
            f"scale factor {point.sf} of {point.pdef['name']} is {value}",
            "a whole number from -10 to 10",
            "check the device's map",
        )
    return value


def scaled(point: Any) -> float | None:  # noqa: ANN401
    """Return the number that a point stands for; ``None`` when the device does not implement it."""
    raw = point.value
    if raw is None:
        return None
    power = exponent(point)
    return float(raw) * 10.0**power if power >= 0 else float(raw) / 10.0**-power
