"""Measure, steer and close: the part that every energising procedure shares."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from v2glab.control import (
    SyncLimits,
    SyncMeasurement,
    closing_obstacles,
    compare_fundamentals,
    predict_phase,
    steer,
)
from v2glab.evidence import DeviceError, SafeStateError

if TYPE_CHECKING:
    from collections.abc import Callable

    from v2glab.instruments import Instrument, Oscilloscope
    from v2glab.procedures._procedure import Sample
    from v2glab.signals import Waveform
    from v2glab.station import Lease, Station

#: Channels of the oscilloscope: grid side of all phases, inverter side of phase a.
CHANNELS = ("a", "b", "c", "inverter_a")


@dataclass(frozen=True)
class ClosingPlan:
    """How to bring the inverter into step.

    Attributes
    ----------
    limits
        Differences at which closing is permitted.
    window_s
        Length of one measured window.
    interval_s
        Time between a set-point and the next window, for the inverter to follow.
    closing_time_s
        Time from the close command to the touch of the contacts.
    hold_windows
        Consecutive windows without obstacle before closing.
    timeout_s
        Station time after which the attempt is given up.
    """

    limits: SyncLimits
    window_s: float = 1 / 6
    interval_s: float = 0.1
    closing_time_s: float = 0.02
    hold_windows: int = 3
    timeout_s: float = 30.0


@dataclass
class Approach:
    """Every window of one attempt, oldest first."""

    time_s: list[float] = field(default_factory=list)
    windows: list[SyncMeasurement] = field(default_factory=list)
    obstacles: tuple[str, ...] = ("nothing measured yet",)

    @property
    def permitted(self) -> bool:
        """Whether the last window showed no obstacle."""
        return not self.obstacles

    def rows(self) -> dict[str, list[float]]:
        """Return columns by name, one row a window."""
        return {
            "time_s": self.time_s,
            "frequency_difference_hz": [w.frequency_hz for w in self.windows],
            "voltage_difference_pu": [w.voltage_pu for w in self.windows],
            "phase_difference_rad": [w.phase_rad for w in self.windows],
            "u_frequency_hz": [w.u_frequency_hz for w in self.windows],
            "u_voltage_pu": [w.u_voltage_pu for w in self.windows],
            "u_phase_rad": [w.u_phase_rad for w in self.windows],
            "grid_frequency_hz": [w.grid_frequency_hz for w in self.windows],
            "grid_voltage_v": [w.grid_voltage_v for w in self.windows],
        }


def measure_differences(waveform: Waveform, nominal_hz: float, nominal_v: float) -> SyncMeasurement:
    """Compare grid and inverter in one captured window.

    Both are fitted over the same samples, so phase refers to the same instant, the centre of the window.
    Standard uncertainties join the fit's residuals with the instrument's accuracy (JCGM 100:2008, 5.1.2).

    Parameters
    ----------
    waveform
        Channels in the order of :data:`CHANNELS`, in volts.
    """
    from v2glab.signals import fit_fundamental

    grid = fit_fundamental(waveform.samples[:3], waveform.rate_hz, nominal_hz)
    inverter = fit_fundamental(waveform.samples[3:4], waveform.rate_hz, nominal_hz)
    return compare_fundamentals(grid, inverter, nominal_v, [u or 0.0 for u in waveform.uncertainty])


def capture(station: Station, window_s: float) -> Waveform:
    """Let one window pass and return what the oscilloscope saw of it."""
    scope = cast("Oscilloscope", station.instrument("scope"))
    station.clock.sleep(window_s)
    return scope.capture(window_s, CHANNELS)


def approach(
    station: Station,
    lease: Lease,
    plan: ClosingPlan,
    progress: Callable[[Sample], None] = lambda sample: None,
) -> Approach:
    """Steer until closing is permitted for ``hold_windows`` in a row, or the time is up.

    The inverter forms its voltage behind an open contactor; nothing is connected here.
    """
    charger, site = station.instrument("charger"), station.site
    charger.ensure("power_setpoint", 0.0)
    charger.ensure("voltage_setpoint", site.nominal_voltage_v, tolerance=0.1)
    charger.ensure("inverter_run", 1)
    seen, in_a_row, start_ns = Approach(), 0, station.clock.now_ns()
    while in_a_row < plan.hold_windows:
        lease.checkpoint(within_s=10.0)
        waveform = capture(station, plan.window_s)
        window = measure_differences(waveform, site.nominal_frequency_hz, site.nominal_voltage_v)
        elapsed_s = (station.clock.now_ns() - start_ns) * 1e-9
        seen.time_s.append(elapsed_s)
        seen.windows.append(window)
        seen.obstacles = closing_obstacles(window, plan.limits, closing_time_s=plan.closing_time_s)
        in_a_row = in_a_row + 1 if seen.permitted else 0
        progress(_sample(elapsed_s, window))
        if elapsed_s > plan.timeout_s:
            break
        if in_a_row < plan.hold_windows:
            _apply(charger, window, site.nominal_frequency_hz)
            station.clock.sleep(plan.interval_s)
    return seen


def close_contactor(station: Station, *, settle_s: float = 0.1) -> None:
    """Command the contactor to close and check that its auxiliary contact followed.

    Raises
    ------
    DeviceError
        The auxiliary contact did not follow within ``settle_s`` of station time.
    """
    charger = station.instrument("charger")
    charger.ensure("contactor_command", 1)
    station.clock.sleep(settle_s)
    if charger.read("contactor_feedback")["contactor_feedback"].value != 1:
        fault = charger.read("fault_code")["fault_code"].value
        raise DeviceError(
            f"contactor open {settle_s:g} s after the command to close, fault code {fault:g}",
            "auxiliary contact closed",
            "read the charger's log; clear the fault and its cause",
        )


def predicted(window: SyncMeasurement, delay_s: float) -> tuple[float, float]:
    """Return phase difference and standard uncertainty ``delay_s`` after a window, in radians."""
    spread = math.hypot(window.u_phase_rad, math.tau * delay_s * window.u_frequency_hz)
    return predict_phase(window, delay_s), spread


def connect(station: Station, lease: Lease, plan: ClosingPlan) -> Approach:
    """Synchronise and close; the station is connected at zero power afterwards.

    Raises
    ------
    SafeStateError
        Closing was not permitted in time; the contactor stayed open.
    """
    seen = approach(station, lease, plan)
    if not seen.permitted:
        raise SafeStateError(
            f"after {seen.time_s[-1]:.1f} s: {'; '.join(seen.obstacles)}",
            "differences within the limits of synchronisation",
            "look at grid frequency and voltage; run v2glab synch and v2glab diagnose",
        )
    close_contactor(station)
    return seen


def _apply(charger: Instrument, window: SyncMeasurement, nominal_hz: float) -> None:
    setpoints = steer(window, nominal_hz)
    charger.ensure("frequency_trim", round(setpoints.frequency_trim_hz, 3), tolerance=5e-4)
    charger.ensure("voltage_setpoint", round(setpoints.voltage_v, 1), tolerance=0.05)


def _sample(elapsed_s: float, window: SyncMeasurement) -> dict[str, Any]:
    return {
        "time_s": elapsed_s,
        "frequency_difference_hz": window.frequency_hz,
        "voltage_difference_pu": window.voltage_pu,
        "phase_difference_rad": window.phase_rad,
    }
