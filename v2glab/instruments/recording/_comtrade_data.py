"""COMTRADE data files: ASCII, BINARY, BINARY32 and FLOAT32."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from v2glab.evidence import InputError
from v2glab.instruments.recording._comtrade import ComtradeConfig
from v2glab.instruments.recording._model import Array

CELL = {"binary": "<i2", "binary32": "<i4", "float32": "<f4"}
MISSING_STAMP = 0xFFFFFFFF


@dataclass(frozen=True, eq=False)
class ComtradeData:
    """Sample numbers (K,), time since the first sample (K,), values (A, K) in each channel's unit, NaN where
    missing.
    """

    time_s: Array
    values: Array
    repairs: tuple[str, ...]


def parse_data(config: ComtradeConfig, data: bytes) -> ComtradeData:
    """Parse a data file by its configuration.

    Raises
    ------
    InputError
        The file is empty or truncated, a line has the wrong number of fields, or counts disagree.
    """
    stamps, raw = _ascii(config, data) if config.form == "ascii" else _binary(config, data)
    scale = np.array([c.scale for c in config.analog])[:, None]
    offset = np.array([c.offset for c in config.analog])[:, None]
    with np.errstate(over="ignore", invalid="ignore"):
        values = raw * scale + offset
    values[~np.isfinite(values)] = np.nan
    repairs = _check_count(config, raw.shape[1])
    time, more = _time(config, stamps)
    return ComtradeData(time, values, (*repairs, *more))


def _ascii(config: ComtradeConfig, data: bytes) -> tuple[Array, Array]:
    text = data.replace(b"\x1a", b"").decode("latin-1")
    rows = [line.split(",") for line in text.splitlines() if line.strip()]
    width = 2 + len(config.analog) + config.digital
    wrong = next((i for i, row in enumerate(rows) if len(row) != width), None)
    if wrong is not None:
        raise InputError(
            f"line {wrong + 1} of the data with {len(rows[wrong])} fields", f"{width}", "copy the file again"
        )
    _need_rows(len(rows))
    try:
        numbers = [
            [float(cell) if cell.strip() else np.nan for cell in r[: width - config.digital]] for r in rows
        ]
    except ValueError as error:
        raise InputError(f"data file: {error}", "numbers", "copy the file again") from error
    table = np.array(numbers, dtype=np.float64).T
    values = table[2:]
    if config.revision < 2013:
        values[values == 99999] = np.nan
    return table[1], values


def _binary(config: ComtradeConfig, data: bytes) -> tuple[Array, Array]:
    words = (config.digital + 15) // 16
    cell = np.dtype(CELL[config.form])
    record = np.dtype(
        [("n", "<u4"), ("t", "<u4"), ("a", cell, (len(config.analog),)), ("d", "<u2", (words,))]
    )
    surplus = len(data) % record.itemsize
    if surplus:
        raise InputError(
            f"{len(data)} bytes of data, {surplus} after the last whole sample of {record.itemsize}",
            "whole samples",
            "copy the file again",
        )
    table = np.frombuffer(data, dtype=record)
    _need_rows(table.size)
    stamps = np.where(table["t"] == MISSING_STAMP, np.nan, table["t"].astype(np.float64))
    raw = table["a"].T.astype(np.float64)
    if config.form in ("binary", "binary32"):
        raw[raw == np.iinfo(cell).min] = np.nan  # the most negative number marks a missing value
    return stamps, raw


def _need_rows(count: int) -> None:
    if count < 2:
        raise InputError(f"{count} samples", "two or more", "copy the data file again")


def _check_count(config: ComtradeConfig, count: int) -> tuple[str, ...]:
    said = config.rates[-1][1] if config.rates else count
    if count < said:
        raise InputError(f"{count} samples in the data", f"{said} as configured", "copy the data file again")
    return () if count == said else (f"{count - said} samples more than configured were kept",)


def _time(config: ComtradeConfig, stamps: Array) -> tuple[Array, tuple[str, ...]]:
    """Return times from the rates, unless the stamps tell of pauses that the rates leave out."""
    unit = 1e-9 if config.nanoseconds else 1e-6
    by_stamp = (stamps - stamps[0]) * unit * config.time_factor
    usable = bool(np.isfinite(by_stamp).all() and by_stamp[-1] > 0)
    if not config.rates:
        if not usable:
            raise InputError("neither sampling rates nor time stamps", "one of them", "export again")
        return by_stamp, ()
    steps = np.empty(stamps.size - 1)
    first = 0
    for rate, last in config.rates:
        steps[first : max(first, last - 1)] = 1.0 / rate
        first = max(first, last - 1)
    steps[first:] = 1.0 / config.rates[-1][0]
    by_rate = np.concatenate([[0.0], np.cumsum(steps)])
    if not usable or not (np.diff(by_stamp) > 3.5 * steps).any():
        return by_rate, ()
    # inside each part between pauses the rate is exact and the stamps are rounded
    pauses = np.diff(by_stamp) > 3.5 * steps
    exact = np.concatenate([[0.0], np.cumsum(np.where(pauses, np.diff(by_stamp), steps))])
    note = f"time stamps show {int(pauses.sum())} pauses that the rates leave out: stamps followed"
    return exact, (note,)
