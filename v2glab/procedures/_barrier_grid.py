"""Read recorded grid events and measured latencies, and set the rules that they speak of."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from v2glab.barriers import (
    Catalogue,
    EventLoss,
    GridEvent,
    Transformation,
    WithinLimit,
    handshake_delay,
    parse_limits,
    reconnection_wait,
    replay,
    telemetry_share,
    trips_rule,
    within_limits,
)
from v2glab.evidence import InputError, read_toml
from v2glab.gridcodes import load_code
from v2glab.procedures._barrier_files import read_text
from v2glab.resources import find_data

_KINDS = ("activation", "telemetry", "handshake", "command")
_STRICT = ConfigDict(frozen=True, extra="forbid")


class _Events(BaseModel):
    """A file of grid events: which code they are held against, and how long they were watched for."""

    model_config = _STRICT

    code: str
    category: str
    observed_days: float = Field(gt=0, le=36_500)
    trips: Literal["may", "must"] = "must"
    recordings: tuple[str, ...] = Field(min_length=1)


@dataclass(frozen=True)
class GridEvidence:
    """What recordings of the grid and measured latencies say."""

    losses: tuple[EventLoss, ...] = ()
    within: tuple[WithinLimit, ...] = ()
    samples: dict[str, NDArray[np.float64]] = field(default_factory=dict)


def set_from_grid(
    rules: dict[str, Transformation],
    catalogue: Catalogue,
    events: str,
    latencies: str,
    measured: Mapping[str, NDArray[np.float64]] | None = None,
) -> tuple[dict[str, Transformation], GridEvidence]:
    """Return the rules with what the files say in place, and the evidence; empty names read nothing.

    Latencies that a run measured are held against the markets' limits unless the file has the same kind.
    Events set ``ride_through_window`` (trips a year) and ``anti_islanding`` (wait before export), latencies
    ``handshake_latency``; all three join the rules. Telemetry sets ``telemetry_resolution`` where that is one
    of the rules.

    Raises
    ------
    InputError
        A file is wrong.
    """
    out = dict(rules)
    losses: list[EventLoss] = []
    samples = dict(measured or {})
    if events:
        path = Path(events)
        settings, recorded = _read_events(path)
        code = load_code(settings.code)
        losses = replay(code, settings.category, recorded)
        own = _own(out, catalogue, "ride_through_window")
        out["ride_through_window"] = trips_rule(
            losses, settings.observed_days, own, most=settings.trips == "may"
        )
        wait, clause = reconnection_wait(code, settings.category)
        own = _own(out, catalogue, "anti_islanding")
        out["anti_islanding"] = own.model_copy(
            update={"value": wait, "uncertainty": 0.0, "value_source": f"default of {clause}"}
        )
    if latencies:
        listed = parse_latencies(read_text(Path(latencies)), Path(latencies).name)
        samples |= listed
        if "handshake" in listed:
            own = _own(out, catalogue, "handshake_latency")
            out["handshake_latency"] = handshake_delay(listed, own, Path(latencies).name)
    limits = find_data("datasets", "barriers", "market_limits", "limits.toml")
    within = within_limits(samples, parse_limits(read_toml(limits), limits.name)) if samples else []
    if "telemetry_resolution" in out:
        out["telemetry_resolution"] = telemetry_share(within, out["telemetry_resolution"])
    return out, GridEvidence(tuple(losses), tuple(within), samples)


def _own(rules: dict[str, Transformation], catalogue: Catalogue, name: str) -> Transformation:
    if name in rules:
        return rules[name]
    return catalogue.select(name)[name]


def _read_events(path: Path) -> tuple[_Events, list[GridEvent]]:
    try:
        settings = _Events.model_validate(read_toml(path))
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise InputError(
            f"{path.name}: {faults}", "code, category, observed_days and recordings", "mend the file"
        ) from error
    recorded = [parse_event(read_text(path.parent / name), name) for name in settings.recordings]
    return settings, recorded


def parse_event(text: str, where: str) -> GridEvent:
    """Parse a recording: columns ``time`` (s), ``voltage`` (p.u.) and, when there, ``frequency`` (Hz).

    Cells are separated by ``;`` or ``,``.

    Raises
    ------
    InputError
        A column is missing, a cell is no number, or there are fewer than two rows; with the row.
    """
    first = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text), delimiter=";" if ";" in first else ",")
    header = [cell.strip().lower() for cell in next(reader, [])]
    if "time" not in header or "voltage" not in header:
        raise InputError(f"{where}, row 1: columns {header}", "time and voltage", "rename the columns")
    names = [name for name in ("time", "voltage", "frequency") if name in header]
    rows: list[list[float]] = []
    for row, cells in enumerate(reader, start=2):
        if not cells:
            continue
        try:
            numbers = [float(cells[header.index(name)]) for name in names]
        except (ValueError, IndexError) as error:
            raise InputError(f"{where}, row {row}: {cells}", "numbers", "mend the row") from error
        if not np.isfinite(numbers).all():
            raise InputError(f"{where}, row {row}: {cells}", "finite numbers", "mend the row")
        rows.append(numbers)
    if len(rows) < 2:
        raise InputError(f"{where}: {len(rows)} samples", "at least two", "complete the recording")
    columns = np.array(rows).T
    return GridEvent(where, columns[0], columns[1], columns[2] if len(names) == 3 else None)


def parse_latencies(text: str, where: str) -> dict[str, NDArray[np.float64]]:
    """Parse ``kind,latency_s``: one measured latency a row.

    Raises
    ------
    InputError
        A kind is unknown, or a latency is no number from 0 to a day; with the row.
    """
    reader = csv.reader(io.StringIO(text))
    header = [cell.strip() for cell in next(reader, [])]
    if header != ["kind", "latency_s"]:
        raise InputError(f"{where}, row 1: columns {header}", "kind,latency_s", "rename the columns")
    found: dict[str, list[float]] = {}
    for row, cells in enumerate(reader, start=2):
        if not cells:
            continue
        try:
            kind, value = cells[0].strip(), float(cells[1])
        except (ValueError, IndexError) as error:
            raise InputError(f"{where}, row {row}: {cells}", "a kind and seconds", "mend the row") from error
        if len(cells) != 2 or kind not in _KINDS or not 0 <= value <= 86_400:
            raise InputError(
                f"{where}, row {row}: {cells}",
                f"one of {', '.join(_KINDS)}, and 0 to 86400 s",
                "mend the row",
            )
        found.setdefault(kind, []).append(value)
    if not found:
        raise InputError(f"{where}: no latency", "at least one row", "complete the file")
    return {kind: np.array(values) for kind, values in found.items()}
