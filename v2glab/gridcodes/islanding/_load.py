"""The load of an island: resistor, inductor and capacitor in parallel, chosen to match a plant.

All quantities are per unit of the plant's rating at nominal voltage and frequency. The quality factor is
Qf = √(Q_L·Q_C)/P = R·√(C/L) (IEEE 1547.1-2020, unintentional islanding; IEEE 929-2000).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from v2glab.evidence import InputError


@dataclass(frozen=True, slots=True)
class RlcLoad:
    """Power that each part takes at nominal voltage and frequency: ``resistive_pu`` (W), ``inductive_pu`` and
    ``capacitive_pu`` (var, both as magnitudes), all > 0.
    """

    resistive_pu: float
    inductive_pu: float
    capacitive_pu: float
    nominal_hz: float

    def __post_init__(self) -> None:
        numbers = (self.resistive_pu, self.inductive_pu, self.capacitive_pu, self.nominal_hz)
        if not all(math.isfinite(n) and n > 0 for n in numbers):
            raise InputError(f"RLC load {numbers}", "four numbers above zero", "correct the load")

    @property
    def quality_factor(self) -> float:
        """Qf of the load."""
        return math.sqrt(self.inductive_pu * self.capacitive_pu) / self.resistive_pu

    @property
    def resonance_hz(self) -> float:
        """Frequency at which inductor and capacitor cancel."""
        return self.nominal_hz * math.sqrt(self.inductive_pu / self.capacitive_pu)

    def with_capacitor(self, share: float) -> RlcLoad:
        """Return the load with its capacitor changed to a share of what it is."""
        return replace(self, capacitive_pu=self.capacitive_pu * share)


def match_load(p_pu: float, q_pu: float = 0.0, *, nominal_hz: float, quality_factor: float = 1.0) -> RlcLoad:
    """Return the load that takes exactly what a plant gives at nominal voltage and frequency.

    Parameters
    ----------
    p_pu
        Active power of the plant, > 0.
    q_pu
        Reactive power that it injects; negative when it absorbs.

    Raises
    ------
    InputError
        Power or quality factor is not above zero.
    """
    if not (math.isfinite(p_pu) and p_pu > 0 and math.isfinite(q_pu) and quality_factor > 0):
        found = f"P = {p_pu:g}, Q = {q_pu:g} p.u., Qf = {quality_factor:g}"
        raise InputError(found, "export (P > 0) and a quality factor above zero", "an island needs a source")
    middle = math.hypot(q_pu / 2, quality_factor * p_pu)
    return RlcLoad(p_pu, middle + q_pu / 2, middle - q_pu / 2, nominal_hz)


def mismatched_load(
    p_pu: float, delta_p: float, delta_q: float, *, nominal_hz: float, quality_factor: float, vary: str = "L"
) -> RlcLoad:
    """Return a load off the balance: resistor by ``delta_p``, and inductor or capacitor by ``delta_q``, both
    as shares of the plant's active power; the other reactive part keeps Qf·P.

    Raises
    ------
    InputError
        ``vary`` is neither ``"L"`` nor ``"C"``, or a part would not be above zero.
    """
    if vary not in ("L", "C"):
        raise InputError(f"vary = {vary!r}", "'L' or 'C'", "say which part is varied")
    base = quality_factor * p_pu
    moved = base + delta_q * p_pu if vary == "L" else base - delta_q * p_pu
    parts = (moved, base) if vary == "L" else (base, moved)
    return RlcLoad(p_pu * (1 + delta_p), *parts, nominal_hz)


def capacitor_steps(
    load: RlcLoad, percent: Sequence[float] = (95.0, 105.0, 1.0)
) -> tuple[tuple[float, RlcLoad], ...]:
    """Return the loads of the islanding matrix, each with its capacitor's percentage.

    Parameters
    ----------
    percent
        First, last and step in percent of the matched capacitor (IEEE 1547.1-2020: 1 % steps).

    Raises
    ------
    InputError
        The step is not above zero or the range runs backwards.
    """
    first, last, step = percent
    if not (step > 0 and 0 < first <= last):
        raise InputError(f"steps {tuple(percent)}", "first, last and a step above zero", "correct them")
    count = int((last - first) / step + 1e-9) + 1
    shares = np.round(first + step * np.arange(count), 9)
    return tuple((float(s), load.with_capacitor(float(s) / 100)) for s in shares)
