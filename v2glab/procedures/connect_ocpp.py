"""Let the charging station connect to the gateway; judge security, boot, transaction and round trips."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from v2glab.evidence import Result
from v2glab.gateway import OcppGateway, PkiPaths
from v2glab.procedures._connect_ocpp_certificates import Seals, look_at_seals
from v2glab.procedures._connect_ocpp_converse import converse
from v2glab.procedures._connect_ocpp_numbers import TIMING, measure, message_table, round_trip_table
from v2glab.procedures._connect_ocpp_talk import Plan, Talk
from v2glab.procedures._connect_ocpp_verdicts import no_gateway, verdicts
from v2glab.procedures._procedure import Context, Parameters, Procedure

if TYPE_CHECKING:
    from v2glab.station import Station

JOURNAL, LOG = "ocpp-journal.sqlite", "gateway.log"


class OcppParameters(Parameters):
    """Parameters of the connection.

    Attributes
    ----------
    connect_timeout_s
        Longest wait for the station to connect, and again for it to boot and report.
    meter_values
        Updated events of the transaction to wait for.
    event_timeout_s
        Longest wait for one event of the transaction.
    probes
        Requests that measure round trips after the transaction. With fewer than 74 answers the 95 % quantile
        has no uncertainty.
    """

    connect_timeout_s: float = Field(default=15.0, ge=0.1, le=600.0)
    meter_values: int = Field(default=5, ge=0, le=1000)
    event_timeout_s: float = Field(default=10.0, ge=0.1, le=600.0)
    probes: int = Field(default=100, ge=0, le=10_000)


def execute(context: Context[OcppParameters]) -> Result:
    """Listen where the station reports to, and talk with it.

    A live station without approval is only listened to and asked what changes nothing: no transaction. With
    approval the transaction carries a limit of 0 W, which a station without smart charging may ignore.

    Raises
    ------
    DeviceError
        The gateway's port is in use.
    InputError
        The gateway's certificates cannot be used.
    StorageError
        Log or journal cannot be written.
    """
    station, parameters = context.need_station(), context.parameters
    section, start_ns = station.settings.gateway, time.time_ns()
    if section is None or section.port == 0:
        return _without_gateway(context, start_ns)
    pki = PkiPaths(station.path.parent / section.pki)
    seals = look_at_seals(pki, section.station_id)
    plan = Plan(section.station_id, **parameters.model_dump(), may_act=station.approved)
    with OcppGateway(
        section.host, section.port, pki, _log(station, context.work_dir), context.work_dir / JOURNAL
    ) as gateway:
        talk = converse(gateway, plan, context.progress)
    return _result(context, start_ns, talk, seals.with_shown(talk.certificate))


def _log(station: Station, work_dir: Path) -> Path:
    """Return the twin's gateway log, which the diagnosis reads; a live gateway's is not ours to write."""
    own = station.settings.logs.get("gateway")
    return Path(own) if own and station.kind == "twin" else work_dir / LOG


def _result(context: Context[OcppParameters], start_ns: int, talk: Talk, seals: Seals) -> Result:
    quantities = measure(talk, seals, context.parameters.meter_values, start_ns)
    return Result(
        procedure=PROCEDURE.name,
        start_ns=start_ns,
        parameters=context.parameters.model_dump(),
        quantities=quantities,
        verdicts=verdicts(quantities, talk, seals, context.parameters),
        tables={"messages": message_table(talk, start_ns), "round_trips": round_trip_table(talk, start_ns)},
        facts={
            "tls_version": talk.tls_version,
            "cipher": talk.cipher,
            "boot_status": talk.boot_status,
            "vendor": talk.vendor,
            "model": talk.model,
            "certificates": seals.facts(),
            "refusals": [r.reason for r in talk.refusals],
            "problem": talk.problem,
        },
        timing=TIMING,
    )


def _without_gateway(context: Context[OcppParameters], start_ns: int) -> Result:
    talk = Talk()
    empty: dict[str, Any] = {"tls_version": "", "cipher": "", "boot_status": "", "problem": "no gateway"}
    return Result(
        procedure=PROCEDURE.name,
        start_ns=start_ns,
        parameters=context.parameters.model_dump(),
        verdicts=no_gateway("the station file names no gateway with a port"),
        tables={"messages": message_table(talk, start_ns), "round_trips": round_trip_table(talk, start_ns)},
        facts=empty,
    )


PROCEDURE = Procedure(
    name="connect_ocpp",
    title="Connect the charging station over OCPP",
    parameters=OcppParameters,
    execute=execute,
)
