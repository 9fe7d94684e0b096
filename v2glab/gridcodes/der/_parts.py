"""Groups of settings.

Active powers are per unit of rated active power, reactive powers of rated apparent power.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from v2glab.gridcodes._model import Mode
from v2glab.gridcodes._values import Frozen

Points = tuple[tuple[float, float], ...]


class Nameplate(Frozen):
    """What the plant is built for."""

    s_max_va: float = Field(gt=0)
    p_max_w: float = Field(gt=0)
    p_charge_max_w: float = Field(ge=0)
    s_charge_max_va: float = Field(gt=0)
    q_inject_max_var: float = Field(ge=0)
    q_absorb_max_var: float = Field(ge=0)
    v_nominal_v: float = Field(gt=0)
    f_nominal_hz: float = Field(gt=0)
    phases: Literal[1, 3]
    normal_category: str
    abnormal_category: str
    q_required_inject_pu: float = Field(ge=0, le=1)
    q_required_absorb_pu: float = Field(ge=0, le=1)
    current_max_pu: float = Field(gt=0)
    susceptance_pu: float = 0.0
    soc_capacity_wh: float | None = Field(default=None, gt=0)
    charge_efficiency: float = Field(default=1.0, gt=0, le=1)
    applicable_voltage: Literal["phase", "phase and line"] = "phase"
    unbalanced_voltage: Literal["average", "positive sequence"] = "average"
    inverter_delay_s: float = Field(default=0.0, ge=0)
    voltage_delay_s: float = Field(default=0.0, ge=0)
    demand_ramp_s: float = Field(default=0.0, ge=0)


class EnterService(Frozen):
    """When the plant may start; when not enabled it stays off after a trip, until it is started by hand.

    ``permit_service`` withdrawn trips the plant. A randomised delay applies below the rated apparent power
    ``randomised_below_va`` (``None``: to any plant), and where no ramp is set (IEEE 1547-2018, 4.10.3,
    exception 1).
    """

    enabled: bool = True
    permit_service: bool = True
    v_low_pu: float
    v_high_pu: float
    f_low_hz: float
    f_high_hz: float
    delay_s: float = Field(ge=0)
    randomised_delay_s: float = Field(default=0.0, ge=0)
    randomised_below_va: float | None = Field(default=None, gt=0)
    ramp_s: float = Field(ge=0)


class TripCurve(Frozen):
    """Beyond ``threshold`` (voltage in p.u., frequency in Hz) for ``time_s`` the plant trips."""

    enabled: bool = True
    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    quantity: Literal["voltage", "frequency"]
    side: Literal["low", "high"]
    threshold: float = Field(ge=0)
    time_s: float = Field(gt=0)
    averaging_s: float = Field(default=0.0, ge=0)
    threshold_range: tuple[float, float] | None = None
    time_range_s: tuple[float, float] | None = None
    clause: str = ""


class RideThroughRegion(Frozen):
    """One region of voltage (p.u.) or frequency (Hz) and what the plant does there.

    It does not have to stay longer than ``minimum_s + slope_s_per_unit · (value − lower)``.
    """

    name: str
    quantity: Literal["voltage", "frequency"]
    lower: float | None = None
    upper: float | None = None
    mode: Mode
    minimum_s: float | None = Field(default=None, gt=0)
    slope_s_per_unit: float = Field(default=0.0, ge=0)
    clause: str = ""


class RideThrough(Frozen):
    """Regions of voltage and of frequency, from the lowest to the highest value.

    When not enabled, the plant knows no region: it is in continuous operation until it trips. With
    ``trip_when_allowed`` it trips as soon as it need not stay.
    """

    enabled: bool = True
    regions: tuple[RideThroughRegion, ...] = ()
    trip_when_allowed: bool = False
    cease_response_s: float = Field(ge=0)


class MomentaryCessation(Frozen):
    """Below or above these voltages (p.u.) the plant stops exchanging current, without a trip."""

    enabled: bool = True
    v_low_pu: float = Field(ge=0)
    v_high_pu: float = Field(gt=0)
    response_s: float = Field(ge=0)
    return_s: float = Field(default=0.0, ge=0)


class Restore(Frozen):
    """Ramp of the active current after a disturbance: seconds from zero to rated."""

    enabled: bool = True
    ramp_s: float = Field(ge=0)


class ConsecutiveDisturbances(Frozen):
    """After more than ``count`` disturbances the plant may trip; ``reset_s`` of calm starts anew.

    ``enabled`` makes the plant use that permission; otherwise it rides through any number.
    """

    enabled: bool = False
    count: int = Field(ge=1)
    reset_s: float = Field(gt=0)


class Droop(Frozen):
    """Frequency droop: dead bands in Hz, droops as frequency per power, both per unit."""

    enabled: bool = True
    deadband_over_hz: float = Field(ge=0)
    deadband_under_hz: float = Field(ge=0)
    droop_over: float = Field(gt=0)
    droop_under: float = Field(gt=0)
    olrt_s: float = Field(ge=0)


class VoltVar(Frozen):
    """Reactive power by voltage; the points are given for a reference of 1 p.u. and move with it."""

    enabled: bool = False
    points: Points
    vref_pu: float
    vref_auto: bool = False
    vref_time_s: float = Field(gt=0)
    vref_low_pu: float
    vref_high_pu: float
    olrt_s: float = Field(ge=0)


class WattVar(Frozen):
    """Reactive power by active power, from full charging (−1) to full discharging (1)."""

    enabled: bool = False
    points: Points
    olrt_s: float = Field(ge=0)


class VoltWatt(Frozen):
    """Limit of active power by voltage.

    A limit below zero forces charging, as a share of the rated charging power. ``charge_points`` limit
    charging (share of rated charging power) by voltage, mostly where it is low.
    """

    enabled: bool = False
    points: Points
    charge_enabled: bool = False
    charge_points: Points
    olrt_s: float = Field(ge=0)


class ConstantPf(Frozen):
    """Constant power factor."""

    enabled: bool = False
    pf: float = Field(gt=0, le=1)
    excitation: Literal["inject", "absorb"] = "inject"
    olrt_s: float = Field(ge=0)


class ConstantQ(Frozen):
    """Constant reactive power; injection is positive."""

    enabled: bool = False
    q_pu: float = Field(ge=-1, le=1)
    olrt_s: float = Field(ge=0)


class PowerLimit(Frozen):
    """Upper limit of active power; below zero it forces charging, as a share of the rated charging power.

    ``response_s`` is the time for a change of 1 p.u.
    """

    enabled: bool = False
    limit_pu: float = Field(ge=-1, le=1)
    response_s: float = Field(ge=0)


class DynamicVoltageSupport(Frozen):
    """Reactive current proportional to the change of voltage, in both sequences, while riding through."""

    enabled: bool = False
    k: float = Field(ge=0)


class SocLimits(Frozen):
    """State of charge at the start and its bounds; without a capacity in the nameplate it does not move."""

    enabled: bool = True
    initial: float = Field(ge=0, le=1)
    minimum: float = Field(ge=0, le=1)
    maximum: float = Field(ge=0, le=1)
