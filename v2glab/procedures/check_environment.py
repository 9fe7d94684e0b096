"""Say what this machine has, what is required, and the remedy."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from v2glab.evidence import Quantity, Result, judge, load_criteria
from v2glab.gateway import Check, check_machine
from v2glab.procedures._procedure import Context, Parameters, Procedure
from v2glab.resources import find_data

Port = Annotated[int, Field(ge=1, le=65535)]


class EnvironmentParameters(Parameters):
    """Parameters of the check.

    Attributes
    ----------
    ports
        TCP ports that must be free on loopback: 8883 for OCPP, 15118 for ISO 15118.
    disk_gb
        Room for run folders, in 10⁹ bytes.
    folder
        Where run folders will lie; empty for the working folder.
    """

    ports: tuple[Port, ...] = (8883, 15118)
    disk_gb: float = Field(default=1.0, ge=0, le=1e6)
    folder: str = ""


def execute(context: Context[EnvironmentParameters]) -> Result:
    """Look at the machine and judge what is needed; nothing is changed."""
    parameters = context.parameters
    folder = Path(parameters.folder) if parameters.folder else Path.cwd()
    start_ns = time.time_ns()
    checks = check_machine(folder, parameters.ports, round(parameters.disk_gb * 1e9))
    missing = _count("needed_missing", sum(c.failed for c in checks), start_ns)
    wanting = _count("not_ok", sum(c.status != "ok" for c in checks), start_ns)
    criteria = load_criteria(find_data("datasets", "criteria", "environment.toml"))
    return Result(
        procedure=PROCEDURE.name,
        start_ns=start_ns,
        parameters=parameters.model_dump(),
        quantities=(missing, wanting),
        verdicts=(judge(criteria["v2glab.environment.needed"], missing, evidence=("tables/checks",)),),
        tables={"checks": _table(checks)},
        facts={"failed": [c.name for c in checks if c.failed]},
        timing=frozenset({"not_ok"}),
    )


def _count(name: str, number: int, time_ns: int) -> Quantity:
    return Quantity(name, float(number), "1", 0.0, time_ns=time_ns, instrument="machine")


def _table(checks: tuple[Check, ...]) -> Any:  # noqa: ANN401 -- pandas is imported late
    import pandas as pd

    return pd.DataFrame(
        {
            "check": [c.name for c in checks],
            "status": [c.status for c in checks],
            "found": [c.found for c in checks],
            "required": [c.required for c in checks],
            "remedy": [c.remedy for c in checks],
            "needed": [c.needed for c in checks],
        }
    )


PROCEDURE = Procedure(
    name="check_environment",
    title="Check the environment",
    parameters=EnvironmentParameters,
    execute=execute,
    needs_station=False,
)
