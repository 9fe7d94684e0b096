"""Open a station: find its file, start or join its twin, take its lock."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from v2glab.evidence import NullRecorder, Recorder, UsageError, storing
from v2glab.station._load import find_station, load_station
from v2glab.station._lock import StationLock
from v2glab.station._settings import Clock, StationFile
from v2glab.station._station import Station
from v2glab.station._twin_process import TwinProcess


def open_station(
    source: str | Path = "twin",
    *,
    approve_energise: bool = False,
    clock: Clock | None = None,
    seed: int | None = None,
    faults: Sequence[str] = (),
    recorder: Recorder | None = None,
    work_dir: Path | None = None,
) -> Station:
    """Open a station: start or join its twin, or connect to the live one.

    Parameters
    ----------
    source
        Name of a file in ``drivers/stations``, or a path. A resolved file joins the twin that wrote it.
    approve_energise
        Allows writing to a live station; without it, it is only read.
    clock
        ``"lockstep"`` or ``"realtime"``; the station file's own when not given.
    seed, faults
        For a twin that is started here.
    recorder
        Receives frames and quantities.
    work_dir
        Folder for the twin's files and the guardian's log; a temporary one when not given.

    Raises
    ------
    InputError, UsageError
        File or arguments are wrong; nothing was opened.
    DeviceError
        The station is in use, the twin does not start, or a device cannot be reached.
    """
    path = find_station(source)
    settings = load_station(path)
    mode = _mode(settings, clock, faults, seed)
    with ExitStack() as stack:
        with storing("the station's work folder"):
            folder = work_dir or Path(tempfile.mkdtemp(prefix="v2glab-station-"))
            folder.mkdir(parents=True, exist_ok=True)
        if work_dir is None:
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
        if settings.twin is not None and settings.twin.control is None:
            chosen = settings.twin.seed if seed is None else seed
            all_faults = tuple(dict.fromkeys((*settings.twin.faults, *faults)))
            twin = TwinProcess(path, folder, clock=mode, seed=chosen, faults=all_faults)
            stack.callback(twin.stop)
            path = twin.resolved
            settings = load_station(path)
        exclusive = approve_energise or settings.station.kind == "twin"
        stack.callback(StationLock(settings, exclusive=exclusive).release)
        station = Station(
            path,
            settings,
            approved=approve_energise,
            clock=mode,
            recorder=recorder or NullRecorder(),
            work_dir=folder,
        )
        _check_mode(station, mode)
        station.close_with(stack.pop_all())
        return station


def _mode(settings: StationFile, clock: Clock | None, faults: Sequence[str], seed: int | None) -> Clock:
    live = settings.station.kind == "live"
    if live and (faults or seed is not None or clock == "lockstep"):
        raise UsageError(
            f"seed, faults or lockstep for the live station {settings.station.name!r}",
            "none of them: they belong to the twin",
            "leave them out, or use --station twin",
        )
    joined = settings.twin is not None and settings.twin.control is not None
    if joined and (faults or seed is not None):
        raise UsageError(
            "seed or faults for a twin that is under way",
            "none of them: they are given when the twin starts",
            "leave them out, or start another twin",
        )
    return clock or settings.station.clock


def _check_mode(station: Station, mode: Clock) -> None:
    """Refuse to treat a twin under way as what it is not; close the station in that case."""
    if station.kind == "live":
        return
    found = station.rpc("clock.now").get("mode", mode)
    if found != mode:
        station.close()
        raise UsageError(f"the twin runs in {found}", f"clock = {mode!r}", "open it with its own clock")
