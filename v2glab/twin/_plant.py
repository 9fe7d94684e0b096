"""The plant as an object: commands in, state and waveforms out, time by the kernel."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from v2glab.evidence import LimitError
from v2glab.twin._device import DEVIATIONS, Device
from v2glab.twin._kernel import advance
from v2glab.twin._physics import C, Fault, R, X
from v2glab.twin._plant_commands import COMMANDS, open_or_close, put, switch
from v2glab.twin._plant_grid import Grid
from v2glab.twin._plant_state import RING_SIZE, PlantState, snapshot
from v2glab.twin._settings import GridEvent, PlantSettings, Switches, constants

if TYPE_CHECKING:
    from v2glab.gridcodes.der import DerSettings

CHUNK_S = 0.005
#: As many as the oscilloscope keeps: nobody sees the time before the bench was switched on.
SETTLE_STEPS = 20_500
#: For so long the contactor may differ from its command before it counts as welded.
_WELD_S = 0.1
ROWS = {"a": R.GRID_A, "b": R.GRID_B, "c": R.GRID_C, "inverter_a": R.INVERTER_A, "inverter_b": R.INVERTER_B}
ROWS |= {
    "inverter_c": R.INVERTER_C,
    "current_a": R.CURRENT_A,
    "current_b": R.CURRENT_B,
    "current_c": R.CURRENT_C,
}

Listener = Callable[[int, str, dict[str, object]], None]


class Plant:
    """Grid, inverter, contactor, battery and heat sink, advanced at a fixed step.

    Thread-safe: commands and snapshots may come from other threads than the one that advances.
    ``listeners`` are called with plant time, event name and fields for each thing that a charger logs.
    """

    def __init__(self, settings: PlantSettings | None = None, events: Sequence[GridEvent] = ()) -> None:
        self.settings = settings or PlantSettings()
        self._grid = Grid(self.settings, events)
        self.switches = Switches()
        self.listeners: list[Listener] = []
        self.watchdog_timeout_s = 0.0
        self.kicks = 0
        self._constants = constants(self.settings)
        self._device = Device(self.settings)
        self._ring = np.zeros((len(R), RING_SIZE))
        self._window = round(1 / self.settings.nominal_frequency_hz / self.settings.step_s)
        self._lock = threading.RLock()
        self._steps = 0
        self._mismatch_s = 0.0
        self._before = (0, False, False)
        self._x, self._c = self._start()
        self._settle()

    # -- time ----------------------------------------------------------------------------------------

    @property
    def time_ns(self) -> int:
        """Plant time in nanoseconds UTC."""
        return self.settings.epoch_ns + round(self._steps * self.settings.step_s * 1e9)

    def advance(self, duration_s: float) -> int:
        """Advance by whole steps, at least as long as asked; return the new plant time."""
        steps = math.ceil(duration_s / self.settings.step_s - 1e-9)
        chunk = round(CHUNK_S / self.settings.step_s)
        while steps > 0:
            with self._lock:
                taken = min(chunk, steps, self._grid.steps_to_edge(self.time_ns))
                self._surroundings()
                memory = self._device.memory
                advance(self._x, self._c, self._constants, memory, self._ring, taken, self._window)
                self._steps += taken
                self._supervise(taken * self.settings.step_s)
            steps -= taken
        return self.time_ns

    # -- commands ------------------------------------------------------------------------------------

    def command(self, name: str, value: float) -> None:
        """Set one commanded point.

        Raises
        ------
        LimitError
            The point cannot be commanded, or the value is out of bounds.
        """
        low, high = COMMANDS.get(name, (math.inf, -math.inf))
        if not low <= value <= high:
            raise LimitError(
                f"{name} = {value:g}", f"one of {', '.join(COMMANDS)}, in bounds", "mend the set-point"
            )
        with self._lock:
            self._apply(name, float(value))

    def set_fault(self, name: str, enabled: bool) -> None:
        """Turn one fault switch.

        Raises
        ------
        UsageError
            There is none of that name.
        """
        with self._lock:
            self.switches.set(name, enabled)
            if name == "frequency_drift":
                self._grid.drift_from_s = self._steps * self.settings.step_s if enabled else None
                self._c[C.DRIFT_HZ] = 0.0
            elif name in DEVIATIONS:
                self._device.configure(self._device.settings, self.switches.on)
            switch(self._x, self._c, self.settings, name, enabled)

    def schedule(self, *events: GridEvent) -> None:
        """Add grid events, all or none.

        Raises
        ------
        InputError
            One overlaps another.
        """
        with self._lock:
            self._grid.schedule(events, self.time_ns)

    def clear_events(self) -> None:
        """Bring the grid back to normal at once."""
        with self._lock:
            self._grid.clear()

    def trip_watchdog(self) -> None:
        """Open the contactor because nobody kicked the watchdog in time."""
        with self._lock:
            self._x[X.FAULT] = Fault.WATCHDOG
            self._c[C.CONTACTOR] = self._c[C.POWER_W] = self._c[C.RUN] = self._c[C.AUTOMATIC] = 0.0
            self.watchdog_timeout_s = 0.0
        self._tell("watchdog", level="ERROR")
        self.advance(0.03)

    @property
    def device_settings(self) -> DerSettings:
        """Settings of the grid-support functions, as the device reports them."""
        return self._device.settings

    def configure(self, settings: DerSettings) -> None:
        """Give the grid-support functions new settings."""
        with self._lock:
            self._device.configure(settings, self.switches.on)

    # -- observation ---------------------------------------------------------------------------------

    @property
    def state(self) -> PlantState:
        """Snapshot of everything that instruments can see."""
        with self._lock:
            on, timeout_s = self.switches.on, self.watchdog_timeout_s
            return snapshot(self.time_ns, self.settings, self._x, self._c, self._ring, on, timeout_s)

    def waveform(self, channels: Sequence[str], samples: int) -> NDArray[np.float64]:
        """Return the newest samples, shape (channels, samples), noise of the pick-ups included.

        Channels are ``a b c`` (grid side, V), ``inverter_a …`` (V) and ``current_a …`` (A).
        """
        with self._lock:
            samples = min(samples, RING_SIZE - 1)
            end = int(self._x[X.WRITTEN])
            places = np.arange(end - samples, end) % RING_SIZE
            rows = np.array([int(ROWS[name]) for name in channels])
            clean = self._ring[np.ix_(rows, places)]
        rng = np.random.default_rng([self.settings.seed, end])
        return np.asarray(clean + rng.normal(0.0, 0.2, clean.shape))

    # -- inside --------------------------------------------------------------------------------------

    def _start(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        s, rng = self.settings, np.random.default_rng(self.settings.seed)
        x, c = np.zeros(len(X)), np.zeros(len(C))
        x[X.GRID_ANGLE], x[X.INVERTER_ANGLE] = rng.uniform(0, math.tau, 2)
        x[X.GRID_HZ] = x[X.MEASURED_HZ] = x[X.DEVICE_HZ] = s.grid_frequency_hz
        x[X.SOC] = s.soc_percent / 100
        x[X.DC_VOLTAGE], x[X.DERATING_PU] = 750.0, 1.0
        x[X.JUNCTION_C] = x[X.SINK_C] = x[X.CONNECTOR_C] = s.ambient_celsius
        c[C.INVERTER_V], c[C.EXPORT_ENABLE], c[C.AUTHORISED] = s.nominal_voltage_v, 1.0, 1.0
        c[C.SOC_LIMIT], c[C.MAX_C] = s.soc_limit_percent / 100, 85.0
        c[C.AMBIENT_C], c[C.CONTACT_OHM], c[C.SINK_K_PER_W] = s.ambient_celsius, 5e-4, 0.06
        return x, c

    def _settle(self) -> None:
        """Fill the waveforms before anyone looks; plant time starts at the epoch nevertheless."""
        self.advance(SETTLE_STEPS * self.settings.step_s)
        self._steps = 0
        for place in (X.ENERGY_EXPORT_WH, X.ENERGY_IMPORT_WH, X.ENERGY_BATTERY_WH, X.ENERGY_LOSS_WH):
            self._x[place] = 0.0

    def _surroundings(self) -> None:
        """Put grid events and drift into the kernel's surroundings; the device sees how phases turn."""
        elapsed_s = self._steps * self.settings.step_s
        changed = self._grid.surround(self._c, self.time_ns, float(self._x[X.TIME_S]), elapsed_s)
        if changed is not None:
            self._device.see_angles(*changed)

    def _supervise(self, duration_s: float) -> None:
        """Do what the charger's own controller does between steps: see a weld, log what changed."""
        x, c = self._x, self._c
        if x[X.RELEASED] > 0.5:
            c[C.CONTACTOR] = 0.0
        closed = x[X.CONTACTOR_CLOSED] > 0.5
        commanded = c[C.CONTACTOR] > 0.5 or c[C.AUTOMATIC] > 0.5
        self._mismatch_s = self._mismatch_s + duration_s if closed and not commanded else 0.0
        if self._mismatch_s > _WELD_S and x[X.FAULT] != Fault.CONTACTOR_WELD:
            x[X.FAULT] = Fault.CONTACTOR_WELD
        now = (int(x[X.FAULT]), bool(closed), bool(x[X.DERATING_PU] < 0.999))
        if now != self._before:
            before, self._before = self._before, now
            self._log(before, now, "closed" if commanded else "open")

    def _log(self, before: tuple[int, bool, bool], now: tuple[int, bool, bool], commanded: str) -> None:
        fault, closed, derated = now
        if closed != before[1]:
            self._tell("contactor", commanded=commanded, feedback="closed" if closed else "open")
        if fault != before[0] and fault:
            self._c[C.POWER_W] = 0.0
            cause = Fault(fault).name.lower()
            self._tell("fault", level="ERROR", code=fault, cause=cause, commanded=commanded)
        if derated != before[2]:
            percent = round(100 * self._x[X.DERATING_PU], 1)
            sink = round(self._x[X.SINK_C], 1)
            self._tell("derating", level="WARNING", allowed_percent=percent, heatsink_celsius=sink)

    def _apply(self, name: str, value: float) -> None:
        if name == "contactor_command":
            if open_or_close(self._x, self._c, value):
                # A released contactor falls open whether or not anyone lets time pass.
                self.advance(0.03)
        elif name == "watchdog_timeout":
            self.watchdog_timeout_s = value
        elif name == "watchdog_kick":
            self.kicks += 1
        elif name == "fault_reset":
            self._reset(value)
        else:
            put(self._c, name, value)
            if name == "power_setpoint":
                self._note_refused_export(value)

    def _note_refused_export(self, power_w: float) -> None:
        if power_w <= 0:
            return
        if self._c[C.EXPORT_ENABLE] < 0.5:
            self._tell("export_refused", level="WARNING", reason="export_enable", register="0x4002")
        elif self._x[X.SOC] <= self._c[C.SOC_LIMIT]:
            percent = round(100 * self._x[X.SOC], 2)
            limit = round(100 * self._c[C.SOC_LIMIT], 2)
            self._tell(
                "export_refused", level="WARNING", reason="soc", soc_percent=percent, limit_percent=limit
            )

    def _reset(self, value: float) -> None:
        """Clear a latched fault unless its cause is still there.

        A contactor that the fault has opened stays open until it is commanded anew: nobody has synchronised.
        """
        welded = "contactor_weld" in self.switches.on
        if value > 0.5 and not welded:
            if self._x[X.FAULT] != Fault.NONE:
                self._c[C.CONTACTOR] = 0.0
            self._x[X.FAULT] = Fault.NONE
            self._before = (0, *self._before[1:])

    def _tell(self, event: str, *, level: str = "INFO", **fields: object) -> None:
        for listener in self.listeners:
            listener(self.time_ns, event, {"level": level, **fields})
