"""Start and join the guardian process, from the side of runner and kernel."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from v2glab.evidence import DeviceError, storing
from v2glab.station._guard_members import MESSAGE_BYTES
from v2glab.station._guard_plan import GuardPlan

#: Holds the socket of a guardian that processes started later shall join.
GUARD_SOCKET_VARIABLE = "V2GLAB_GUARD_SOCKET"

_START_S = 20.0
#: The guardian gives up after a second; what is added is the time its answer may take.
_ANSWER_S = 3.0
_REMEDY = "read the guardian's log; open the contactor by hand if it is closed"


class Membership:
    """One connection to a guardian.

    Parameters
    ----------
    socket_path
        Where the guardian listens.
    critical
        Whether the sudden end of this process leads to the safe state.
    role
        How the guardian's log and messages call this process.

    Raises
    ------
    DeviceError
        No guardian listens there.
    """

    def __init__(self, socket_path: Path, *, critical: bool = True, role: str = "holder") -> None:
        self.socket_path = socket_path
        self.link = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            self.link.connect(str(socket_path))
        except OSError as error:
            self.link.close()
            raise DeviceError(
                f"no guardian at {socket_path}: {error.strerror or error}",
                "the guardian of the campaign under way",
                f"unset {GUARD_SOCKET_VARIABLE} and start the campaign again",
            ) from error
        self.send(do="join", critical=critical, role=role)
        self.expect("joined")

    def send(self, **message: object) -> None:
        """Send one message; :class:`DeviceError` when the guardian has gone."""
        try:
            self.link.send(json.dumps(message).encode(), socket.MSG_NOSIGNAL)
        except OSError as error:
            raise DeviceError("the guardian has ended", "a guardian under way", _REMEDY) from error

    def receive(self, timeout_s: float, wake: int | None = None) -> dict[str, Any] | None:
        """Return the next message, ``None`` when none came in time or ``wake`` became readable.

        Raises
        ------
        DeviceError
            The guardian has gone.
        """
        waiting = [self.link.fileno()] if wake is None else [self.link.fileno(), wake]
        if self.link.fileno() not in select.select(waiting, [], [], max(0.0, timeout_s))[0]:
            return None
        try:
            record = self.link.recv(MESSAGE_BYTES)
        except OSError:
            record = b""
        if not record:
            raise DeviceError("the guardian has ended", "a guardian under way", _REMEDY)
        message: dict[str, Any] = json.loads(record)
        return message

    def expect(self, event: str, timeout_s: float = _ANSWER_S) -> dict[str, Any]:
        """Return the answer ``event``; events that nobody asked for are passed over.

        Raises
        ------
        DeviceError
            The guardian refuses, has gone, or does not answer.
        """
        end_s = time.monotonic() + timeout_s
        while (message := self.receive(end_s - time.monotonic())) is not None:
            if message.get("event") == event:
                return message
            if message.get("event") == "refused":
                raise DeviceError(
                    f"the guardian refuses: {message.get('reason')}", "a lease", "end the other work first"
                )
        raise DeviceError(f"no answer of the guardian in {timeout_s:g} s", f"{event!r}", _REMEDY)

    def leave(self) -> None:
        """Say goodbye; nothing happens to the station unless this process holds the lease."""
        with contextlib.suppress(DeviceError):
            self.send(do="leave")
        self.link.close()


class GuardianHandle:
    """A guardian that this process started, and is a critical member of.

    Should this process end without :meth:`stop`, the guardian brings the station into the safe state.
    """

    def __init__(self, process: subprocess.Popen[bytes], folder: Path, log_path: Path, role: str) -> None:
        self._process = process
        self._folder = folder
        self.log_path = log_path
        self.socket_path = folder / "guardian"
        self.pid = process.pid
        self.membership = Membership(self.socket_path, critical=True, role=role)

    @property
    def environment(self) -> dict[str, str]:
        """Variables for processes that shall join this guardian and share this process's station lock."""
        return {GUARD_SOCKET_VARIABLE: str(self.socket_path), "V2GLAB_LOCK_HOLDER": str(os.getpid())}

    def join(self, *, critical: bool = True, role: str = "holder") -> Membership:
        """Return one more membership of this guardian."""
        return Membership(self.socket_path, critical=critical, role=role)

    def alive(self) -> bool:
        """Whether the process is under way."""
        return self._process.poll() is None

    def stop(self) -> None:
        """Leave; the guardian ends when its last member has left."""
        self.membership.leave()
        try:
            self._process.wait(timeout=_ANSWER_S)
        except subprocess.TimeoutExpired:
            self._process.terminate()  # it makes safe first
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=_ANSWER_S)
        shutil.rmtree(self._folder, ignore_errors=True)


def start_guardian(plan: GuardPlan, *, log_path: Path | None = None, role: str = "runner") -> GuardianHandle:
    """Start a guardian in a session of its own and wait until it is ready.

    Parameters
    ----------
    plan
        From :func:`compile_plan`.
    log_path
        Appended to; a file in a temporary folder when not given.

    Raises
    ------
    DeviceError
        It could not be started, or does not reach the devices of the safe state.
    StorageError
        Its files cannot be written.
    """
    with storing("the guardian's folder"):
        folder = Path(tempfile.mkdtemp(prefix="v2glab-guard-"))
        plan_path = folder / "plan.json"
        plan.write(plan_path)
    log_path = log_path or folder / "guardian.log"
    command = [sys.executable, "-m", "v2glab", "guardian"]
    command += ["--plan", str(plan_path), "--socket", str(folder / "guardian"), "--log", str(log_path)]
    with (folder / "errors").open("wb") as errors:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, start_new_session=True
        )
    said = _first_line(process)
    if said != "ready":
        process.kill()
        process.wait()
        cause = said or (folder / "errors").read_text(errors="replace")[-500:].strip() or "it said nothing"
        shutil.rmtree(folder, ignore_errors=True)
        raise DeviceError(
            f"the guardian did not start: {cause}",
            "a guardian that reaches every device of the safe state",
            "check the addresses under [guardian] and that the charger answers; then try again",
        )
    return GuardianHandle(process, folder, log_path, role)


def _first_line(process: subprocess.Popen[bytes]) -> str:
    if process.stdout is None:
        return ""
    with process.stdout as stream:
        if not select.select([stream], [], [], _START_S)[0]:
            return f"not ready within {_START_S:g} s"
        return os.read(stream.fileno(), 4096).decode(errors="replace").strip()
