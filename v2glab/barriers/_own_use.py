"""Self-consumption: what a vehicle does behind the meter of a building with load and generation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from v2glab.barriers._dispatch_problem import DispatchProblem
from v2glab.barriers._kernel import all_within
from v2glab.barriers._segments import Floats
from v2glab.evidence import InputError


def behind_meter(
    problem: DispatchProblem,
    net_load_kwh: Floats,
    meter_in: float,
    meter_out: float,
    *,
    wear_per_kwh: float = 0.0,
    export: bool = True,
) -> DispatchProblem:
    """Return the problem behind a meter at which the building takes or gives ``net_load_kwh`` (M,).

    A vehicle that discharges first spares the building what it would buy, and exports only beyond; one that
    charges first takes what the building would export. Each step is stated as two, one at either price, of
    the same power together: a plan of the one is a plan of the other at the same cost, as long as buying is
    never cheaper than selling. Costs are relative to the building alone. :func:`joined` brings the steps back
    together.

    Parameters
    ----------
    net_load_kwh
        Shape (M,): load less generation in each step, at the meter.
    meter_in, meter_out
        Battery-side kWh per kWh at the meter: what charging yields, and what discharging takes.
    wear_per_kwh
        Cost of each kWh delivered, which the problem's selling price already lacks.
    export
        Whether the vehicle may give more than the building takes.

    Raises
    ------
    InputError
        The load is not finite, or somewhere selling earns more than buying costs.
    """
    steps = problem.drive_kwh.size
    if not stands_apart(problem, net_load_kwh, meter_in, meter_out, wear_per_kwh):
        raise InputError(
            f"net load of {net_load_kwh.size} steps beside {steps}, with prices that cross or are negative; "
            f"{problem.needs_states or 'no'} other limits",
            "a finite load of each step, 0 <= selling price <= buying price, and convex steps",
            "mend the load, or leave self-consumption out",
        )
    # Prices at the meter; a problem's own are per battery-side kWh.
    buy, sell = problem.buy * meter_in, problem.sell * meter_out + wear_per_kwh
    own_charge = np.minimum(problem.charge_kwh, np.clip(-net_load_kwh, 0, None) * meter_in)
    own_discharge = np.minimum(problem.discharge_kwh, np.clip(net_load_kwh, 0, None) * meter_out)
    return replace(
        problem,
        drive_kwh=_pairs(problem.drive_kwh, np.zeros(steps)),
        charge_kwh=_pairs(own_charge, problem.charge_kwh - own_charge),
        discharge_kwh=_pairs(own_discharge, (problem.discharge_kwh - own_discharge) * export),
        # What is taken from surplus would have been sold; what is given to the load would have been bought.
        buy=_pairs(sell / meter_in, problem.buy),
        sell=_pairs((buy - wear_per_kwh) / meter_out, problem.sell),
    )


def stands_apart(
    problem: DispatchProblem,
    net_load_kwh: Floats,
    meter_in: float,
    meter_out: float,
    wear_per_kwh: float = 0.0,
) -> bool:
    """Whether :func:`behind_meter` holds: a finite load, and prices of which none is negative or crosses."""
    if net_load_kwh.shape != problem.buy.shape or not all_within(net_load_kwh, -1e6, 1e6):
        return False
    buy, sell = problem.buy * meter_in, problem.sell * meter_out + wear_per_kwh
    # Below zero, taking from surplus and giving to the grid in one step would earn by its losses.
    wrong = (sell > buy + 1e-12) | ((net_load_kwh != 0) & (sell < 0))
    return not bool(wrong.any()) and not problem.needs_states


def _pairs(first: Floats, second: Floats) -> Floats:
    return np.stack((first, second), axis=1).ravel()


def joined(change_kwh: Floats) -> Floats:
    """Return the change of each whole step, shape (M,), of a plan behind the meter, shape (2 M,)."""
    return np.asarray(change_kwh.reshape(-1, 2).sum(axis=1))
