"""What every field test has in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from v2glab.evidence import InputError, Result, UsageError

if TYPE_CHECKING:
    from v2glab.station import Station

Sample = Mapping[str, float]
"""One line of live data; ``time_s`` is always there."""

#: Procedures by name, in the order of the notebooks. A name is the module in this package.
NAMES = (
    "check_environment",
    "provision_gateway",
    "connect_ocpp",
    "calibrate_thermal",
    "synchronise_grid",
    "export_load_test",
    "analyse_barriers",
    "conformity",
    "judge_recording",
    "diagnose_faults",
    "compare_jurisdictions",
    "open_vehicle_session",
)

#: Notebooks that are not called after their procedure.
NOTEBOOKS = {"prove_grid_code": "conformity"}


class Parameters(BaseModel):
    """Base of all procedure parameters: frozen, and an unknown name is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


P = TypeVar("P", bound=Parameters)


class Execute(Protocol):
    """The one function of a procedure."""

    def __call__(self, context: Context[Any]) -> Result:
        """Measure and judge."""


@dataclass(frozen=True)
class Context(Generic[P]):
    """Everything that a procedure may use.

    Parameters
    ----------
    parameters
        Validated parameters of this procedure.
    station
        The open station, or ``None`` for a procedure that needs none.
    work_dir
        Folder for files that belong to the record, such as ``export.log``; exists.
    seed
        Seed for whatever is random.
    progress
        Called with live samples; cheap, may be ignored.
    """

    parameters: P
    station: Station | None
    work_dir: Path
    seed: int = 0
    progress: Callable[[Sample], None] = lambda sample: None

    def need_station(self) -> Station:
        """Return the station.

        Raises
        ------
        UsageError
            None was opened.
        """
        if self.station is None:
            raise UsageError("no station", "an open station", "name one with --station")
        return self.station


@dataclass(frozen=True)
class Procedure:
    """One field test, as the campaign and the command line see it.

    ``station_if`` says of parameters whether the station is needed, and energised, with them.
    """

    name: str
    title: str
    parameters: type[Parameters]
    execute: Execute
    needs_station: bool = True
    energises: bool = False
    station_if: Callable[[Any], bool] | None = None

    def resolved(self, parameters: Parameters) -> Procedure:
        """Return the procedure with what it needs for these parameters."""
        if self.station_if is None:
            return self
        wanted = self.station_if(parameters)
        return replace(self, needs_station=wanted, energises=self.energises and wanted, station_if=None)


def load_procedure(name: str) -> Procedure:
    """Return the procedure of that name; only its own module is imported.

    Raises
    ------
    UsageError
        There is none of that name.
    """
    if name not in NAMES:
        raise UsageError(f"procedure {name!r}", f"one of: {', '.join(NAMES)}", "choose one of those")
    procedure: Procedure = import_module(f"v2glab.procedures.{name}").PROCEDURE
    return procedure


def validate_parameters(procedure: Procedure, values: Mapping[str, Any]) -> Parameters:
    """Check parameters against the typed model, unknown names included.

    Raises
    ------
    UsageError
        A name is unknown or missing, or a value is not allowed; the message lists each.
    """
    try:
        return procedure.parameters(**values)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        known = ", ".join(procedure.parameters.model_fields)
        raise UsageError(
            f"parameters of {procedure.name}: {faults}", f"among: {known}", "mend the parameters"
        ) from error
    except TypeError as error:
        raise InputError(str(error), "parameters by name", "pass a mapping of names to values") from error
