"""The reference model in an island: its settings beside a matched RLC load."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from v2glab.gridcodes.conformity._record import Record, Uncertainties
from v2glab.gridcodes.conformity._stimulus import Stimulus

if TYPE_CHECKING:
    from v2glab.gridcodes.der import DerSettings
    from v2glab.gridcodes.islanding import IslandInverter

#: Gain of the model's frequency shift over the least one that leaves no zone undetected, the offset that
#: pushes a balanced island off its rest, and how long the shift stands at its limit until an island is
#: declared. Settings of a plant say nothing of these.
_GAIN_MARGIN, _OFFSET, _DETECTION_S = 1.5, 0.02, 0.2
_EVERY = 10


def island_record(settings: DerSettings, stimulus: Stimulus, uncertainties: Uncertainties) -> Record:
    """Return the island that lived longest among all steps of the capacitor, and its run-on time."""
    from v2glab.gridcodes.islanding import capacitor_steps, match_load, run_on_time, simulate_island

    island, power = stimulus.island, stimulus.stretches[0].demand_pu
    assert island is not None  # noqa: S101 -- asked before
    inverter = island_inverter(settings, power, island.reactive_pu, island.quality_factor)
    matched = match_load(
        power,
        island.reactive_pu,
        nominal_hz=settings.nameplate.f_nominal_hz,
        quality_factor=island.quality_factor,
    )
    trips = [t for t in settings.trips if t.enabled]
    duration = stimulus.duration_s
    loads = [load for _, load in capacitor_steps(matched, island.capacitor_percent)]
    times = [run_on_time(inverter, load, trips, duration_s=duration).time_s for load in loads]
    worst = loads[int(np.argmax(times))]
    seen = simulate_island(inverter, worst, trips, duration_s=duration)
    return Record(
        seen.time_s[::_EVERY],
        np.vstack([seen.voltage_pu[::_EVERY]] * 3),
        seen.frequency_hz[::_EVERY],
        seen.p_pu[::_EVERY],
        seen.q_pu[::_EVERY],
        np.hypot(seen.p_pu, seen.q_pu)[::_EVERY],
        (seen.time_s < seen.run_on.time_s).astype(np.float64)[::_EVERY],
        uncertainties,
        instrument="model",
        certificate="declared",
        reported={"run_on_s": seen.run_on.time_s, "u_run_on_s": seen.run_on.uncertainty_s},
    )


def island_inverter(settings: DerSettings, p_pu: float, q_pu: float, quality_factor: float) -> IslandInverter:
    """Return what an island sees of a plant: the functions that its settings switch on."""
    from v2glab.gridcodes.islanding import (
        Curve,
        Droop,
        IslandInverter,
        critical_frequency_shift_gain,
    )

    def curve(points: tuple[tuple[float, float], ...], response_s: float) -> Curve:
        return Curve(tuple(x for x, _ in points), tuple(y for _, y in points), response_s)

    s, droop = settings, settings.droop
    gain = critical_frequency_shift_gain(quality_factor, s.nameplate.f_nominal_hz)
    return IslandInverter(
        p_pu=p_pu,
        q_pu=q_pu,
        droop=Droop(droop.deadband_over_hz, droop.droop_over, droop.olrt_s) if droop.enabled else None,
        volt_var=curve(s.volt_var.points, s.volt_var.olrt_s) if s.volt_var.enabled else None,
        volt_watt=curve(s.volt_watt.points, s.volt_watt.olrt_s) if s.volt_watt.enabled else None,
        watt_var=curve(s.watt_var.points, s.watt_var.olrt_s) if s.watt_var.enabled else None,
        frequency_shift_gain=_GAIN_MARGIN * gain,
        frequency_shift_offset=_OFFSET,
        detection_s=_DETECTION_S,
    )
