"""Play the voltage windows that a charger must ride through, while it exports."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from v2glab.evidence import Quantity, Verdict, judge
from v2glab.procedures._limits import Window, restore_criterion, ride_through_windows
from v2glab.procedures._series import Series

if TYPE_CHECKING:
    from v2glab.instruments import GridSimulator
    from v2glab.procedures._export_log import ExportLog
    from v2glab.station import Lease, Station

SAMPLE_S = 0.1
RECOVERY_S = 2.0
RESTORED_SHARE = 0.8


@dataclass(frozen=True)
class WindowResult:
    """What one window did to the charger.

    ``restore_s`` is the time from the return of the voltage to 80 % of the power before; ``None`` when that
    was not seen within the recovery time.
    """

    window: Window
    series: Series
    power_before_w: float
    stayed_connected: bool
    restore_s: float | None

    @property
    def name(self) -> str:
        """Name of the window."""
        return self.window.name

    def quantities(self) -> tuple[Quantity, ...]:
        """Return connection and restore time; the sampling sets the uncertainty of the time."""
        stamp: dict[str, Any] = {"time_ns": self.series.start_ns, "instrument": "charger, analyser"}
        out = [Quantity(f"connected.{self.name}", float(self.stayed_connected), "1", 0.0, **stamp)]
        if self.restore_s is not None:
            out.append(
                Quantity(f"restore_time.{self.name}", self.restore_s, "s", SAMPLE_S / math.sqrt(12), **stamp)
            )
        return tuple(out)

    def facts(self) -> dict[str, Any]:
        """Return plain values for reports."""
        return {
            "name": self.name,
            "voltage_pu": self.window.voltage_pu,
            "duration_s": self.window.duration_s,
            "mode": self.window.mode,
            "power_before_w": self.power_before_w,
            "stayed_connected": self.stayed_connected,
            "restore_s": self.restore_s,
        }


def run_windows(station: Station, lease: Lease, log: ExportLog) -> list[WindowResult]:
    """Play each window of the site's category once; stop at the first disconnection."""
    results = []
    for window in ride_through_windows(station.site):
        log.event("window", name=window.name, voltage_pu=window.voltage_pu, duration_s=window.duration_s)
        result = _run_window(station, lease, window)
        log.event(
            "window_end", name=window.name, connected=result.stayed_connected, restore_s=result.restore_s
        )
        results.append(result)
        if not result.stayed_connected:
            break
    return results


def window_verdicts(station: Station, wanted: bool, windows: list[WindowResult]) -> tuple[Verdict, ...]:
    """Judge each window of the category; one that was not played is inconclusive, never passed over."""
    played = {w.name: w for w in windows}
    restore = restore_criterion(station.site)
    doubt = "" if wanted else "ride-through was not asked for"
    if wanted and not station.has("grid"):
        doubt = "the station has no grid simulator to play the window"
    out = []
    for window in ride_through_windows(station.site):
        result = played.get(window.name)
        by_name = {q.name: q for q in result.quantities()} if result else {}
        missing = doubt or "not played: the charger had disconnected before"
        connected = by_name.get(f"connected.{window.name}")
        evidence = ("tables/ride_through", "export.log")
        out.append(judge(window.criterion, connected, evidence=evidence, doubt="" if connected else missing))
        if restore is None or result is None or not result.stayed_connected:
            continue
        own = restore.model_copy(update={"id": f"{restore.id}.{window.name}"})
        never = f"power did not return to {RESTORED_SHARE:.0%} within {RECOVERY_S:g} s"
        seen = by_name.get(f"restore_time.{window.name}")
        late = Quantity(f"restore_time.{window.name}", RECOVERY_S, "s", SAMPLE_S / math.sqrt(12))
        out.append(
            judge(own, seen or late, evidence=evidence) if seen else judge(own, late, evidence=(never,))
        )
    return tuple(out)


def _run_window(station: Station, lease: Lease, window: Window) -> WindowResult:
    from v2glab.instruments import GridStep

    grid = cast("GridSimulator", station.instrument("grid"))
    site, clock = station.site, station.clock
    before = station.instrument("analyser").read("power")["power"].value
    series = Series(clock.now_ns())
    volts = window.voltage_pu * site.nominal_voltage_v
    grid.play([GridStep(window.duration_s, volts, site.nominal_frequency_hz)])
    end_s = window.duration_s + RECOVERY_S
    connected, restore_s = True, None
    for step in range(1, math.ceil(end_s / SAMPLE_S) + 1):
        lease.checkpoint(within_s=10.0)
        clock.sleep(SAMPLE_S)
        row = _observe(station, series)
        connected = connected and row["contactor_feedback"] == 1 and row["fault_code"] == 0
        after_s = step * SAMPLE_S - window.duration_s
        if restore_s is None and after_s > 0 and row["power"] >= RESTORED_SHARE * before:
            restore_s = after_s
    return WindowResult(window, series, before, connected, restore_s)


def _observe(station: Station, series: Series) -> dict[str, float]:
    by_analyser = station.instrument("analyser").read("power", "voltage_a", "current_a")
    by_charger = station.instrument("charger").read("contactor_feedback", "fault_code")
    return series.add(station.clock.now_ns(), by_analyser, by_charger)
