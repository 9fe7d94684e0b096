"""Read what a barrier analysis needs from files: sessions, prices, tariffs."""

from __future__ import annotations

import csv
import datetime as dt
import io
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args
from zoneinfo import ZoneInfo

import numpy as np

from v2glab.barriers import (
    PRICE_BOUNDS_PER_KWH,
    PriceYear,
    Session,
    SessionIssue,
    Tariff,
    parse_session_model,
    parse_tariff,
    sample_sessions,
)
from v2glab.barriers.tariffs import Currency, Rate, parse_rate
from v2glab.evidence import InputError, read_toml
from v2glab.resources import find_data

_SESSION_COLUMNS = ("User_ID", "Start_plugin", "End_plugout", "El_kWh")
#: Larger files are no sessions of a few thousand vehicles but a mistake.
_MOST_BYTES = 500_000_000


def read_text(path: Path) -> str:
    """Read a text file in UTF-8; every way it can fail is an :class:`InputError`."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise InputError(
                f"{path}: {path.stat().st_size} bytes", f"at most {_MOST_BYTES}", "split the file"
            )
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise InputError(f"{path}: {error}", "a readable text file in UTF-8", "check the name") from error


def parse_prices(text: str, where: str) -> PriceYear:
    """Parse ``utc,eur_per_mwh``: one whole calendar year in UTC, each 15, 30 or 60 minutes once and in order.

    The column names the currency (ISO 4217): ``usd_per_mwh`` and so on.

    Raises
    ------
    InputError
        A row is missing, stands twice, has another time zone or an absurd price; the message names the row.
    """
    rows = _rows(text, ",", where)
    header = [cell.strip() for cell in next(rows, (1, []))[1]]
    unit = header[1] if len(header) == 2 else ""
    currency = next((c for c in get_args(Currency) if unit == f"{c.lower()}_per_mwh"), None)
    if header[:1] != ["utc"] or currency is None:
        raise InputError(
            f"{where}, row 1: columns {header}", "utc,eur_per_mwh", "rename or convert the columns"
        )
    times: list[dt.datetime] = []
    values: list[float] = []
    for row, cells in rows:
        if len(cells) != 2:
            raise InputError(f"{where}, row {row}: {len(cells)} cells", "two", "mend the row")
        times.append(_utc(cells[0], f"{where}, row {row}"))
        values.append(_number(cells[1], f"{where}, row {row}", *(1000 * b for b in PRICE_BOUNDS_PER_KWH)))
        if len(times) > 2:
            _check_step(times, f"{where}, row {row}")
    if len(times) < 3:
        raise InputError(f"{where}: {len(times)} prices", "a whole year", "complete the file")
    if times[0] != dt.datetime(times[0].year, 1, 1):
        raise InputError(f"{where}: begins at {times[0]}", "1 January, 00:00 UTC", "complete the file")
    step_s = int((times[1] - times[0]).total_seconds())
    return PriceYear(times[0].year, step_s, np.array(values) / 1000, currency)


def _check_step(times: list[dt.datetime], where: str) -> None:
    step, first = times[-1] - times[-2], times[1] - times[0]
    if step == first:
        return
    if step <= dt.timedelta(0):
        raise InputError(
            f"{where}: {times[-1]} does not come after {times[-2]}",
            "each hour once and in order",
            "remove the duplicate; if the times are local, convert them to UTC",
        )
    raise InputError(
        f"{where}: {step} after {times[-2]}, elsewhere {first}",
        "no missing hour",
        "fill in the missing hours from the source; if the times are local, convert them to UTC",
    )


def parse_sessions(text: str, where: str, timezone: str) -> tuple[list[Session], list[SessionIssue]]:
    """Parse sessions: ``;`` between cells, decimal comma, local times as ``dd.mm.yyyy HH:MM``.

    Needed columns are ``User_ID``, ``Start_plugin``, ``End_plugout`` and ``El_kWh``; others are not read. A
    session without plug-out is left out and reported, with its energy. Where clocks go back, the first of
    the two hours is meant unless the session would end before it starts.

    Raises
    ------
    InputError
        A cell cannot be read, a session ends before it starts, a local time does not exist; with the row.
    """
    zone = _zone(timezone)
    rows = _rows(text, ";", where)
    header = [cell.strip() for cell in next(rows, (1, []))[1]]
    missing = [name for name in _SESSION_COLUMNS if name not in header]
    if missing:
        raise InputError(
            f"{where}, row 1: no column {', '.join(missing)}",
            f"columns {', '.join(_SESSION_COLUMNS)}, separated by ';'",
            "rename the columns",
        )
    places = [header.index(name) for name in _SESSION_COLUMNS]
    sessions, issues = [], []
    for row, cells in rows:
        here = f"{where}, row {row}"
        if len(cells) != len(header):
            raise InputError(f"{here}: {len(cells)} cells", f"{len(header)}", "mend the row")
        user, start, end, energy = (cells[place].strip() for place in places)
        if not user:
            raise InputError(f"{here}: no user", "a name in User_ID", "mend the row")
        energy_kwh = _number(energy.replace(",", "."), here, 0.0, 10_000.0)
        if end in ("", "NA"):
            found = f"no plug-out; its {energy_kwh:g} kWh are left out"
            issues.append(SessionIssue(user, row, "no plug-out", found, "add the time of plug-out"))
            continue
        start_s = _local(start, zone, here)
        end_s = _local(end, zone, here)
        if end_s < start_s:
            end_s = _local(end, zone, here, fold=1)
        if end_s < start_s:
            raise InputError(f"{here}: ends {end}, starts {start}", "an end after the start", "mend the row")
        sessions.append(Session(row, user, start_s, end_s, energy_kwh))
    return sessions, issues


def _rows(text: str, delimiter: str, where: str) -> Iterator[tuple[int, list[str]]]:
    """Yield row numbers, counted from 1 as editors do, and cells; empty lines are passed over."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise InputError(
                f"{where}, row {reader.line_num}: {error}", "rows of cells", "mend it"
            ) from error
        if cells:
            yield reader.line_num, cells


def _number(text: str, where: str, low: float, high: float) -> float:
    try:
        value = float(text)
    except ValueError as error:
        raise InputError(f"{where}: {text!r}", "a number", "mend the cell") from error
    if not (math.isfinite(value) and low <= value <= high):
        raise InputError(f"{where}: {value:g}", f"between {low:g} and {high:g}", "check value and unit")
    return value


def _utc(text: str, where: str) -> dt.datetime:
    try:
        time = dt.datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise InputError(f"{where}: time {text!r}", "YYYY-MM-DD HH:MM:SS in UTC", "mend the cell") from error
    if time.utcoffset() not in (None, dt.timedelta(0)):
        raise InputError(
            f"{where}: time {text!r}, offset {time.utcoffset()}", "UTC", "convert all times to UTC"
        )
    return time.replace(tzinfo=None)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError) as error:  # ZoneInfoNotFoundError is a KeyError
        raise InputError(f"time zone {name!r}", "a name like Europe/Oslo", "mend the name") from error


def _local(text: str, zone: ZoneInfo, where: str, fold: int = 0) -> int:
    try:
        time = dt.datetime.strptime(text, "%d.%m.%Y %H:%M").replace(tzinfo=zone, fold=fold)
        seconds = int(time.timestamp())
        back = dt.datetime.fromtimestamp(seconds, zone).replace(tzinfo=None)
    except (ValueError, OverflowError, OSError) as error:
        raise InputError(f"{where}: time {text!r}", "dd.mm.yyyy HH:MM", "mend the cell") from error
    if back != time.replace(tzinfo=None):
        raise InputError(
            f"{where}: {text} does not exist in {zone.key}, the clocks went forward",
            "local times that exist",
            "mend the cell, or name the right time zone",
        )
    return seconds


def read_or_sample(name: str, timezone: str) -> tuple[list[Session], list[SessionIssue]]:
    """Return sessions of a file, of the example (empty), or sampled: ``synthetic:users=50,seed=3,year=2025``.

    Parameters
    ----------
    name
        ``synthetic:`` takes ``users`` (12), ``seed`` (7), ``year`` (2025) and ``model``, a TOML file of the
        form of ``datasets/sessions/sampler.toml``, which is the one taken without it.

    Raises
    ------
    InputError
        A file is wrong, a setting is unknown or no number.
    """
    if not name.startswith("synthetic:"):
        path = Path(name) if name else find_data("datasets", "sessions", "example-sessions.csv")
        return read_sessions(path, timezone)
    settings = {"users": "12", "seed": "7", "year": "2025", "model": ""}
    for part in filter(None, (p.strip() for p in name.partition(":")[2].split(","))):
        key, _, value = (p.strip() for p in part.partition("="))
        if key not in settings or (key != "model" and not re.fullmatch(r"[0-9]{1,18}", value)):
            raise InputError(
                f"sessions {name!r}: {part!r}",
                "synthetic:users=N,seed=N,year=N,model=FILE.toml, each of them or none",
                "mend that part",
            )
        settings[key] = value
    file = Path(settings["model"]) if settings["model"] else find_data("datasets", "sessions", "sampler.toml")
    model = parse_session_model(read_toml(file), file.name)
    users, seed, year = (int(settings[key]) for key in ("users", "seed", "year"))
    return sample_sessions(model, users, year, seed, _zone(timezone)), []


def read_sessions(path: Path, timezone: str) -> tuple[list[Session], list[SessionIssue]]:
    """Read sessions from a file; see :func:`parse_sessions`."""
    return parse_sessions(read_text(path), path.name, timezone)


def read_prices(path: Path) -> PriceYear:
    """Read a year of prices from a file; see :func:`parse_prices`."""
    return parse_prices(read_text(path), path.name)


def read_tariff(path: Path) -> Tariff:
    """Read a tariff from a TOML file."""
    return parse_tariff(read_toml(path), path.name)


def read_rate(path: Path, currency: str = "") -> Rate:
    """Read a rate of the Utility Rate Database from a JSON file; ``currency`` where it does not say."""
    return parse_rate(read_text(path), path.name, currency=currency)
