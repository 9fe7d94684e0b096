"""Open a session of ISO 15118 as a vehicle, let power flow; judge times, energies and the end."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from v2glab.evidence import InputError, Quantity, Result, SafeStateError
from v2glab.procedures._procedure import Context, Parameters, Procedure
from v2glab.procedures._series import Series
from v2glab.procedures._vehicle_battery import BatterySettings, StationBattery
from v2glab.procedures._vehicle_way import certificates, tls_of, vehicle_section, way_to_charger

if TYPE_CHECKING:
    from v2glab.diagnosis import Finding
    from v2glab.procedures._vehicle_drive import Drive, DrivePlan
    from v2glab.station import Station

#: Wall time on top of the flow of energy: discovery, authorisation, welding test, and a machine under load.
_ALLOWANCE_S = 180.0


class SessionParameters(Parameters):
    """Parameters of the session.

    Attributes
    ----------
    protocol
        Part 20, part 2 or DIN SPEC 70121; the last two only charge.
    service, control, authorisation
        What the vehicle asks for; ``pnc`` uses the contract certificate in the station's folder.
    power_w
        Positive towards the grid, at the connector; ``None`` takes what both ends allow.
    duration_s
        Station time in which power flows.
    cycle_s
        Between two messages of the loop, station time.
    capacity_wh, least_soc_percent, target_soc_percent
        What the vehicle tells of its battery. Below the least state of charge nothing is exported.
    battery_power_w, battery_current_a, battery_low_v, battery_high_v
        Bounds that the vehicle tells.
    """

    protocol: Literal["iso20", "iso2", "din"] = "iso20"
    service: Literal["dc_bpt", "dc", "ac_bpt", "ac"] = "dc_bpt"
    control: Literal["scheduled", "dynamic"] = "scheduled"
    authorisation: Literal["eim", "pnc"] = "eim"
    power_w: float | None = Field(default=None, ge=-1e6, le=1e6)
    duration_s: float = Field(default=120.0, ge=1.0, le=86_400.0)
    cycle_s: float = Field(default=0.25, ge=0.05, le=0.4)
    capacity_wh: float = Field(default=60_000.0, gt=0, le=1e7)
    least_soc_percent: float = Field(default=20.0, ge=0, le=100)
    target_soc_percent: float = Field(default=80.0, ge=0, le=100)
    battery_power_w: float = Field(default=150_000.0, gt=0, le=1e6)
    battery_current_a: float = Field(default=250.0, gt=0, le=3000)
    battery_low_v: float = Field(default=300.0, gt=0, le=2000)
    battery_high_v: float = Field(default=950.0, gt=0, le=2000)


def execute(context: Context[SessionParameters]) -> Result:
    """Open the session under the station's lease, let power flow, end it, and judge.

    A session that fails is a result, with its cause; the contactor is open then.

    Raises
    ------
    UsageError
        The station file does not say how the charger is reached.
    InputError
        Power, service and protocol do not fit each other; nothing was energised.
    LimitError
        The power lies outside what both ends allow.
    """
    from v2glab.links.sessions import explain_session
    from v2glab.procedures._vehicle_drive import Drive, drive, get_ready
    from v2glab.procedures._vehicle_verdicts import verdicts

    station, parameters = context.need_station(), context.parameters
    plan = _plan(station, parameters)
    start_ns = station.clock.now_ns()
    series = Series(start_ns)
    battery = StationBattery(station, _battery(parameters, station.site.nominal_voltage_v), series)
    get_ready(plan)
    done = Drive()
    try:
        with station.energised(max_s=parameters.duration_s + _ALLOWANCE_S) as lease:
            drive(plan, station, lease, battery, done, context.progress)
    except SafeStateError as error:
        raise _with_cause(error, done) from error
    findings = explain_session(done.cause, done.timing, done.messages)
    quantities = _quantities(plan, done, series, parameters)
    return Result(
        procedure=PROCEDURE.name,
        start_ns=start_ns,
        parameters=parameters.model_dump(),
        quantities=quantities,
        verdicts=verdicts(plan, done, quantities, findings, station.meter_doubt()),
        tables={"samples": series.frame(), "messages": done.messages, "phases": _phases(done)},
        facts=_facts(done, findings),
        timing=_timing(),
    )


def _with_cause(error: SafeStateError, done: Drive) -> SafeStateError:
    """Return the error with what the session had found before, such as F-092 of a welded contactor."""
    if (cause := done.cause) is None:
        return error
    code = getattr(cause, "code", "") or cause.name
    return SafeStateError(f"{code}: {cause.text}; {error.found}", error.required, cause.remedy)


def _plan(station: Station, p: SessionParameters) -> DrivePlan:
    from v2glab.links.sessions import Wishes
    from v2glab.procedures._vehicle_drive import DrivePlan

    section, export = vehicle_section(station), p.service.endswith("_bpt")
    if p.protocol != "iso20" and (export or p.control == "dynamic"):
        raise InputError(
            f"service {p.service}, control {p.control} in {p.protocol}",
            "a service without _bpt and scheduled control: only part 20 has more",
            "set protocol to iso20, or service to dc or ac",
        )
    if p.protocol == "din" and p.service != "dc":
        raise InputError(f"service {p.service} in din", "dc: DIN SPEC 70121 has nothing else", "ask for dc")
    if p.power_w is not None and p.power_w > 0 and not export:
        raise InputError(
            f"power_w = {p.power_w:g} W with service {p.service}",
            "a negative power: the service only takes energy from the grid",
            "ask for a service that ends in _bpt, or for a negative power",
        )
    rated = station.site.rated_power_w
    if p.power_w is not None and abs(p.power_w) > rated:
        raise InputError(f"power_w = {p.power_w:g} W", f"at most the rated {rated:g} W", "ask for less power")
    protocol = f"iso20-{p.service.split('_')[0]}" if p.protocol == "iso20" else p.protocol
    files = certificates(section, station.path.parent, protocol)
    contract = files if p.authorisation == "pnc" else None
    if p.authorisation == "pnc" and files is None:
        raise InputError(
            f"pnc by {p.protocol} without certificates",
            "pki for iso20, pki_iso2 for iso2 in [vehicle]; din knows no contract",
            "name the folder in the station file, or take eim",
        )
    wishes = Wishes(p.service, p.control, p.authorisation, contract=contract)
    way, tls = way_to_charger(section), tls_of(files, protocol)
    return DrivePlan(way, tls, protocol, wishes, p.power_w, rated, p.duration_s, p.cycle_s)


def _battery(p: SessionParameters, phase_v: float) -> BatterySettings:
    from v2glab.links.sessions import PowerLimits

    watts, amperes = p.battery_power_w, p.battery_current_a
    limits = PowerLimits(watts, watts, amperes, amperes, p.battery_low_v, p.battery_high_v, phase_v=phase_v)
    return BatterySettings(p.capacity_wh, p.least_soc_percent, p.target_soc_percent, limits)


def _quantities(plan: DrivePlan, done: Drive, series: Series, p: SessionParameters) -> tuple[Quantity, ...]:
    from v2glab.procedures._vehicle_numbers import compare, durations, efficiency, energies, soc_share

    found, exports = energies(done, series), (done.power_w or 0.0) >= 0
    at_grid = plan.tells_grid_power
    several: list[Quantity | None] = [
        Quantity("session_completed", float(done.completed), "1", 0.0, instrument="vehicle"),
        found.messages,
        found.told,
        found.meter,
        compare("energy_told_difference_percent", found.told, found.meter),
        compare("energy_messages_difference_percent", found.messages, found.meter) if at_grid else None,
        None if at_grid else efficiency(found.messages, found.meter, exports=exports),
        soc_share(done, found.messages, p.capacity_wh),
        _contactor(done),
        *durations(done),
    ]
    return tuple(q for q in several if q is not None)


def _contactor(done: Drive) -> Quantity | None:
    """Return the auxiliary contact after the session; a register that holds a state is exact."""
    if (seen := done.contactor_after) is None:
        return None
    return Quantity("contactor_after", seen.value, "1", 0.0, time_ns=seen.time_ns, instrument=seen.instrument)


def _phases(done: Drive) -> Any:  # noqa: ANN401 -- pandas is imported late
    import pandas as pd

    return pd.DataFrame(done.phases.items(), columns=["phase", "duration_s"])


def _facts(done: Drive, findings: tuple[Finding, ...]) -> dict[str, Any]:
    return {
        "protocol": done.protocol,
        "tls_version": done.tls_version,
        "power_w": done.power_w,
        "completed": done.completed,
        "negotiation": None if done.timing is None else asdict(done.timing),
        "findings": [{**asdict(f), "evidence": list(f.evidence)} for f in findings],
        "order": list(dict.fromkeys(done.messages["name"])),
    }


def _timing() -> frozenset[str]:
    from v2glab.procedures._vehicle_numbers import TIMING

    return TIMING


PROCEDURE = Procedure(
    name="open_vehicle_session",
    title="Open a vehicle's session",
    parameters=SessionParameters,
    execute=execute,
    energises=True,
)
