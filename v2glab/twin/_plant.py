"""The plant as objects: commands in, state and waveforms out, time by the kernel."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2glab.evidence import LimitError
from v2glab.twin._kernel import advance
from v2glab.twin._physics import C, Fault, R, X
from v2glab.twin._settings import GridEvent, PlantSettings, Switches, check_ranges, constants

RING_SIZE = 1 << 15
CHUNK_S = 0.005
#: As many as the oscilloscope keeps: nobody sees the time before the bench was switched on.
SETTLE_STEPS = 20_500
DRIFT_HZ, DRIFT_HZ_PER_S = 0.25, 0.5
PP_OHM, WORN_PP_OHM = 100.0, 165.0
ROWS = {"a": R.GRID_A, "b": R.GRID_B, "c": R.GRID_C, "inverter_a": R.INVERTER_A, "inverter_b": R.INVERTER_B}
ROWS |= {
    "inverter_c": R.INVERTER_C,
    "current_a": R.CURRENT_A,
    "current_b": R.CURRENT_B,
    "current_c": R.CURRENT_C,
}

Listener = Callable[[int, str, dict[str, object]], None]

#: Points that can be commanded, with their bounds.
COMMANDS: dict[str, tuple[float, float]] = {
    "contactor_command": (0, 1),
    "inverter_run": (0, 1),
    "power_setpoint": (-22_000, 22_000),
    "frequency_trim": (-2, 2),
    "voltage_setpoint": (0, 400),
    "watchdog_timeout": (0, 60),
    "watchdog_kick": (0, 65_535),
    "soc_discharge_limit": (0, 100),
    "max_temperature": (-40, 85),
    "fault_reset": (0, 1),
}


@dataclass(frozen=True)
class PlantState:
    """What instruments can see at one moment; units in the names, export positive."""

    time_ns: int
    grid_frequency_hz: float
    voltage_v: tuple[float, float, float]
    current_a: tuple[float, float, float]
    power_w: float
    reactive_power_var: float
    energy_export_wh: float
    energy_import_wh: float
    contactor_commanded: bool
    contactor_closed: bool
    inverter_running: bool
    inverter_frequency_hz: float
    inverter_voltage_v: float
    power_setpoint_w: float
    frequency_trim_hz: float
    voltage_setpoint_v: float
    export_enable: bool
    soc_percent: float
    soc_discharge_limit_percent: float
    derating_percent: float
    dc_voltage_v: float
    dc_current_a: float
    heatsink_celsius: float
    connector_celsius: float
    ambient_celsius: float
    junction_celsius: float
    max_temperature_celsius: float
    pp_ohm: float
    cp_voltage_v: float
    cp_duty_percent: float
    fault_code: int
    evse_state: int
    watchdog_timeout_s: float


class Plant:
    """Grid, inverter, contactor, battery and heat sink, advanced at a fixed step.

    Thread-safe: commands and snapshots may come from other threads than the one that advances.
    ``listeners`` are called with plant time, event name and fields for each thing that a charger logs.
    """

    def __init__(self, settings: PlantSettings | None = None, events: Sequence[GridEvent] = ()) -> None:
        self.settings = settings or PlantSettings()
        check_ranges(self.settings, events)
        self.switches = Switches()
        self.listeners: list[Listener] = []
        self.watchdog_timeout_s = 0.0
        self.kicks = 0
        self._events = list(events)
        self._constants = constants(self.settings)
        self._ring = np.zeros((len(R), RING_SIZE))
        self._window = round(1 / self.settings.nominal_frequency_hz / self.settings.step_s)
        self._lock = threading.RLock()
        self._steps = 0
        self._mismatch_s = 0.0
        self._before = (0, False, False)
        self._drift_from_s: float | None = None
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
                taken = min(chunk, steps, self._steps_to_event())
                self._surroundings()
                advance(self._x, self._c, self._constants, self._ring, taken, self._window)
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
            self._switch(name, enabled)

    def schedule(self, *events: GridEvent) -> None:
        """Add grid events, all or none.

        Raises
        ------
        InputError
            One overlaps another.
        """
        with self._lock:
            left = [e for e in self._events if e.end_ns > self.time_ns]
            check_ranges(self.settings, [*left, *events])
            self._events = [*left, *events]

    def clear_events(self) -> None:
        """Bring the grid back to normal at once."""
        with self._lock:
            self._events.clear()

    def trip_watchdog(self) -> None:
        """Open the contactor because nobody kicked the watchdog in time."""
        with self._lock:
            self._x[X.FAULT] = Fault.WATCHDOG
            self._c[C.CONTACTOR] = self._c[C.POWER_W] = self._c[C.RUN] = 0.0
            self.watchdog_timeout_s = 0.0
        self._tell("watchdog", level="ERROR")
        self.advance(0.03)

    # -- observation ---------------------------------------------------------------------------------

    @property
    def state(self) -> PlantState:
        """Snapshot of everything that instruments can see."""
        with self._lock:
            return self._snapshot()

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
        x[X.GRID_HZ] = x[X.MEASURED_HZ] = s.grid_frequency_hz
        x[X.SOC] = s.soc_percent / 100
        x[X.DC_VOLTAGE], x[X.DERATING_PU], x[X.PERMITTED_PU] = 750.0, 1.0, 1.0
        x[X.JUNCTION_C] = x[X.SINK_C] = x[X.CONNECTOR_C] = s.ambient_celsius
        c[C.INVERTER_V], c[C.EXPORT_ENABLE] = s.nominal_voltage_v, 1.0
        c[C.SOC_LIMIT], c[C.MAX_C] = s.soc_limit_percent / 100, 85.0
        c[C.AMBIENT_C], c[C.CONTACT_OHM], c[C.SINK_K_PER_W] = s.ambient_celsius, 5e-4, 0.06
        return x, c

    def _settle(self) -> None:
        """Fill the waveforms before anyone looks; plant time starts at the epoch nevertheless."""
        self.advance(SETTLE_STEPS * self.settings.step_s)
        self._steps = 0
        for place in (X.ENERGY_EXPORT_WH, X.ENERGY_IMPORT_WH, X.ENERGY_BATTERY_WH, X.ENERGY_LOSS_WH):
            self._x[place] = 0.0
        for place in (X.UV1_S, X.UV2_S, X.OV1_S, X.OV2_S, X.UF1_S, X.UF2_S, X.OF1_S, X.OF2_S):
            self._x[place] = 0.0

    def _steps_to_event(self) -> int:
        """Return how many steps there are to the next edge of an event."""
        step_ns = self.settings.step_s * 1e9
        edges = [t for e in self._events for t in (e.start_ns, e.end_ns) if t > self.time_ns]
        return max(1, math.ceil((min(edges) - self.time_ns) / step_ns - 1e-6)) if edges else 1 << 30

    def _surroundings(self) -> None:
        """Put grid events and drift into the kernel's surroundings."""
        s, c, now = self.settings, self._c, self.time_ns
        event = next((e for e in self._events if e.start_ns <= now < e.end_ns), None)
        volts = event.voltage_pu if event and event.voltage_pu else (s.grid_voltage_pu,) * 3
        c[C.GRID_A_PU], c[C.GRID_B_PU], c[C.GRID_C_PU] = volts
        c[C.GRID_HZ] = event.frequency_hz if event and event.frequency_hz else s.grid_frequency_hz
        c[C.GRID_JUMP_RAD] = event.phase_jump_rad if event else 0.0
        if self._drift_from_s is not None:
            elapsed = self._steps * s.step_s - self._drift_from_s
            c[C.DRIFT_HZ] = min(DRIFT_HZ, DRIFT_HZ_PER_S * elapsed)

    def _supervise(self, duration_s: float) -> None:
        """Do what the charger's own controller does between steps: see a weld, log what changed."""
        closed = self._x[X.CONTACTOR_CLOSED] > 0.5
        commanded = self._c[C.CONTACTOR] > 0.5
        self._mismatch_s = self._mismatch_s + duration_s if closed and not commanded else 0.0
        if self._mismatch_s > 0.1 and self._x[X.FAULT] != Fault.CONTACTOR_WELD:
            self._x[X.FAULT] = Fault.CONTACTOR_WELD
        now = (int(self._x[X.FAULT]), bool(closed), bool(self._x[X.DERATING_PU] < 0.999))
        if now == self._before:
            return
        fault, was_closed, derated = self._before
        self._before = now
        if closed != was_closed:
            self._tell(
                "contactor",
                commanded="closed" if commanded else "open",
                feedback="closed" if closed else "open",
            )
        if now[0] != fault and now[0]:
            self._c[C.POWER_W] = 0.0
            name = Fault(now[0]).name.lower()
            self._tell(
                "fault", level="ERROR", code=now[0], cause=name, commanded="closed" if commanded else "open"
            )
        if now[2] != derated:
            percent = round(100 * self._x[X.DERATING_PU], 1)
            self._tell(
                "derating",
                level="WARNING",
                allowed_percent=percent,
                heatsink_celsius=round(self._x[X.SINK_C], 1),
            )

    def _apply(self, name: str, value: float) -> None:
        c = self._c
        if name == "contactor_command":
            opening = c[C.CONTACTOR] > 0.5 and value < 0.5
            c[C.CONTACTOR] = value
            if opening:
                # A released contactor falls open whether or not anyone lets time pass.
                self.advance(0.03)
        elif name == "power_setpoint":
            c[C.POWER_W] = value
            self._note_refused_export(value)
        elif name == "watchdog_timeout":
            self.watchdog_timeout_s = value
        elif name == "watchdog_kick":
            self.kicks += 1
        elif name == "fault_reset":
            self._reset(value)
        else:
            scale = {"soc_discharge_limit": 0.01}.get(name, 1.0)
            place = {
                "inverter_run": C.RUN,
                "frequency_trim": C.TRIM_HZ,
                "voltage_setpoint": C.INVERTER_V,
                "soc_discharge_limit": C.SOC_LIMIT,
                "max_temperature": C.MAX_C,
            }[name]
            c[place] = value * scale

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

    def _switch(self, name: str, enabled: bool) -> None:
        x, c, s = self._x, self._c, self.settings
        if name == "contactor_weld":
            c[C.WELDED] = float(enabled)
            x[X.CONTACTOR_CLOSED] = 1.0 if enabled else x[X.CONTACTOR_CLOSED]
        elif name == "frequency_drift":
            self._drift_from_s = self._steps * s.step_s if enabled else None
            c[C.DRIFT_HZ] = 0.0
        elif name == "hot_heatsink":
            # A blocked fan: the same sink sheds half its heat, and stands hot already.
            c[C.SINK_K_PER_W] = 0.14 if enabled else 0.06
            c[C.SINK_HEAT_W] = 390.0 if enabled else 0.0
            if enabled:
                x[X.SINK_C] = x[X.JUNCTION_C] = c[C.AMBIENT_C] + 390.0 * 0.14
        elif name == "export_bit_off":
            c[C.EXPORT_ENABLE] = float(not enabled)
        elif name == "low_soc":
            x[X.SOC] = 0.12 if enabled else s.soc_percent / 100
        elif name == "worn_connector":
            c[C.CONTACT_OHM] = 0.06 if enabled else 5e-4

    def _snapshot(self) -> PlantState:
        x, c, s = self._x, self._c, self.settings
        closed = x[X.CONTACTOR_CLOSED] > 0.5
        runs = c[C.RUN] > 0.5
        amps = math.copysign(x[X.CURRENT_RMS], x[X.CURRENT_PEAK]) if closed else 0.0
        inrush = x[X.INRUSH_PEAK] / math.sqrt(2) if closed else 0.0
        own_hz = s.nominal_frequency_hz + c[C.TRIM_HZ]
        fault = int(x[X.FAULT])
        return PlantState(
            time_ns=self.time_ns,
            grid_frequency_hz=float(x[X.MEASURED_HZ]),
            voltage_v=self._rms_voltages(),
            current_a=(float(math.copysign(math.hypot(amps, inrush), amps)),) * 3,
            power_w=float(x[X.POWER_W]),
            reactive_power_var=float(x[X.REACTIVE_VAR]),
            energy_export_wh=float(x[X.ENERGY_EXPORT_WH]),
            energy_import_wh=float(x[X.ENERGY_IMPORT_WH]),
            contactor_commanded=bool(c[C.CONTACTOR] > 0.5),
            contactor_closed=bool(closed),
            inverter_running=bool(runs),
            inverter_frequency_hz=float(x[X.MEASURED_HZ] if closed else own_hz) if runs else 0.0,
            inverter_voltage_v=float(np.mean(x[X.RMS_A : X.RMS_C + 1]) if closed else c[C.INVERTER_V])
            if runs
            else 0.0,
            power_setpoint_w=float(c[C.POWER_W]),
            frequency_trim_hz=float(c[C.TRIM_HZ]),
            voltage_setpoint_v=float(c[C.INVERTER_V]),
            export_enable=bool(c[C.EXPORT_ENABLE] > 0.5),
            soc_percent=100 * float(x[X.SOC]),
            soc_discharge_limit_percent=100 * float(c[C.SOC_LIMIT]),
            derating_percent=100 * float(x[X.DERATING_PU]),
            dc_voltage_v=float(x[X.DC_VOLTAGE]),
            dc_current_a=float(x[X.DC_CURRENT]),
            heatsink_celsius=float(x[X.SINK_C]),
            connector_celsius=float(x[X.CONNECTOR_C]),
            ambient_celsius=float(c[C.AMBIENT_C]),
            junction_celsius=float(x[X.JUNCTION_C]),
            max_temperature_celsius=float(c[C.MAX_C]),
            pp_ohm=WORN_PP_OHM if "worn_connector" in self.switches.on else PP_OHM,
            cp_voltage_v=6.0 if runs else 9.0,
            cp_duty_percent=5.0,
            fault_code=fault,
            evse_state=_evse_state(fault, bool(closed), bool(runs), float(c[C.POWER_W])),
            watchdog_timeout_s=self.watchdog_timeout_s,
        )

    def _rms_voltages(self) -> tuple[float, float, float]:
        """RMS of the grid side over 0.2 s, the window of IEC 61000-4-30, 4.2."""
        places = np.arange(
            int(self._x[X.WRITTEN]) - round(0.2 / self.settings.step_s), int(self._x[X.WRITTEN])
        )
        newest = self._ring[R.GRID_A : R.GRID_C + 1, places % RING_SIZE]
        a, b, c = np.sqrt(np.mean(newest**2, axis=1))
        return float(a), float(b), float(c)

    def _tell(self, event: str, *, level: str = "INFO", **fields: object) -> None:
        for listener in self.listeners:
            listener(self.time_ns, event, {"level": level, **fields})


def _evse_state(fault: int, closed: bool, runs: bool, power_w: float) -> int:
    """Return the state register: 1 connected, 2 synchronising, 3 charging, 4 exporting, 5 fault."""
    if fault:
        return 5
    if closed and power_w:
        return 4 if power_w > 0 else 3
    return 2 if runs and not closed else 1
