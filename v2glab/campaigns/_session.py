"""One procedure, opened from a notebook or the command line."""

from __future__ import annotations

import atexit
import shutil
import tempfile
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from v2glab.campaigns._folder import TELEMETRY
from v2glab.campaigns._results import save_result
from v2glab.campaigns._telemetry import TelemetryStore
from v2glab.evidence import InputError, Result, UsageError, storing
from v2glab.procedures import Context, Parameters, Procedure, Sample, load_procedure, validate_parameters

if TYPE_CHECKING:
    from v2glab.station import Station


class RunSettings(BaseModel):
    """What every notebook takes besides the parameters of its procedure."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    station: str = "twin"
    run_dir: str = ""
    clock: Literal["lockstep", "realtime"] | None = "lockstep"
    seed: int | None = 7
    faults: tuple[str, ...] = ()
    approve_energise: bool = False


_OPEN: weakref.WeakSet[Run] = weakref.WeakSet()


class Run:
    """One procedure on one open station; closes itself at the end of the process.

    Attributes
    ----------
    procedure, parameters, settings
        What was asked for, validated.
    station
        The open station, or ``None`` when the procedure needs none.
    folder
        Run folder: the campaign's, or a scratch one.
    """

    def __init__(self, procedure: Procedure, parameters: Parameters, settings: RunSettings) -> None:
        self.procedure, self.parameters, self.settings = procedure, parameters, settings
        with storing("the run folder"):
            self.folder = Path(settings.run_dir or tempfile.mkdtemp(prefix="v2glab-run-"))
            self.work_dir = self.folder / "results" / procedure.name
            self.work_dir.mkdir(parents=True, exist_ok=True)
        self._telemetry = TelemetryStore(self.folder / TELEMETRY)
        self.station: Station | None = None
        self._started_twin = False
        _OPEN.add(self)
        if procedure.resolved(parameters).needs_station:
            try:
                self.station = self._open_station()
            except BaseException:
                self._telemetry.close()
                raise

    def execute(self, progress: Callable[[Sample], None] | None = None) -> Result:
        """Carry out the procedure and record its result.

        Parameters
        ----------
        progress
            Called with live samples; what it raises is not caught.
        """
        context = Context(
            parameters=self.parameters,
            station=self.station,
            work_dir=self.work_dir,
            seed=self.settings.seed or 0,
            progress=progress or (lambda sample: None),
        )
        result = self.procedure.execute(context)
        self._telemetry.flush()
        save_result(self.work_dir, result)
        return result

    def read_text(self, name: str) -> str:
        """Return a text file that the procedure wrote, such as ``export.log``.

        Raises
        ------
        InputError
            It wrote none of that name.
        """
        try:
            return (self.work_dir / name).read_text(encoding="utf-8")
        except OSError as error:
            there = ", ".join(sorted(p.name for p in self.work_dir.iterdir())) or "nothing"
            raise InputError(
                f"no file {name!r}", f"one of: {there}", "execute the procedure first"
            ) from error

    def close(self) -> None:
        """Close the station and the telemetry; a second call does nothing."""
        _OPEN.discard(self)
        if self.station is not None:
            self._keep_logs(self.station)
            self.station.close()
            self.station = None
        self._telemetry.close()
        self.close = lambda: None  # type: ignore[method-assign]

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _keep_logs(self, station: Station) -> None:
        """Copy the logs of a twin that ends with this run."""
        logs = [Path(text) for text in station.settings.logs.values()]
        if station.kind != "twin" or not self._started_twin:
            return
        with storing("logs"):
            for path in (p for p in logs if p.is_file()):
                (self.folder / "logs").mkdir(exist_ok=True)
                shutil.copyfile(path, self.folder / "logs" / path.name)

    def _open_station(self) -> Station:
        from v2glab.station import find_station, load_station, open_station

        s = self.settings
        twin = load_station(find_station(s.station)).twin
        starts = self._started_twin = twin is not None and twin.control is None
        return open_station(
            s.station,
            approve_energise=s.approve_energise,
            clock=s.clock if twin is not None else None,
            seed=s.seed if starts else None,
            faults=s.faults,
            recorder=self._telemetry,
            work_dir=None if s.run_dir else self.folder / "station",
        )


def open_run(name: str, **values: Any) -> Run:  # noqa: ANN401 -- validated here
    """Validate everything, then open the station and the records of one procedure.

    Runs that are still open in this process are closed first, so that a cell can be executed again.

    Parameters
    ----------
    name
        Name of the procedure.
    values
        Run settings (``station``, ``run_dir``, ``clock``, ``seed``, ``faults``, ``approve_energise``) and the
        procedure's own parameters; an unknown name is an error.

    Raises
    ------
    UsageError
        A name or value is wrong; nothing was opened.
    DeviceError
        The station could not be opened.
    """
    for run in list(_OPEN):
        run.close()
    procedure = load_procedure(name)
    settings, parameters = split_values(procedure, values)
    return Run(procedure, parameters, settings)


def split_values(procedure: Procedure, values: Mapping[str, Any]) -> tuple[RunSettings, Parameters]:
    """Part and check run settings and parameters.

    Raises
    ------
    UsageError
        A name is unknown or a value is not allowed.
    """
    own = {k: v for k, v in values.items() if k in RunSettings.model_fields}
    rest = {k: v for k, v in values.items() if k not in RunSettings.model_fields}
    known = (*RunSettings.model_fields, *procedure.parameters.model_fields)
    if unknown := sorted(set(rest) - set(procedure.parameters.model_fields)):
        raise UsageError(
            f"parameter {', '.join(unknown)} of {procedure.name}",
            f"among: {', '.join(known)}",
            "mend the name",
        )
    try:
        settings = RunSettings(**own)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise UsageError(f"run settings: {faults}", "settings of a run", "mend the values") from error
    return settings, validate_parameters(procedure, rest)


def _close_all(runs: Sequence[Run] | None = None) -> None:
    for run in list(runs if runs is not None else _OPEN):
        run.close()


atexit.register(_close_all)
