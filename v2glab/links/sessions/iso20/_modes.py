"""What service and control mode change: names of elements, limits in them, limits of both ends."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal

from v2glab.links.sessions._message import Body
from v2glab.links.sessions._plant import PowerLimits
from v2glab.links.sessions.iso20._numbers import Rounding, number, phases_sum, rational
from v2glab.links.sessions.iso20._rules import EnergyService, Kind

Control = Literal["scheduled", "dynamic"]
End = Literal["EV", "EVSE"]
_Row = tuple[str, str, Rounding]
_CHARGE: tuple[_Row, ...] = (
    ("charge_w", "MaximumChargePower", "down"), ("least_charge_w", "MinimumChargePower", "up"),
)  # fmt: skip
_CHARGE_DC: tuple[_Row, ...] = (
    ("charge_a", "MaximumChargeCurrent", "down"), ("least_a", "MinimumChargeCurrent", "up"),
    ("high_v", "MaximumVoltage", "down"), ("low_v", "MinimumVoltage", "up"),
)  # fmt: skip
_EXPORT: tuple[_Row, ...] = (
    ("export_w", "MaximumDischargePower", "down"), ("least_export_w", "MinimumDischargePower", "up"),
)  # fmt: skip
_EXPORT_DC: tuple[_Row, ...] = (("export_a", "MaximumDischargeCurrent", "down"),)
_LEAST_EXPORT_A = "MinimumDischargeCurrent"


@dataclass(frozen=True)
class Mode:
    """Selected service and control mode."""

    kind: Kind
    bidirectional: bool
    control: Control = "scheduled"

    @classmethod
    def of(cls, service: EnergyService, control: Control) -> Mode:
        """Return the mode of a service."""
        return cls(service.kind, service.bidirectional, control)

    @property
    def scheduled(self) -> bool:
        """Whether the vehicle decides within the charger's limits."""
        return self.control == "scheduled"

    @property
    def prefix(self) -> str:
        """What stands before names of elements for both directions."""
        return "BPT_" if self.bidirectional else ""

    @property
    def control_name(self) -> str:
        """``Scheduled`` or ``Dynamic``, as in names of elements."""
        return self.control.capitalize()

    def discovery(self, way: Literal["Req", "Res"]) -> str:
        """Return the element of charge parameter discovery."""
        return f"{self.prefix}{self.kind}_CPD{way}EnergyTransferMode"

    def loop(self, way: Literal["Req", "Res"]) -> str:
        """Return the element of the loop."""
        return f"{self.prefix}{self.control_name}_{self.kind}_CL{way}ControlMode"


@cache
def rows(mode: Mode, end: End) -> tuple[_Row, ...]:
    """Return the limits that a service has: field of ``PowerLimits``, element, rounding."""
    dc = mode.kind == "DC"
    found = _CHARGE + (_CHARGE_DC if dc else ())
    found += _EXPORT + (_EXPORT_DC if dc else ()) if mode.bidirectional else ()
    return tuple((field, f"{end}{name}", rounding) for field, name, rounding in found)


def limits_body(limits: PowerLimits, mode: Mode, end: End) -> Body:
    """Return the limits of one end as charge parameter discovery tells them."""
    body = {name: rational(getattr(limits, field), rounding) for field, name, rounding in rows(mode, end)}
    if mode.kind == "DC" and mode.bidirectional:
        body[f"{end}{_LEAST_EXPORT_A}"] = rational(limits.least_a, "up")
    return body


def loop_limits(limits: PowerLimits, mode: Mode, end: End) -> Body:
    """Return the limits of one end as the loop repeats them; AC has only those of the vehicle there."""
    return dict(_loop_limits(limits, mode, end))


# Limits seldom change from one loop message to the next.
@lru_cache(maxsize=1024)
def _loop_limits(limits: PowerLimits, mode: Mode, end: End) -> Body:
    body = limits_body(limits, mode, end)
    # The smallest currents stand in charge parameter discovery alone; so does the charger's least voltage
    # without export.
    for name in ("MinimumChargeCurrent", _LEAST_EXPORT_A):
        body.pop(f"{end}{name}", None)
    if end == "EVSE" and not mode.bidirectional:
        body.pop("EVSEMinimumVoltage", None)
    return body


def limits_of(body: Body, mode: Mode, end: End, before: PowerLimits | None = None) -> PowerLimits:
    """Read the limits of the other end; what is missing stays as it was before.

    A service without export gives export limits of zero.
    """
    known = dict(before.__dict__ if before else _NONE)
    for field, name, _ in rows(mode, end):
        if name in body:
            known[field] = number(body[name]) if mode.kind == "DC" else phases_sum(body, name)
    return PowerLimits(**known)


_NONE = {"charge_w": 0.0, "export_w": 0.0, "charge_a": 0.0, "export_a": 0.0, "low_v": 0.0, "high_v": 0.0}


def contradiction(limits: PowerLimits, mode: Mode) -> str:
    """Return what contradicts itself in the limits of one end; empty when nothing does."""
    for field, name, _ in rows(mode, "EV"):
        if getattr(limits, field) < 0:
            return f"{name} {getattr(limits, field):g} is negative"
    if limits.least_charge_w > limits.charge_w or (
        mode.bidirectional and limits.least_export_w > limits.export_w
    ):
        return "a smallest power above the largest"
    if mode.kind == "DC" and (limits.low_v > limits.high_v or limits.high_v <= 0):
        return f"voltages from {limits.low_v:g} to {limits.high_v:g} V"
    if mode.kind == "DC" and limits.least_a > limits.charge_a:
        return "a smallest current above the largest"
    return ""


# Asked several times in each turn of the loop, for limits that seldom change.
@lru_cache(maxsize=4096)
def common(one: PowerLimits, other: PowerLimits, mode: Mode) -> PowerLimits:
    """Return what both ends allow; export is zero where the service has none.

    Voltages of AC are not told: those of ``one`` stand.
    """
    dc, both = mode.kind == "DC", mode.bidirectional
    return PowerLimits(
        min(one.charge_w, other.charge_w),
        min(one.export_w, other.export_w) if both else 0.0,
        min(one.charge_a, other.charge_a),
        min(one.export_a, other.export_a) if both else 0.0,
        max(one.low_v, other.low_v) if dc else one.low_v,
        min(one.high_v, other.high_v) if dc else one.high_v,
        max(one.least_charge_w, other.least_charge_w),
        max(one.least_export_w, other.least_export_w),
        max(one.least_a, other.least_a),
        one.phase_v,
    )
