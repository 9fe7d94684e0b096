"""What ``v2glab vehicle connect`` does: be the vehicle, at a station or before any charger of a link."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pandas as pd

    from v2glab.diagnosis import Finding
    from v2glab.links.sdp import Direct, Multicast
    from v2glab.links.sessions import Fixed, OpenSettings, Session


@dataclass(frozen=True)
class Asked:
    """What the vehicle asks for; as the options of the command."""

    protocol: str
    service: str
    control: str
    authorisation: str
    power_w: float | None
    duration_s: float
    pki: Path | None


@dataclass(frozen=True)
class Target:
    """A charger that stands in no station file."""

    address: str
    interface: str
    discovery: bool

    @property
    def local(self) -> bool:
        """Whether it is on this machine, where nothing can be energised."""
        host = self.address.rpartition(":")[0].strip("[]").partition("%")[0]
        try:
            return not self.interface and ipaddress.ip_address(host).is_loopback
        except ValueError:
            return False


def connect(
    asked: Asked,
    target: Target,
    values: dict[str, Any],
    *,
    as_json: bool,
    trace: Path | None,
    strict: bool,
) -> int:
    """Connect to a station, or to the target if one is named; return the exit code.

    Raises
    ------
    UsageError
        Options that exclude each other, or that are none.
    ApprovalError
        A charger elsewhere without approval.
    """
    from v2glab.evidence import Outcome

    _check(asked, target)
    if target.address or target.interface:
        if not (target.local or values["approve_energise"]):
            from v2glab.evidence import ApprovalError

            raise ApprovalError(
                f"a session with the charger at {target.address or target.interface}",
                "explicit approval to energise it",
                "make sure that nobody is near, then add --approve-energise",
            )
        return alone(asked, target, as_json=as_json, trace=trace)
    result = at_station(asked, values, as_json=as_json, trace=trace)
    if not result.facts["completed"]:
        return 3
    return 1 if strict and (result.count(Outcome.FAIL) or result.facts["findings"]) else 0


def _check(asked: Asked, target: Target) -> None:
    from v2glab.evidence import UsageError

    allowed = {
        "protocol": ("iso20", "iso2", "din"),
        "service": ("dc_bpt", "dc", "ac_bpt", "ac"),
        "control": ("scheduled", "dynamic"),
        "authorisation": ("eim", "pnc"),
    }
    for name, known in allowed.items():
        if getattr(asked, name) not in known:
            found = f"--{name} {getattr(asked, name)}"
            raise UsageError(found, f"one of {', '.join(known)}", "choose one of those")
    if target.address and target.interface:
        raise UsageError("--address and --interface", "one of them", "leave out the other")
    if target.address or target.interface:
        _way(target)
    if not 0 <= asked.duration_s < 86_400:
        raise UsageError(f"--duration {asked.duration_s:g}", "seconds, less than a day", "mend it")


def at_station(asked: Asked, values: dict[str, Any], *, as_json: bool, trace: Path | None) -> Any:  # noqa: ANN401 -- a Result
    """Run the procedure ``open_vehicle_session`` at a station; return its result and print it."""
    from v2glab.campaigns import run_single
    from v2glab.cli._procedure import _progress, _show
    from v2glab.views import render_report

    wanted = {k: v for k, v in asdict(asked).items() if k != "pki"}
    result, folder = run_single(
        "open_vehicle_session", {**values, **wanted}, progress=_progress(as_json), render=render_report
    )
    messages = result.tables["messages"]
    if trace is not None:
        write_trace(trace, messages)
    if as_json:
        print(json.dumps({**_station_document(result), "run": str(folder)}, indent=1, ensure_ascii=False))
        return result
    for phase, duration_s in result.tables["phases"].itertuples(index=False):
        print(f"  {phase:<28} {duration_s * 1e3:9.1f} ms")
    _show(result, str(folder), json_output=False)
    show_findings(_findings(result.facts["findings"]))
    return result


def alone(asked: Asked, target: Target, *, as_json: bool, trace: Path | None) -> int:
    """Open a session with a model of a battery; print what came of it and return the exit code."""
    from v2glab.links.sessions import explain_session

    outcome = asyncio.run(_session(asked, target, _teller(as_json)))
    findings = explain_session(outcome["cause"], outcome["timing"], outcome["messages"])
    if trace is not None:
        write_trace(trace, outcome["messages"])
    document = {k: v for k, v in outcome.items() if k not in {"cause", "timing", "messages"}}
    document["messages"] = len(outcome["messages"])
    if as_json:
        print(json.dumps({**document, "findings": [asdict(f) for f in findings]}, indent=1))
    else:
        _print(document, outcome["messages"])
        show_findings(findings)
    return 0 if outcome["completed"] else 3


def show_findings(findings: tuple[Finding, ...]) -> None:
    """Print each finding with its remedy."""
    from v2glab.cli._common import console
    from v2glab.views import finding_lines

    for line in finding_lines(findings) or ["no fault found"]:
        console().print(line, markup=False)


def write_trace(path: Path, messages: pd.DataFrame) -> None:
    """Write one row a message: Parquet, JSON or CSV, by the file's ending.

    Raises
    ------
    StorageError
        The file cannot be written.
    """
    from v2glab.evidence import write_atomic

    if path.suffix == ".parquet":
        write_atomic(path, messages.to_parquet(index=False))
    elif path.suffix == ".json":
        write_atomic(path, messages.to_json(orient="records", double_precision=9).encode())
    else:
        write_atomic(path, messages.to_csv(index=False).encode())


def _findings(entries: list[dict[str, Any]]) -> tuple[Finding, ...]:
    from v2glab.diagnosis import Finding

    return tuple(Finding(**{**entry, "evidence": tuple(entry["evidence"])}) for entry in entries)


def _station_document(result: Any) -> dict[str, Any]:  # noqa: ANN401 -- a Result
    return {
        **{k: result.facts[k] for k in ("protocol", "completed", "power_w", "findings")},
        "phases": dict(result.tables["phases"].itertuples(index=False)),
        "quantities": [q.to_json() for q in result.quantities],
        "verdicts": [v.to_json() for v in result.verdicts],
    }


def _teller(quiet: bool) -> Callable[[str], None]:
    began = time.monotonic()

    def tell(phase: str) -> None:
        if not quiet:
            sys.stderr.write(f"  {time.monotonic() - began:8.3f} s  {phase}\n")

    return tell


async def _session(asked: Asked, target: Target, tell: Callable[[str], None]) -> dict[str, Any]:
    from v2glab.cli._vehicle_models import FarBattery
    from v2glab.links.sdp import DiscoveryError
    from v2glab.links.sessions import SessionFailure, Trace, no_charger, open_session
    from v2glab.links.tls import HandshakeError

    battery = FarBattery()
    out: dict[str, Any] = {"completed": False, "protocol": "", "phases": {}, "energy": None}
    cause: Any = None
    timing: Any = None
    trace = Trace()
    try:
        async with open_session(_settings(asked, target, battery, tell)) as session:
            battery.session, trace = session, session.trace
            timing = getattr(session.stream, "timing", None)
            out |= {"protocol": session.protocol, "phases": session.phases}
            tell("energy flows")
            try:
                await _flow(asked, session)
            finally:
                energy = session.energy
                out["energy"] = {
                    name: getattr(energy, name)
                    for name in ("import_wh", "export_wh", "meter_import_wh", "meter_export_wh")
                }
        out["completed"] = True
    except SessionFailure as error:
        cause, trace = error.cause, error.trace or trace
    except HandshakeError as error:
        cause, timing = error.cause, error.timing or timing
    except DiscoveryError as error:
        cause = no_charger(error)
    soc = round(battery.soc_percent, 4)
    return out | {"soc_percent": soc, "cause": cause, "timing": timing, "messages": trace.frame()}


async def _flow(asked: Asked, session: Session) -> None:
    exports = asked.service.endswith("_bpt")
    power_w = asked.power_w
    if power_w is None:
        power_w = 5000.0 if exports else -5000.0
    act = session.export if power_w >= 0 else session.charge
    await act(power_w=abs(power_w), duration_s=asked.duration_s)


def _settings(
    asked: Asked,
    target: Target,
    battery: Any,  # noqa: ANN401 -- a VehiclePlant
    tell: Callable[[str], None],
) -> OpenSettings:
    from v2glab.links.pki import PkiFiles
    from v2glab.links.sessions import OpenSettings, Wishes
    from v2glab.procedures._vehicle_way import tls_of

    kind = asked.service.split("_")[0]
    protocol = f"iso20-{kind}" if asked.protocol == "iso20" else asked.protocol
    files = PkiFiles(asked.pki) if asked.pki else None
    wishes = Wishes(asked.service, asked.control, asked.authorisation, contract=files)  # type: ignore[arg-type]
    tls = tls_of(files, protocol)
    return OpenSettings(battery, _way(target), tls, wishes, protocols=(protocol,), progress=tell)


def _way(target: Target) -> Multicast | Direct | Fixed:
    from v2glab.evidence import UsageError
    from v2glab.procedures._vehicle_way import way_to_charger
    from v2glab.station import VehicleSection

    transport: Literal["multicast", "direct", "fixed"]
    transport = "multicast" if target.interface else "direct" if target.discovery else "fixed"
    try:
        section = VehicleSection(transport=transport, address=target.interface or target.address)
    except ValueError as error:
        told = f"--{'interface' if target.interface else 'address'} {target.interface or target.address}"
        required = "an interface, or HOST:PORT with a numeric host, such as [fe80::1%eth1]:15118"
        raise UsageError(told, required, "mend it") from error
    return way_to_charger(section)


def _print(document: dict[str, Any], messages: pd.DataFrame) -> None:
    from v2glab.cli._common import console
    from v2glab.views import rich_exchanges

    for phase, duration_s in document["phases"].items():
        print(f"  {phase:<28} {duration_s * 1e3:9.1f} ms")
    if len(messages):
        console().print(rich_exchanges(messages))
    energy = document["energy"]
    if energy is not None:
        told = energy["meter_export_wh"], energy["meter_import_wh"]
        by_meter = ", ".join("not told" if wh is None else f"{wh:.0f} Wh" for wh in told)
        flows = f"{energy['export_wh']:.3f} Wh to the grid, {energy['import_wh']:.3f} Wh to the vehicle"
        print(f"energy by messages: {flows}; by the charger's meter: {by_meter}")
    print("carried through" if document["completed"] else "not carried through")
