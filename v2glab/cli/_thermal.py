"""``v2glab thermal``."""

from typing import Annotated

import typer

from v2glab.cli._procedure import Approve, Clock, Faults, Json, Seed, StationName, Strict, run_procedure


def thermal(
    max_temp_celsius: Annotated[
        float, typer.Option("--max-temp", help="MAX_TEMP_CELSIUS, −40 to 85.")
    ] = 85.0,
    heat_s: Annotated[float, typer.Option("--heat", help="Seconds at rated power.")] = 300.0,
    station: StationName = "twin",
    approve_energise: Approve = False,
    clock: Clock = None,
    seed: Seed = 7,
    fault: Faults = [],  # noqa: B006 -- typer wants a list
    json_output: Json = False,
    strict: Strict = False,
) -> int:
    """Calibrate thermal limit, current foldback and shutdown; writes thermal.conf into the run folder.

    Examples:

      v2glab thermal --max-temp 80

      v2glab thermal --heat 1200 --station my-site.toml --approve-energise
    """
    return run_procedure(
        "calibrate_thermal",
        {"max_temp_celsius": max_temp_celsius, "heat_s": heat_s},
        station=station,
        approve_energise=approve_energise,
        clock=clock,
        seed=seed,
        faults=fault,
        json_output=json_output,
        strict=strict,
    )
