"""The dispatch problem of one vehicle, its plan, and whether a plan exists at all."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, replace

import numpy as np

from v2glab.barriers import _kernel as kernel
from v2glab.barriers._segments import Floats
from v2glab.evidence import InputError


@dataclass(frozen=True)
class DispatchProblem:
    """One vehicle over its plugged steps; energies battery-side in kWh, prices per battery-side kWh.

    Parameters
    ----------
    drive_kwh
        Shape (M,): energy that the road takes right before each step.
    charge_kwh, discharge_kwh
        Shape (M,): most energy into and out of the battery in each step.
    buy, sell
        Shape (M,): cost of one kWh into, revenue of one kWh out of the battery (wear already taken off).
    low_kwh, high_kwh, start_kwh, end_kwh
        Bounds of the energy, at the first arrival, and at least left at the end.
    discharge_cap_kwh
        Most energy out of the battery over all steps.
    charge_least_kwh, discharge_least_kwh
        Least energy of a step that is not idle (shape (M,)), or ``None``.
    active_cost
        Cost of each step that is not idle (shape (M,)), or ``None``.
    wear_curve
        Pairs of battery energy in kWh, rising, and the cost of taking out one kWh from there up to the next
        pair's energy, on top of ``sell``; the first pair begins at ``low_kwh`` or below. Empty: none.
    """

    drive_kwh: Floats
    charge_kwh: Floats
    discharge_kwh: Floats
    buy: Floats
    sell: Floats
    low_kwh: float
    high_kwh: float
    start_kwh: float
    end_kwh: float
    discharge_cap_kwh: float = float("inf")
    charge_least_kwh: Floats | None = None
    discharge_least_kwh: Floats | None = None
    active_cost: Floats | None = None
    wear_curve: tuple[tuple[float, float], ...] = ()

    def __post_init__(self) -> None:
        energies = (self.drive_kwh, self.charge_kwh, self.discharge_kwh)
        optional = (self.charge_least_kwh, self.discharge_least_kwh, self.active_cost)
        given = tuple(a for a in optional if a is not None)
        shapes = {a.shape for a in (*energies, self.buy, self.sell, *given)}
        sound = len(shapes) == 1 and all(kernel.all_within(a, 0.0, 1e9) for a in (*energies, *given))
        sound = sound and all(kernel.all_within(a, -1e6, 1e6) for a in (self.buy, self.sell))
        bounds = 0 <= self.low_kwh < self.high_kwh < 1e9 and self.end_kwh <= self.high_kwh
        curve = np.array(self.wear_curve, dtype=np.float64).reshape(-1, 2)
        curve_sound = bool((np.diff(curve[:, 0]) > 0).all() and kernel.all_within(curve[:, 1], 0.0, 1e6))
        if curve.size and curve[0, 0] > self.low_kwh:
            curve_sound = False
        if not (sound and bounds and curve_sound and self.start_kwh <= self.high_kwh + 1e-9):
            raise InputError(
                f"dispatch problem with shapes {sorted(shapes)}, energy {self.low_kwh} … {self.high_kwh} kWh",
                "arrays of one length, finite, energies and costs >= 0, start and end inside the bounds",
                "check vehicle, sessions and prices",
            )

    def without_discharge(self) -> DispatchProblem:
        """Return the same problem with charging only."""
        return replace(
            self,
            discharge_kwh=np.zeros_like(self.drive_kwh),
            discharge_least_kwh=None,
            wear_curve=(),
            discharge_cap_kwh=float("inf"),
        )

    def repriced(self, multiplier: float) -> DispatchProblem:
        """Return the same problem with each kWh out of the battery dearer by ``multiplier``, and no cap."""
        out = copy(self)  # what was checked once need not be checked again
        object.__setattr__(out, "sell", self.sell - multiplier)
        object.__setattr__(out, "discharge_cap_kwh", float("inf"))
        return out

    def simultaneous_pays(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Return the steps (M,) in which charging and discharging at once would earn: where convexity
        fails.
        """
        both = (self.charge_kwh > 0) & (self.discharge_kwh > 0)
        return np.asarray(both & (self.sell > self.buy))

    @property
    def needs_states(self) -> str:
        """Say what makes steps non-convex beyond their prices; empty when nothing does."""
        reasons = {
            "least power": self.charge_least_kwh is not None or self.discharge_least_kwh is not None,
            "cost of being active": self.active_cost is not None,
            "wear by state of charge": bool(self.wear_curve),
        }
        return ", ".join(name for name, holds in reasons.items() if holds)


@dataclass(frozen=True)
class Plan:
    """An optimum: cost in money, change of the battery per step (M,) in kWh, method, bound on the gap.

    ``multiplier`` is what a further kWh would be worth where a cap on discharged energy binds, else 0.
    ``gap`` is the most that a better plan could save, in money: zero where the method is exact.
    """

    cost: float
    change_kwh: Floats
    discharged_kwh: float
    method: str
    gap: float = 0.0
    multiplier: float = 0.0


def infeasible_step(problem: DispatchProblem) -> int | None:
    """Return the step before which the battery cannot hold enough, or ``None`` when a plan exists."""
    step = int(
        kernel.certificate(
            problem.drive_kwh,
            problem.charge_kwh,
            problem.low_kwh,
            problem.high_kwh,
            problem.end_kwh,
            problem.start_kwh,
        )
    )
    return None if step < 0 else step


def no_plan(problem: DispatchProblem) -> InputError:
    """Return the error that says where the battery runs short."""
    step = infeasible_step(problem)
    return InputError(
        f"no plan: before plugged step {step} the battery cannot hold what the next drive needs"
        if step is not None
        else f"no plan with {problem.needs_states or 'these prices'}",
        f"at most {problem.high_kwh - problem.low_kwh:g} kWh a drive, and time to charge it",
        "list the vehicle as infeasible, or give it a larger battery or charger, or lower the least power",
    )
