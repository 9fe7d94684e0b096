"""What the figures of a conformity suite draw, as plain columns: tests, verdicts, samples.

Samples and verdicts of all tests stand one below the other; a test names its first and last row of both. So
one figure can show any test, and a page holds each number once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from v2glab.evidence import Outcome, Result, UsageError, Verdict
from v2glab.gridcodes.conformity import TIME, Place, place_of
from v2glab.views._numbers import SYMBOL, limit_text
from v2glab.views._tables import verdict_row

if TYPE_CHECKING:
    import pandas as pd

Columns = dict[str, Any]
OUTCOME_COLOUR = {
    "pass": "#1b6b3a",
    "fail": "#a4161a",
    "inconclusive": "#8a5a00",
    "not applicable": "#5b6675",
}
SAMPLES = ("time_s", "v_least_pu", "v_greatest_pu", "f_hz", "p_pu", "q_pu", "i_pu", "connected")
#: Channels of the response, with their colours; bands are tinted likewise.
RESPONSE = {"p": "#1f5fa8", "q": "#c2571a", "i": "#6b4c9a"}
#: Share of its limit beyond which a verdict is drawn at the edge, in percent.
MOST_PERCENT = 200.0
_NONE = float("nan")


@dataclass(frozen=True)
class SuiteColumns:
    """Columns by name, all of one length in each of the three."""

    tests: Columns
    verdicts: Columns
    samples: Columns

    def row(self, place: int) -> dict[str, Any]:
        """Return one test."""
        return {name: values[place] for name, values in self.tests.items()}


def suite_columns(result: Result, only: str = "") -> SuiteColumns:
    """Return the columns of a result, or of one of its tests.

    Raises
    ------
    UsageError
        There is no such test.
    """
    tests, samples = result.tables["tests"], result.tables["samples"]
    owner = result.tables["verdicts"]["test"].astype(str).to_numpy()
    if only:
        tests = tests[tests["test"] == only]
        if tests.empty:
            raise UsageError(f"test {only!r}", "a test of this run", "see the table of tests")
    rows = samples.groupby("test", observed=True).indices
    out = SuiteColumns({}, {}, {})
    drawn: list[np.ndarray] = []
    for row in tests.to_dict("records"):
        part = np.asarray(rows.get(row["test"], ()), dtype=np.intp)
        verdicts = [result.verdicts[k] for k in np.flatnonzero(owner == row["test"])]
        _add_test(out, row, samples.iloc[part], verdicts)
        drawn.append(part)
    picked = samples.iloc[np.concatenate(drawn)] if drawn else samples.iloc[:0]
    return SuiteColumns(_packed(out.tests), _packed(out.verdicts), _samples(picked))


def _samples(rows: pd.DataFrame) -> Columns:
    volts = rows[["v_a_pu", "v_b_pu", "v_c_pu"]].to_numpy()
    columns = {"v_least_pu": volts.min(axis=1), "v_greatest_pu": volts.max(axis=1)}
    columns |= {n: rows[n].to_numpy() for n in SAMPLES if n not in columns}
    # Single precision draws alike and halves the page.
    return {name: np.asarray(columns[name], dtype=np.float32) for name in SAMPLES}


def _add_test(out: SuiteColumns, row: dict[Any, Any], rows: pd.DataFrame, verdicts: list[Verdict]) -> None:
    """Append one test and its verdicts."""
    seen = _samples(rows)
    ranges = _ranges(seen)
    first = (_length(out.tests, "last_sample"), _length(out.verdicts))
    family, _, name = row["test"].partition(".")
    known = sum(1 for f in out.tests.get("family", ()) if f == family)
    entry = {
        "test": row["test"],
        "family": family,
        "name": name,
        "place": known,
        "outcome": row["outcome"],
        "colour": OUTCOME_COLOUR.get(row["outcome"], "#222222"),
        "symbol": SYMBOL[Outcome(row["outcome"])],
        "heading": f"{SYMBOL[Outcome(row['outcome'])]} {row['outcome']}: {row['title']}",
        "clause": row["clause"],
        "reason": row["reason"],
        "first_sample": first[0],
        "last_sample": first[0] + len(rows),
        "first_verdict": first[1],
        "last_verdict": first[1] + len(verdicts),
        **ranges,
    }
    _append(out.tests, entry)
    for place, verdict in enumerate(verdicts):
        _append(out.verdicts, _verdict(row["test"], place, verdict, ranges))


def _verdict(test: str, place: int, verdict: Verdict, ranges: dict[str, float]) -> dict[str, Any]:
    criterion = verdict.criterion
    cells = verdict_row(verdict)
    share, spread = _share(verdict)
    name = criterion.id.rpartition(f".{test}.")[2]
    return {
        "row": f"{place + 1}  {name}",
        "title": criterion.title,
        "rule": criterion.rule,
        "limit": limit_text(criterion),
        "value": f"{cells['value']} ± {cells['U']}" if verdict.quantity else "–",
        "outcome": cells["outcome"],
        "reason": cells["reason"],
        "colour": OUTCOME_COLOUR[cells["outcome"]],
        "share": min(share, MOST_PERCENT),
        "low": max(share - spread, 0.0),
        "high": min(share + spread, MOST_PERCENT),
        **_band(verdict, place_of(verdict), ranges),
    }


def _share(verdict: Verdict) -> tuple[float, float]:
    """Return how much of its limit a value uses, and its expanded uncertainty, both in percent.

    0 is the middle of a band, 100 its edge. With one bound only it is value over bound, or bound over value.
    """
    c, quantity = verdict.criterion, verdict.quantity
    if quantity is None:
        return _NONE, _NONE
    spread = verdict.expanded_uncertainty or 0.0
    if c.lower is not None and c.upper is not None and c.upper > c.lower:
        half = (c.upper - c.lower) / 2
        return 100 * abs(quantity.value - (c.lower + c.upper) / 2) / half, 100 * spread / half
    if c.upper:
        return 100 * abs(quantity.value / c.upper), 100 * spread / abs(c.upper)
    if c.lower and quantity.value > 0:
        share = 100 * c.lower / quantity.value
        return share, share * spread / quantity.value
    return _NONE, _NONE


def _band(verdict: Verdict, place: Place | None, ranges: dict[str, float]) -> dict[str, Any]:
    """Return where the limits stand in the response: across it for a value, along it for a duration."""
    empty = dict.fromkeys(("left", "right", "bottom", "top"), _NONE) | {"tint": "#ffffff"}
    c = verdict.criterion
    if place is None or (place.channel != TIME and place.channel not in RESPONSE):
        return empty
    bottom, top = ranges["y_low"], ranges["y_high"]
    if place.channel == TIME:
        end = ranges["t_high"]
        left = place.start_s + (c.lower or 0.0)
        right = end if c.upper is None else min(end, place.start_s + c.upper)
        return {"left": left, "right": max(left, right), "bottom": bottom, "top": top, "tint": "#5b6675"}
    lower = bottom if c.lower is None else max(bottom, c.lower * place.per)
    upper = top if c.upper is None else min(top, c.upper * place.per)
    return {
        "left": place.start_s,
        "right": place.stop_s,
        "bottom": min(lower, top),
        "top": max(upper, bottom),
        "tint": RESPONSE[place.channel],
    }


def _ranges(seen: Columns) -> dict[str, float]:
    """Return the ends of every axis of a test."""
    if not seen["time_s"].size:
        return {"t_low": 0.0, "t_high": 1.0, "v_low": 0.0, "v_high": 1.2} | {
            "f_low": 59.0,
            "f_high": 61.0,
            "y_low": -0.1,
            "y_high": 1.1,
        }
    power = np.concatenate([seen[f"{c}_pu"] for c in RESPONSE] + [np.array([0.0])])
    out = {"t_low": float(seen["time_s"][0]), "t_high": float(seen["time_s"][-1])}
    volts = np.concatenate([seen["v_least_pu"], seen["v_greatest_pu"]])
    for name, values, least in (("v", volts, 0.1), ("f", seen["f_hz"], 0.2), ("y", power, 0.4)):
        low, high = float(np.nanmin(values)), float(np.nanmax(values))
        pad = max(0.1 * (high - low), (least - (high - low)) / 2)
        out |= {f"{name}_low": low - pad, f"{name}_high": high + pad}
    return out


def _append(columns: Columns, entry: dict[str, Any]) -> None:
    for name, value in entry.items():
        columns.setdefault(name, []).append(value)


def _packed(columns: Columns) -> Columns:
    """Return numbers as arrays, which travel into the page as bytes."""
    return {n: v if v and isinstance(v[0], str) else np.asarray(v) for n, v in columns.items()}


def _length(columns: Columns, last: str = "") -> int:
    """Return how many rows there are, or the last entry of a column that counts rows elsewhere."""
    if last:
        ends = columns.get(last)
        return int(ends[-1]) if ends else 0
    return len(next(iter(columns.values()), ()))
