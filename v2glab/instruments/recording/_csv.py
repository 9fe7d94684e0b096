"""CSV with a sidecar."""

from __future__ import annotations

import numpy as np

from v2glab.evidence import InputError
from v2glab.instruments.recording._comtrade import decode_text
from v2glab.instruments.recording._model import Array
from v2glab.instruments.recording._sidecar import TIME_UNITS, Sidecar

MISSING = {"", "nan", "na", "n/a", "null", "none", "-"}


def columns_of(data: bytes, delimiter: str) -> list[str]:
    """Return the names in the first line."""
    first = decode_text(data[:100_000]).split("\n", 1)[0].strip("\r")
    return [name.strip().strip('"') for name in first.split(delimiter)]


def parse_csv(data: bytes, sidecar: Sidecar) -> tuple[Array, Array, int]:
    """Return time since the first sample (K,), values as written (C, K) with NaN where missing, and start in
    ns.

    Raises
    ------
    InputError
        A column is missing, a line has the wrong number of fields, a number or time is not one.
    """
    head = sidecar.recording
    names = columns_of(data, head.delimiter)
    lines = [line for line in decode_text(data).splitlines()[1:] if line.strip()]
    if len(lines) < 2:
        raise InputError(f"{len(lines)} lines of data", "two or more", "check the file")
    rows = [line.split(head.delimiter) for line in lines]
    wrong = next((i for i, row in enumerate(rows) if len(row) != len(names)), None)
    if wrong is not None:
        raise InputError(
            f"line {wrong + 2} with {len(rows[wrong])} fields", f"{len(names)}", "mend that line"
        )
    values = np.array([_numbers(rows, _index(names, c.column), head.decimal) for c in sidecar.channel])
    time, start_ns = _time(rows, names, sidecar)
    return time, values, start_ns


def _index(names: list[str], column: str) -> int:
    found = [i for i, name in enumerate(names) if name == column]
    if len(found) != 1:
        raise InputError(
            f"{len(found)} columns named {column!r}", f"one of: {', '.join(names)}", "correct the sidecar"
        )
    return found[0]


def _numbers(rows: list[list[str]], column: int, decimal: str) -> list[float]:
    out = []
    for line, row in enumerate(rows, start=2):
        text = row[column].strip().strip('"')
        if text.lower() in MISSING:
            out.append(np.nan)
            continue
        try:
            value = float(text.replace(",", ".") if decimal == "," else text)
        except ValueError as error:
            raise InputError(f"line {line}: {text[:30]!r}", "a number", "mend that line") from error
        out.append(value if np.isfinite(value) else np.nan)
    return out


def _time(rows: list[list[str]], names: list[str], sidecar: Sidecar) -> tuple[Array, int]:
    axis = sidecar.time
    if axis is None:
        raise InputError(
            "a CSV recording without [time]", "column and unit, or rate_hz", "add it to the sidecar"
        )
    start_ns = int(_moments([axis.start])[0]) if axis.start else 0
    if axis.rate_hz is not None:
        return np.arange(len(rows)) / axis.rate_hz, start_ns
    column = _index(names, axis.column or "")
    if axis.unit == "iso8601":
        moments = _moments([row[column].strip().strip('"') for row in rows])
        return (moments - moments[0]) * 1e-9, int(moments[0])
    seconds = np.array(_numbers(rows, column, sidecar.recording.decimal)) * TIME_UNITS[axis.unit]
    if not np.isfinite(seconds).all():
        raise InputError("a time stamp without a value", "a time on every line", "mend the time column")
    return seconds - seconds[0], start_ns


def _moments(texts: list[str]) -> np.ndarray:
    """Return ISO 8601 times as integer nanoseconds UTC; a time without zone counts as UTC."""
    import pandas as pd

    try:
        moments = pd.to_datetime(texts, utc=True, format="ISO8601").as_unit("ns")
    except (ValueError, TypeError, OverflowError) as error:
        raise InputError(f"time column: {error}", "ISO 8601 times", "correct unit or column") from error
    if moments.isna().any():
        raise InputError("a time stamp without a value", "a time on every line", "mend the time column")
    return moments.asi8
