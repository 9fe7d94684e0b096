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
#: Time stamps lie on a grid of samples: a rectangular distribution (JCGM 100:2008, 4.3.7).
U_TIME_S = SAMPLE_S / math.sqrt(12)
_EVIDENCE = ("tables/ride_through", "export.log")


@dataclass(frozen=True)
class WindowResult:
    """What one window did to the charger.

    ``connected_s`` is the time from the start of the window to the disconnection, or its whole length.
    ``restore_s`` is the time from the return of the voltage to 80 % of the power before; ``None`` when that
    was not seen within the recovery time.
    """

    window: Window
    series: Series
    power_before_w: float
    stayed_connected: bool
    connected_s: float
    restore_s: float | None

    @property
    def name(self) -> str:
        """Name of the window."""
        return self.window.name

    def quantities(self) -> tuple[Quantity, ...]:
        """Return ridden time and restore time; the sampling sets their uncertainty."""
        stamp: dict[str, Any] = {"time_ns": self.series.start_ns, "instrument": "charger, analyser"}
        out = [Quantity(self.window.criterion.quantity, self.connected_s, "s", U_TIME_S, **stamp)]
        if self.stayed_connected and self.restore_s is not None:
            out.append(Quantity(f"restore_time.{self.name}", self.restore_s, "s", U_TIME_S, **stamp))
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
    missing = "not played: the charger had disconnected before"
    if not station.has("grid"):
        missing = "the station has no grid simulator to play the window"
    if not wanted:
        missing = "ride-through was not asked for"
    out = []
    for window in ride_through_windows(station.site):
        result = played.get(window.name)
        if result is None:
            out.append(judge(window.criterion, None, doubt=missing))
            continue
        out.append(judge(window.criterion, result.quantities()[0], evidence=_EVIDENCE))
        out.extend(_restore_verdict(station, result))
    return tuple(out)


def _restore_verdict(station: Station, result: WindowResult) -> tuple[Verdict, ...]:
    restore = restore_criterion(station.site)
    if restore is None or not result.stayed_connected:
        return ()
    criterion = restore.model_copy(
        update={"id": f"{restore.id}.{result.name}", "title": f"{restore.title}, window {result.name}"}
    )
    if result.restore_s is not None:
        return (judge(criterion, result.quantities()[1], evidence=_EVIDENCE),)
    # Still below 80 % when watching ended: the true time is longer, so the bound itself decides.
    never = Quantity(f"restore_time.{result.name}", RECOVERY_S, "s", U_TIME_S, time_ns=result.series.start_ns)
    return (judge(criterion, never, evidence=_EVIDENCE),)


def _run_window(station: Station, lease: Lease, window: Window) -> WindowResult:
    from v2glab.instruments import GridStep

    grid = cast("GridSimulator", station.instrument("grid"))
    site, clock = station.site, station.clock
    before = station.instrument("analyser").read("power")["power"].value
    series = Series(clock.now_ns())
    volts = window.voltage_pu * site.nominal_voltage_v
    grid.play([GridStep(window.duration_s, volts, site.nominal_frequency_hz)])
    connected_s, connected, restore_s = window.duration_s, True, None
    for step in range(1, math.ceil((window.duration_s + RECOVERY_S) / SAMPLE_S) + 1):
        lease.checkpoint(within_s=10.0)
        clock.sleep(SAMPLE_S)
        row = _observe(station, series)
        elapsed_s = step * SAMPLE_S
        if connected and not (row["contactor_feedback"] == 1 and row["fault_code"] == 0):
            connected, connected_s = False, min(elapsed_s, window.duration_s)
        after_s = elapsed_s - window.duration_s
        if restore_s is None and after_s > 0 and row["power"] >= RESTORED_SHARE * before:
            restore_s = after_s
    return WindowResult(window, series, before, connected, connected_s, restore_s)


def _observe(station: Station, series: Series) -> dict[str, float]:
    by_analyser = station.instrument("analyser").read("power", "voltage_a", "current_a")
    by_charger = station.instrument("charger").read("contactor_feedback", "fault_code")
    return series.add(station.clock.now_ns(), by_analyser, by_charger)
