"""Lead from measurements and logs to fault code, cause and remedy; nothing is energised."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from v2glab.diagnosis import Diagnosis, Observations, diagnose, diagnosis_document
from v2glab.evidence import Quantity, Result, write_json
from v2glab.procedures._diagnose_link import let_connect, look_at_certificates
from v2glab.procedures._diagnose_logs import read_logs
from v2glab.procedures._diagnose_readings import Reader
from v2glab.procedures._procedure import Context, Parameters, Procedure

if TYPE_CHECKING:
    from v2glab.diagnosis import CertificateSeen
    from v2glab.station import Station

#: The record of a diagnosis, beside the result of the procedure.
DOCUMENT = "diagnosis.json"


class DiagnoseParameters(Parameters):
    """Parameters of the diagnosis.

    Attributes
    ----------
    observe_s
        Station time over which frequency and contactor are watched.
    window_cycles
        Nominal cycles of one frequency window.
    connect_s
        Longest wall time for the twin's charging station to connect; 0 leaves the gateway down. On a live
        station the gateway is not touched: its log tells.
    log_hours
        How far back the logs of a live station count; 0 for all of them.
    """

    observe_s: float = Field(default=2.0, ge=0.6, le=600.0)
    window_cycles: int = Field(default=12, ge=5, le=60)
    connect_s: float = Field(default=8.0, ge=0, le=60.0)
    log_hours: float = Field(default=24.0, ge=0, le=87_600.0)


def execute(context: Context[DiagnoseParameters]) -> Result:
    """Watch, read certificates and logs, and let every rule conclude.

    Raises
    ------
    DeviceError
        No instrument of the station answers.
    """
    station, parameters = context.need_station(), context.parameters
    start_ns = station.clock.now_ns()
    reader = Reader(station)
    reader.read()
    reader.watch(parameters.observe_s, parameters.window_cycles / _nominal_hz(station), context.progress)
    reader.read()
    if not reader.readings and reader.failure is not None:
        raise reader.failure
    observations = _observations(context, station, reader)
    diagnosis = diagnose(observations)
    document = diagnosis_document(diagnosis, station=station.name, run="")
    write_json(context.work_dir / DOCUMENT, document)
    return Result(
        procedure=PROCEDURE.name,
        start_ns=start_ns,
        parameters=parameters.model_dump(),
        quantities=_quantities(diagnosis),
        verdicts=diagnosis.verdicts,
        tables={"rules": _rules(diagnosis), "readings": _readings(observations, start_ns)},
        facts=_facts(diagnosis, observations),
    )


def _nominal_hz(station: Station) -> float:
    return station.site.nominal_frequency_hz


def _observations(context: Context[DiagnoseParameters], station: Station, reader: Reader) -> Observations:
    """Join the readings with certificates and logs; on a live station nothing is started."""
    parameters, missing = context.parameters, dict(reader.missing)
    if station.kind == "twin" and parameters.connect_s > 0:
        missing |= let_connect(station, parameters.connect_s, context.work_dir / "ocpp.sqlite")
    elif station.kind == "twin":
        missing["ocpp"] = "the gateway was left down"
    else:
        missing["ocpp"] = "neither log shows a connection"
    certificates, reason = _certificates(station)
    if reason:
        missing["certificates"] = reason
    live = station.kind == "live" and parameters.log_hours > 0
    since_ns = time.time_ns() - round(parameters.log_hours * 3.6e12) if live else None
    paths = {name: Path(text) for name, text in station.settings.logs.items()}
    logs, unread = read_logs(paths, since_ns)
    site = station.site
    return Observations(
        nominal_frequency_hz=site.nominal_frequency_hz,
        nominal_voltage_v=site.nominal_voltage_v,
        rated_power_w=site.rated_power_w,
        readings=tuple(reader.readings),
        certificates=certificates,
        logs=logs,
        missing={**missing, **{f"log of the {name}": why for name, why in unread.items()}},
    )


def _certificates(station: Station) -> tuple[tuple[CertificateSeen, ...], str]:
    gateway = station.settings.gateway
    if gateway is None:
        return (), "the station file names no gateway"
    return look_at_certificates(Path(gateway.pki), gateway.station_id)


def _quantities(diagnosis: Diagnosis) -> tuple[Quantity, ...]:
    """Return what decided, each name once."""
    decided = [v.quantity for v in diagnosis.verdicts if v.quantity is not None]
    return tuple({q.name: q for q in reversed(decided)}.values())[::-1]


def _facts(diagnosis: Diagnosis, observations: Observations) -> dict[str, Any]:
    return {
        "findings": [f"{f.code}: {f.title} ({f.certainty})" for f in diagnosis.findings],
        "cannot_tell": [f"{c.code}: {c.reason}" for c in diagnosis.of("cannot tell")],
        "document": DOCUMENT,
        "certificates": [asdict(c) for c in observations.certificates],
        "missing": dict(observations.missing),
        "site": {
            "nominal_frequency_hz": observations.nominal_frequency_hz,
            "nominal_voltage_v": observations.nominal_voltage_v,
            "rated_power_w": observations.rated_power_w,
        },
    }


def _rules(diagnosis: Diagnosis) -> Any:  # noqa: ANN401 -- pandas is imported late
    import pandas as pd

    rows = [
        {"code": c.code, "title": c.title, "state": c.state, "reason": c.reason, "remedy": c.remedy}
        for c in diagnosis.conclusions
    ]
    return pd.DataFrame(rows)


def _readings(observations: Observations, start_ns: int) -> Any:  # noqa: ANN401 -- pandas is imported late
    """Return what the oscilloscope measured: the other instruments' readings stand in the telemetry."""
    import pandas as pd

    rows = [
        {
            "time_s": ((q.time_ns or 0) - start_ns) * 1e-9,
            "name": q.name,
            "value": q.value,
            "unit": q.unit,
            "uncertainty": q.uncertainty,
            "instrument": q.instrument,
            "certificate": q.certificate,
        }
        for q in observations.readings
        if q.instrument == "scope"
    ]
    columns = ["time_s", "name", "value", "unit", "uncertainty", "instrument", "certificate"]
    return pd.DataFrame(rows, columns=columns)


PROCEDURE = Procedure(
    name="diagnose_faults",
    title="Diagnose faults",
    parameters=DiagnoseParameters,
    execute=execute,
)
