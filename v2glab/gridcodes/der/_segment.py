"""What the grid and the operator do over time."""

from __future__ import annotations

from dataclasses import dataclass

from v2glab.gridcodes.der._settings import DerSettings

PerPhase = float | tuple[float, float, float]


@dataclass(frozen=True)
class GridSegment:
    """A stretch of time in which every input stays or runs straight to its end value.

    Segments follow each other; a difference between the end of one and the start of the next is a step at
    exactly that time. ``None`` takes nominal frequency, nominal angles, no end value, no limit.

    Parameters
    ----------
    duration_s
        Length in seconds.
    v_pu, v_end_pu
        RMS voltage in per unit, one number or phases a, b, c.
    f_hz, f_end_hz
        Frequency; the rate of change follows from both.
    angles_deg
        Angles of phases a, b, c apart from the rotation of the grid; (0, −120, 120) is balanced.
    phase_jump_deg
        Jump of all angles at the start of the segment.
    p_demand_pu, p_demand_end_pu
        Active power that is wanted, per unit of rated power; export is positive.
    p_limit_pu
        Active-power limit from the operator, besides that of the settings.
    """

    duration_s: float
    v_pu: PerPhase = 1.0
    v_end_pu: PerPhase | None = None
    f_hz: float | None = None
    f_end_hz: float | None = None
    angles_deg: tuple[float, float, float] | None = None
    phase_jump_deg: float = 0.0
    p_demand_pu: float = 0.0
    p_demand_end_pu: float | None = None
    p_limit_pu: float | None = None
    permit_service: bool = True
    v2g_authorised: bool = True


@dataclass(frozen=True)
class SettingsChange:
    """New settings sent at ``time_s`` to one device, or to all; effective after the execution delay."""

    time_s: float
    settings: DerSettings
    device: int | None = None
