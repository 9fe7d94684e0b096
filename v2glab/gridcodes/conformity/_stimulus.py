"""What a bench plays: a timeline of grid, demand and commands."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Literal

from v2glab.evidence import InputError

if TYPE_CHECKING:
    from v2glab.gridcodes.der import DerSettings

Three = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a timeline.

    Parameters
    ----------
    duration_s
        How long, > 0.
    voltage_pu, frequency_hz
        Grid at its beginning; phases a, b, c.
    voltage_to_pu, frequency_to_hz
        Grid at its end where it runs there evenly; ``None``: it stays.
    demand_pu
        Power wanted from the plant, export positive.
    demand_to_pu
        Demand at the end, as for the grid.
    angle_deg
        Shift of each phase against the undisturbed system.
    limit_pu
        Active-power limit that the operator sends, as a share of rated power; ``None``: no limit.
    permit_service, v2g_authorised
        Permission to be in service, and to discharge.
    settings
        Settings sent to the plant at the beginning.
    sample_s
        Distance of samples; ``None`` takes that of the stimulus.
    label
        Name by which an evaluation finds the stretch.
    """

    duration_s: float
    voltage_pu: Three = (1.0, 1.0, 1.0)
    frequency_hz: float = 60.0
    demand_pu: float = 1.0
    voltage_to_pu: Three | None = None
    frequency_to_hz: float | None = None
    demand_to_pu: float | None = None
    angle_deg: Three = (0.0, 0.0, 0.0)
    limit_pu: float | None = None
    permit_service: bool = True
    v2g_authorised: bool = True
    settings: DerSettings | None = None
    sample_s: float | None = None
    label: str = ""

    def __post_init__(self) -> None:
        numbers = (*self.voltage_pu, self.frequency_hz, self.demand_pu, *self.angle_deg)
        good = all(map(math.isfinite, numbers)) and 0 < self.duration_s < math.inf
        if not good or min(self.voltage_pu) < 0 or self.frequency_hz <= 0:
            raise InputError(
                f"stretch {self.label!r}: {self.duration_s} s, {self.voltage_pu}, {self.frequency_hz} Hz",
                "a duration above 0, voltages from 0, a frequency above 0, all finite",
                "mend the stimulus",
            )


@dataclass(frozen=True, slots=True)
class Island:
    """An RLC load that is left alone with the plant when the timeline begins.

    It is matched to the plant's output; ``capacitor_percent`` is first, last and step of the capacitor.
    """

    reactive_pu: float
    quality_factor: float
    capacitor_percent: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Capture:
    """Waveforms to be taken over the whole timeline.

    ``channel`` is what is sampled on every phase; ``event`` is what the bench does at ``event_s`` besides the
    timeline: nothing, part the plant from its load, or put a fault to ground on phase a.
    """

    channel: Literal["voltage", "current"]
    rate_hz: float
    event: Literal["", "load rejection", "ground fault"] = ""
    event_s: float = 0.0


@dataclass(frozen=True)
class Stimulus:
    """A timeline; the plant is already running in the state of the first stretch unless ``cold``.

    Parameters
    ----------
    stretches
        At least one.
    sample_s
        Usual distance of samples.
    cold
        The plant has not entered service when the timeline begins.
    island
        The load of an island; ``None``: the grid stays.
    capture
        Waveforms to be taken; ``None``: none.
    """

    stretches: tuple[Stretch, ...]
    sample_s: float = 0.02
    cold: bool = False
    island: Island | None = None
    capture: Capture | None = None

    def __post_init__(self) -> None:
        if not self.stretches or not self.sample_s > 0:
            raise InputError("an empty stimulus", "at least one stretch, sampled", "mend the stimulus")

    @property
    def duration_s(self) -> float:
        """Length of the whole timeline."""
        return sum(s.duration_s for s in self.stretches)

    def starts(self) -> tuple[float, ...]:
        """Return the time at which each stretch begins."""
        return (0.0, *accumulate(s.duration_s for s in self.stretches[:-1]))

    def span(self, label: str) -> tuple[float, float]:
        """Return beginning and end of the stretch of that label; ``KeyError`` if there is none."""
        for start, stretch in zip(self.starts(), self.stretches, strict=True):
            if stretch.label == label:
                return start, start + stretch.duration_s
        raise KeyError(label)
