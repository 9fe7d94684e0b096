"""Start the twin through the command line, and stop it."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from v2glab.evidence import DeviceError, ExitCode, UsageError, storing

#: A first start compiles the plant's kernel.
_START_S = 120.0
_STOP_S = 5.0
#: The three lines in which a command says what was wrong.
_MESSAGE = re.compile(r"^v2glab: (.*)\n  required: (.*)\n  remedy:   (.*)$", re.MULTILINE)


class TwinProcess:
    """A twin that this process started; its files stand in ``work_dir``.

    Parameters
    ----------
    station_path
        Station file with ``twin:`` addresses.
    work_dir
        Existing folder for the resolved file, logs and whatever the twin fakes.

    Raises
    ------
    UsageError
        It refused a fault switch or the station file, in its own words.
    DeviceError
        It ended or did not get ready in time; the message holds what it said last.
    """

    def __init__(
        self,
        station_path: Path,
        work_dir: Path,
        *,
        clock: str,
        seed: int,
        faults: Sequence[str] = (),
        start_s: float = _START_S,
    ) -> None:
        self.resolved = work_dir / "resolved.toml"
        self._errors = work_dir / "twin-errors.log"
        with storing(str(work_dir)):
            self.resolved.unlink(missing_ok=True)
            self._errors.touch()
        command = [sys.executable, "-m", "v2glab", "twin", "--station", str(station_path)]
        command += ["--resolved", str(self.resolved), "--work-dir", str(work_dir)]
        command += ["--clock", clock, "--seed", str(seed), "--parent-pid", str(os.getpid())]
        for fault in faults:
            command += ["--fault", fault]
        with self._errors.open("wb") as errors:
            # A session of its own: Ctrl-C must not take the bench away before it is in the safe state.
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                start_new_session=True,
            )
        self._wait(start_s)

    @property
    def pid(self) -> int:
        """The twin's process."""
        return self._process.pid

    def stop(self) -> None:
        """End the twin, politely first."""
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        self._process.terminate()
        try:
            self._process.wait(timeout=_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _wait(self, start_s: float) -> None:
        end_s = time.monotonic() + start_s
        while not self.resolved.exists():
            code = self._process.poll()
            if code is not None or time.monotonic() > end_s:
                found = f"the twin ended with code {code}" if code is not None else "the twin is not ready"
                self.stop()
                if code == ExitCode.USAGE:
                    raise self._usage_error()
                raise DeviceError(
                    f"{found} {self._last_words()}".strip(),
                    f"a twin that is ready within {start_s:g} s",
                    "mend what it says; or run it by itself: v2glab twin --resolved out.toml",
                )
            time.sleep(0.02)

    def _usage_error(self) -> UsageError:
        """Return what the twin refused, in its own words."""
        said = _MESSAGE.search(self._errors.read_text(errors="replace"))
        found, required, remedy = said.groups() if said else (self._last_words(), "what the twin knows", "")
        return UsageError(found, required, remedy or "see: v2glab twin --help")

    def _last_words(self) -> str:
        text = self._errors.read_text(errors="replace").strip()
        return f"and said: {text[-800:]}" if text else ""
