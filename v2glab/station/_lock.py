"""One campaign a station: an advisory lock in the user's state folder."""

from __future__ import annotations

import fcntl
import hashlib
import os
from pathlib import Path
from types import TracebackType

from v2glab.evidence import DeviceError, StorageError
from v2glab.station._settings import StationFile

#: Process whose lock the processes that it started may share.
LOCK_HOLDER_VARIABLE = "V2GLAB_LOCK_HOLDER"


def lock_folder() -> Path:
    """Return the folder of locks (XDG Base Directory Specification, ``$XDG_STATE_HOME``)."""
    state = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(state) / "v2glab" / "locks"


def station_key(settings: StationFile) -> str:
    """Return what identifies the hardware: the addresses, whatever the station is called."""
    addresses = sorted({entry.address for entry in settings.instruments.values()})
    return hashlib.sha256("\n".join(addresses).encode()).hexdigest()[:16]


class StationLock:
    """Lock of one station, held until :meth:`release` or the end of the process.

    Parameters
    ----------
    exclusive
        ``False`` for a station that is only read: readers do not exclude each other.

    Raises
    ------
    DeviceError
        Another campaign holds it; the message names its process.
    StorageError
        The lock file cannot be made.
    """

    def __init__(self, settings: StationFile, *, exclusive: bool = True) -> None:
        self._descriptor: int | None = None
        path = lock_folder() / f"{station_key(settings)}.lock"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StorageError(
                f"{path}: {error.strerror}",
                "a folder for locks that can be written",
                "set XDG_STATE_HOME to a writable folder",
            ) from error
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
            os.close(descriptor)
            if holder in (str(os.getpid()), os.environ.get(LOCK_HOLDER_VARIABLE)):
                return  # the same campaign: this process, or the runner that started it
            raise DeviceError(
                f"station {settings.station.name!r} is in use by process {holder}",
                "one campaign a station",
                f"wait until process {holder} has ended, or stop it",
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        """Give the station to others."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> StationLock:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
