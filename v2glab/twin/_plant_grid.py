"""The grid around the plant: events, and how they stand in the kernel's surroundings."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from v2glab.twin._physics import C
from v2glab.twin._settings import GridEvent, PlantSettings, Three, check_ranges

Array = NDArray[np.float64]
DRIFT_HZ, DRIFT_HZ_PER_S = 0.25, 0.5
_SENSED = 0.0


class Grid:
    """What the grid does when."""

    def __init__(self, settings: PlantSettings, events: Sequence[GridEvent]) -> None:
        check_ranges(settings, events)
        self._settings = settings
        self._events = list(events)
        self._now: GridEvent | None = None
        self._turn_rad = 0.0
        self.drift_from_s: float | None = None

    def schedule(self, events: Sequence[GridEvent], now_ns: int) -> None:
        """Add events, all or none."""
        left = [e for e in self._events if e.end_ns > now_ns]
        check_ranges(self._settings, [*left, *events])
        self._events = [*left, *events]

    def clear(self) -> None:
        """Drop all events."""
        self._events.clear()

    def steps_to_edge(self, now_ns: int) -> int:
        """Return how many steps there are to the next edge of an event."""
        step_ns = self._settings.step_s * 1e9
        edges = [t for e in self._events for t in (e.start_ns, e.end_ns) if t > now_ns]
        return max(1, math.ceil((min(edges) - now_ns) / step_ns - 1e-6)) if edges else 1 << 30

    def surround(
        self, c: Array, now_ns: int, kernel_s: float, elapsed_s: float
    ) -> tuple[Three, float] | None:
        """Put what is now into the surroundings; return angles and jump where these have changed.

        Parameters
        ----------
        kernel_s
            The kernel's own time, from which ramps count.
        elapsed_s
            Plant time since the epoch.
        """
        if self.drift_from_s is not None:
            c[C.DRIFT_HZ] = min(DRIFT_HZ, DRIFT_HZ_PER_S * (elapsed_s - self.drift_from_s))
        event = next((e for e in self._events if e.start_ns <= now_ns < e.end_ns), None)
        if event is self._now and c[C.GRID_HZ] > 0.0:
            return None
        self._now = event
        return self._enter(c, event, kernel_s)

    def _enter(self, c: Array, event: GridEvent | None, kernel_s: float) -> tuple[Three, float]:
        s, calm = self._settings, event is None
        volts = (event.voltage_pu if event else None) or (s.grid_voltage_pu,) * 3
        hertz = (event.frequency_hz if event else None) or s.grid_frequency_hz
        angles = event.angles_rad if event else (0.0, 0.0, 0.0)
        c[C.GRID_A_PU : C.GRID_C_PU + 1], c[C.GRID_HZ] = volts, hertz
        c[C.RAMP_FROM_S], c[C.RAMP_HZ_S], c[C.RAMP_A_PU_S : C.RAMP_C_PU_S + 1] = kernel_s, 0.0, 0.0
        if event and event.voltage_to_pu is not None:
            rise = np.subtract(event.voltage_to_pu, volts)
            c[C.RAMP_A_PU_S : C.RAMP_C_PU_S + 1] = rise / event.duration_s
        if event and event.frequency_to_hz is not None:
            c[C.RAMP_HZ_S] = (event.frequency_to_hz - hertz) / event.duration_s
        c[C.GRID_SHARE] = _SENSED if event and event.senses and not calm else 1.0
        before, self._turn_rad = self._turn_rad, _positive_sequence_angle(volts, angles)
        c[C.TURN_A_RAD : C.TURN_C_RAD + 1], c[C.TURN_RAD] = angles, self._turn_rad
        jump = (self._turn_rad - before + math.pi) % math.tau - math.pi
        return angles, jump


def _positive_sequence_angle(volts: Three, angles: Three) -> float:
    """Return the angle of the positive sequence against the undisturbed grid; 0 without any voltage."""
    if angles[0] == angles[1] == angles[2]:
        return angles[0]
    re = sum(v * math.cos(a) for v, a in zip(volts, angles, strict=True))
    im = sum(v * math.sin(a) for v, a in zip(volts, angles, strict=True))
    return math.atan2(im, re)
