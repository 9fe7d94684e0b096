"""What a finished run holds for a diagnosis: telemetry, results, logs."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from v2glab.diagnosis import CertificateSeen, DeratingLogged, LogReport, Observations
from v2glab.evidence import InputError, Quantity, Result

if TYPE_CHECKING:
    from v2glab.campaigns import RunFolder
    from v2glab.station import Site

#: The procedure that heats the sink and lowers its limit on purpose, and what it disturbs by that.
_HEATS = "calibrate_thermal"
_HEATED = ("heatsink", "ambient", "heatsink_temperature", "max_temperature", "derating")

Spans = list[tuple[float, float]]


def observations_of(run: RunFolder, station: str | None) -> Observations:
    """Gather readings, certificates and logs of a run.

    What a procedure provoked on purpose is left out: the thermal calibration folds the current back.

    Parameters
    ----------
    station
        Station file whose ratings hold, when the run carries none.

    Raises
    ------
    InputError
        The run cannot be read, or nothing says what the site is rated for.
    """
    from v2glab.procedures._diagnose_logs import read_logs

    results = run.results()
    site = _site(run, station)
    recorded, report = _telemetry(run.folder / "telemetry.parquet")
    heated = _heated(results, recorded)
    readings = [*recorded, *_measured(results)]
    kept = [q for q in readings if not (q.name in _HEATED and _inside(q.time_ns, heated))]
    logs, _ = read_logs({p.stem: p for p in sorted((run.folder / "logs").glob("*.log"))})
    return Observations(
        nominal_frequency_hz=site.nominal_frequency_hz,
        nominal_voltage_v=site.nominal_voltage_v,
        rated_power_w=site.rated_power_w,
        readings=tuple(sorted(kept, key=lambda q: q.time_ns or 0)),
        certificates=_certificates(results),
        logs=(*(_unheated(log, heated) for log in logs), report),
        missing=_missing(results),
    )


def _site(run: RunFolder, station: str | None) -> Site:
    from v2glab.station import find_station, load_station

    own = run.folder / "station.toml"
    if station is not None:
        return load_station(find_station(station)).site
    if own.is_file():
        return load_station(own).site
    recorded = run.record["station"]
    try:
        return load_station(find_station(str(recorded["name"]))).site
    except InputError as error:
        raise InputError(
            f"{run.folder.name} carries no station file, and there is no station {recorded['name']!r} here",
            "the ratings of its site",
            "name its station file with --station",
        ) from error


def _telemetry(path: Path) -> tuple[list[Quantity], LogReport]:
    """Return what instruments showed, and how many rows made no quantity."""
    import pandas as pd

    try:
        table = pd.read_parquet(path)
        rows: list[dict[str, Any]] = table[list(_COLUMNS)].to_dict("records")  # type: ignore[assignment]
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{path}: {error}", "the telemetry of a run", "name a whole run") from error
    found: list[Quantity] = []
    for row in rows:
        with contextlib.suppress(InputError, TypeError, ValueError):
            found.append(_quantity(row, int(row["time_ns"])))
    damaged = len(rows) - len(found)
    return found, LogReport(path.name, len(rows), (), {"damaged row": damaged} if damaged else {})


_COLUMNS = ("time_ns", "name", "value", "unit", "uncertainty", "instrument", "certificate")


def _quantity(row: dict[str, Any], time_ns: int) -> Quantity:
    spread = row["uncertainty"]
    known = spread is not None and math.isfinite(spread)
    return Quantity(
        str(row["name"]),
        float(row["value"]),
        str(row["unit"]),
        float(spread) if known else None,
        "" if known else "the record holds none",
        time_ns=time_ns,
        instrument=str(row["instrument"]),
        certificate=str(row["certificate"] or ""),
    )


def _measured(results: dict[str, Result]) -> Iterator[Quantity]:
    """Yield what procedures computed from the oscilloscope, which the telemetry does not hold."""
    for result in results.values():
        yield from (q for q in result.quantities if q.name == "grid_frequency" and q.instrument == "scope")
    diagnosed = results.get("diagnose_faults")
    if diagnosed is None or "readings" not in diagnosed.tables:
        return
    rows: list[dict[str, Any]] = diagnosed.tables["readings"].to_dict("records")  # type: ignore[assignment]
    for row in rows:
        yield _quantity(row, diagnosed.start_ns + round(row["time_s"] * 1e9))


def _heated(results: dict[str, Result], recorded: list[Quantity]) -> Spans:
    """Return when the sink was heated on purpose: from the start of the calibration to that of the next.

    A calibration that failed left no result: then nothing counts after the limit was first moved.
    """
    from v2glab.procedures import NAMES, load_procedure

    at_station = [n for n in results if n in NAMES and load_procedure(n).needs_station]
    starts = sorted(results[name].start_ns for name in at_station)
    if _HEATS not in results:
        limits = [q for q in recorded if q.name == "max_temperature"]
        moved = next((q.time_ns for q in limits if q.value != limits[0].value), None)
        return [] if moved is None else [(moved, math.inf)]
    start = results[_HEATS].start_ns
    return [(start, next((s for s in starts if s > start), math.inf))]


def _inside(time_ns: int | None, spans: Spans) -> bool:
    return any(start <= (time_ns or 0) < end for start, end in spans)


def _unheated(log: LogReport, heated: Spans) -> LogReport:
    kept = tuple(
        e for e in log.events if not (isinstance(e, DeratingLogged) and _inside(e.line.time_ns, heated))
    )
    return replace(log, events=kept)


def _certificates(results: dict[str, Result]) -> tuple[CertificateSeen, ...]:
    """Return what a diagnosis within the run saw of the certificates; a run keeps no keys or certificates."""
    diagnosed = results.get("diagnose_faults")
    entries = diagnosed.facts.get("certificates", []) if diagnosed is not None else []
    try:
        return tuple(
            CertificateSeen(
                str(e["role"]), str(e["subject"]), str(e["not_after"]), tuple(map(str, e["problems"]))
            )
            for e in entries
        )
    except (KeyError, TypeError) as error:
        raise InputError(
            f"certificates of diagnose_faults: {error}", "the facts of a diagnosis", "name a whole run"
        ) from error


def _missing(results: dict[str, Result]) -> dict[str, str]:
    names = ("charger", "scope", "analyser", "meter", "heatsink")
    missing = dict.fromkeys(names, "not read enough in this run")
    missing["ocpp"] = "the logs of this run show no connection"
    diagnosed = results.get("diagnose_faults")
    stored = diagnosed.facts.get("missing", {}) if diagnosed is not None else {}
    return missing | ({str(k): str(v) for k, v in stored.items()} if isinstance(stored, dict) else {})
