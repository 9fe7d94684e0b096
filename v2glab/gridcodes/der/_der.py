"""One plant, one step after the other, for hardware in the loop."""

from __future__ import annotations

from typing import Any

from v2glab.gridcodes.der._settings import DerSettings


class Der:
    """One plant that is stepped from outside, such as by a real-time loop.

    Between two steps the inputs are taken to run straight, and trips are timed by that.
    """

    def __init__(self, settings: DerSettings, *, step_s: float, seed: int = 0) -> None:
        raise NotImplementedError

    def step(
        self, v_a_pu: float, v_b_pu: float, v_c_pu: float, f_hz: float, p_demand_pu: float
    ) -> tuple[float, float, int]:
        """Advance by one step and return active power, reactive power (per unit of rated VA) and status."""
        raise NotImplementedError

    def apply(self, settings: DerSettings) -> None:
        """Send new settings; they take effect after the execution delay."""
        raise NotImplementedError

    def trip(self) -> None:
        """Trip the plant now."""
        raise NotImplementedError

    @property
    def state(self) -> dict[str, Any]:
        """Time, status, trip time, state of charge and outputs as a plain mapping."""
        raise NotImplementedError
