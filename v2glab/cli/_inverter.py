"""``inverter-cli``: the inverter's settings as a document."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from v2glab.instruments import Instrument
    from v2glab.station import Station


def inverter(
    dump_config: Annotated[
        bool, typer.Option("--dump-config", help="Print all models, settings and registers; only reads.")
    ] = False,
    station: Annotated[str, typer.Option(help="'twin' or a station file.")] = "twin",
    instrument: Annotated[str, typer.Option(help="Name of the inverter in the station file.")] = "inverter",
    charger: Annotated[
        str, typer.Option(help="Name of the charger whose registers are added; empty for none.")
    ] = "charger",
    output: Annotated[Path | None, typer.Option(help="File to write; default: standard output.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of TOML.")] = False,
) -> None:
    """Print what an inverter is set to: its SunSpec models with curves, and the registers of its charger.

    In each model, "settings" may be written and "values" may not; both are scaled; "units" says in what.
    Points that the device does not implement are absent.

    Examples:

      inverter-cli --dump-config

      inverter-cli --dump-config --station my-site.toml --output before.toml

      inverter-cli --dump-config --json | jq '.inverter.models["702"].settings'
    """
    from v2glab.evidence import UsageError, write_atomic
    from v2glab.station import open_station

    if not dump_config:
        raise UsageError("nothing to do", "--dump-config", "inverter-cli --help shows options and examples")
    with open_station(station) as opened:
        document = _document(opened, instrument, charger)
    text = _text(document, as_json=as_json)
    if output is None:
        sys.stdout.write(text)
    else:
        write_atomic(output, text.encode())


def _document(station: Station, inverter_name: str, charger_name: str) -> dict[str, Any]:
    names = [inverter_name]
    if charger_name and charger_name != inverter_name and station.has(charger_name):
        names.append(charger_name)
    head = {"name": station.name, "kind": station.kind, "time": _utc(station.clock.now_ns())}
    return {"station": head, **{name: _part(station.instrument(name)) for name in names}}


def _part(device: Instrument) -> dict[str, Any]:
    """Return one instrument: SunSpec models where it has them, else its points."""
    head = {"identity": device.identify(), "profile": device.profile.profile.name}
    dump = getattr(device, "dump", None)
    return {**head, "models": dump()} if dump is not None else {**head, **_points(device)}


def _points(device: Instrument) -> dict[str, Any]:
    readings = device.read()
    writable = _writable(device)
    return {
        "settings": {name: q.value for name, q in readings.items() if name in writable},
        "values": {name: q.value for name, q in readings.items() if name not in writable},
        "units": {name: q.unit for name, q in readings.items() if q.unit != "1"},
    }


def _writable(device: Instrument) -> set[str]:
    from v2glab.instruments import ModbusProfile, ScpiProfile

    profile = device.profile
    if isinstance(profile, ModbusProfile):
        return {r.name for r in profile.register_list if "w" in r.access}
    if isinstance(profile, ScpiProfile):
        return {p.name for p in profile.point if "w" in p.access}
    return set()


def _text(document: dict[str, Any], *, as_json: bool) -> str:
    if as_json:
        return json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    import tomli_w

    return tomli_w.dumps(document)


def _utc(time_ns: int) -> str:
    from datetime import UTC, datetime

    return f"{datetime.fromtimestamp(time_ns // 1_000_000_000, UTC):%Y-%m-%dT%H:%M:%SZ}"
