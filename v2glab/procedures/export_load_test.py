"""Discharge to the grid under load; judge throughput, voltage and ride-through (IEEE 1547-2018, 6.4.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from v2glab.evidence import InputError, Quantity, Result, Verdict, judge, load_criteria
from v2glab.procedures._closing import ClosingPlan, connect
from v2glab.procedures._export_log import ExportLog
from v2glab.procedures._export_ride_through import WindowResult, run_windows, window_verdicts
from v2glab.procedures._limits import continuous_voltage, sync_limits
from v2glab.procedures._procedure import Context, Parameters, Procedure
from v2glab.procedures._series import Series, derived, trapezoid
from v2glab.resources import find_data

if TYPE_CHECKING:
    from collections.abc import Callable

    from v2glab.procedures._procedure import Sample
    from v2glab.station import Lease, Station

PHASES = ("a", "b", "c")
_METER = (
    *(f"voltage_{p}" for p in PHASES),
    *(f"current_{p}" for p in PHASES),
    "power",
    "frequency",
    "energy_export",
)
_CHARGER = ("soc", "derating", "contactor_feedback", "export_enable", "heatsink_temperature", "fault_code")
_DC = ("dc_voltage", "dc_current")


class ExportParameters(Parameters):
    """Parameters of the export load test.

    Attributes
    ----------
    duration_s
        Station time at full load, ride-through windows not counted.
    power_w
        Set-point, positive towards the grid; ``None`` takes the site's rated power.
    sample_s
        Time between samples.
    ride_through
        Whether the grid simulator plays the windows of the site's category; needs a grid simulator.
    """

    duration_s: float = Field(default=300.0, ge=5.0, le=86_400.0)
    power_w: float | None = Field(default=None, gt=0)
    sample_s: float = Field(default=1.0, ge=0.1, le=60.0)
    settle_s: float = Field(default=3.0, ge=0.5, le=60.0)
    ride_through: bool = True


def execute(context: Context[ExportParameters]) -> Result:
    """Synchronise, export at the set-point, play the ride-through windows, and end in the safe state.

    Raises
    ------
    InputError
        The set-point exceeds the site's rating; nothing was energised.
    """
    station, parameters = context.need_station(), context.parameters
    power_w = _setpoint(station, parameters)
    log = ExportLog(context.work_dir / "export.log", station.clock.now_ns)
    start_ns = station.clock.now_ns()
    allowed = parameters.duration_s + 400.0
    windows: list[WindowResult] = []
    with log, station.energised(max_s=allowed) as lease:
        log.event("start", power_w=power_w, duration_s=parameters.duration_s)
        connect(station, lease, ClosingPlan(sync_limits(station.site, None)))
        log.event("contactor_closed")
        station.instrument("charger").ensure("power_setpoint", power_w)
        station.clock.sleep(parameters.settle_s)
        series = _sample(station, lease, parameters, log, context.progress)
        if parameters.ride_through and station.has("grid"):
            windows = run_windows(station, lease, log)
        log.event("stop")
    quantities = _quantities(station, series, power_w)
    return Result(
        procedure=PROCEDURE.name,
        start_ns=start_ns,
        parameters=parameters.model_dump(),
        quantities=(*quantities, *(q for w in windows for q in w.quantities())),
        verdicts=(
            *_verdicts(station, quantities),
            *window_verdicts(station, parameters.ride_through, windows),
        ),
        tables={"samples": series.frame(), **_window_tables(windows)},
        facts={"power_setpoint_w": power_w, "log": "export.log", "windows": [w.facts() for w in windows]},
    )


def _setpoint(station: Station, parameters: ExportParameters) -> float:
    rated = station.site.rated_power_w
    power_w = rated if parameters.power_w is None else parameters.power_w
    if power_w > rated:
        raise InputError(f"power_w = {power_w:g} W", f"at most the rated {rated:g} W", "ask for less power")
    return power_w


def _sample(
    station: Station,
    lease: Lease,
    parameters: ExportParameters,
    log: ExportLog,
    progress: Callable[[Sample], None],
) -> Series:
    clock = station.clock
    meter, charger = station.instrument("meter"), station.instrument("charger")
    analyser = station.instrument("analyser")
    series = Series(clock.now_ns())
    end_ns = series.start_ns + round(parameters.duration_s * 1e9)
    while True:
        lease.checkpoint(within_s=10.0 + parameters.sample_s)
        by_charger = charger.read(*_CHARGER, *_DC)
        analysed = analyser.read("power")["power"]
        row = series.add(
            clock.now_ns(),
            meter.read(*_METER),
            by_charger,
            {"power_analyser": analysed.with_name("power_analyser")},
        )
        log.sample(row)
        progress(row)
        if clock.now_ns() >= end_ns:
            return series
        clock.sleep(min(parameters.sample_s, (end_ns - clock.now_ns()) * 1e-9))


def _quantities(station: Station, series: Series, power_w: float) -> tuple[Quantity, ...]:
    voltages = [f"voltage_{p}" for p in PHASES]
    per_volt = 1 / station.site.nominal_voltage_v
    power = series.mean("power", "export_power")
    delivered = derived("delivered_power_share", power.value / power_w, "1", 0.0, power, weight=1 / power_w)
    return (
        series.mean("current", "throughput_current", [f"current_{p}" for p in PHASES]),
        power,
        delivered,
        series.extreme(voltages, "voltage_minimum", largest=False, scale=per_volt, unit="1"),
        series.extreme(voltages, "voltage_maximum", largest=True, scale=per_volt, unit="1"),
        series.mean("frequency", "grid_frequency"),
        _register("export_enable", series),
        series.extreme(["heatsink_temperature"], "heatsink_maximum", largest=True, scale=1.0, unit="degC"),
        series.extreme(["derating"], "derating_minimum", largest=False, scale=1.0, unit="%"),
        *_energies(series),
    )


def _register(name: str, series: Series) -> Quantity:
    """Return the smallest value of a register that holds a state: it is exact."""
    source = series.seen(name)
    return Quantity(
        name, min(series.column(name)), "1", 0.0, time_ns=source.time_ns, instrument=source.instrument
    )


def _energies(series: Series) -> tuple[Quantity, ...]:
    """Return energy by meter and analyser, their difference, and the efficiency from DC to AC.

    The analyser's energy is the trapezoidal integral of its power over the sample times.
    """
    register = series.column("energy_export")
    times = series.column("time_s")
    by_meter = register[-1] - register[0]
    by_analyser = trapezoid(times, series.column("power_analyser")) / 3600
    dc_power = [u * i for u, i in zip(series.column("dc_voltage"), series.column("dc_current"), strict=True)]
    dc_energy = trapezoid(times, dc_power) / 3600
    meter_power, analyser_power = series.seen("power"), series.seen("power_analyser")
    span_h = (times[-1] - times[0]) / 3600
    out = [
        derived("energy_meter", by_meter, "Wh", 0.0, meter_power, weight=span_h),
        derived("energy_analyser", by_analyser, "Wh", 0.0, analyser_power, weight=span_h),
    ]
    if by_analyser > 0:
        share = 100 / by_analyser
        out.append(_difference(100 * (by_meter / by_analyser - 1), share, out[0], out[1]))
    if dc_energy > 0:
        out.append(
            Quantity(
                "efficiency_dc_to_ac",
                by_analyser / dc_energy,
                "1",
                no_uncertainty="the charger states no accuracy for its DC registers",
                time_ns=analyser_power.time_ns,
                instrument="analyser, charger",
            )
        )
    return tuple(out)


def _difference(value: float, share: float, by_meter: Quantity, by_analyser: Quantity) -> Quantity:
    """Return the energy difference in percent; the two instruments' errors are independent."""
    scatter = (by_meter.uncertainty or 0.0) * share
    joint = derived("energy_difference_percent", value, "%", scatter, by_analyser, weight=share)
    if by_meter.uncertainty is None:
        return Quantity(joint.name, value, "%", no_uncertainty=by_meter.no_uncertainty, time_ns=joint.time_ns)
    return joint


def _verdicts(station: Station, quantities: tuple[Quantity, ...]) -> tuple[Verdict, ...]:
    own = load_criteria(find_data("datasets", "criteria", "control.toml"))
    inside = continuous_voltage(station.site)
    pairs = (
        (own["v2glab.export.enabled"], "export_enable"),
        (own["v2glab.export.delivered-power"], "delivered_power_share"),
        (inside.model_copy(update={"id": f"{inside.id}.minimum", "upper": None}), "voltage_minimum"),
        (inside.model_copy(update={"id": f"{inside.id}.maximum", "lower": None}), "voltage_maximum"),
        (own["v2glab.export.telemetry-accuracy"], "energy_difference_percent"),
    )
    by_name = {q.name: q for q in quantities}
    doubt = station.meter_doubt()
    return tuple(
        judge(
            criterion,
            by_name.get(name),
            evidence=("tables/samples", "export.log"),
            doubt=doubt if by_name.get(name) and by_name[name].instrument == "meter" else "",
        )
        for criterion, name in pairs
    )


def _window_tables(windows: list[WindowResult]) -> dict[str, Any]:
    import pandas as pd

    frames = [w.series.frame().assign(window=w.name) for w in windows]
    return {"ride_through": pd.concat(frames, ignore_index=True)} if frames else {}


PROCEDURE = Procedure(
    name="export_load_test",
    title="Export load test",
    parameters=ExportParameters,
    execute=execute,
    energises=True,
)
