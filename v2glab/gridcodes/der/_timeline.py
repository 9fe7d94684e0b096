"""From events to the kernel's stretches; every input is judged here before anything runs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from v2glab.evidence import InputError
from v2glab.gridcodes.der._places import G
from v2glab.gridcodes.der._segment import GridSegment, PerPhase
from v2glab.gridcodes.der._settings import DerSettings

if TYPE_CHECKING:
    import pandas as pd

Grid = NDArray[np.float64]
_NOMINAL = (0.0, -120.0, 120.0)
_STEADY = (G.VA, G.VB, G.VC, G.HZ, G.DEMAND)
_BOUNDS = {
    "v_a_pu": (0.0, 10.0), "v_b_pu": (0.0, 10.0), "v_c_pu": (0.0, 10.0), "f_hz": (1.0, 1000.0),
    "p_demand_pu": (-10.0, 1.0), "p_limit_pu": (-1.0, 1.0), "angle_a_deg": (-720.0, 720.0),
    "angle_b_deg": (-720.0, 720.0), "angle_c_deg": (-720.0, 720.0), "permit_service": (0.0, 1.0),
    "v2g_authorised": (0.0, 1.0), "time_s": (0.0, 1e9), "duration_s": (0.0, 1e9), "jump_deg": (-360.0, 360.0),
}  # fmt: skip


def check(name: str, values: NDArray[np.float64], called: str = "") -> NDArray[np.float64]:
    """Return the values when all are finite and possible.

    Raises
    ------
    InputError
        One is not; its place is named.
    """
    low, high = _BOUNDS[name]
    bad = ~((values >= low) & (values <= high))
    if bad.any():
        at = int(np.argmax(bad))
        raise InputError(
            f"{called or name}[{at}] = {values.flat[at]}",
            f"finite numbers within [{low:g}, {high:g}]",
            f"mend {called or name}",
        )
    return values


def from_segments(segments: Sequence[GridSegment], settings: DerSettings) -> Grid:
    """Return the stretches of a sequence of segments.

    Raises
    ------
    InputError
        There is none, or a value is not possible.
    """
    if not segments:
        raise InputError("no segment", "at least one", "give a GridSegment")
    grid = np.zeros((len(segments), len(G)))
    hertz, start, turned = settings.nameplate.f_nominal_hz, 0.0, 0.0
    angle = 0.0
    for row, s in zip(grid, segments, strict=True):
        end = start + float(check("duration_s", np.array([s.duration_s]))[0])
        turned += s.phase_jump_deg
        angles = tuple(a + turned for a in s.angles_deg or _NOMINAL)
        f0 = hertz if s.f_hz is None else s.f_hz
        v0, v1 = _phases(s.v_pu), _phases(s.v_pu if s.v_end_pu is None else s.v_end_pu)
        demand = s.p_demand_pu if s.p_demand_end_pu is None else s.p_demand_end_pu
        first = np.array([*v0, f0, s.p_demand_pu])
        last = np.array([*v1, f0 if s.f_end_hz is None else s.f_end_hz, demand])
        for name, at in (("v_a_pu", 0), ("v_b_pu", 1), ("v_c_pu", 2), ("f_hz", 3), ("p_demand_pu", 4)):
            check(name, np.array([first[at], last[at]]))
        check("jump_deg", np.array([s.phase_jump_deg]))
        _write(row, start, end, first, last)
        row[G.LIMIT] = (
            1.0 if s.p_limit_pu is None else float(check("p_limit_pu", np.array([s.p_limit_pu]))[0])
        )
        row[G.PERMIT], row[G.AUTHORISED] = bool(s.permit_service), bool(s.v2g_authorised)
        angle = _turn(row, angles, angle, first=start == 0.0 and row is grid[0])
        start = end
    return _finish(grid, settings)


def from_table(table: pd.DataFrame, settings: DerSettings) -> Grid:
    """Return the stretches of a table of events of one device.

    Raises
    ------
    InputError
        A column is unknown or missing, a value is not possible, or time runs backwards.
    """
    known = {*_BOUNDS, "v_pu", "device"} - {"duration_s", "jump_deg"}
    unknown = [c for c in table.columns if c not in known]
    if unknown or "time_s" not in table.columns or not len(table):
        raise InputError(
            f"events with columns {list(table.columns)} and {len(table)} rows",
            f"time_s and any of {', '.join(sorted(known - {'time_s'}))}; at least one row",
            "rename or drop columns",
        )
    time = check("time_s", _numbers(table, "time_s"))
    if np.any(np.diff(time) < 0.0):
        at = int(np.argmax(np.diff(time) < 0.0)) + 1
        raise InputError(
            f"time_s[{at}] = {time[at]} after {time[at - 1]}",
            "time that does not run backwards",
            "sort the events",
        )
    volts = ["v_a_pu", "v_b_pu", "v_c_pu"]
    if "v_pu" not in table.columns and any(c in table.columns for c in volts):
        missing = [c for c in volts if c not in table.columns]
        if missing and settings.nameplate.phases == 3:
            raise InputError(
                f"events without {', '.join(missing)}", "all three phases, or v_pu", "add the phases"
            )
    columns = {c: _column(table, c, settings) for c in sorted(known - {"time_s", "v_pu", "device"})}
    return _rows(time, columns, settings)


def _numbers(table: pd.DataFrame, name: str) -> NDArray[np.float64]:
    try:
        return np.asarray(table[name], dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} with {table[name].dtype}", "numbers", f"mend {name}") from error


def _column(table: pd.DataFrame, name: str, settings: DerSettings) -> NDArray[np.float64]:
    """Return one input, from its own column, that of all phases, or its default."""
    source = name
    if name.startswith("v_") and name.endswith("_pu") and name not in table.columns:
        source = "v_pu" if "v_pu" in table.columns else "v_a_pu"
    if source in table.columns:
        return check(name, _numbers(table, source), source)
    default = {"f_hz": settings.nameplate.f_nominal_hz, "p_demand_pu": 0.0, "angle_a_deg": 0.0,
               "angle_b_deg": _NOMINAL[1], "angle_c_deg": _NOMINAL[2]}.get(name, 1.0)  # fmt: skip
    return np.full(len(table), default)


def _rows(time: NDArray[np.float64], columns: dict[str, NDArray[np.float64]], settings: DerSettings) -> Grid:
    """Make a stretch between every two rows that are apart, and one after the last."""
    steady = [columns[c] for c in ("v_a_pu", "v_b_pu", "v_c_pu", "f_hz", "p_demand_pu")]
    starts = [i for i in range(len(time)) if i + 1 == len(time) or time[i + 1] > time[i]]
    if time[0] > 0.0:
        starts = [-1, *starts]
    grid = np.zeros((len(starts), len(G)))
    angle = 0.0
    for n, (row, i) in enumerate(zip(grid, starts, strict=True)):
        a, b = max(i, 0), i if i + 1 == len(time) else i + 1
        begin, end = (0.0 if i < 0 else time[a]), time[b]
        first = np.array([c[a] for c in steady])
        last = first if i < 0 else np.array([c[b] for c in steady])
        _write(row, begin, end, first, last)
        for name, at in (
            ("p_limit_pu", G.LIMIT),
            ("permit_service", G.PERMIT),
            ("v2g_authorised", G.AUTHORISED),
        ):
            row[at] = columns[name][a]
        angles = (columns["angle_a_deg"][a], columns["angle_b_deg"][a], columns["angle_c_deg"][a])
        angle = _turn(row, angles, angle, first=n == 0)
    return _finish(grid, settings)


def _write(row: Grid, start: float, end: float, first: Grid, last: Grid) -> None:
    row[G.START], row[G.END] = start, end
    slopes = (last - first) / (end - start) if end > start else np.zeros(len(first))
    row[list(_STEADY)] = first
    row[G.VA_SLOPE : G.DEMAND_SLOPE + 1] = slopes
    row[G.CONSTANT] = not slopes.any()


def _turn(row: Grid, angles: Sequence[float], before: float, *, first: bool) -> float:
    """Write the angles and the jump of the positive sequence; return its angle in radians."""
    rad = [math.radians(a) for a in angles]
    row[G.COS_A : G.SIN_C + 1] = [f(a) for a in rad for f in (math.cos, math.sin)]
    a, b, c = rad
    third = 2.0 * math.pi / 3.0
    va, vb, vc = row[G.VA], row[G.VB], row[G.VC]
    re = va * math.cos(a) + vb * math.cos(b + third) + vc * math.cos(c - third)
    im = va * math.sin(a) + vb * math.sin(b + third) + vc * math.sin(c - third)
    now = math.atan2(im, re) if re or im else before
    row[G.JUMP_RAD] = 0.0 if first else math.remainder(now - before, 2.0 * math.pi)
    row[G.BALANCED] = math.isclose(
        math.remainder(b - a + third, 2 * math.pi), 0.0, abs_tol=1e-12
    ) and math.isclose(math.remainder(c - a - third, 2 * math.pi), 0.0, abs_tol=1e-12)
    return now


def _finish(grid: Grid, settings: DerSettings) -> Grid:
    """Let the last value stay, and charging limits count on the rated charging power."""
    plate = settings.nameplate
    tail = grid[-1]
    length = tail[G.END] - tail[G.START]
    if not tail[G.CONSTANT]:
        after = tail.copy()
        after[list(_STEADY)] += tail[G.VA_SLOPE : G.DEMAND_SLOPE + 1] * length
        after[G.VA_SLOPE : G.DEMAND_SLOPE + 1] = 0.0
        after[G.START], after[G.JUMP_RAD], after[G.CONSTANT] = tail[G.END], 0.0, 1.0
        grid = np.vstack([grid, after])
    grid[-1, G.END] = math.inf
    ratio = plate.p_charge_max_w / plate.p_max_w
    grid[:, G.LIMIT] = np.where(grid[:, G.LIMIT] > 0.0, grid[:, G.LIMIT], grid[:, G.LIMIT] * ratio)
    low = float((grid[:, G.DEMAND]).min())
    if low < -ratio - 1e-12:
        raise InputError(
            f"p_demand_pu = {low}", f"at least {-ratio:g}, the rated charging power", "ask for less charging"
        )
    return grid


def _phases(v: PerPhase) -> tuple[float, float, float]:
    return (v, v, v) if isinstance(v, int | float) else v
