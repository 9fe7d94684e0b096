"""Energy of a session: integrated from the loop's messages, and by the charger's meter."""

from __future__ import annotations

import math
from dataclasses import dataclass

from v2glab.links.sessions._vehicle import LoopState

_SECONDS_PER_HOUR = 3600.0


@dataclass
class EnergyCount:
    """Energy in Wh. ``import_wh`` went to the vehicle, ``export_wh`` to the grid, at the connector.

    By messages: voltage times current (DC) or power (AC) as the charger told them, joined by straight lines
    between two messages (trapezoids). By the meter: last reading less the first, None where it told none; a
    reading has whole watt-hours.
    """

    import_wh: float = 0.0
    export_wh: float = 0.0
    meter_import_wh: float | None = None
    meter_export_wh: float | None = None
    _first_import: float | None = None
    _first_export: float | None = None
    _before: tuple[float, float] | None = None

    def add(self, state: LoopState, moment_s: float) -> None:
        """Take a loop message that came at a moment of the session's clock."""
        if not math.isnan(state.power_w):
            if self._before is not None:
                then_s, before_w = self._before
                self._integrate(before_w, state.power_w, moment_s - then_s)
            self._before = (moment_s, state.power_w)
        if state.import_wh is not None:
            self._first_import = state.import_wh if self._first_import is None else self._first_import
            self.meter_import_wh = state.import_wh - self._first_import
        if state.export_wh is not None:
            self._first_export = state.export_wh if self._first_export is None else self._first_export
            self.meter_export_wh = state.export_wh - self._first_export

    def cut(self) -> None:
        """Forget the last power: what comes next is not joined to it by a line."""
        self._before = None

    def _integrate(self, before_w: float, after_w: float, duration_s: float) -> None:
        """Add a trapezoid; where the sign changes, each side of the crossing to its own direction."""
        hours = duration_s / _SECONDS_PER_HOUR
        if before_w * after_w >= 0:
            self._take((before_w + after_w) / 2 * hours)
            return
        share = before_w / (before_w - after_w)
        self._take(before_w / 2 * share * hours)
        self._take(after_w / 2 * (1 - share) * hours)

    def _take(self, energy_wh: float) -> None:
        self.export_wh += max(0.0, energy_wh)
        self.import_wh -= min(0.0, energy_wh)
