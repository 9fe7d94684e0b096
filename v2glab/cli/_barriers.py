"""``v2glab barriers``: which rule stops export, and what each costs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from v2glab.cli._barriers_print import print_books, print_result, print_table
from v2glab.cli._barriers_write import as_document, print_json, write_all

if TYPE_CHECKING:
    from v2glab.barriers import Barrier
    from v2glab.evidence import Result

#: Options of ``analyse`` and ``compare``.
Prices = Annotated[str, typer.Option(help="CSV of a year's prices, or several by comma; else an example.")]
Tariff = Annotated[str, typer.Option(help="TOML, JSON of OpenEI's URDB, or a tariff of the package by name.")]
Run = Annotated[str, typer.Option(help="Run folder whose measured numbers count.")]
Users = Annotated[int, typer.Option(min=0, help="Most vehicles to price; 0 for all that can be.")]
Engine = Annotated[str, typer.Option(help="auto, serial, processes, processes:N or dask://HOST:PORT.")]
Store = Annotated[
    str, typer.Option(help="Folder that keeps priced vehicles: a killed analysis goes on from there.")
]
Publish = Annotated[bool, typer.Option("--publish", help="Refuse rules without a source that was read.")]
Seed = Annotated[int, typer.Option(help="Seed of the bootstrap.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Out = Annotated[
    Path | None,
    typer.Option(help="Folder for a report, result.json, a CSV a table, an author's table, and figures."),
]

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.callback(invoke_without_command=True)
@app.command("analyse")
def analyse(
    context: typer.Context,
    sessions: Annotated[
        str, typer.Option(help="CSV of sessions, or synthetic:users=50,seed=3; without it an example.")
    ] = "",
    prices: Prices = "",
    tariff: Tariff = "example-dynamic",
    rules: Annotated[str, typer.Option(help="Barriers, by comma; NAME=VALUE sets the number.")] = "",
    run: Run = "",
    events: Annotated[
        str, typer.Option(help="TOML that names a grid code and recordings of grid events.")
    ] = "",
    latencies: Annotated[str, typer.Option(help="CSV of measured latencies: kind,latency_s.")] = "",
    users: Users = 0,
    timezone: Annotated[str, typer.Option(help="Time zone of the sessions.")] = "Europe/Oslo",
    minimum_days: Annotated[float, typer.Option(help="Leave out users recorded for less.")] = 180.0,
    minimum_sessions: Annotated[int, typer.Option(help="Leave out users with fewer sessions.")] = 40,
    battery_kwh: Annotated[float, typer.Option(help="Usable battery of every vehicle.")] = 60.0,
    power_kw: Annotated[float, typer.Option(help="Power of every charger, both ways.")] = 11.0,
    wear: Annotated[float, typer.Option(help="Battery wear, EUR per exported kWh.")] = 0.0,
    wear_curve: Annotated[
        str, typer.Option(help="Further wear by state of charge, as 0:0.10,0.3:0.04 (EUR per kWh).")
    ] = "",
    least_kw: Annotated[
        float, typer.Option(help="Least power of a charger that is not idle; 4.14 for 6 A, three phases.")
    ] = 0.0,
    services: Annotated[
        str, typer.Option(help="arbitrage, self-consumption, frequency-response, by comma: they stack.")
    ] = "arbitrage",
    own_use: Annotated[
        str, typer.Option(help="CSV of the building, utc,load_kw,pv_kw; without it a synthetic house.")
    ] = "",
    frequency: Annotated[
        str, typer.Option(help="CSV of the grid's frequency, time_s,frequency_hz; else a synthetic one.")
    ] = "",
    reserve_price: Annotated[
        float, typer.Option(help="What a MW of frequency response earns in an hour.")
    ] = 10.0,
    fleet: Annotated[int, typer.Option(min=1, help="Vehicles that an aggregator bids together.")] = 100,
    metering: Annotated[
        str, typer.Option(help="How a rate settles export: net-metering, net-billing, buy-all-sell-all, ...")
    ] = "",
    currency: Annotated[str, typer.Option(help="Currency of a rate whose file does not say.")] = "",
    horizon_h: Annotated[
        int, typer.Option(help="Set a plan over so many hours beside perfect foresight; 0 for none.")
    ] = 0,
    draws: Annotated[int, typer.Option(help="Draws of measured parameters within their uncertainty.")] = 20,
    engine: Engine = "auto",
    store: Store = "",
    publish: Publish = False,
    seed: Seed = 7,
    as_json: AsJson = False,
    out: Out = None,
) -> None:
    """Say what each rule costs the owner of a bidirectional vehicle, per year, with an interval.

    Examples:

      v2glab barriers

      v2glab barriers --sessions sessions.csv --prices prices-2022.csv --out results

      v2glab barriers --rules double_levy,export_limit=3.6 --run papermill_runs/RUN

      v2glab barriers analyse --prices 2019.csv,2022.csv --horizon-h 48 --store kept

      v2glab barriers --services arbitrage,frequency-response --rules min_bid_size,bid_blocks --fleet 30

      v2glab barriers --tariff rate.json --metering net-metering --currency USD --timezone America/New_York

      v2glab barriers list
    """
    if context.invoked_subcommand is not None:
        return
    values: dict[str, Any] = {
        "sessions": sessions,
        "prices": prices,
        "tariff": tariff,
        "evidence_run": run,
        "grid_events": events,
        "latencies": latencies,
        "users": users,
        "timezone": timezone,
        "minimum_days": minimum_days,
        "minimum_sessions": minimum_sessions,
        "battery_kwh": battery_kwh,
        "charge_kw": power_kw,
        "discharge_kw": power_kw,
        "wear_eur_per_kwh": wear,
        "wear_curve": _curve(wear_curve),
        "least_kw": least_kw,
        "services": services,
        "own_use": own_use,
        "frequency": frequency,
        "reserve_per_mw_h": reserve_price,
        "fleet": fleet,
        "metering": metering,
        "currency": currency,
        "horizon_h": horizon_h,
        "draws": draws,
        "engine": engine,
        "store": store,
        "publish": publish,
        **({"rules": rules} if rules else {}),
    }
    result = _execute(values, seed, quiet=as_json)
    _tell(result, out, print_result, as_json=as_json)


@app.command()
def compare(
    books: Annotated[str, typer.Option(help="Rule books by comma; see datasets/barriers/rule_books.")] = "",
    sessions: Annotated[str, typer.Option(help="CSV of sessions; without it a synthetic example.")] = "",
    prices: Prices = "",
    tariff: Tariff = "example-dynamic",
    run: Run = "",
    users: Users = 0,
    engine: Engine = "auto",
    store: Store = "",
    publish: Publish = False,
    seed: Seed = 7,
    as_json: AsJson = False,
    out: Out = None,
) -> None:
    """Price the same cars under the rules of several places.

    Examples:

      v2glab barriers compare --books de-2025,de-2026 --out results
    """
    values: dict[str, Any] = {
        "sessions": sessions,
        "prices": prices,
        "tariff": tariff,
        "evidence_run": run,
        "users": users,
        "engine": engine,
        "store": store,
        "publish": publish,
        **({"books": books} if books else {}),
    }
    result = _execute(values, seed, quiet=as_json, name="compare_jurisdictions")
    _tell(result, out, print_books, as_json=as_json)


@app.command("list")
def list_barriers(
    as_json: AsJson = False,
) -> None:
    """List the catalogue: layer, what is modelled, and how well it is sourced."""
    from v2glab.barriers import load_catalogue

    barriers = load_catalogue().barriers.values()
    if as_json:
        print_json([barrier.model_dump(mode="json") for barrier in barriers])
        return
    rows = [[b.id, b.layer, _setting(b), b.evidence_quality, b.name] for b in barriers]
    print_table(["barrier", "layer", "setting", "evidence", "what"], rows)


@app.command()
def show(barrier: str, as_json: AsJson = False) -> None:
    """Show one barrier with everything the catalogue holds."""
    from v2glab.barriers import load_catalogue
    from v2glab.cli._common import console

    catalogue = load_catalogue()
    entry = catalogue.barrier(barrier)
    fields = entry.model_dump(mode="json") | {"sources": {s: catalogue.sources[s] for s in entry.sources}}
    if as_json:
        print_json(fields)
        return
    for name, value in fields.items():
        console().print(f"{name:>18}  {_plain(value)}", markup=False)


@app.command()
def check() -> None:
    """Check the catalogue; name every barrier that cannot be published yet. Exit 1 when there is one."""
    from v2glab.barriers import check_catalogue, load_catalogue
    from v2glab.cli._common import console

    catalogue = load_catalogue()
    lines = check_catalogue(catalogue)
    for line in lines:
        console().print(line, markup=False)
    count = len(catalogue.barriers)
    console().print(f"{count} barriers, {count - len(lines)} with a source that was read", markup=False)
    if lines:
        raise typer.Exit(1)


def _curve(text: str) -> tuple[tuple[float, float], ...]:
    from v2glab.evidence import UsageError

    try:
        pairs = [part.split(":") for part in text.split(",") if part.strip()]
        return tuple((float(state), float(cost)) for state, cost in pairs)
    except ValueError as error:
        raise UsageError(
            f"wear curve {text!r}", "pairs STATE:COST by comma, such as 0:0.10,0.3:0.04", "mend the option"
        ) from error


def _execute(values: dict[str, Any], seed: int, *, quiet: bool, name: str = "analyse_barriers") -> Result:
    import tempfile

    from rich.progress import Progress

    from v2glab.cli._common import console
    from v2glab.procedures._procedure import Context, Sample, load_procedure, validate_parameters

    procedure = load_procedure(name)
    parameters = validate_parameters(procedure, values)
    with (
        tempfile.TemporaryDirectory() as scratch,
        Progress(console=console(stderr=True), disable=quiet) as bar,
    ):
        task = bar.add_task("vehicles", total=None)

        def progress(sample: Sample) -> None:
            bar.update(task, completed=sample["vehicles_done"], total=sample["vehicles"])

        return procedure.execute(Context(parameters, None, Path(scratch), seed, progress))


def _tell(
    result: Result, out: Path | None, print_it: Callable[[Result, Path | None], None], *, as_json: bool
) -> None:
    document = as_document(result)
    if out is not None:
        write_all(out, result, document)
    if as_json:
        print_json(document)
    else:
        print_it(result, out)


def _setting(barrier: Barrier) -> str:
    change = barrier.transformation
    return "not modelled yet" if change is None else f"{change.kind} {change.value:g} {change.unit}"


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{k}: {_plain(v)}" for k, v in value.items() if v not in ("", None))
    if isinstance(value, list | tuple):
        return " | ".join(_plain(v) for v in value)
    return str(value)
