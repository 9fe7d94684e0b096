"""Read what a run of the lab measured: its verdicts, quantities and latencies, and which run it was."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from v2glab.evidence import InputError, Quantity, Verdict, read_verdicts


@dataclass(frozen=True)
class LabRun:
    """What a run holds for barriers.

    Attributes
    ----------
    run
        The name of its folder; while the run is under way, words that say so, since it gets its name later.
    sha256
        Of ``verdicts.json``, once the run is sealed; before, empty, since more will be written.
    verdicts, quantities
        By procedure.
    latencies
        Seconds by kind: ``command`` (the station's answers to commands), ``handshake``.
    """

    run: str
    sha256: str
    verdicts: dict[str, list[Verdict]]
    quantities: dict[str, list[Quantity]] = field(default_factory=dict)
    latencies: dict[str, NDArray[np.float64]] = field(default_factory=dict)


def read_run(path: Path) -> LabRun:
    """Read a run folder, or a ``verdicts.json`` with whatever results lie beside it.

    Raises
    ------
    InputError
        There are no verdicts, or a result cannot be read.
    """
    folder = path if path.is_dir() else path.parent
    file = folder / "verdicts.json" if path.is_dir() else path
    verdicts = read_verdicts(file)
    sealed = (folder / "run.json").exists()
    quantities = {p.parent.name: _quantities(p) for p in sorted(folder.glob("results/*/result.json"))}
    return LabRun(
        folder.resolve().name if sealed else "the run that this record belongs to",
        hashlib.sha256(file.read_bytes()).hexdigest() if sealed else "",
        verdicts,
        quantities,
        _latencies(folder, quantities),
    )


def _quantities(path: Path) -> list[Quantity]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return [Quantity.from_json(entry) for entry in document["quantities"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: {error}", "the result of a procedure", "name a whole run") from error


def _latencies(folder: Path, quantities: dict[str, list[Quantity]]) -> dict[str, NDArray[np.float64]]:
    """Return the round trips of every command, and the one handshake, of the conversation over OCPP."""
    import pandas as pd

    found: dict[str, NDArray[np.float64]] = {}
    table = folder / "results" / "connect_ocpp" / "round_trips.parquet"
    if table.exists():
        try:
            trips = pd.read_parquet(table)["round_trip_s"].to_numpy(np.float64)
        except (OSError, ValueError, KeyError) as error:
            raise InputError(f"{table}: {error}", "a table of round trips", "name a whole run") from error
        if trips.size:
            found["command"] = trips[np.isfinite(trips)]
    connect = [q.value for q in quantities.get("connect_ocpp", []) if q.name == "connect_time"]
    if connect:
        found["handshake"] = np.array(connect)
    return found
