"""Execute one notebook through papermill, so that it can be watched and stopped."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from v2glab.evidence import (
    ApprovalError,
    DeviceError,
    ExitCode,
    InputError,
    LimitError,
    SafeStateError,
    StorageError,
    UsageError,
)

_ERRORS = (ApprovalError, DeviceError, InputError, LimitError, SafeStateError, StorageError, UsageError)
_EXIT_CODES = {error.__name__: error.exit_code for error in _ERRORS}
_ENGINE = "v2glab"
#: How long an interrupted kernel may take to reach the safe state by itself.
_GRACE_S = 5.0


@dataclass(frozen=True)
class NotebookEnd:
    """How a notebook ended.

    ``status`` is ``"done"``, ``"failed"`` or ``"stopped"``; ``exit_code`` what that means for the shell.
    """

    status: str
    exit_code: ExitCode
    error: str
    duration_s: float


class NotebookRun:
    """One notebook under way in a thread of its own.

    Parameters
    ----------
    on_cell
        Called with cell number and number of cells as each begins.
    """

    def __init__(
        self,
        source: Path,
        target: Path,
        parameters: Mapping[str, Any],
        *,
        timeout_s: float,
        on_cell: Callable[[int, int], None],
    ) -> None:
        self._source, self._target, self._parameters = source, target, dict(parameters)
        self._timeout_s, self._on_cell = timeout_s, on_cell
        self._client: Any = None
        self._error: BaseException | None = None
        self._stopped = False
        self._thread = threading.Thread(target=self._work, name=target.stem, daemon=True)

    def run(self, stop: threading.Event) -> NotebookEnd:
        """Execute to the end, or until ``stop`` is set; then interrupt the kernel, and kill it if need be."""
        start_s = time.monotonic()
        self._thread.start()
        while self._thread.is_alive():
            self._thread.join(0.05)
            if stop.is_set() and not self._stopped:
                self._stopped = True
                self._end_kernel()
        return self._judge(time.monotonic() - start_s)

    def attach(self, client: Any) -> None:  # noqa: ANN401 -- nbclient has no types
        """Take the client whose kernel runs this notebook."""
        self._client = client
        client.on_cell_start = lambda cell, cell_index: self._on_cell(cell_index + 1, len(client.nb.cells))

    def _work(self) -> None:
        import papermill

        _register_engine()
        try:
            papermill.execute_notebook(
                self._source,
                self._target,
                parameters=self._parameters,
                engine_name=_ENGINE,
                kernel_name="python3",
                progress_bar=False,
                cwd=str(self._source.parent),
                execution_timeout=round(self._timeout_s),
                watcher=self,
            )
        except BaseException as error:
            self._error = error

    def _end_kernel(self) -> None:
        """Interrupt the kernel, which leads it through its own clean-up; kill it when that takes too long."""
        for number, patience_s in ((signal.SIGINT, _GRACE_S), (signal.SIGKILL, _GRACE_S)):
            with contextlib.suppress(AttributeError, TypeError, ProcessLookupError):
                os.kill(self._client.km.provisioner.pid, number)
            self._thread.join(patience_s)
            if not self._thread.is_alive():
                return

    def _judge(self, duration_s: float) -> NotebookEnd:
        error = self._error
        if self._stopped:
            return NotebookEnd("stopped", ExitCode.SAFE_STATE, "stopped by the user", duration_s)
        if error is None:
            return NotebookEnd("done", ExitCode.OK, "", duration_s)
        kind = getattr(error, "ename", type(error).__name__)
        said = str(getattr(error, "evalue", "") or error).strip()
        if kind == "CellTimeoutError":
            return NotebookEnd(
                "stopped", ExitCode.SAFE_STATE, f"a cell took longer than {self._timeout_s:g} s", duration_s
            )
        code = _EXIT_CODES.get(kind, ExitCode.SAFE_STATE)
        return NotebookEnd("failed", code, f"{kind}: {said}"[:2000], duration_s)


def _register_engine() -> None:
    """Make papermill hand over the client, so that its kernel can be reached."""
    from papermill.clientwrap import PapermillNotebookClient
    from papermill.engines import NBClientEngine, papermill_engines

    class Engine(NBClientEngine):  # type: ignore[misc]
        """papermill's own engine, with the client attached to its watcher."""

        @classmethod
        def execute_managed_notebook(cls, *args: Any, **options: Any) -> Any:  # noqa: ANN401
            """Execute with the kernel in reach."""
            nb_man, kernel_name = args
            watcher: NotebookRun = options["watcher"]
            client = PapermillNotebookClient(
                nb_man, timeout=options["execution_timeout"], startup_timeout=60, kernel_name=kernel_name
            )
            watcher.attach(client)
            return client.execute()

    papermill_engines.register(_ENGINE, Engine)
