"""A station as a bench for type tests: grid simulator, analyser, oscilloscopes, inverter and charger.

The same adapter serves the twin and a laboratory: only the station file differs. What the station has is
found out from it; what it lacks is said with the test that needs it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from v2glab.evidence import DeviceError, LimitError
from v2glab.procedures._closing import Approach, ClosingPlan, connect
from v2glab.procedures._conformity_charge import await_charge, charge_wanted
from v2glab.procedures._conformity_grid import grid_steps
from v2glab.procedures._conformity_record import make_record, reported
from v2glab.procedures._conformity_sampling import Action, Sampler
from v2glab.procedures._conformity_settings import SettingsWriter
from v2glab.procedures._conformity_waveform import Scopes
from v2glab.procedures._limits import sync_limits

if TYPE_CHECKING:
    from v2glab.gridcodes.conformity import Record, Stimulus, Stretch
    from v2glab.gridcodes.der import DerSettings
    from v2glab.instruments import GridSimulator
    from v2glab.station import Lease, Station

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
_LIMIT = ("704.WMaxLimPctEna", "704.WMaxLimPct")
_PERMIT, _AUTHORISED, _AUTOMATIC = "703.ES", "discharge_authorisation", "automatic_start"
_SETTLE_S = 2.0
#: What a device needs to see that the grid is well again: other settings may come only then.
_RECOVER_S = 0.2
#: A trip that was due when new settings came happens while the device settles.
_ATTEMPTS = 2
#: By then any device has noticed that the grid is another one.
_SEEN_S = 0.5


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
        self._writer = (
            SettingsWriter(station.instrument("inverter"), base) if station.has("inverter") else None
        )
        self._scopes = Scopes(station) if station.has("scope") else None
        self._offered: tuple[str, ...] | None = None
        self._staged: dict[int, int] | None = None
        self._closing: Approach | None = None
        self._wanted: DerSettings | None = None
        self._limited = False
        self.name = f"station {station.name}"

    def lacks(self, need: str) -> str:
        """Return why the station cannot offer something; empty when it can."""
        for name in ("grid", "analyser", "charger"):
            if not self._station.has(name):
                return f"the station has no instrument {name!r}"
        apart = {
            "phases": self._lacks_phases,
            "angles": self._lacks_phases,
            "waveforms": lambda: "" if self._scopes else "the station has no oscilloscope",
            "synchronisation": lambda: "" if self._scopes else "the station has no oscilloscope",
            "island": lambda: "the station has no RLC load",
            "cold": self._lacks_start,
            "commands": self._lacks_commands,
            "settings": self._lacks_settings,
        }
        if need in apart:
            return apart[need]()
        model, point = _MODELS.get(need), _POINTS.get(need)
        offered = self._points()
        if point is not None and point not in offered:
            return f"the device does not offer {need} over SunSpec ({point})"
        if model is not None and not any(p.startswith(f"{model}.") for p in offered):
            return f"the device does not offer {need} over SunSpec (model {model})"
        return ""

    def configure(self, settings: DerSettings) -> str:
        """Write settings over SunSpec and read them back; return what the device would not take."""
        if settings == self._wanted:
            return ""
        self._wanted = None
        if self._writer is None:
            return "the station has no inverter that speaks SunSpec"
        refused = self._writer.write(settings)
        if not refused:
            self._wanted, self._limited = settings, False
        return refused

    def run(self, stimulus: Stimulus) -> Record:
        """Play the stimulus and sample it; a device that falls silent leaves a shorter record."""
        if stimulus.capture is not None:
            self._check_capture(stimulus)
        grid, steps = self._grid(), grid_steps(stimulus, self._station.site)
        self._keep_charge()
        self._begin(stimulus)
        grid.play(steps)
        try:
            seen = Sampler(self._station, self._lease, self._scopes).run(stimulus, self._actions(stimulus))
            said = {} if seen.doubt else reported(self._station, self._points(), self._closing)
            wave = self._scopes.recording(stimulus.capture) if self._scopes and stimulus.capture else None
        finally:
            grid.stop()
        self._station.clock.sleep(_RECOVER_S)
        return make_record(self._station, seen, self._scopes, said, wave)

    def finish(self) -> None:
        """Leave device and grid simulator as they were found."""
        if self._station.has("grid"):
            self._grid().stop()
        if not self._lacks_start():
            self._charger().ensure(_AUTOMATIC, 0)
        if self._writer is not None and self._wanted not in (None, self._base):
            self._writer.write(self._base)

    # -- what there is -------------------------------------------------------------------------------

    def _points(self) -> tuple[str, ...]:
        if self._offered is None:
            has = self._station.has("inverter")
            self._offered = tuple(self._station.instrument("inverter").points()) if has else ()
        return self._offered

    def _grid(self) -> GridSimulator:
        return cast("GridSimulator", self._station.instrument("grid"))

    def _charger(self) -> Any:  # noqa: ANN401 -- instruments have many kinds
        return self._station.instrument("charger")

    def _lacks_phases(self) -> str:
        able = getattr(self._grid(), "sets_phases", False)
        return "" if able else "the grid simulator's profile plays all phases alike"

    def _lacks_start(self) -> str:
        able = self._station.has("charger") and _AUTOMATIC in self._charger().points()
        return "" if able else "the charger enters service on command, not by itself"

    def _lacks_commands(self) -> str:
        missing = [p for p in (*_LIMIT, _PERMIT) if p not in self._points()]
        missing += [p for p in (_AUTHORISED,) if p not in self._charger().points()]
        return f"the device takes no command of {', '.join(missing)}" if missing else ""

    def _lacks_settings(self) -> str:
        if self._writer is None:
            return "the station has no inverter that speaks SunSpec"
        if self._staged is None:
            self._staged = self._writer.staged()
        return (
            "" if self._staged else "the inverter offers its settings read-only: only the default ones exist"
        )

    def _check_capture(self, stimulus: Stimulus) -> None:
        if self._scopes is None or stimulus.capture is None:
            raise LimitError("a station without an oscilloscope", "one that samples waveforms", "add it")
        self._scopes.check(stimulus.capture)
        if self._station.clock.mode != "lockstep" and stimulus.duration_s > 1.0:
            raise LimitError(
                f"a recording of {stimulus.duration_s:g} s in pieces of 1 s",
                "a recorder without gaps",
                "import evidence from one",
            )

    # -- a run ---------------------------------------------------------------------------------------

    def _begin(self, stimulus: Stimulus) -> None:
        """Bring the device into service at the power of the first stretch, or out of it.

        Where it can it is left to return by itself, as it would in the field.
        """
        charger, first = self._charger(), stimulus.stretches[0]
        self._lease.checkpoint(within_s=60.0)
        if stimulus.cold:
            charger.ensure("contactor_command", 0)
        if charger.read("fault_code")["fault_code"].value != 0:
            charger.ensure("contactor_command", 0)
            self._reset()
        self._command(first, None)
        if stimulus.cold:
            self._demand(first.demand_pu)
            return
        for _ in range(_ATTEMPTS):
            if not self._serves():
                charger.ensure("contactor_command", 0)
                plan = ClosingPlan(sync_limits(self._station.site, None))
                self._closing = connect(self._station, self._lease, plan)
            if not self._lacks_start():
                charger.ensure(_AUTOMATIC, 1)
            self._demand(first.demand_pu)
            self._station.clock.sleep(_SETTLE_S)
            if self._serves():
                break

    def _keep_charge(self) -> None:
        """Bring back a battery that hours of tests have emptied or filled, by the settings of delivery."""
        demand_pu = charge_wanted(self._charger())
        if demand_pu == 0.0:
            return
        from v2glab.gridcodes.conformity import Stimulus, Stretch

        wanted = self._wanted
        self._configure_or_raise(self._base)
        hz = self._station.site.nominal_frequency_hz
        self._begin(Stimulus((Stretch(1.0, frequency_hz=hz, demand_pu=demand_pu),)))
        await_charge(self._station, self._lease, demand_pu)
        self._demand(0.0)
        if wanted is not None:
            self._configure_or_raise(wanted)

    def _configure_or_raise(self, settings: DerSettings) -> None:
        if self._writer is not None and (refused := self.configure(settings)):
            raise DeviceError(refused, "the settings of this test", "see what the device offers")

    def _serves(self) -> bool:
        return bool(self._charger().read("contactor_feedback")["contactor_feedback"].value == 1)

    def _reset(self) -> None:
        """Press the reset; it springs back, so that the fault code shows whether it was taken."""
        self._charger().ensure("fault_reset", 1)
        self._station.clock.sleep(1.0)
        left = self._charger().read("fault_code")["fault_code"].value
        if left != 0:
            raise DeviceError(f"fault code {left:g} after a reset", "fault code 0", "clear the cause first")

    def _demand(self, demand_pu: float) -> None:
        power = round(demand_pu * self._station.site.rated_power_w)
        self._charger().ensure("power_setpoint", float(power))

    def _actions(self, stimulus: Stimulus) -> list[Action]:
        """Return what is to be sent under way, and when."""
        out: list[Action] = []
        if stimulus.cold:  # once the device sees the grid of the first stretch
            wait_s = min(_SEEN_S, stimulus.stretches[0].duration_s / 2)
            out.append((wait_s, self._start))
        before: Stretch | None = None
        for start_s, stretch in zip(stimulus.starts(), stimulus.stretches, strict=True):
            if stretch.demand_to_pu not in (None, stretch.demand_pu):
                raise LimitError("a demand that runs evenly", "steps of demand", "use a model in memory")
            if before is not None:
                out.append((start_s, self._action(stretch, before)))
            before = stretch
        return out

    def _start(self) -> None:
        self._charger().ensure(_AUTOMATIC, 1)

    def _action(self, stretch: Stretch, before: Stretch) -> Any:  # noqa: ANN401 -- something to call
        def act() -> None:
            if stretch.settings is not None:
                self._configure_or_raise(stretch.settings)
            self._command(stretch, before)
            if stretch.demand_pu != before.demand_pu:
                self._demand(stretch.demand_pu)

        return act

    def _command(self, stretch: Stretch, before: Stretch | None) -> None:
        """Send limit and permissions where they differ from those before."""
        if self._lacks_commands():
            return
        inverter, charger = self._station.instrument("inverter"), self._charger()
        if stretch.limit_pu is not None:
            inverter.ensure(_LIMIT[1], 100.0 * stretch.limit_pu)
            inverter.ensure(_LIMIT[0], 1)
            self._limited = True
        elif self._limited:
            limit = self._wanted.p_limit if self._wanted else self._base.p_limit
            inverter.ensure(_LIMIT[0], float(limit.enabled))
            inverter.ensure(_LIMIT[1], 100.0 * max(0.0, limit.limit_pu))
            self._limited = False
        if before is None or before.permit_service != stretch.permit_service:
            inverter.ensure(_PERMIT, float(stretch.permit_service))
        if before is None or before.v2g_authorised != stretch.v2g_authorised:
            charger.ensure(_AUTHORISED, float(stretch.v2g_authorised))
