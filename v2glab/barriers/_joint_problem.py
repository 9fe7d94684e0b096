"""The problem of one vehicle-year whose steps hang together, and what a schedule of it costs."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from v2glab.barriers._dispatch_problem import DispatchProblem
from v2glab.barriers._segments import Floats
from v2glab.barriers._services import Way
from v2glab.barriers._sessions import STEP_S
from v2glab.barriers.tariffs._contract import Contract

Integers = NDArray[np.int64]
HOURS = STEP_S / 3600
#: Billing periods of a demand charge that no rate states: twelfths of the window.
BILLING_PERIODS = 12


@dataclass(frozen=True)
class Standing:
    """Frequency response in blocks (B,): what a kW earns an hour, the share to be placed, kWh called."""

    worth: Floats
    placeable: Floats
    called_out: Floats
    called_in: Floats
    duration_h: float
    symmetric: bool


@dataclass(frozen=True)
class JointProblem:
    """One vehicle behind one meter over B blocks of alike steps.

    Parameters
    ----------
    problem
        Over blocks; its prices are not used.
    at, count
        Shape (B,): first step in the window, and steps, of each block.
    meter_in, meter_out
        Battery-side kWh per kWh at the meter: what charging yields, and what discharging takes.
    wear_per_kwh
        Cost of each kWh that the vehicle delivers, at the meter.
    buy, sell
        Shape (T,): prices at the meter where no contract holds, per kWh.
    load_kwh
        Shape (T,): load less generation of the building.
    contract
        The rate whose terms tie steps together, or ``None``.
    demand_price
        Of the highest import in each twelfth of the window, per kW.
    """

    problem: DispatchProblem
    at: Integers
    count: Integers
    meter_in: float
    meter_out: float
    wear_per_kwh: float
    buy: Floats
    sell: Floats
    load_kwh: Floats
    contract: Contract | None
    demand_price: float
    way: Way
    standing: Standing | None = None

    @property
    def hours(self) -> Floats:
        """Length of each block, h."""
        return np.asarray(self.count * HOURS)

    @property
    def two_meters(self) -> bool:
        """Whether load and generation have a meter each, and are never netted."""
        return self.contract is not None and self.contract.metering.rule == "buy_all_sell_all"

    def without_discharge(self) -> JointProblem:
        """Return the same with smart charging only."""
        way = Way(export=False, own=False, response=False)
        return replace(self, problem=self.problem.without_discharge(), way=way, standing=None)


def booked(joint: JointProblem, into: Floats, out: Floats, standing: Floats) -> tuple[float, float]:
    """Return what a schedule costs, and what the vehicle gives at the meter, kWh.

    Parameters
    ----------
    into, out
        Shape (B,): battery-side energy of each block, spread evenly over its steps.
    standing
        Shape (B,): power that stands ready, kW.
    """
    steps = steps_of(joint.at, joint.count)
    taken, given = into / joint.meter_in, out / joint.meter_out
    earned = 0.0
    if joint.standing is not None:
        called_in = joint.standing.called_in if joint.standing.symmetric else np.zeros(into.size)
        taken, given = taken + standing * called_in, given + standing * joint.standing.called_out
        earned = float((joint.standing.worth * joint.hours) @ standing)
    load, generation = np.clip(joint.load_kwh, 0, None), np.clip(-joint.load_kwh, 0, None)
    load[steps] += np.repeat(taken / joint.count, joint.count)
    generation[steps] += np.repeat(given / joint.count, joint.count)
    if not joint.two_meters:
        net = load - generation
        load, generation = np.clip(net, 0, None), np.clip(-net, 0, None)
    if joint.contract is None:
        cost = float(joint.buy @ load - joint.sell @ generation)
    else:
        cost = joint.contract.charge(load, generation)
    if joint.demand_price:
        period = np.arange(load.size) * BILLING_PERIODS // load.size
        peaks = np.zeros(BILLING_PERIODS)
        np.maximum.at(peaks, period, load / HOURS)
        cost += joint.demand_price * float(peaks.sum())
    return cost + joint.wear_per_kwh * float(given.sum()) - earned, float(given.sum())


def steps_of(at: Integers, count: Integers) -> Integers:
    """Return the numbers of all steps in the blocks."""
    return np.repeat(at - np.cumsum(count) + count, count) + np.arange(int(count.sum()))
