"""Calibrate the thermal limit, the current foldback and the shutdown (IEC 61851-23, −40 to +85 °C)."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pydantic import Field

from v2glab.control import FOLDBACK_START, check_temperature_limit, rise_share
from v2glab.evidence import Quantity, Result, Verdict, judge, load_criteria, write_atomic
from v2glab.procedures._closing import ClosingPlan, connect
from v2glab.procedures._limits import sync_limits
from v2glab.procedures._procedure import Context, Parameters, Procedure
from v2glab.procedures._series import Series
from v2glab.procedures._thermal_model import (
    FoldbackFit,
    StepResponse,
    continuous_current_share,
    fit_foldback,
    fit_step_response,
)
from v2glab.resources import find_data

if TYPE_CHECKING:
    from collections.abc import Callable

    from v2glab.procedures._procedure import Sample
    from v2glab.station import Lease, Station

RATING_AMBIENT_CELSIUS = 40.0
#: Below this share of rated current the heating was not one step of constant losses.
FULL_CURRENT_PERCENT = 99.0
_FROM_HEATING = ("final_rise", "time_constant", "continuous_current_share")
_FROM_TEMPERATURES = ("final_rise", "foldback_onset_share", "foldback_deviation", "continuous_current_share")


class ThermalParameters(Parameters):
    """Parameters of the thermal calibration.

    Attributes
    ----------
    max_temp_celsius
        Limit to be set for service, ``MAX_TEMP_CELSIUS`` of ``thermal.conf``; −40 to +85 °C.
    heat_s
        Station time at full power from which the step response is fitted.
    shares
        Shares of the permitted rise at which the foldback is measured, by lowering the limit for a moment.
    """

    max_temp_celsius: float = 85.0
    heat_s: float = Field(default=300.0, ge=30.0, le=7200.0)
    sample_s: float = Field(default=5.0, ge=0.5, le=60.0)
    settle_s: float = Field(default=2.0, ge=0.5, le=60.0)
    shares: tuple[float, ...] = (0.7, 0.8, 0.87, 0.89, 0.91, 0.93, 0.95, 0.97, 1.03)


def execute(context: Context[ThermalParameters]) -> Result:
    """Heat at rated power, fit the response, sweep the limit through the foldback, write ``thermal.conf``.

    The limit is at the requested value again, and the station in the safe state, when this returns.
    """
    station, parameters = context.need_station(), context.parameters
    check_temperature_limit(parameters.max_temp_celsius)
    start_ns = station.clock.now_ns()
    with station.energised(max_s=parameters.heat_s + 300.0) as lease:
        charger = station.instrument("charger")
        charger.ensure("max_temperature", parameters.max_temp_celsius, tolerance=0.05)
        connect(station, lease, ClosingPlan(sync_limits(station.site, None)))
        charger.ensure("power_setpoint", station.site.rated_power_w)
        heating = _heat(station, lease, parameters, context.progress)
        try:
            sweep, unreachable = _sweep(station, lease, parameters)
        finally:
            charger.ensure("max_temperature", parameters.max_temp_celsius, tolerance=0.05)
    response = fit_step_response(heating.column("time_s"), heating.column("heatsink_temperature"))
    ambient = heating.mean("ambient", "ambient_temperature")
    u_share, unknown = _share_uncertainty(heating)
    fold = fit_foldback(sweep.column("share"), sweep.column("allowed_pu"), u_share)
    doubts = dict.fromkeys(_FROM_TEMPERATURES, unknown) if unknown else {}
    if min(heating.column("derating")) < FULL_CURRENT_PERCENT:
        doubts |= dict.fromkeys(_FROM_HEATING, "the charger folded its current back while it was to heat")
    quantities = tuple(
        _without(q, doubts[q.name]) if q.name in doubts else q
        for q in _quantities(heating, sweep, response, fold, ambient, parameters, u_share)
    )
    _write_conf(context, parameters, response, fold, quantities)
    return Result(
        procedure=PROCEDURE.name,
        start_ns=start_ns,
        parameters=parameters.model_dump(),
        quantities=quantities,
        verdicts=_verdicts(quantities),
        tables={"heating": heating.frame(), "foldback": sweep.frame()},
        facts={
            "thermal_conf": "thermal.conf",
            "rise_k": response.rise_k,
            "time_constant_s": response.time_constant_s,
            "start_celsius": response.start_celsius,
            "residual_k": response.residual_k,
            "max_temp_celsius": parameters.max_temp_celsius,
            "shares_out_of_reach": unreachable,
        },
    )


def _heat(
    station: Station, lease: Lease, parameters: ThermalParameters, progress: Callable[[Sample], None]
) -> Series:
    series, clock = Series(station.clock.now_ns()), station.clock
    for _ in range(math.ceil(parameters.heat_s / parameters.sample_s) + 1):
        lease.checkpoint(within_s=10.0 + parameters.sample_s)
        progress(_observe(station, series))
        clock.sleep(parameters.sample_s)
    return series


def _observe(station: Station, series: Series, **plain: float) -> dict[str, float]:
    charger = station.instrument("charger").read(
        "heatsink_temperature",
        "connector_temperature",
        "derating",
        "dc_voltage",
        "dc_current",
        "max_temperature",
    )
    sensors = station.instrument("heatsink").read("heatsink", "ambient")
    renamed = {"heatsink_sensor": sensors["heatsink"], "ambient": sensors["ambient"]}
    currents = station.instrument("analyser").read("current_a", "power")
    return series.add(station.clock.now_ns(), charger, renamed, currents, **plain)


def _sweep(station: Station, lease: Lease, parameters: ThermalParameters) -> tuple[Series, list[float]]:
    """Put the present temperature at each share of the permitted rise, by the limit; read what is allowed.

    The limit is only ever lowered: shares that would ask for more than the limit of service, because the
    heat sink is too hot already, are left out and returned.
    """
    charger, series = station.instrument("charger"), Series(station.clock.now_ns())
    unreachable: list[float] = []
    for share in parameters.shares:
        lease.checkpoint(within_s=10.0 + parameters.settle_s)
        temperature = charger.read("heatsink_temperature")["heatsink_temperature"].value
        ambient = station.instrument("heatsink").read("ambient")["ambient"].value
        limit = round(ambient + (temperature - ambient) / share, 1)
        if limit > parameters.max_temp_celsius:
            unreachable.append(share)
            continue
        charger.ensure("max_temperature", check_temperature_limit(limit), tolerance=0.05)
        station.clock.sleep(parameters.settle_s)
        row = _observe(station, series)
        row["share"] = rise_share(row["heatsink_temperature"], row["ambient"], row["max_temperature"])
        row["allowed_pu"] = row["derating"] / 100
    return series, unreachable


def _share_uncertainty(heating: Series) -> tuple[float, str]:
    """Return the standard uncertainty of one share and, when it is not known, why.

    A share is a difference of two temperatures over the permitted rise (JCGM 100:2008, 5.1.2); the limit is
    set in steps of 0.1 K.
    """
    sensors = [heating.seen(name) for name in ("heatsink_temperature", "ambient")]
    reason = next((q.no_uncertainty for q in sensors if q.uncertainty is None), "")
    rise = heating.column("heatsink_temperature")[-1] - heating.column("ambient")[-1]
    parts = [q.uncertainty or 0.0 for q in sensors]
    return math.hypot(*parts, 0.1 / math.sqrt(12)) / max(rise, 1.0), reason


def _quantities(
    heating: Series,
    sweep: Series,
    response: StepResponse,
    fold: FoldbackFit,
    ambient: Quantity,
    parameters: ThermalParameters,
    u_share: float,
) -> tuple[Quantity, ...]:
    source = heating.seen("heatsink_temperature")
    sensor = heating.seen("heatsink_sensor")
    stamp: dict[str, Any] = {"time_ns": source.time_ns, "instrument": source.instrument}
    final_rise = response.start_celsius + response.rise_k - ambient.value
    u_rise = math.hypot(response.u_rise_k, ambient.uncertainty or 0.0)
    share = continuous_current_share(final_rise, RATING_AMBIENT_CELSIUS, parameters.max_temp_celsius)
    return (
        ambient,
        Quantity("final_rise", final_rise, "K", u_rise, **stamp),
        Quantity("time_constant", response.time_constant_s, "s", response.u_time_constant_s, **stamp),
        *_onset(fold, stamp),
        *_deviation(fold, u_share, stamp),
        *_at_limit(sweep, stamp),
        Quantity("continuous_current_share", share, "1", share * u_rise / (2 * abs(final_rise)), **stamp),
        _sensor_difference(source, sensor),
    )


def _without(quantity: Quantity, reason: str) -> Quantity:
    """Return the quantity without its uncertainty: a part of it is not known."""
    return replace(quantity, uncertainty=None, no_uncertainty=reason)


def _onset(fold: FoldbackFit, stamp: dict[str, Any]) -> tuple[Quantity, ...]:
    if fold.onset is None:
        return ()
    return (Quantity("foldback_onset_share", fold.onset, "1", fold.u_onset, **stamp),)


def _deviation(fold: FoldbackFit, u_share: float, stamp: dict[str, Any]) -> tuple[Quantity, ...]:
    if fold.largest_deviation is None:
        return ()
    spread = u_share / (1 - FOLDBACK_START)
    return (Quantity("foldback_deviation", fold.largest_deviation, "1", spread, **stamp),)


def _at_limit(sweep: Series, stamp: dict[str, Any]) -> tuple[Quantity, ...]:
    """Return what was allowed at or beyond the limit; nothing when the sweep did not get there."""
    rows = zip(sweep.column("share"), sweep.column("allowed_pu"), strict=True)
    beyond = [allowed for share, allowed in rows if share >= 1.0]
    if not beyond:
        return ()
    return (Quantity("allowed_current_at_limit", max(beyond), "1", 0.005 / math.sqrt(3), **stamp),)


def _sensor_difference(source: Quantity, sensor: Quantity) -> Quantity:
    spread = (
        None
        if source.uncertainty is None or sensor.uncertainty is None
        else math.hypot(source.uncertainty, sensor.uncertainty)
    )
    reason = source.no_uncertainty or sensor.no_uncertainty if spread is None else ""
    return Quantity(
        "sensor_difference",
        source.value - sensor.value,
        "degC",
        spread,
        reason,
        time_ns=source.time_ns,
        instrument="charger, heatsink",
    )


def _verdicts(quantities: tuple[Quantity, ...]) -> tuple[Verdict, ...]:
    own = load_criteria(find_data("datasets", "criteria", "control.toml"))
    by_name = {q.name: q for q in quantities}
    return tuple(
        judge(criterion, by_name.get(criterion.quantity), evidence=("tables/heating", "tables/foldback"))
        for identity, criterion in own.items()
        if identity.startswith("v2glab.thermal.")
    )


def _write_conf(
    context: Context[ThermalParameters],
    parameters: ThermalParameters,
    response: StepResponse,
    fold: FoldbackFit,
    quantities: tuple[Quantity, ...],
) -> None:
    by_name = {q.name: q for q in quantities}
    lines = (
        "# thermal.conf, made by calibrate_thermal",
        f"MAX_TEMP_CELSIUS={parameters.max_temp_celsius:.1f}",
        f"FOLDBACK_START_SHARE={FOLDBACK_START:.2f}",
        f"MEASURED_ONSET_SHARE={'unknown' if fold.onset is None else format(fold.onset, '.4f')}",
        f"FINAL_RISE_K={by_name['final_rise'].value:.2f}",
        f"TIME_CONSTANT_S={response.time_constant_s:.1f}",
        f"CONTINUOUS_CURRENT_SHARE_40C={by_name['continuous_current_share'].value:.3f}",
    )
    write_atomic(context.work_dir / "thermal.conf", ("\n".join(lines) + "\n").encode())


PROCEDURE = Procedure(
    name="calibrate_thermal",
    title="Calibrate thermal limits",
    parameters=ThermalParameters,
    execute=execute,
    energises=True,
)
