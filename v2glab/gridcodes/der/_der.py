"""One plant, one step after the other, for hardware in the loop."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from v2glab.evidence import InputError
from v2glab.gridcodes.der._fleet import fresh_state
from v2glab.gridcodes.der._pack import pack, settled
from v2glab.gridcodes.der._places import MEMORY_DUE, MEMORY_G, MEMORY_ROWS, MEMORY_U, STATES, U, X
from v2glab.gridcodes.der._places_settings import SETTINGS
from v2glab.gridcodes.der._segment import GridSegment
from v2glab.gridcodes.der._settings import DerSettings
from v2glab.gridcodes.der._status import Status
from v2glab.gridcodes.der._timeline import check, from_segments


class Der:
    """One plant that is stepped from outside, such as by a real-time loop.

    Between two steps the inputs are taken to run straight, and trips are timed by that. Construction compiles
    the kernel where no compiled one is on disk; do it before the loop starts.

    Parameters
    ----------
    settings
        Of the plant.
    step_s
        Seconds between two calls of :meth:`step`.
    seed
        Of the randomised delay.
    initial
        In service, or off and waiting for the criteria of enter service.

    Raises
    ------
    InputError
        The step is not a positive number, or a setting does not fit.
    """

    def __init__(
        self,
        settings: DerSettings,
        *,
        step_s: float,
        seed: int = 0,
        initial: Literal["running", "off"] = "running",
    ) -> None:
        if not (0.0 < step_s < math.inf):
            raise InputError(f"step_s = {step_s}", "a positive number of seconds", "mend it")
        from v2glab.gridcodes.der._kernel import bound_step

        self._settings = settings
        self._step_s = step_s
        self._memory = np.zeros(MEMORY_ROWS + 3 * SETTINGS)
        row = pack(settings, step_s)
        start = int(np.random.default_rng(seed).integers(1, 2147483647))
        self._x = self._memory[:STATES]
        self._x[:] = fresh_state(row, settings, running=initial == "running", seed=start)
        self._u = self._memory[MEMORY_U:MEMORY_G]
        self._u[[U.LIMIT, U.PERMIT, U.AUTHORISED]] = 1.0
        self._memory[MEMORY_G:MEMORY_DUE] = from_segments([GridSegment(1.0)], settings)[0]
        self._memory[MEMORY_DUE] = math.inf
        self._rows = self._memory[MEMORY_ROWS:].reshape(3, SETTINGS)
        self._rows[:] = settled(row), row, row
        self._call = bound_step()

    def step(
        self, v_a_pu: float, v_b_pu: float, v_c_pu: float, f_hz: float, p_demand_pu: float
    ) -> tuple[float, float, int]:
        """Advance by one step and return active power, reactive power (per unit of rated VA) and status.

        Raises
        ------
        InputError
            An input is no number or not possible; the plant has not moved.
        """
        answer = self._call(self._memory, v_a_pu, v_b_pu, v_c_pu, f_hz, p_demand_pu)
        if answer[2] < 0:
            raise InputError(
                f"inputs {v_a_pu}, {v_b_pu}, {v_c_pu} p.u., {f_hz} Hz, {p_demand_pu} p.u.",
                "voltages from 0 to 10 p.u., 1 to 1000 Hz, a demand within the ratings",
                "check the sensors and the demand",
            )
        return answer

    def apply(self, settings: DerSettings) -> None:
        """Send new settings; they take effect after the execution delay and replace what still waits."""
        row = pack(settings, self._step_s)
        self._rows[2] = row
        self._memory[MEMORY_DUE] = self.time_s + self._settings.execution_delay_s
        self._settings = settings

    def command(
        self,
        *,
        p_limit_pu: float | None = None,
        permit_service: bool | None = None,
        v2g_authorised: bool | None = None,
    ) -> None:
        """Change what the operator commands; ``None`` leaves it as it is.

        Raises
        ------
        InputError
            The limit is not within −1 and 1.
        """
        if p_limit_pu is not None:
            limit = float(check("p_limit_pu", np.array([p_limit_pu]))[0])
            plate = self._settings.nameplate
            self._u[U.LIMIT] = limit if limit > 0.0 else limit * plate.p_charge_max_w / plate.p_max_w
        if permit_service is not None:
            self._u[U.PERMIT] = bool(permit_service)
        if v2g_authorised is not None:
            self._u[U.AUTHORISED] = bool(v2g_authorised)

    def phase_jump(self, angle_deg: float) -> None:
        """Report a jump of the positive sequence's angle; beyond what the plant withstands it trips."""
        jump = abs(float(check("jump_deg", np.array([angle_deg]))[0]))
        limit = self._settings.phase_jump_deg
        if limit is not None and jump > limit:
            self.trip()

    def trip(self) -> None:
        """Trip the plant now; the next step shows it."""
        self._x[X.TRIP_AT] = min(self._x[X.TRIP_AT], self._x[X.TIME])

    def turn(self, angles_deg: tuple[float, float, float]) -> None:
        """Let the voltages of the phases stand at these angles from now on; a jump is not reported by that.

        Raises
        ------
        InputError
            An angle is not possible.
        """
        segment = GridSegment(1.0, angles_deg=angles_deg)
        self._memory[MEMORY_G:MEMORY_DUE] = from_segments([segment], self._settings)[0]

    @property
    def memory(self) -> NDArray[np.float64]:
        """All numbers of the plant, for a compiled loop that steps it by itself; see ``der.loop``."""
        return self._memory

    @property
    def time_s(self) -> float:
        """Seconds since construction, in steps."""
        return float(self._x[X.TIME])

    @property
    def settings(self) -> DerSettings:
        """The settings sent last."""
        return self._settings

    @property
    def state(self) -> dict[str, Any]:
        """Time, status, trip time, what may trip, state of charge and outputs as a plain mapping."""
        x = self._x
        return {
            "time_s": float(x[X.TIME]),
            "status": Status(int(x[X.STATUS])) if x[X.TIME] > 0.0 else None,
            "connected": bool(x[X.TRIPPED] < 0.5),
            "trip_time_s": float(x[X.TRIP_TIME]),
            "may_trip": bool(x[X.MAY_TRIP] > 0.5),
            "disturbances": int(x[X.DISTURBANCES]),
            "rocof_hz_s": float(x[X.ROCOF]),
            "soc": float(x[X.SOC]),
            "p_pu": float(x[X.P_OUT]),
            "q_pu": float(x[X.Q_OUT]),
        }
