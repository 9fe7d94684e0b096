"""Whether a meter is good enough to validate telemetry, and calibrated."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from v2glab.station._settings import Site

if TYPE_CHECKING:
    from v2glab.instruments import Certificate


def rated_values(site: Site) -> dict[str, float]:
    """Return what a meter at this site shows at rated load, by point and in the point's unit."""
    return {
        "voltage_a": site.nominal_voltage_v,
        "current_a": site.rated_current_a,
        "power": site.rated_power_w,
    }


def certificate_doubt(
    certificate: Certificate | None, site: Site, at_ns: int, max_accuracy_percent: float
) -> str:
    """Return why the certificate does not support a validation of telemetry; empty when it does.

    Accuracy is the largest error by the certificate at rated load, relative to the rated value, for voltage,
    current and power. The limit of 0.5 % is the project's own.

    Parameters
    ----------
    at_ns
        Station time at which it has to be valid, UTC in nanoseconds.
    max_accuracy_percent
        Largest accuracy that is good enough.
    """
    if certificate is None:
        return "the meter has no certificate of calibration"
    if certificate.expired(at_ns):
        day = datetime.fromtimestamp(at_ns / 1e9, UTC).date()
        first = certificate.certificate.issued
        return f"certificate {certificate.id} holds from {first} to {certificate.due}, not on {day}"
    for point, rated in rated_values(site).items():
        if certificate.find(point) is None:
            return f"certificate {certificate.id} states no accuracy for {point}"
        percent = certificate.accuracy_percent(point, rated)
        if percent > max_accuracy_percent:
            return f"{point}: accuracy {percent:.2f} % at rated load by certificate {certificate.id}"
    return ""
