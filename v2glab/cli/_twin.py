"""``v2glab twin``."""

from pathlib import Path
from typing import Annotated

import typer


def twin(
    station: Annotated[Path | None, typer.Option(help="Station file with twin: addresses.")] = None,
    resolved: Annotated[
        Path | None, typer.Option(help="Where to write the file with real addresses.")
    ] = None,
    clock: Annotated[
        str | None, typer.Option(help="lockstep or realtime; else as the station file says.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of noise and starting angles.")] = None,
    fault: Annotated[list[str], typer.Option("--fault", help="Fault switch; may be repeated.")] = [],  # noqa: B006
    work_dir: Annotated[Path | None, typer.Option(help="Folder for logs, certificates and sensors.")] = None,
    parent_pid: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """Serve the embedded simulated bench over Modbus, SunSpec, SCPI and OCPP on loopback until stopped.

    Faults: contactor_weld, frequency_drift, expired_certificate, hot_heatsink, export_bit_off, low_soc,
    worn_connector; and, acting on other settings than it reports, late_trip, shifted_volt_var, vector_shift.

    Examples:

      v2glab twin --clock realtime --resolved bench.toml

      v2glab twin --fault contactor_weld --resolved bench.toml
    """
    import asyncio
    import os
    import sys
    import tempfile

    # Small matrices only: threads of the linear algebra would hold up the servers. Before numpy loads.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

    from v2glab.evidence import UsageError
    from v2glab.resources import find_data
    from v2glab.twin import Twin, serve

    if clock not in (None, "lockstep", "realtime"):
        raise UsageError(f"clock {clock!r}", "lockstep or realtime", "choose one of those")

    async def run(folder: Path) -> None:
        source = station or find_data("drivers", "stations", "twin.toml")
        bench = Twin(source, folder, clock=clock, seed=seed, faults=fault)
        await serve(bench, resolved, parent_pid)

    with tempfile.TemporaryDirectory(prefix="v2glab-twin-") as scratch:
        if parent_pid is None:
            sys.stderr.write("the twin serves on loopback; stop it with Ctrl-C\n")
        asyncio.run(run(work_dir or Path(scratch)))
