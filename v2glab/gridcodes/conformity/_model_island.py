"""The reference model in an island: its settings beside a matched RLC load."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from v2glab.gridcodes.conformity._record import Record, Uncertainties
from v2glab.gridcodes.conformity._stimulus import Stimulus

if TYPE_CHECKING:
    from v2glab.gridcodes.conformity._model_design import DeviceDesign
    from v2glab.gridcodes.der import DerSettings
    from v2glab.gridcodes.islanding import IslandInverter

#: One sample of the island in this many steps is kept.
_EVERY = 10


def island_record(
    settings: DerSettings, stimulus: Stimulus, uncertainties: Uncertainties, design: DeviceDesign
) -> Record:
    """Return the island that lived longest among all steps of the capacitor.

    ``reported`` holds its run-on time and uncertainty, the capacitor's percentage, and whether it still lived
    at the end, so that the time is a lower bound.
    """
    from v2glab.gridcodes.islanding import capacitor_steps, match_load, run_on_time, simulate_island

    island, power = stimulus.island, stimulus.stretches[0].demand_pu
    assert island is not None  # noqa: S101 -- asked before
    inverter = island_inverter(settings, power, design)
    matched = match_load(
        power,
        balanced_reactive_pu(inverter),
        nominal_hz=settings.nameplate.f_nominal_hz,
        quality_factor=island.quality_factor,
    )
    trips = [t for t in settings.trips if t.enabled]
    duration = stimulus.duration_s
    steps = capacitor_steps(matched, island.capacitor_percent)
    times = [run_on_time(inverter, load, trips, duration_s=duration).time_s for _, load in steps]
    percent, worst = steps[int(np.argmax(times))]
    seen = simulate_island(inverter, worst, trips, duration_s=duration)
    part = slice(None, None, _EVERY)
    return Record(
        seen.time_s[part],
        np.vstack([seen.voltage_pu[part]] * 3),
        seen.frequency_hz[part],
        seen.p_pu[part],
        seen.q_pu[part],
        np.hypot(seen.p_pu, seen.q_pu)[part],
        (seen.time_s < seen.run_on.time_s).astype(np.float64)[part],
        uncertainties,
        instrument="model",
        certificate="declared",
        reported={
            "run_on_s": seen.run_on.time_s,
            "u_run_on_s": seen.run_on.uncertainty_s,
            "persisted": float(seen.run_on.persisted),
            "capacitor_percent": percent,
        },
    )


def balanced_reactive_pu(inverter: IslandInverter) -> float:
    """Return the reactive power of the plant on the grid at nominal voltage, to which the load is matched."""
    volt_var, watt_var = inverter.volt_var, inverter.watt_var
    out = inverter.q_pu
    if volt_var is not None:
        out += float(np.interp(1.0, volt_var.x, volt_var.y))
    if watt_var is not None:
        out += float(np.interp(inverter.p_pu, watt_var.x, watt_var.y))
    return out


def island_inverter(settings: DerSettings, p_pu: float, design: DeviceDesign) -> IslandInverter:
    """Return what an island sees of a plant: the functions that its settings switch on, and its search."""
    from v2glab.gridcodes.islanding import Curve, Droop, IslandInverter

    def curve(points: tuple[tuple[float, float], ...], response_s: float) -> Curve:
        return Curve(tuple(x for x, _ in points), tuple(y for _, y in points), response_s)

    s, droop = settings, settings.droop
    return IslandInverter(
        p_pu=p_pu,
        q_pu=s.constant_q.q_pu if s.constant_q.enabled else 0.0,
        droop=Droop(droop.deadband_over_hz, droop.droop_over, droop.olrt_s) if droop.enabled else None,
        volt_var=curve(s.volt_var.points, s.volt_var.olrt_s) if s.volt_var.enabled else None,
        volt_watt=curve(s.volt_watt.points, s.volt_watt.olrt_s) if s.volt_watt.enabled else None,
        watt_var=curve(s.watt_var.points, s.watt_var.olrt_s) if s.watt_var.enabled else None,
        frequency_shift_gain=design.shift_gain_pu / s.nameplate.f_nominal_hz,
        frequency_shift_offset=design.shift_offset,
        detection_s=design.detection_s,
    )
