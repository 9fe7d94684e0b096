"""Instruments: list, check and read."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from v2glab.evidence import Quantity
    from v2glab.instruments import Certificate, Instrument, Profile

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="List, check and read instruments and their profiles.",
)

Json = Annotated[bool, typer.Option("--json", help="One JSON document instead of text.")]


@app.command("list")
def list_command(*, as_json: Json = False) -> None:
    """List the profiles that travel with v2glab.

    Example: v2glab instruments list
    """
    from v2glab.instruments import list_profiles, load_profile

    rows = []
    for name in list_profiles():
        head = load_profile(name).profile
        rows.append({"name": name, "kind": head.kind, "vendor": head.vendor, "model": head.model})
    _print(
        rows, [f"{r['name']:<20} {r['kind']:<8} {r['vendor']} {r['model']}" for r in rows], as_json=as_json
    )


@app.command("check")
def check_command(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Profiles or certificates; default: all.")
    ] = None,
    *,
    as_json: Json = False,
) -> int:
    """Check profiles and certificates; a wrong one is named with file, line and remedy (exit code 2).

    Example: v2glab instruments check drivers/my_meter.toml
    """
    from v2glab.evidence import V2GError
    from v2glab.resources import data_root

    root = data_root("drivers")
    paths = files or sorted([*root.glob("*.toml"), *root.glob("certificates/*.toml")])
    rows: list[dict[str, Any]] = []
    for path in paths:
        try:
            rows.append({"file": str(path), "ok": True, **_check(path)})
        except V2GError as error:
            fault = {"found": error.found, "required": error.required, "remedy": error.remedy}
            rows.append({"file": str(path), "ok": False, **fault})
    texts = [
        f"ok     {row['file']}: {row['what']}"
        if row["ok"]
        else f"wrong  {row['found']}\n       required: {row['required']}\n       remedy: {row['remedy']}"
        for row in rows
    ]
    _print(rows, texts, as_json=as_json)
    return 0 if all(row["ok"] for row in rows) else 2


@app.command("show")
def show_command(
    profile: Annotated[str, typer.Argument(help="Name of a profile, or a file.")], *, as_json: Json = False
) -> None:
    """Show what a profile says: points, units, addresses, bounds.

    Example: v2glab instruments show eastron_sdm630
    """
    from v2glab.instruments import load_profile

    loaded = load_profile(profile)
    document = loaded.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    head = loaded.profile
    texts = [f"{head.name}: {head.vendor} {head.model} ({head.kind})", f"source: {head.source}"]
    if head.note:
        texts.append(f"note: {head.note}")
    _print(document, texts + _point_lines(loaded), as_json=as_json)


@app.command("read")
def read_command(
    instrument: Annotated[str, typer.Argument(help="Name in the station file, or any name with --address.")],
    points: Annotated[list[str] | None, typer.Argument(help="Points to read; default: all.")] = None,
    *,
    station: Annotated[str, typer.Option(help="'twin' or a station file.")] = "twin",
    address: Annotated[str, typer.Option(help="Address; needs --profile and no station.")] = "",
    profile: Annotated[str, typer.Option(help="Profile for --address.")] = "",
    certificate: Annotated[str, typer.Option(help="Certificate for --address.")] = "",
    timeout: Annotated[float, typer.Option(help="Seconds for one exchange.")] = 1.0,
    as_json: Json = False,
) -> None:
    """Read points of an instrument, with uncertainty where it has a certificate.

    Examples: v2glab instruments read meter power frequency
              v2glab instruments read m --address tcp://10.0.0.5:502?unit=2 --profile eastron_sdm630
    """
    from v2glab.evidence import UsageError

    wanted = points or []
    if bool(address) != bool(profile):
        raise UsageError("only one of --address and --profile", "both, or neither", "give the other one too")
    if address:
        from v2glab.instruments import load_certificate, open_instrument

        proof: Certificate | None = load_certificate(certificate) if certificate else None
        device = open_instrument(instrument, profile, address, certificate=proof, timeout_s=timeout)
        try:
            _print_readings(device, wanted, as_json=as_json)
        finally:
            device.close()
        return
    from v2glab.station import open_station

    with open_station(station) as opened:
        _print_readings(opened.instrument(instrument), wanted, as_json=as_json)


def _check(path: Path) -> dict[str, Any]:
    """Load one file as what it says it is, and tell what it holds."""
    from v2glab.evidence import read_toml
    from v2glab.instruments import load_certificate, load_profile

    if "certificate" in read_toml(path):
        certificate = load_certificate(path)
        return {"what": f"certificate {certificate.id}, due {certificate.due}"}
    loaded = load_profile(path)
    return {"what": f"{loaded.profile.kind} profile of {loaded.profile.vendor} {loaded.profile.model}"}


def _point_lines(profile: Profile) -> list[str]:
    from v2glab.instruments import HwmonProfile, ModbusProfile, ScpiProfile

    if isinstance(profile, ModbusProfile):
        return [
            f"  {r.address:>5} 0x{r.address:04X} f{r.function} {r.type:<8} {r.access:<2} {r.name:<24} "
            f"x {r.scale:g} {r.unit}{_bounds(r.minimum, r.maximum)}"
            for r in profile.register_list
        ]
    if isinstance(profile, ScpiProfile):
        return [
            f"  {p.name:<20} {p.unit:<5} {p.access:<2} {p.query} [{p.index}]{_bounds(p.minimum, p.maximum)}"
            for p in profile.point
        ]
    if isinstance(profile, HwmonProfile):
        return [f"  {s.name:<20} {s.unit:<5} {s.file} x {s.scale:g}" for s in profile.sensor]
    return [f"  models {', '.join(map(str, profile.sunspec.models))}"]


def _bounds(low: float | None, high: float | None) -> str:
    if low is None and high is None:
        return ""
    return f" ({'' if low is None else f'{low:g}'} … {'' if high is None else f'{high:g}'})"


def _print_readings(device: Instrument, points: list[str], *, as_json: bool) -> None:
    readings = device.read(*points)
    rows = [quantity.to_json() for quantity in readings.values()]
    _print(rows, [_reading_line(quantity) for quantity in readings.values()], as_json=as_json)


def _reading_line(quantity: Quantity) -> str:
    expanded = quantity.expanded()
    doubt = f"(no uncertainty: {quantity.no_uncertainty})" if expanded is None else f"± {expanded[0]:.3g}"
    return f"{quantity.name:<24} {quantity.value:>14.6g} {quantity.unit:<5} {doubt}"


def _print(document: object, texts: list[str], *, as_json: bool) -> None:
    text = json.dumps(document, indent=1) if as_json else "\n".join(texts)
    sys.stdout.write(text + "\n")
