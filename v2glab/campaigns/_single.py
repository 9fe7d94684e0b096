"""One procedure outside a notebook, with a run folder of its own."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from v2glab.campaigns._folder import Renderer, RunBuilder, runs_root
from v2glab.campaigns._session import Run, RunSettings, split_values
from v2glab.evidence import ExitCode, Result, SafeStateError, V2GError
from v2glab.procedures import Sample, load_procedure


def run_single(
    name: str,
    values: Mapping[str, Any],
    *,
    progress: Callable[[Sample], None] | None,
    render: Renderer | None,
    root: Path | None = None,
) -> tuple[Result, Path]:
    """Execute one procedure and seal its run folder; return the result and the folder.

    Parameters
    ----------
    values
        Run settings and parameters, as :func:`~v2glab.campaigns.open_run` takes them.

    Raises
    ------
    UsageError
        A name or value is wrong; nothing was opened.
    V2GError
        What the procedure raised; the run is sealed as failed or stopped first.
    SafeStateError
        The user stopped it.
    """
    procedure = load_procedure(name)
    settings, parameters = split_values(procedure, values)
    builder = _builder(name, settings, root or runs_root())
    run: Run | None = None
    try:
        with _terminate_as_interrupt():
            run = Run(procedure, parameters, settings.model_copy(update={"run_dir": str(builder.folder)}))
            if run.station is not None:
                builder.station_kind, builder.clock = run.station.kind, run.station.clock.mode
            result = run.execute(progress)
    except KeyboardInterrupt:
        _close(run)
        builder.seal("stopped", "stopped by the user", render)
        raise SafeStateError(
            f"{name} was stopped by the user", "its end", f"the record is in {builder.root / builder.name}"
        ) from None
    except V2GError as error:
        _close(run)
        if run is None:
            builder.discard()
        else:
            stopped = error.exit_code is ExitCode.SAFE_STATE
            builder.seal("stopped" if stopped else "failed", str(error), render)
        raise
    run.close()
    return result, builder.seal("complete", "", render)


def _builder(name: str, settings: RunSettings, root: Path) -> RunBuilder:
    return RunBuilder(
        root=root,
        station_name=Path(settings.station).stem,
        station_kind="none",
        campaign=name,
        seed=settings.seed,
        clock="none",
        faults=settings.faults,
    )


def _close(run: Run | None) -> None:
    if run is not None:
        run.close()


@contextmanager
def _terminate_as_interrupt() -> Iterator[None]:
    """Let SIGTERM lead through the same clean-up as Ctrl-C."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
