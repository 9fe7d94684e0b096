"""``v2glab synch`` and ``v2g-synch``."""

from typing import Annotated

import typer

from v2glab.cli._procedure import Approve, Clock, Faults, Json, Seed, StationName, Strict, run_procedure


def synch(
    phase_align: Annotated[
        bool, typer.Option("--phase-align/--no-phase-align", help="Apply the phase threshold before closing.")
    ] = True,
    threshold: Annotated[
        float, typer.Option(help="Largest phase difference when the contacts touch.")
    ] = 0.05,
    unit: Annotated[str, typer.Option(help="Unit of the threshold: rad, deg or cycle.")] = "rad",
    timeout_s: Annotated[float, typer.Option("--timeout", help="Seconds of station time.")] = 30.0,
    station: StationName = "twin",
    approve_energise: Approve = False,
    clock: Clock = None,
    seed: Seed = 7,
    fault: Faults = [],  # noqa: B006 -- typer wants a list
    json_output: Json = False,
    strict: Strict = False,
) -> int:
    """Synchronise the inverter with the grid, close the contactor within limits, and judge the closing.

    Ends in the safe state.

    Examples:

      v2g-synch --phase-align --threshold=0.05

      v2glab synch --threshold 2 --unit deg --station my-site.toml --approve-energise
    """
    parameters = {
        "threshold": threshold,
        "unit": unit,
        "phase_align": phase_align,
        "timeout_s": timeout_s,
    }
    return run_procedure(
        "synchronise_grid",
        parameters,
        station=station,
        approve_energise=approve_energise,
        clock=clock,
        seed=seed,
        faults=fault,
        json_output=json_output,
        strict=strict,
    )
