"""A measured number with unit, uncertainty and provenance."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import Any

from v2glab.evidence._errors import InputError


@dataclass(frozen=True, slots=True)
class Quantity:
    """One measured or computed number.

    Parameters
    ----------
    name
        What was measured, in snake case without unit, such as ``"voltage_a"``.
    value, unit
        The number and its unit (``"V"``, ``"Hz"``, ``"rad"``, ``"1"`` for a plain number).
    uncertainty
        Standard uncertainty in the same unit (GUM, JCGM 100:2008, 2.3.1), or ``None``.
    no_uncertainty
        Why there is none; needed exactly when ``uncertainty`` is ``None``.
    dof
        Degrees of freedom of ``uncertainty`` (JCGM 100:2008, G.3).
    time_ns
        Station time in integer nanoseconds UTC.
    instrument, certificate
        Name of the instrument and identity of its calibration certificate.

    Raises
    ------
    InputError
        A number is not finite, an uncertainty is negative, or none is given without a reason.
    """

    name: str
    value: float
    unit: str
    uncertainty: float | None = None
    no_uncertainty: str = ""
    dof: float = math.inf
    time_ns: int | None = None
    instrument: str = ""
    certificate: str = ""

    def __post_init__(self) -> None:
        _require(bool(self.name) and bool(self.unit), self, "a name and a unit", "give both")
        _require(math.isfinite(self.value), self, "a finite value", "leave the quantity out instead")
        if self.uncertainty is None:
            _require(
                bool(self.no_uncertainty),
                self,
                "an uncertainty, or the reason for having none",
                "fill in 'uncertainty' or 'no_uncertainty'",
            )
            return
        good = math.isfinite(self.uncertainty) and self.uncertainty >= 0
        _require(good, self, "a standard uncertainty >= 0", "check how it was computed")
        _require(self.dof > 0, self, "degrees of freedom > 0", "use at least two observations")

    def expanded(self, coverage: float = 0.9545) -> tuple[float, float] | None:
        """Return expanded uncertainty and coverage factor, or ``None`` without an uncertainty.

        The factor is the Student quantile for the degrees of freedom (JCGM 100:2008, G.3.2); with
        infinitely many it is 2.0 for the default coverage of 95.45 %.
        """
        if self.uncertainty is None:
            return None
        factor = coverage_factor(self.dof, coverage)
        return factor * self.uncertainty, factor

    def with_name(self, name: str) -> Quantity:
        """Return the same quantity under another name."""
        return replace(self, name=name)

    def to_json(self) -> dict[str, Any]:
        """Return plain values; infinite degrees of freedom become ``None``."""
        out = asdict(self)
        out["dof"] = self.dof if math.isfinite(self.dof) else None
        return out

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Quantity:
        """Build a quantity from what :meth:`to_json` returned.

        Raises
        ------
        InputError
            A key is unknown or missing, or a value is not allowed.
        """
        fields = dict(data)
        if fields.get("dof") is None:
            fields["dof"] = math.inf
        try:
            return cls(**fields)
        except TypeError as error:
            raise InputError(str(error), "the keys of a quantity", "write it with to_json()") from error


def coverage_factor(dof: float, coverage: float = 0.9545) -> float:
    """Student quantile for a two-sided interval (JCGM 100:2008, table G.2).

    Parameters
    ----------
    dof
        Degrees of freedom, > 0, may be infinite.
    coverage
        Probability that the interval holds, 0 to 1.
    """
    from scipy.special import ndtri, stdtrit

    tail = 0.5 + coverage / 2
    return float(ndtri(tail)) if math.isinf(dof) else float(stdtrit(dof, tail))


def _require(condition: bool, quantity: Quantity, required: str, remedy: str) -> None:
    if not condition:
        found = f"quantity {quantity.name!r} = {quantity.value} {quantity.unit}, u = {quantity.uncertainty}"
        raise InputError(found, required, remedy)
