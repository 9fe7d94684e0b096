"""Execute one notebook through papermill, so that it can be watched and stopped."""

from __future__ import annotations

import contextlib
import math
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
#: A kernel warns that its loopback connection is not encrypted; errors are still shown.
KERNEL_ARGUMENTS = ("--log-level=40",)


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
    timeout_s
        Wall time after which a cell is stopped.
    on_cell
        Called with cell number and number of cells as each begins.
    make_safe
        Called as soon as the notebook is stopped; what its kernel does may take longer than is safe.
    """

    def __init__(
        self,
        source: Path,
        target: Path,
        parameters: Mapping[str, Any],
        *,
        timeout_s: float,
        on_cell: Callable[[int, int], None],
        make_safe: Callable[[], object],
    ) -> None:
        self._source, self._target, self._parameters = source, target, dict(parameters)
        self._timeout_s, self._on_cell, self._make_safe = timeout_s, on_cell, make_safe
        self._client: Any = None
        self._error: BaseException | None = None
        self._stopped = ""
        self._cell_began_s = math.inf
        self._thread = threading.Thread(target=self._work, name=target.stem, daemon=True)

    def run(self, stop: threading.Event) -> NotebookEnd:
        """Execute to the end, until ``stop`` is set or a cell takes too long.

        Then the kernel is interrupted, and killed if need be.
        """
        start_s = time.monotonic()
        self._thread.start()
        while self._thread.is_alive():
            self._thread.join(0.02)
            if not self._stopped and (reason := self._reason_to_stop(stop)):
                self._stopped = reason
                self._end_kernel()
        return self._judge(time.monotonic() - start_s)

    def _reason_to_stop(self, stop: threading.Event) -> str:
        if stop.is_set():
            return "stopped by the user"
        if time.monotonic() - self._cell_began_s > self._timeout_s:
            return f"a cell took longer than {self._timeout_s:g} s"
        return ""

    def attach(self, client: Any) -> None:  # noqa: ANN401 -- nbclient has no types
        """Take the client whose kernel runs this notebook."""
        self._client = client
        client.on_cell_start = self._begin_cell

    def _begin_cell(self, cell: object, cell_index: int) -> None:
        self._cell_began_s = time.monotonic()
        self._on_cell(cell_index + 1, len(self._client.nb.cells))

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
                watcher=self,
            )
        except BaseException as error:
            self._error = error

    def _end_kernel(self) -> None:
        """Interrupt the kernel, which leads it through its own clean-up; kill it when that takes too long."""
        for number, patience_s in ((signal.SIGINT, _GRACE_S), (signal.SIGKILL, _GRACE_S)):
            with contextlib.suppress(AttributeError, TypeError, ProcessLookupError):
                os.kill(self._client.km.provisioner.pid, number)
            self._make_safe()
            self._thread.join(patience_s)
            if not self._thread.is_alive():
                return

    def _judge(self, duration_s: float) -> NotebookEnd:
        error = self._error
        if self._stopped:
            return NotebookEnd("stopped", ExitCode.SAFE_STATE, self._stopped, duration_s)
        if error is None:
            return NotebookEnd("done", ExitCode.OK, "", duration_s)
        kind = getattr(error, "ename", type(error).__name__)
        said = str(getattr(error, "evalue", "") or error).strip()
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
                nb_man,
                timeout=None,  # the watcher looks after the time, for it can make safe at once
                startup_timeout=60,
                kernel_name=kernel_name,
                extra_arguments=list(KERNEL_ARGUMENTS),
            )
            watcher.attach(client)
            return client.execute()

    papermill_engines.register(_ENGINE, Engine)
