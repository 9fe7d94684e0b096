"""Read what services beside driving need: the building's load, and the grid's measured frequency."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from v2glab.barriers import (
    OWN_USE,
    RESPONSE,
    SERVICES,
    STEP_S,
    PriceYear,
    Response,
    Services,
    Vehicle,
    VehicleYear,
    Window,
    called_energy,
    lay_over,
    occupancy,
    synthetic_frequency,
)
from v2glab.evidence import InputError, UsageError
from v2glab.procedures._barrier_files import parse_prices, read_text
from v2glab.resources import find_data

Floats = NDArray[np.float64]
_DAY_S = 86_400
#: A building may take or give so much, kW; beyond is a mistake.
_MOST_KW = 5_000.0


@dataclass(frozen=True)
class ServiceSettings:
    """What is asked for: names of services, files, and terms of frequency response."""

    names: tuple[str, ...]
    own_use: str = ""
    frequency: str = ""
    price_per_mw_h: float = 10.0
    duration_h: float = 0.25
    deadband_hz: float = 0.01
    full_at_hz: float = 0.2
    nominal_hz: float = 50.0
    fleet: int = 100
    undelivered_share: float = 0.05


def service_names(text: str) -> tuple[str, ...]:
    """Return services by name, ``"arbitrage,frequency-response"``, in the order of the catalogue of services.

    Raises
    ------
    UsageError
        A name is unknown, or there is none.
    """
    names = {part.strip() for part in text.split(",") if part.strip()}
    if not names or names - set(SERVICES):
        raise UsageError(f"services {text!r}", f"some of: {', '.join(SERVICES)}", "name services by comma")
    return tuple(name for name in SERVICES if name in names)


def read_services(
    settings: ServiceSettings, window: Window, years: list[VehicleYear], vehicle: Vehicle
) -> Services:
    """Return the services of one window; the fleet that bids is made of the vehicles that are priced.

    Raises
    ------
    InputError
        A file is wrong.
    """
    load = response = None
    if OWN_USE in settings.names:
        path = Path(settings.own_use) if settings.own_use else None
        load = read_own_use(path or find_data("datasets", "load", "example-house.csv"), window)
    if RESPONSE in settings.names:
        response = _response(settings, window, years, vehicle)
    return Services("arbitrage" in settings.names, load, response)


def read_own_use(path: Path, window: Window) -> Floats:
    """Return load less generation in each step, kWh, shape (steps,), from ``utc,load_kw,pv_kw``.

    One whole calendar year in UTC, laid over the window by month, day and hour, as prices are.

    Raises
    ------
    InputError
        A row is missing or absurd; the message names it.
    """
    text, where = read_text(path), path.name
    lines = text.splitlines()
    header = [cell.strip() for cell in lines[0].split(",")] if lines else []
    if header != ["utc", "load_kw", "pv_kw"]:
        raise InputError(f"{where}, row 1: columns {header}", "utc,load_kw,pv_kw", "rename the columns")
    net = ["utc,eur_per_mwh"]
    for row, cells in enumerate(csv.reader(io.StringIO(text)), start=1):
        if row == 1 or not cells:
            continue
        try:
            load, generation = float(cells[1]), float(cells[2])
        except (ValueError, IndexError) as error:
            raise InputError(f"{where}, row {row}: {cells}", "a time and two numbers", "mend it") from error
        if len(cells) != 3 or not (0 <= load <= _MOST_KW and 0 <= generation <= _MOST_KW):
            raise InputError(
                f"{where}, row {row}: {cells}", f"load and generation from 0 to {_MOST_KW:g} kW", "mend it"
            )
        net.append(f"{cells[0]},{load - generation!r}")
    # The calendar of a load is that of prices: the same rows, checks and messages.
    year: PriceYear = parse_prices("\n".join(net) + "\n", where)
    return lay_over(year, window) * 1000 * STEP_S / 3600


def parse_frequency(text: str, where: str) -> tuple[float, Floats]:
    """Parse ``time_s,frequency_hz`` in even steps of at most a minute; return start of day and series.

    ``time_s`` counts from any midnight UTC. Gaps and uneven steps are refused.

    Returns
    -------
    tuple
        Length of a sample in s, and the series from the first midnight on in whole days, Hz.

    Raises
    ------
    InputError
        A row is wrong, or there is less than a whole day from a midnight on.
    """
    reader = csv.reader(io.StringIO(text))
    header = [cell.strip() for cell in next(reader, [])]
    if header != ["time_s", "frequency_hz"]:
        raise InputError(f"{where}, row 1: columns {header}", "time_s,frequency_hz", "rename the columns")
    times: list[float] = []
    values: list[float] = []
    for row, cells in enumerate(reader, start=2):
        if not cells:
            continue
        try:
            time, value = float(cells[0]), float(cells[1])
        except (ValueError, IndexError) as error:
            raise InputError(f"{where}, row {row}: {cells}", "two numbers", "mend the row") from error
        if not (np.isfinite(time) and 0 <= time < 1e11 and 40 <= value <= 70):
            raise InputError(f"{where}, row {row}: {cells}", "a time, and 40 to 70 Hz", "mend the row")
        if len(times) > 1 and abs(time - times[-1] - (times[1] - times[0])) > 1e-6:
            raise InputError(
                f"{where}, row {row}: {time - times[-1]:g} s after the row before",
                f"{times[1] - times[0]:g} s as elsewhere, no gap",
                "fill the gap, or begin after it",
            )
        times.append(time)
        values.append(value)
    sample_s = times[1] - times[0] if len(times) > 1 else 0.0
    if not 0 < sample_s <= 60 or abs(_DAY_S / sample_s - round(_DAY_S / sample_s)) > 1e-9:
        raise InputError(
            f"{where}: {len(times)} samples every {sample_s:g} s", "a step of up to 60 s", "resample it"
        )
    per_day = round(_DAY_S / sample_s)
    first = round(-times[0] % _DAY_S / sample_s)
    days = (len(values) - first) // per_day
    if days < 1:
        raise InputError(f"{where}: no whole day (UTC)", "at least one from midnight on", "record longer")
    return sample_s, np.array(values[first : first + days * per_day])


def _response(
    settings: ServiceSettings, window: Window, years: list[VehicleYear], vehicle: Vehicle
) -> Response:
    if settings.frequency:
        path = Path(settings.frequency)
        sample_s, series = parse_frequency(read_text(path), path.name)
    else:
        sample_s, series = synthetic_frequency()
    out, into = called_energy(
        series,
        sample_s,
        STEP_S,
        nominal_hz=settings.nominal_hz,
        deadband_hz=settings.deadband_hz,
        full_at_hz=settings.full_at_hz,
    )
    given, taken = (_laid(_by_hour(part), window) for part in (out, into))
    plugged = sum(occupancy(year.start_s, year.end_s, window) for year in years) / len(years)
    return Response(
        price=np.full(window.steps, settings.price_per_mw_h / 1000),
        called_out=given,
        called_in=taken,
        pool_kw=np.asarray(plugged * vehicle.discharge_kw * settings.fleet),
        duration_h=settings.duration_h,
        undelivered_share=settings.undelivered_share,
    )


def _by_hour(energy: Floats) -> Floats:
    """Return the energy of steps evened out over each hour: battery and meter see little of the rest."""
    per = 3600 // STEP_S
    return np.repeat(energy.reshape(-1, per).mean(axis=1), per)


def _laid(days: Floats, window: Window) -> Floats:
    """Return whole days, repeated in turn, by the time of day (UTC) of each step of the window."""
    first = window.start_s % _DAY_S // STEP_S
    return np.asarray(days[(first + np.arange(window.steps)) % days.size])
