"""Run a campaign: check, open, execute, seal; whatever happens, the station ends safe."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from v2glab.campaigns._campaign_file import CampaignFile, Step, plan_steps
from v2glab.campaigns._folder import Renderer, RunBuilder, RunFolder, runs_root
from v2glab.campaigns._notebook import NotebookEnd, NotebookRun
from v2glab.evidence import ExitCode, Outcome, V2GError, Verdict, storing, write_verdicts

if TYPE_CHECKING:
    from v2glab.station import Station

_LOGS = ("charger.log", "gateway.log", "guardian.log")


class Reporter(Protocol):
    """Shows how far a campaign is."""

    def begin(self, names: list[str]) -> None:
        """Say which notebooks will run."""

    def notebook(self, name: str) -> None:
        """One begins."""

    def cell(self, name: str, number: int, count: int) -> None:
        """One of its cells begins."""

    def ended(self, name: str, end: NotebookEnd) -> None:
        """One has ended."""


@dataclass(frozen=True)
class CampaignOptions:
    """What a campaign takes from its caller; defaults suit the twin.

    Attributes
    ----------
    overrides
        Parameters by notebook or procedure.
    datasets
        Files of the user whose hashes belong to the record.
    timeout_s
        Wall time after which one cell is stopped.
    """

    station: str = "twin"
    clock: str | None = None
    seed: int = 7
    faults: tuple[str, ...] = ()
    approve_energise: bool = False
    overrides: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    datasets: tuple[Path, ...] = ()
    root: Path | None = None
    timeout_s: float = 900.0


@dataclass(frozen=True)
class CampaignOutcome:
    """What came out: the sealed folder, its verdicts, and the exit code without ``--strict``."""

    folder: Path
    verdicts: dict[str, list[Verdict]]
    exit_code: ExitCode
    problem: str

    @property
    def failed(self) -> int:
        """Number of failed verdicts."""
        return sum(v.outcome is Outcome.FAIL for vs in self.verdicts.values() for v in vs)


def run_campaign(
    campaign: CampaignFile, options: CampaignOptions, reporter: Reporter, render: Renderer | None
) -> CampaignOutcome:
    """Run a whole campaign and leave a sealed run folder.

    Raises
    ------
    UsageError, InputError
        Something is wrong with files or parameters; nothing was opened.
    DeviceError
        The station could not be opened.
    StorageError
        The record could not be written; nothing was sealed.
    """
    steps = plan_steps(campaign, options.overrides)
    with ExitStack() as stack:
        stop = stack.enter_context(_stop_on_signals())
        bench = _Bench(options, stack) if any(s.procedure.needs_station for s in steps) else None
        builder = _builder(campaign, options, bench)
        try:
            reporter.begin([s.name for s in steps])
            end = _run_steps(steps, options, bench, builder, reporter, stop)
            problem = bench.make_safe() if bench else ""
            _keep_logs(bench, builder)
            status = {ExitCode.OK: "complete", ExitCode.SAFE_STATE: "stopped"}.get(end.exit_code, "failed")
            folder = builder.seal("stopped" if problem else status, problem or end.error, render)
        except V2GError:
            if bench is not None:
                bench.close()
            raise
    code = ExitCode.SAFE_STATE if problem else end.exit_code
    return CampaignOutcome(folder, RunFolder(folder, {}).verdicts(), code, problem or end.error)


class _Bench:
    """The station of a campaign, its guardian, and what kernels must know of both."""

    def __init__(self, options: CampaignOptions, stack: ExitStack) -> None:
        from v2glab.station import find_station, load_station, open_station

        self.source = find_station(options.station)
        twin = load_station(self.source).twin
        starts = twin is not None and twin.control is None
        self.work_dir = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="v2glab-campaign-")))
        self.station: Station = open_station(
            options.station,
            approve_energise=options.approve_energise,
            clock=options.clock if twin is not None else None,  # type: ignore[arg-type]
            seed=options.seed if starts else None,
            faults=options.faults,
            work_dir=self.work_dir,
        )
        self.may_energise = twin is not None or options.approve_energise
        self._guardian = None
        stack.callback(self.close)
        if self.may_energise and self.station.settings.guardian is not None:
            self._guardian = self.station.start_guardian(log_path=self.work_dir / "guardian.log")
            stack.enter_context(_environment(self._guardian.environment))

    def make_safe(self) -> str:
        """Bring the station into the safe state and verify it; return what is wrong."""
        if not self.may_energise or self.station.settings.guardian is None:
            return ""
        try:
            self.station.safe_state()
        except V2GError as error:
            return error.found
        return ""

    def close(self) -> None:
        """Let the guardian make safe and end, then close the station; a second call does nothing."""
        if self._guardian is not None:
            self._guardian.stop()
            self._guardian = None
        self.station.close()


def _builder(campaign: CampaignFile, options: CampaignOptions, bench: _Bench | None) -> RunBuilder:
    station = bench.station if bench else None
    builder = RunBuilder(
        root=options.root or runs_root(),
        station_name=station.name if station else "no-station",
        station_kind=station.kind if station else "none",
        campaign=campaign.name,
        seed=options.seed,
        clock=station.clock.mode if station else "none",
        faults=options.faults,
        datasets=list(options.datasets),
    )
    with storing(str(builder.folder)):
        (builder.folder / "notebooks").mkdir()
        if bench is not None:
            shutil.copyfile(bench.source, builder.folder / "station.toml")
    return builder


def _run_steps(
    steps: list[Step],
    options: CampaignOptions,
    bench: _Bench | None,
    builder: RunBuilder,
    reporter: Reporter,
    stop: threading.Event,
) -> NotebookEnd:
    """Run notebook after notebook; the first that does not end well ends the campaign."""
    last = NotebookEnd("done", ExitCode.OK, "", 0.0)
    for step in steps:
        if stop.is_set() and last.exit_code is ExitCode.OK:
            last = NotebookEnd("stopped", ExitCode.SAFE_STATE, "stopped by the user", 0.0)
        reason = _reason_to_skip(step, bench, last)
        if reason:
            builder.notebooks.append(_row(step, NotebookEnd("not run", ExitCode.OK, reason, 0.0)))
            continue
        reporter.notebook(step.name)
        last = _run_step(step, options, bench, builder, reporter, stop)
        builder.notebooks.append(_row(step, last))
        reporter.ended(step.name, last)
    return last


def _reason_to_skip(step: Step, bench: _Bench | None, last: NotebookEnd) -> str:
    if last.exit_code is not ExitCode.OK:
        return "an earlier notebook did not end well"
    if step.procedure.energises and bench is not None and not bench.may_energise:
        return "it energises the station, and that was not approved"
    return ""


def _run_step(
    step: Step,
    options: CampaignOptions,
    bench: _Bench | None,
    builder: RunBuilder,
    reporter: Reporter,
    stop: threading.Event,
) -> NotebookEnd:
    parameters: dict[str, Any] = {"run_dir": str(builder.folder.resolve()), **step.parameters}
    if bench is not None and step.procedure.needs_station:
        twin = bench.station.kind == "twin"
        parameters |= {"station": str(bench.station.path), "approve_energise": options.approve_energise}
        parameters |= {"clock": bench.station.clock.mode if twin else None, "seed": options.seed}
    _offer_evidence(step, builder, parameters)
    run = NotebookRun(
        step.path,
        builder.folder / "notebooks" / f"{step.name}.ipynb",
        parameters,
        timeout_s=options.timeout_s,
        on_cell=lambda number, count: reporter.cell(step.name, number, count),
        make_safe=bench.make_safe if bench else lambda: "",
    )
    return run.run(stop)


def _offer_evidence(step: Step, builder: RunBuilder, parameters: dict[str, Any]) -> None:
    """Give a procedure that builds on verdicts those of the notebooks before it."""
    if "evidence_run" not in step.procedure.parameters.model_fields or parameters.get("evidence_run"):
        return
    results = RunFolder(builder.folder, {}).results()
    path = builder.folder / "verdicts.json"
    write_verdicts(path, {name: result.verdicts for name, result in results.items()})
    parameters["evidence_run"] = str(path.resolve())


def _keep_logs(bench: _Bench | None, builder: RunBuilder) -> None:
    if bench is None:
        return
    with storing("logs"):
        target = builder.folder / "logs"
        target.mkdir(exist_ok=True)
        for name in _LOGS:
            if (bench.work_dir / name).exists():
                shutil.copyfile(bench.work_dir / name, target / name)


def _row(step: Step, end: NotebookEnd) -> dict[str, Any]:
    return {
        "name": step.name,
        "procedure": step.procedure.name,
        "status": end.status,
        "duration_s": round(end.duration_s, 3),
        "error": end.error,
    }


@contextmanager
def _stop_on_signals() -> Iterator[threading.Event]:
    """Set an event on SIGINT and SIGTERM; the handlers before are put back at the end."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {n: signal.signal(n, lambda *_: stop.set()) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
