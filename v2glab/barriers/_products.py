"""What is paid beside energy: demand charges on the customer, reserve for the grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2glab.barriers._kernel import all_within
from v2glab.barriers._segments import Floats
from v2glab.evidence import InputError

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class DemandCharge:
    """Price of the highest net import in each billing period.

    Parameters
    ----------
    period
        Shape (T,): number of the billing period of each step of the window, from 0 on without gaps.
    price
        Shape (periods,): money for each kWh that the step with the highest import takes; a price per kW times
        the steps in an hour.
    base_kwh
        Shape (T,): what the building takes in each step whatever the vehicle does, at the meter.
    """

    period: Integers
    price: Floats
    base_kwh: Floats

    def __post_init__(self) -> None:
        periods = np.unique(self.period)
        sound = self.period.shape == self.base_kwh.shape and np.array_equal(periods, np.arange(periods.size))
        numbers = (
            np.isfinite(self.base_kwh).all() and np.isfinite(self.price).all() and (self.price >= 0).all()
        )
        if not sound or self.price.shape != periods.shape or not numbers:
            raise InputError(
                f"demand charge over {periods.size} periods with {self.price.size} prices",
                "a period of each step, counted from 0, a price >= 0 of each, and a finite load of each step",
                "mend periods, prices or load",
            )


@dataclass(frozen=True)
class ReserveProduct:
    """A reserve that is bid by blocks: capacity that stands ready, paid by capacity and hour.

    Parameters
    ----------
    block
        Shape (T,): number of the block of each step, from 0 on, -1 for steps in none.
    price
        Shape (blocks,): money per kW bid in the whole block.
    unit_kw, least_kw
        Bids are whole multiples of the unit, and either nothing or at least so much. 0 for any amount.
    symmetric
        Whether the same power has to stand ready both ways; else towards the grid only.
    duration_h
        How long the power has to last: so much energy, and room, has to be kept.
    called_out, called_in
        Shape (T,): energy at the meter, kWh, that each kW bid gives and takes in each step; see
        :func:`called_energy`. ``None`` for a reserve that is never called.
    """

    block: Integers
    price: Floats
    unit_kw: float = 0.0
    least_kw: float = 0.0
    symmetric: bool = False
    duration_h: float = 0.25
    called_out: Floats | None = None
    called_in: Floats | None = None

    def __post_init__(self) -> None:
        blocks = np.unique(self.block[self.block >= 0])
        sound = np.array_equal(blocks, np.arange(self.price.size)) and bool(np.isfinite(self.price).all())
        if not sound or not (
            0 <= self.unit_kw < 1e6 and 0 <= self.least_kw < 1e6 and 0 < self.duration_h <= 24
        ):
            raise InputError(
                f"reserve of {blocks.size} blocks with {self.price.size} prices, unit {self.unit_kw:g} kW, "
                f"least {self.least_kw:g} kW, {self.duration_h:g} h",
                "a finite price of each block, sizes and calls >= 0, a duration of up to 24 h",
                "mend the product",
            )


def called_energy(
    frequency_hz: Floats,
    sample_s: float,
    step_s: int,
    *,
    nominal_hz: float = 50.0,
    deadband_hz: float = 0.01,
    full_at_hz: float = 0.2,
) -> tuple[Floats, Floats]:
    """Return the energy that each kW of frequency response gives and takes in each step, both (T,), kWh.

    Power rises in proportion to the deviation from the nominal frequency and is complete at ``full_at_hz``;
    within ``deadband_hz`` there is none. The defaults are those of frequency containment reserve in
    continental Europe (Commission Regulation (EU) 2017/1485, annex V; from memory, to be verified). The
    series is cut to whole steps.

    Raises
    ------
    InputError
        The series is shorter than a step, no frequency, or a setting is absurd.
    """
    per_step = round(step_s / sample_s) if sample_s > 0 else 0
    settings = 0 <= deadband_hz < full_at_hz < nominal_hz
    plausible = all_within(frequency_hz, 0.85 * nominal_hz, 1.15 * nominal_hz)
    if per_step < 1 or frequency_hz.size < per_step or not settings or not plausible:
        raise InputError(
            f"{frequency_hz.size} samples every {sample_s:g} s, full response at {full_at_hz:g} Hz",
            f"a step of {step_s} s or more, within 15 % of {nominal_hz:g} Hz, dead band below full response",
            "mend the series or the settings",
        )
    whole = frequency_hz[: frequency_hz.size // per_step * per_step] - nominal_hz
    share = np.clip(whole / full_at_hz, -1.0, 1.0)
    share = np.where(np.abs(whole) <= deadband_hz, 0.0, share).reshape(-1, per_step)
    hours = step_s / 3600
    return np.clip(-share, 0, None).mean(axis=1) * hours, np.clip(share, 0, None).mean(axis=1) * hours
