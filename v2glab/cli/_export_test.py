"""``v2glab export-test`` and ``export-test``."""

from typing import Annotated

import typer

from v2glab.cli._procedure import Approve, Clock, Faults, Json, Seed, StationName, Strict, run_procedure


def export_test(
    duration_s: Annotated[float, typer.Option("--duration", help="Seconds at full load.")] = 300.0,
    power_w: Annotated[
        float | None, typer.Option("--power", help="Set-point in watts; rated if absent.")
    ] = None,
    sample_s: Annotated[float, typer.Option("--sample", help="Seconds between samples.")] = 1.0,
    ride_through: Annotated[bool, typer.Option(help="Play the ride-through windows of the category.")] = True,
    station: StationName = "twin",
    approve_energise: Approve = False,
    clock: Clock = None,
    seed: Seed = 7,
    fault: Faults = [],  # noqa: B006 -- typer wants a list
    json_output: Json = False,
    strict: Strict = False,
) -> int:
    """Discharge to the grid under load; judge throughput, voltage deviations and ride-through.

    Writes export.log into the run folder and ends in the safe state.

    Examples:

      export-test --duration=300

      v2glab export-test --power 11000 --no-ride-through --station my-site.toml --approve-energise
    """
    parameters = {
        "duration_s": duration_s,
        "power_w": power_w,
        "sample_s": sample_s,
        "ride_through": ride_through,
    }
    return run_procedure(
        "export_load_test",
        parameters,
        station=station,
        approve_energise=approve_energise,
        clock=clock,
        seed=seed,
        faults=fault,
        json_output=json_output,
        strict=strict,
    )
