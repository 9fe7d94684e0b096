"""From plug-in sessions to one vehicle's year of steps; who cannot be priced is listed, never priced."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from v2glab.evidence import InputError

STEP_S = 900
YEAR_S = 365 * 86_400
#: Recordings state times to the minute, so a duration may be short by one.
_RESOLUTION_S = 60


@dataclass(frozen=True, slots=True)
class Session:
    """One recorded session; times in seconds since 1970 UTC, energy at the meter, ``row`` in the file."""

    row: int
    user: str
    start_s: int
    end_s: int
    energy_kwh: float


@dataclass(frozen=True, slots=True)
class SessionIssue:
    """Why a session or a vehicle was left out. ``row`` is 0 when no single row is to blame."""

    user: str
    row: int
    kind: str
    found: str
    remedy: str


class Vehicle(BaseModel):
    """The vehicle that every user is given.

    Attributes
    ----------
    battery_kwh, reserve_share
        Usable battery, and the share that driving never goes below.
    charge_kw, discharge_kw
        At the meter.
    charge_efficiency, discharge_efficiency
        Meter to battery, and battery to meter.
    wear_eur_per_kwh
        Cost of each kWh delivered to the grid; 0 leaves wear out, and the caveats say so.
    wear_curve
        Pairs of state of charge and the further cost, EUR, of each kWh delivered from there up to the next
        pair's state; the first begins at 0. Empty: wear does not depend on the state of charge.
    least_kw
        Least power of a charger that is not idle, either way: 6 A in three phases at 230 V are 4.14 kW
        (IEC 61851-1:2017, annex A: no current below 6 A can be signalled). 0 for none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    battery_kwh: float = Field(default=60.0, gt=0, le=1000)
    reserve_share: float = Field(default=0.1, ge=0, lt=1)
    charge_kw: float = Field(default=11.0, gt=0, le=1000)
    discharge_kw: float = Field(default=11.0, ge=0, le=1000)
    charge_efficiency: float = Field(default=0.93, gt=0, le=1)
    discharge_efficiency: float = Field(default=0.93, gt=0, le=1)
    wear_eur_per_kwh: float = Field(default=0.0, ge=0, le=10)
    wear_curve: tuple[tuple[float, float], ...] = ()
    least_kw: float = Field(default=0.0, ge=0, le=1000)

    @model_validator(mode="after")
    def _sound(self) -> Vehicle:
        if self.least_kw > self.charge_kw:
            raise ValueError("least_kw is more than charge_kw")
        states = [state for state, _ in self.wear_curve]
        rising = all(a < b for a, b in pairwise(states)) and all(0 <= s < 1 for s in states)
        if states and (states[0] != 0 or not rising or any(not 0 <= c <= 10 for _, c in self.wear_curve)):
            raise ValueError("wear_curve needs states from 0, rising, below 1, and costs from 0 to 10")
        return self


@dataclass(frozen=True)
class Window:
    """The horizon that is dispatched: start in seconds since 1970 UTC, and number of 15 min steps."""

    start_s: int
    steps: int

    @property
    def end_s(self) -> int:
        """First second after the window."""
        return self.start_s + self.steps * STEP_S

    @property
    def times_s(self) -> NDArray[np.int64]:
        """Start of each step, shape (steps,)."""
        return self.start_s + STEP_S * np.arange(self.steps, dtype=np.int64)


@dataclass(frozen=True)
class VehicleYear:
    """One user's sessions inside the window. ``days`` is the time recorded, from first plug-in to last
    plug-out.
    """

    user: str
    rows: tuple[int, ...]
    start_s: NDArray[np.int64]
    end_s: NDArray[np.int64]
    energy_kwh: NDArray[np.float64]
    days: float


def last_year(sessions: Sequence[Session]) -> Window:
    """Return the 365 days that end at the midnight (UTC) after the last plug-out.

    Raises
    ------
    InputError
        There is no session.
    """
    if not sessions:
        raise InputError("no session", "at least one", "name a file with sessions")
    end_s = -(-max(s.end_s for s in sessions) // 86_400) * 86_400
    return Window(end_s - YEAR_S, YEAR_S // STEP_S)


def select_vehicles(
    sessions: Iterable[Session],
    window: Window,
    vehicle: Vehicle,
    *,
    minimum_days: float = 180.0,
    minimum_sessions: int = 40,
) -> tuple[list[VehicleYear], list[SessionIssue]]:
    """Group sessions by user, in the order of their names, and set aside who cannot be priced.

    Set aside are users whose sessions overlap, who took more in a session than the charger gives in that
    time or the battery holds, and whose record is too short.
    """
    by_user: dict[str, list[Session]] = {}
    for session in sessions:
        if session.start_s >= window.start_s and session.end_s <= window.end_s:
            by_user.setdefault(session.user, []).append(session)
    kept, issues = [], []
    for user in sorted(by_user):
        own = sorted(by_user[user], key=lambda s: (s.start_s, s.end_s))
        issue = _fault(own, vehicle) or _short(own, minimum_days, minimum_sessions)
        if issue is not None:
            issues.append(issue)
            continue
        kept.append(
            VehicleYear(
                user,
                tuple(s.row for s in own),
                np.array([s.start_s for s in own], dtype=np.int64),
                np.array([s.end_s for s in own], dtype=np.int64),
                np.array([s.energy_kwh for s in own]),
                (own[-1].end_s - own[0].start_s) / 86_400,
            )
        )
    return kept, issues


def _fault(own: list[Session], vehicle: Vehicle) -> SessionIssue | None:
    usable = vehicle.battery_kwh * (1 - vehicle.reserve_share)
    for before, session in zip([None, *own], own, strict=False):
        if before is not None and session.start_s < before.end_s:
            return SessionIssue(
                session.user,
                session.row,
                "overlap",
                f"starts before the session of row {before.row} ends",
                "correct or delete one of the two rows",
            )
        hours = (session.end_s - session.start_s + _RESOLUTION_S) / 3600
        if session.energy_kwh > vehicle.charge_kw * hours + 1e-9:
            return SessionIssue(
                session.user,
                session.row,
                "infeasible",
                f"{session.energy_kwh:g} kWh in {60 * hours:.0f} min: more than {vehicle.charge_kw:g} kW",
                "correct the row, or give the vehicle a stronger charger",
            )
        if session.energy_kwh * vehicle.charge_efficiency > usable + 1e-9:
            return SessionIssue(
                session.user,
                session.row,
                "infeasible",
                f"{session.energy_kwh:g} kWh is more than the {usable:g} kWh between reserve and full",
                "correct the row, or give the vehicle a larger battery",
            )
    return None


def _short(own: list[Session], minimum_days: float, minimum_sessions: int) -> SessionIssue | None:
    days = (own[-1].end_s - own[0].start_s) / 86_400
    if days >= minimum_days and len(own) >= minimum_sessions:
        return None
    return SessionIssue(
        own[0].user,
        0,
        "short record",
        f"{len(own)} sessions over {days:.0f} days",
        f"record longer, or lower the least of {minimum_sessions} sessions and {minimum_days:g} days",
    )
