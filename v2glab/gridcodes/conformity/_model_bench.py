"""The reference model as a bench: exact, with a declared measurement noise on top."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from v2glab.gridcodes.conformity._model_design import DeviceDesign
from v2glab.gridcodes.conformity._model_island import island_record
from v2glab.gridcodes.conformity._model_waveform import add_waveform_noise, captured
from v2glab.gridcodes.conformity._record import Array, Record, Uncertainties
from v2glab.gridcodes.conformity._stimulus import Stimulus, Stretch

if TYPE_CHECKING:
    from v2glab.gridcodes.der import DerSettings, GridSegment

#: What a model in memory cannot offer, and why.
_LACKS = {"synchronisation": "the model has no contactor to close"}
#: Coarsest and finest step of the model.
_COARSEST_S, _FINEST_S = 0.1, 0.001


@dataclass
class ModelBench:
    """Runs stimuli on the reference model in memory.

    Parameters
    ----------
    uncertainties
        Of the imagined instrument; they are declared, and drawn from.
    seed
        Of the noise, and of whatever the model draws.
    noisy
        Whether the noise is added; without it the record is exact but declares the same uncertainties.
    design
        What the device's maker declares of its emissions and its search for islands.
    """

    uncertainties: Uncertainties = field(default_factory=lambda: Uncertainties(gain=0.0005, zero_pu=0.0003))
    seed: int = 7
    noisy: bool = True
    name: str = "model in memory"
    settings: DerSettings | None = None
    design: DeviceDesign = field(default_factory=DeviceDesign)

    def lacks(self, need: str) -> str:
        """Return why it cannot offer something; empty when it can."""
        return _LACKS.get(need, "")

    def configure(self, settings: DerSettings) -> str:
        """Take all settings."""
        self.settings = settings
        return ""

    def run(self, stimulus: Stimulus) -> Record:
        """Simulate a stimulus and sample it."""
        if self.settings is None:
            raise AssertionError("configure() comes first")
        if stimulus.island is not None:
            record = island_record(self.settings, stimulus, self.uncertainties, self.design)
        else:
            record = simulated(self.settings, stimulus, self.uncertainties, self.seed)
        if stimulus.capture is not None:
            plate = self.settings.nameplate
            wave = captured(record, stimulus.capture, plate, self.design)
            if self.noisy:
                wave = add_waveform_noise(wave, self.uncertainties, plate, self.seed)
            record = replace(record, waveform=wave, alike=_alike(stimulus))
        return add_noise(record, self.seed) if self.noisy else record


def simulated(
    settings: DerSettings, stimulus: Stimulus, uncertainties: Uncertainties, seed: int = 0
) -> Record:
    """Return the exact record of the reference model under a stimulus."""
    from v2glab.gridcodes.der import SettingsChange
    from v2glab.gridcodes.der._simulate import simulate_columns

    step_s = _step(stimulus)
    changes = [
        SettingsChange(t, s.settings)
        for t, s in zip(stimulus.starts(), stimulus.stretches, strict=True)
        if s.settings is not None
    ]
    columns = simulate_columns(
        settings,
        [_segment(s) for s in stimulus.stretches],
        duration_s=stimulus.duration_s,
        step_s=step_s,
        seed=seed,
        initial="off" if stimulus.cold else "running",
        changes=changes,
    )
    return record_from(columns, sample_times(stimulus), uncertainties, settings)


def record_from(
    columns: Mapping[str, NDArray[Any]], times: Array, uncertainties: Uncertainties, settings: DerSettings
) -> Record:
    """Return the samples of the model's columns nearest before the given times."""
    place = np.clip(np.searchsorted(columns["time_s"], times + 1e-9) - 1, 0, None)
    place = np.unique(place)
    c = {name: np.asarray(columns[name][place], dtype=np.float64) for name in _COLUMNS}
    volts = np.vstack([c["v_a_pu"], c["v_b_pu"], c["v_c_pu"]])
    apparent = np.hypot(c["p_pu"], c["q_pu"])
    current = np.where(apparent > 1e-9, apparent / np.maximum(volts.mean(axis=0), 1e-3), 0.0)
    plate = settings.nameplate
    return Record(
        c["time_s"],
        volts,
        c["f_hz"],
        c["p_pu"],
        c["q_pu"],
        np.minimum(current, 10.0),
        c["connected"],
        uncertainties,
        instrument="model",
        certificate="declared",
        reported={
            "p_max_w": plate.p_max_w,
            "s_max_va": plate.s_max_va,
            "v_nominal_v": plate.v_nominal_v,
            "p_pu": float(c["p_pu"][-1]),
            "q_pu": float(c["q_pu"][-1]),
            "v_pu": float(volts[:, -1].mean()),
            "f_hz": float(c["f_hz"][-1]),
            "set_q_pu": settings.constant_q.q_pu,
            "set_p_limit_pu": settings.p_limit.limit_pu,
        },
    )


_COLUMNS = ("time_s", "v_a_pu", "v_b_pu", "v_c_pu", "f_hz", "p_pu", "q_pu", "connected")


def sample_times(stimulus: Stimulus) -> Array:
    """Return when a stimulus is sampled: evenly within each stretch, at its own distance."""
    parts = []
    for start, stretch in zip(stimulus.starts(), stimulus.stretches, strict=True):
        spacing = stretch.sample_s or stimulus.sample_s
        count = max(1, round(stretch.duration_s / spacing))
        parts.append(start + np.arange(count) * (stretch.duration_s / count))
    return np.append(np.concatenate(parts), stimulus.duration_s)


def add_noise(record: Record, seed: int) -> Record:
    """Return a record as an instrument of its declared uncertainties would have measured it.

    Of each channel's variance the shared part is one error for all samples, the rest differs by sample.
    """
    draw = np.random.default_rng(seed)
    u = record.uncertainties

    def noisy(values: Array, sigma: float | None) -> Array:
        if not sigma:
            return values
        common = draw.standard_normal((*values.shape[:-1], 1)) * math.sqrt(u.shared)
        noise = draw.standard_normal(values.shape)
        noise *= math.sqrt(1 - u.shared)
        noise += common
        noise *= sigma
        noise += values
        return noise

    return replace(
        record,
        v_pu=noisy(record.v_pu, u.v_pu),
        f_hz=noisy(record.f_hz, u.f_hz),
        p_pu=noisy(record.p_pu, u.p_pu),
        q_pu=noisy(record.q_pu, u.q_pu),
        i_pu=np.abs(noisy(record.i_pu, u.i_pu)),
    )


def _alike(stimulus: Stimulus) -> str:
    """Return why a longer recording would repeat this one: nothing changes while one stretch is held."""
    held = len(stimulus.stretches) == 1 and stimulus.capture is not None and not stimulus.capture.event
    return "the modelled output and its fluctuation are the same throughout" if held else ""


def _step(stimulus: Stimulus) -> float:
    finest = min(s.sample_s or stimulus.sample_s for s in stimulus.stretches)
    return min(_COARSEST_S, max(_FINEST_S, finest))


def _segment(stretch: Stretch) -> GridSegment:
    from v2glab.gridcodes.der import GridSegment

    a, b, c = stretch.angle_deg
    turned = any(stretch.angle_deg)
    return GridSegment(
        stretch.duration_s,
        v_pu=stretch.voltage_pu,
        v_end_pu=stretch.voltage_to_pu,
        f_hz=stretch.frequency_hz,
        f_end_hz=stretch.frequency_to_hz,
        angles_deg=(a, b - 120.0, c + 120.0) if turned else None,
        p_demand_pu=stretch.demand_pu,
        p_demand_end_pu=stretch.demand_to_pu,
        p_limit_pu=stretch.limit_pu,
        permit_service=stretch.permit_service,
        v2g_authorised=stretch.v2g_authorised,
    )
