"""Examples that look like the real thing and are nobody's data: sessions and prices from a seed."""

from __future__ import annotations

import datetime as dt

import numpy as np
from numpy.typing import NDArray

from v2glab.evidence import InputError

#: The year of the examples, and the seed with which the committed files were made.
EXAMPLE_YEAR, EXAMPLE_SEED = 2025, 7


def synthetic_prices(year: int = EXAMPLE_YEAR, seed: int = EXAMPLE_SEED) -> str:
    """Return a year of hourly prices as CSV, ``utc,eur_per_mwh``.

    A mean of 85 EUR/MWh, dearer in winter; two daily peaks; a hollow at noon that deepens in summer; and
    noise that lasts for some hours (first-order autoregression, 0.85 an hour), which now and then drives the
    price below zero.
    """
    hours = 8784 if dt.date(year, 12, 31).timetuple().tm_yday == 366 else 8760
    rng = np.random.default_rng(seed)
    at = np.arange(hours)
    hour, season = at % 24, np.cos(2 * np.pi * at / hours)
    peaks = 35 * np.exp(-(((hour - 7) / 2.0) ** 2)) + 55 * np.exp(-(((hour - 18) / 2.5) ** 2))
    noon = (45 - 30 * season) * np.exp(-(((hour - 12) / 3.0) ** 2))
    noise = np.zeros(hours)
    shocks = rng.normal(0.0, 11.0, hours)
    for i in range(1, hours):
        noise[i] = 0.85 * noise[i - 1] + shocks[i]
    price = 75 + 20 * season + peaks - noon + noise
    start = dt.datetime(year, 1, 1)
    lines = [f"{start + dt.timedelta(hours=i)},{value:.2f}" for i, value in enumerate(price)]
    return "utc,eur_per_mwh\n" + "\n".join(lines) + "\n"


def synthetic_sessions(users: int = 12, year: int = EXAMPLE_YEAR, seed: int = EXAMPLE_SEED) -> str:
    """Return sessions at home as CSV: local times, ``;`` between cells, decimal comma.

    Each user has habits: how many days a week the car is plugged in (3 to 7), when it comes home (around
    17:30), when it leaves (around 7:30), and how much a day takes (gamma, mean 6 to 18 kWh). Two faults are
    meant: the first row of the second user lacks its plug-out, and the last user once takes 75 kWh, more
    than the default car holds.
    """
    if not 3 <= users <= 1000:
        raise InputError(f"{users} users", "3 to 1000", "choose another number")
    rng = np.random.default_rng(seed)
    rows: list[tuple[dt.datetime, str, dt.datetime, float]] = []
    for number in range(1, users + 1):
        share = rng.uniform(0.4, 1.0)
        home, leave = rng.normal(17.5, 1.0), rng.normal(7.5, 0.4)
        daily = rng.uniform(6, 18)
        for day in range(364):
            plugged, need = rng.random() < share, rng.gamma(3.0, daily / 3.0)
            late, early = np.clip(rng.normal(0, [0.8, 0.3]), -2, 2)
            if not plugged:
                continue
            midnight = dt.datetime(year, 1, 1) + dt.timedelta(days=day)
            start = midnight + dt.timedelta(minutes=round(60 * (home + late)))
            end = midnight + dt.timedelta(minutes=round(60 * (24 + leave + early)))
            rows.append((start, f"example-{number:02}", end, round(min(need / share, 55.0), 2)))
    second = next(i for i, row in enumerate(rows) if row[1] == "example-02")
    last = max(i for i, row in enumerate(rows) if row[1] == f"example-{users:02}")
    lines = []
    for i, (start, user, end, energy) in enumerate(rows):
        out = "NA" if i == second else f"{end:%d.%m.%Y %H:%M}"
        text = f"{75.0 if i == last else energy:.2f}".replace(".", ",")
        lines.append(f"{user};{start:%d.%m.%Y %H:%M};{out};{text}")
    return "User_ID;Start_plugin;End_plugout;El_kWh\n" + "\n".join(lines) + "\n"


def synthetic_frequency(days: int = 7, seed: int = EXAMPLE_SEED) -> tuple[float, NDArray[np.float64]]:
    """Return the length of a sample, s, and a frequency (N,), Hz, that wanders about 50 Hz.

    First-order autoregression with a standard deviation of 20 mHz and a memory of five minutes, figures in
    the range of continental Europe (from memory, to be verified): an example and no measurement.
    """
    sample_s, deviation_hz, memory_s = 10.0, 0.020, 300.0
    rng = np.random.default_rng(seed)
    keep = float(np.exp(-sample_s / memory_s))
    shocks = rng.normal(0.0, deviation_hz * np.sqrt(1 - keep**2), round(days * 86_400 / sample_s))
    out = np.empty(shocks.size)
    level = 0.0
    for i, shock in enumerate(shocks.tolist()):
        level = keep * level + shock
        out[i] = level
    return sample_s, 50.0 + out


def synthetic_house(year: int = EXAMPLE_YEAR, seed: int = EXAMPLE_SEED) -> str:
    """Return a year of a house by the hour as CSV, ``utc,load_kw,pv_kw``.

    About 4,000 kWh of load with peaks in the morning and evening, and a roof of 5 kW whose days follow season
    and clouds: an example and no measurement.
    """
    hours = 8784 if dt.date(year, 12, 31).timetuple().tm_yday == 366 else 8760
    rng = np.random.default_rng(seed)
    at = np.arange(hours)
    hour, season = at % 24, np.cos(2 * np.pi * (at - 240) / hours)
    shape = 0.25 + 0.35 * np.exp(-(((hour - 7) / 1.5) ** 2)) + 0.7 * np.exp(-(((hour - 19) / 2.5) ** 2))
    load = shape * (1 + 0.25 * season) * rng.gamma(6.0, 1 / 6.0, hours)
    clouds = np.repeat(rng.beta(2.0, 1.5, -(-hours // 24)), 24)[:hours]
    half_day = 6 - 2.2 * season
    sun = np.clip(np.cos((hour - 12) / half_day * np.pi / 2), 0, None) * (abs(hour - 12) < half_day)
    generation = 5.0 * clouds * sun * (0.65 - 0.3 * season)
    start = dt.datetime(year, 1, 1)
    lines = [
        f"{start + dt.timedelta(hours=i)},{taken:.3f},{given:.3f}"
        for i, (taken, given) in enumerate(zip(load, generation, strict=True))
    ]
    return "utc,load_kw,pv_kw\n" + "\n".join(lines) + "\n"
