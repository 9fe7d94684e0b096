"""Plants made ready for the kernel: rows, states, timelines, and the chunks in which they run."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeGuard, cast

import numpy as np
from numpy.typing import NDArray

from v2glab.evidence import InputError
from v2glab.gridcodes.der._pack import pack, settled
from v2glab.gridcodes.der._places import BINS, STATES, U, X
from v2glab.gridcodes.der._places_settings import P
from v2glab.gridcodes.der._segment import GridSegment, SettingsChange
from v2glab.gridcodes.der._settings import DerSettings
from v2glab.gridcodes.der._timeline import Grid, from_segments, from_table

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
Index = NDArray[np.int64]


@dataclass
class Fleet:
    """Everything the kernel needs; ``x`` and ``cursor`` move on as it runs."""

    x: Array
    cursor: Index
    grid: Array
    spans: Index
    settings: Array
    rows: Index
    due: Array
    step_s: Array
    samples: Index
    ring: Array

    def chunks(self, rows: int) -> Iterator[tuple[slice, Index, Index]]:
        """Yield which devices run which samples: whole devices while they fit, else a device in parts."""
        device, total = 0, len(self.x)
        while device < total:
            stop, size = device, 0
            while stop < total and size + self.samples[stop] <= rows:
                size += int(self.samples[stop])
                stop += 1
            if stop > device:
                yield slice(device, stop), np.ones(stop - device, np.int64), self.samples[device:stop]
            else:
                stop = device + 1
                for first in range(1, int(self.samples[device]) + 1, rows):
                    count = min(rows, int(self.samples[device]) + 1 - first)
                    yield slice(device, stop), np.array([first]), np.array([count])
            device = stop

    def run(self, part: slice, first: Index, count: Index) -> tuple[Array, NDArray[np.int8]]:
        """Run a chunk; return p, q, soc and trip time, shape (4, samples), and status."""
        from v2glab.gridcodes.der._kernel import run

        size = int(count.sum())
        out, status = np.empty((4, size)), np.empty(size, np.int8)
        run(
            self.x[part], self.cursor[part], self.grid, self.spans[part], self.settings, self.rows[part],
            self.due, first, np.ascontiguousarray(count), np.zeros(len(U)), self.ring[part], out, status,
        )  # fmt: skip
        return out, status


def fresh_state(row: Array, settings: DerSettings, *, running: bool, seed: int) -> Array:
    """Return the state of a plant before its first step."""
    x = np.zeros(STATES)
    x[X.TRIP_SINCE :] = math.inf
    for at in (X.ES_SINCE, X.MC_SINCE, X.CEASE_SINCE, X.LOW_SINCE, X.HIGH_SINCE, X.UNDER_SINCE, X.OVER_SINCE,
               X.TRIP_AT, X.CTRL_BACK_SINCE):  # fmt: skip
        x[at] = math.inf
    x[X.TRIP_TIME] = math.nan
    x[X.MEAN_SINCE] = math.inf
    x[X.CALM_SINCE] = -math.inf
    x[X.TRIPPED] = not running
    x[X.ES_DONE] = running
    x[X.ES_RAMP] = 1.1 if running else 0.0
    x[X.LIMIT] = row[P.LIMIT] if row[P.LIMIT_ENABLED] > 0.5 else 1.0
    x[X.UNDER] = x[X.OVER] = 1.0
    x[X.SOC] = settings.soc.initial
    x[X.RANDOM] = float(seed)
    x[X.ES_RANDOM_S] = row[P.ES_RANDOM] * seed / 2147483647.0
    return x


def _seeds(seed: int, count: int) -> Index:
    if seed < 0:
        raise InputError(f"seed = {seed}", "a number from 0 up", "choose another seed")
    return np.random.default_rng(seed).integers(1, 2147483647, count)


def _steps(step_s: float | Sequence[float], count: int, duration_s: float) -> tuple[Array, Index]:
    steps = np.asarray(step_s, dtype=np.float64)
    steps = np.full(count, steps) if steps.ndim == 0 else steps
    if steps.shape != (count,) or not np.all((steps > 0.0) & (steps <= 1e6)):
        raise InputError(
            f"step_s = {step_s!r:.60}", f"a positive number of seconds, or {count} of them", "mend it"
        )
    if not (0.0 < duration_s <= 1e9):
        raise InputError(f"duration_s = {duration_s}", "a positive number of seconds", "mend it")
    samples = np.floor(duration_s / steps * (1.0 + 1e-12) + 1e-9).astype(np.int64)
    if np.any(samples < 1):
        raise InputError(f"duration_s = {duration_s}", "at least one step", "run longer or step finer")
    return steps, samples


def build(
    settings: DerSettings | Sequence[DerSettings],
    events: pd.DataFrame | Sequence[GridSegment],
    *,
    duration_s: float,
    step_s: float | Sequence[float],
    seed: int,
    running: bool,
    compatible: bool,
    changes: Sequence[SettingsChange],
) -> Fleet:
    """Judge all inputs and make plants ready.

    Raises
    ------
    InputError
        An input is not possible.
    """
    plants = [settings] if isinstance(settings, DerSettings) else list(settings)
    if not plants or not all(isinstance(p, DerSettings) for p in plants):
        raise InputError(f"settings = {settings!r:.60}", "DerSettings, one or more", "use settings_for")
    steps, samples = _steps(step_s, len(plants), duration_s)
    seeds = _seeds(seed, len(plants))
    table: list[Array] = []
    due: list[float] = []
    rows, states = np.zeros((len(plants), 2), np.int64), np.zeros((len(plants), STATES))
    known: dict[tuple[int, float], Array] = {}
    for d, plant in enumerate(plants):
        width = float(steps[d])
        key = (id(plant), width)
        row = (
            known.setdefault(key, pack(plant, width, compatible=compatible))
            if key not in known
            else known[key]
        )
        mine = [(-math.inf, settled(row)), (1.5 * width, row)]
        mine += _due(plant, changes, d, width, compatible=compatible)
        rows[d] = len(table), len(table) + len(mine) - 1
        table += [r for _, r in mine]
        due += [t for t, _ in mine]
        states[d] = fresh_state(row, plant, running=running, seed=int(seeds[d]))
    grid, spans = _timelines(plants, events)
    cursor = np.stack([spans[:, 0], rows[:, 0]], axis=1).copy()
    all_rows = np.array(table)
    bins = BINS if np.any(all_rows[:, P.MEAN_WINDOW] > 0.0) else 0
    ring = np.zeros((len(plants), bins))
    return Fleet(states, cursor, grid, spans, all_rows, rows, np.array(due), steps, samples, ring)


def _due(
    plant: DerSettings, changes: Sequence[SettingsChange], device: int, width: float, *, compatible: bool
) -> list[tuple[float, Array]]:
    """Return when which changed settings take effect: after the execution delay of those in force."""
    effective: list[tuple[float, Array]] = []
    now = plant
    for change in sorted((c for c in changes if c.device in (None, device)), key=lambda c: c.time_s):
        if not (0.0 <= change.time_s < math.inf):
            raise InputError(f"change at {change.time_s} s", "a time from 0 up", "mend the time")
        at = max(change.time_s + now.execution_delay_s, 1.5 * width, effective[-1][0] if effective else 0.0)
        effective.append((at, pack(change.settings, width, compatible=compatible)))
        now = change.settings
    return effective


def _timelines(plants: list[DerSettings], events: pd.DataFrame | Sequence[GridSegment]) -> tuple[Grid, Index]:
    """Return all stretches and which belong to each plant; plants alike share them."""
    spans = np.zeros((len(plants), 2), np.int64)
    parts: list[Grid] = []
    known: dict[tuple[float, float, int, int], tuple[int, int]] = {}
    for d, plant in enumerate(plants):
        plate = plant.nameplate
        own = d if _is_table(events) and "device" in events.columns else -1
        key = (plate.f_nominal_hz, plate.p_charge_max_w / plate.p_max_w, plate.phases, own)
        if key not in known:
            part = _timeline(plant, events, d)
            start = sum(len(p) for p in parts)
            parts.append(part)
            known[key] = (start, start + len(part) - 1)
        spans[d] = known[key]
    return np.vstack(parts), spans


def _is_table(events: pd.DataFrame | Sequence[GridSegment]) -> TypeGuard[pd.DataFrame]:
    return hasattr(events, "columns")


def _timeline(plant: DerSettings, events: pd.DataFrame | Sequence[GridSegment], device: int) -> Grid:
    if not _is_table(events):
        return from_segments(cast("Sequence[GridSegment]", events), plant)
    if "device" in events.columns:
        mine = events[events["device"] == device]
        if not len(mine):
            raise InputError(f"no events of device {device}", "events of every device", "add them")
        return from_table(mine, plant)
    return from_table(events, plant)
