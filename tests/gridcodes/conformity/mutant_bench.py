"""A bench whose device is faulty in one way; the instruments that watch it are honest."""

from dataclasses import replace

import numpy as np

from v2glab.gridcodes.conformity import ModelBench, add_noise, simulated


class MutantBench(ModelBench):
    """The reference model with one fault, as an entry of ``mutants.toml`` says."""

    def __init__(self, mutant, seed=1):
        super().__init__(seed=seed)
        self.mutant, self.first = mutant, None

    def configure(self, settings):
        if self.mutant.get("latched"):
            self.first = self.first or settings
            settings = self.first
        self.settings = self._faulty(settings)
        return ""

    def run(self, stimulus):
        seen = simulated(self.settings, self._sensed(stimulus), self.uncertainties, self.seed)
        return add_noise(self._behaved(seen), self.seed)

    def _faulty(self, settings):
        """The settings that the device really works with; no range of a rule holds for them."""
        settings = settings.with_(rules=None, **self.mutant.get("settings", {}))
        for name, change in self.mutant.get("trip", {}).items():
            settings = settings.with_trip(name, **change)
        if late := self.mutant.get("late_s"):
            settings = settings.with_(execution_delay_s=late)
        return settings

    def _sensed(self, stimulus):
        """What reaches the device: the grid through its own sensors, commands that it listens to."""
        sensor, deaf = self.mutant.get("sensor", {}), self.mutant.get("deaf")
        gain, offset = sensor.get("voltage_gain", 1.0), sensor.get("frequency_offset_hz", 0.0)
        stretches = []
        for s in stimulus.stretches:
            change = {
                "voltage_pu": tuple(gain * v for v in s.voltage_pu),
                "frequency_hz": s.frequency_hz + offset,
                "frequency_to_hz": None if s.frequency_to_hz is None else s.frequency_to_hz + offset,
            }
            if s.settings is not None:
                change["settings"] = None if deaf == "settings" else self._faulty(s.settings)
            if deaf == "authorisation":
                change["v2g_authorised"] = True
            stretches.append(replace(s, **change))
        return replace(stimulus, stretches=tuple(stretches))

    def _behaved(self, record):
        sensor = self.mutant.get("sensor", {})
        p, q = (self._put_out(record, n) for n in ("p", "q"))
        volts = record.v_pu / sensor.get("voltage_gain", 1.0)
        flows = np.hypot(p, q)
        ratio = np.divide(
            flows, np.hypot(record.p_pu, record.q_pu), out=np.ones_like(flows), where=record.i_pu > 1e-9
        )
        current = np.where(record.i_pu > 1e-9, record.i_pu * ratio, flows)
        reported = {**record.reported, "p_pu": float(p[-1]), "q_pu": float(q[-1])}
        for name, factor in self.mutant.get("reports", {}).items():
            reported[name] *= factor
        hertz = record.f_hz - sensor.get("frequency_offset_hz", 0.0)
        return replace(record, v_pu=volts, f_hz=hertz, p_pu=p, q_pu=q, i_pu=current, reported=reported)

    def _put_out(self, record, name):
        values, fault = getattr(record, f"{name}_pu"), self.mutant.get("output", {}).get(name, {})
        put = values * fault.get("gain", 1.0) + fault.get("offset", 0.0)
        put = put + fault.get("drift_per_s", 0.0) * record.time_s
        if quantum := fault.get("quantum"):
            put = quantum * np.round(put / quantum)
        put = np.clip(put, fault.get("least", -np.inf), fault.get("most", np.inf))
        below = record.v_pu.min(axis=0) < fault.get("below_v", np.inf)
        return np.where(below, put, values)
