"""A station as a bench for type tests: grid simulator, analyser, inverter and charger.

The same adapter serves the twin and a laboratory: only the station file differs.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from v2glab.evidence import DeviceError, LimitError
from v2glab.gridcodes.conformity import Record, Stimulus, Uncertainties, sample_times
from v2glab.procedures._closing import Approach, ClosingPlan, connect
from v2glab.procedures._limits import sync_limits

if TYPE_CHECKING:
    from v2glab.evidence import Quantity
    from v2glab.gridcodes.der import DerSettings
    from v2glab.instruments import GridSimulator, GridStep
    from v2glab.station import Lease, Station

PHASES = "abc"
#: SunSpec model behind each function.
_MODELS = {
    "enter_service": 703,
    "p_limit": 704,
    "constant_pf": 704,
    "constant_q": 704,
    "volt_var": 705,
    "volt_watt": 706,
    "trips": 707,
    "droop": 711,
    "watt_var": 712,
    "battery": 713,
}
#: Points that a model has to offer for the function, where the model serves several.
_POINTS = {"p_limit": "704.WMaxLimPct", "constant_pf": "704.PFWInjEna", "constant_q": "704.VarSetEna"}
_LACKS = {
    "phases": "the grid simulator's profile plays all phases alike",
    "angles": "the grid simulator's profile knows no phase angles",
    "waveforms": "the station captures no waveforms of current during a test",
    "island": "the station has no RLC load",
    "cold": "the charger enters service on command, not by itself",
    "commands": "the inverter takes no new settings while a stimulus is played",
    "settings": "the inverter offers its settings read-only: only the default ones can be tested",
}
#: Half the analyser's update interval: finer sampling shows nothing new.
_FINEST_S = 0.05
_RAMP_STEPS = 25
#: Steps that a list of the grid simulator holds.
_MEMORY = 100
#: The analyser's readings are means over its update interval, a tenth of a second at its fastest.
_UPDATE_S = 0.1
_SETTLE_S = 2.0
_READ = (
    *(f"voltage_{p}" for p in PHASES),
    *(f"current_{p}" for p in PHASES),
    "power",
    "reactive_power",
    "frequency",
)


class StationBench:
    """Runs stimuli on an open station, under a lease.

    Parameters
    ----------
    station, lease
        Open station, and the lease under which it is energised.
    base
        Settings that the device is delivered with.
    """

    def __init__(self, station: Station, lease: Lease, base: DerSettings) -> None:
        self._station, self._lease, self._base = station, lease, base
        self._offered: tuple[str, ...] | None = None
        self._closing: Approach | None = None
        self.name = f"station {station.name}"

    def lacks(self, need: str) -> str:
        """Return why the station cannot offer something; empty when it can."""
        if not self._station.has("grid") or not self._station.has("analyser"):
            return "the station has no grid simulator or no analyser"
        if need in _LACKS:
            return _LACKS[need]
        model = _MODELS.get(need)
        if model is None:
            return ""
        point = _POINTS.get(need)
        if point is not None and point not in self._points():
            return f"the device does not offer {need} over SunSpec ({point})"
        if not any(p.startswith(f"{model}.") for p in self._points()):
            return f"the device does not offer {need} over SunSpec (model {model})"
        return ""

    def configure(self, settings: DerSettings) -> str:
        """Accept the settings of delivery; others cannot be written to this device."""
        same = settings.trips == self._base.trips and settings.droop == self._base.droop
        return "" if same else _LACKS["settings"]

    def run(self, stimulus: Stimulus) -> Record:
        """Connect, play the stimulus and sample it; a device that falls silent leaves a shorter record."""
        from v2glab.instruments import GridStep

        self._begin(stimulus)
        grid = cast("GridSimulator", self._station.instrument("grid"))
        grid.play(self._steps(stimulus, GridStep))
        rows, doubt = self._sample(stimulus)
        grid.stop()
        return self._record(rows, doubt)

    def finish(self) -> None:
        """Leave the grid simulator as it was found."""
        if self._station.has("grid"):
            cast("GridSimulator", self._station.instrument("grid")).stop()

    def _points(self) -> tuple[str, ...]:
        if self._offered is None:
            inverter: Any = self._station.instrument("inverter")
            self._offered = tuple(inverter.points())
        return self._offered

    def _begin(self, stimulus: Stimulus) -> None:
        """Bring the device into service at the power of the first stretch."""
        charger = self._station.instrument("charger")
        self._lease.checkpoint(within_s=30.0)
        seen = charger.read("contactor_feedback", "fault_code")
        if seen["fault_code"].value != 0:
            charger.ensure("contactor_command", 0)
            self._reset()
        if charger.read("contactor_feedback")["contactor_feedback"].value != 1:
            self._closing = connect(
                self._station, self._lease, ClosingPlan(sync_limits(self._station.site, None))
            )
        self._demand(stimulus.stretches[0].demand_pu)
        self._station.clock.sleep(_SETTLE_S)

    def _reset(self) -> None:
        """Press the reset; it springs back, so that the fault code shows whether it was taken."""
        charger = self._station.instrument("charger")
        charger.ensure("fault_reset", 1)
        self._station.clock.sleep(1.0)
        left = charger.read("fault_code")["fault_code"].value
        if left != 0:
            raise DeviceError(f"fault code {left:g} after a reset", "fault code 0", "clear the cause first")

    def _demand(self, demand_pu: float) -> None:
        power = round(demand_pu * self._station.site.rated_power_w)
        self._station.instrument("charger").ensure("power_setpoint", float(power))

    def _steps(self, stimulus: Stimulus, step: type[GridStep]) -> list[GridStep]:
        """Return the timeline as a list of the grid simulator; a ramp becomes a stair."""
        volts = self._station.site.nominal_voltage_v
        ramping = [s.voltage_to_pu is not None or s.frequency_to_hz is not None for s in stimulus.stretches]
        stairs = (_MEMORY - len(ramping)) // max(1, sum(ramping)) + 1
        out = []
        for s in stimulus.stretches:
            if len(set(s.voltage_pu)) > 1 or any(s.angle_deg):
                raise LimitError(
                    "phases that differ", "all phases alike", "use a simulator with three channels"
                )
            ramps = s.voltage_to_pu is not None or s.frequency_to_hz is not None
            count = max(1, min(_RAMP_STEPS, stairs, int(s.duration_s / 1e-3))) if ramps else 1
            for k in range(count):
                share = (k + 0.5) / count
                v = s.voltage_pu[0] + share * ((s.voltage_to_pu or s.voltage_pu)[0] - s.voltage_pu[0])
                f = s.frequency_hz + share * ((s.frequency_to_hz or s.frequency_hz) - s.frequency_hz)
                out.append(step(s.duration_s / count, v * volts, f))
        return out

    def _sample(self, stimulus: Stimulus) -> tuple[list[dict[str, Quantity | float]], str]:
        clock, start_ns = self._station.clock, self._station.clock.now_ns()
        changes = [
            (t, s.demand_pu) for t, s in zip(stimulus.starts(), stimulus.stretches, strict=True) if t > 0
        ]
        rows: list[dict[str, Quantity | float]] = []
        previous = -math.inf
        for at in sample_times(stimulus):
            if at - previous < _FINEST_S - 1e-9 and at < stimulus.duration_s:
                continue
            previous = at
            self._lease.checkpoint(within_s=30.0)
            wait = at - (clock.now_ns() - start_ns) * 1e-9
            if wait > 0:
                clock.sleep(wait)
            while changes and changes[0][0] <= at:
                self._demand(changes.pop(0)[1])
            try:
                rows.append(self._row((clock.now_ns() - start_ns) * 1e-9))
            except DeviceError as error:
                return rows, f"the device or an instrument fell silent at {at:.3f} s: {error.found}"
        return rows, ""

    def _row(self, time_s: float) -> dict[str, Quantity | float]:
        analysed = self._station.instrument("analyser").read(*_READ)
        charger = self._station.instrument("charger").read("contactor_feedback", "fault_code")
        on = charger["contactor_feedback"].value == 1 and charger["fault_code"].value == 0
        return {"time_s": time_s, "connected": float(on), **analysed}

    def _record(self, rows: list[dict[str, Quantity | float]], doubt: str) -> Record:
        import numpy as np

        site = self._station.site
        scale = {
            **{f"voltage_{p}": 1 / site.nominal_voltage_v for p in PHASES},
            **{f"current_{p}": 1 / site.rated_current_a for p in PHASES},
            "power": 1 / site.rated_power_w,
            "reactive_power": 1 / site.rated_power_w,
            "frequency": 1.0,
        }

        def column(name: str) -> Any:  # noqa: ANN401 -- an array
            return np.array([_value(row[name]) * scale.get(name, 1.0) for row in rows])

        def spread(name: str) -> float | None:
            known = [u for row in rows if (u := getattr(row[name], "uncertainty", None)) is not None]
            return max(known) * scale[name] if rows and len(known) == len(rows) else None

        record = Record(
            column("time_s"),
            np.array([column(f"voltage_{p}") for p in PHASES]).reshape(3, len(rows)),
            column("frequency"),
            column("power"),
            column("reactive_power"),
            np.array([column(f"current_{p}") for p in PHASES]).reshape(3, len(rows)).mean(axis=0),
            column("connected"),
            Uncertainties(
                spread("voltage_a"),
                spread("frequency"),
                spread("power"),
                spread("reactive_power"),
                spread("current_a"),
                time_s=_UPDATE_S / math.sqrt(12),
                shared=1.0,
            ),
            instrument="analyser",
            certificate=getattr(rows[0]["power"], "certificate", "") if rows else "",
            doubt=doubt or ("" if rows else "no sample was taken"),
        )
        return replace(record, reported=self._reported())

    def _reported(self) -> dict[str, float]:
        """Return what the device says of itself over SunSpec, and how the contactor closed."""
        site, out = self._station.site, {}
        wanted = {"701.W": "p_pu", "701.Var": "q_pu", "701.Hz": "f_hz", "701.LNV": "v_pu"}
        plate = {"702.WMaxRtg": "p_max_w", "702.VAMaxRtg": "s_max_va", "702.VNomRtg": "v_nominal_v"}
        names = [n for n in (*wanted, *plate) if n in self._points()]
        scale = {
            "p_pu": 1 / site.rated_power_w,
            "q_pu": 1 / site.rated_power_w,
            "v_pu": 1 / site.nominal_voltage_v,
        }
        try:
            read = self._station.instrument("inverter").read(*names) if names else {}
        except DeviceError:
            read = {}
        for point, quantity in read.items():
            name = {**wanted, **plate}[point]
            out[name] = quantity.value * scale.get(name, 1.0)
        return {**out, **self._sync()}

    def _sync(self) -> dict[str, float]:
        """Return the differences at the latest closing, in the units of the criteria."""
        if self._closing is None:
            return {}
        last = self._closing.windows[-1]
        return {
            "sync_frequency": abs(last.frequency_hz),
            "u_sync_frequency": last.u_frequency_hz,
            "sync_voltage": 100 * abs(last.voltage_pu),
            "u_sync_voltage": 100 * last.u_voltage_pu,
            "sync_phase": math.degrees(abs(last.phase_rad)),
            "u_sync_phase": math.degrees(last.u_phase_rad),
        }


def _value(entry: Quantity | float) -> float:
    return entry if isinstance(entry, float) else entry.value
