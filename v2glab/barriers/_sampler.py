"""A documented sampler of sessions: habits drawn per user, days about them, all figures from a data file."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from v2glab.barriers._sessions import Session
from v2glab.evidence import InputError

_STRICT = ConfigDict(frozen=True, extra="forbid")
_MOST_USERS = 100_000


class Spread(BaseModel):
    """A normal distribution between users, with scatter from day to day about each user's own value."""

    model_config = _STRICT

    mean: float = Field(ge=0, le=1000)
    sd: float = Field(ge=0, le=1000)
    daily_sd: float = Field(default=0.0, ge=0, le=1000)
    daily_cv: float = Field(default=0.0, ge=0, le=5)
    least: float = Field(default=0.0, ge=0, le=1000)
    source: str = Field(min_length=1)


class SessionModel(BaseModel):
    """What sessions are drawn from.

    Attributes
    ----------
    plug_in_share
        Share of days with a session, 0.1 to 1.
    arrival_h, parked_h
        Local clock hour of plug-in, and hours until plug-out.
    energy_kwh
        Energy of a session at the meter: gamma distributed about the user's mean, ``daily_cv`` its
        coefficient of variation.
    """

    model_config = _STRICT

    id: str
    name: str
    plug_in_share: Spread
    arrival_h: Spread
    parked_h: Spread
    energy_kwh: Spread


def parse_session_model(document: dict[str, Any], where: str) -> SessionModel:
    """Build a model from a parsed TOML document.

    Raises
    ------
    InputError
        A field is wrong or missing.
    """
    try:
        return SessionModel.model_validate(document)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise InputError(f"{where}: {faults}", "the fields of a session model", "mend the file") from error


def sample_sessions(model: SessionModel, users: int, year: int, seed: int, zone: ZoneInfo) -> list[Session]:
    """Return a year of sessions of each user; the same seed gives the same sessions.

    A user's habits come first, then each day: plugged in or not, arrival, stay, energy. A session that would
    reach into the next one is cut short 15 minutes before it. Nothing is made feasible: what a car
    cannot hold or a charger not give is for the certificate to find, and to list.

    Raises
    ------
    InputError
        The number of users or the year is absurd.
    """
    if not 1 <= users <= _MOST_USERS or not 1990 <= year <= 2100 or not 0 <= seed < 2**63:
        raise InputError(
            f"{users} users in {year}, seed {seed}",
            f"1 to {_MOST_USERS} users, a year from 1990 to 2100, a seed from 0 on",
            "choose others",
        )
    midnight = dt.datetime(year, 1, 1)
    days = 364  # the last stay ends within the year
    out: list[Session] = []
    for number in range(1, users + 1):
        rng = np.random.default_rng([seed, number])  # users do not move when others are added
        share = float(np.clip(rng.normal(model.plug_in_share.mean, model.plug_in_share.sd), 0.1, 1.0))
        arrival, parked = (float(rng.normal(s.mean, s.sd)) for s in (model.arrival_h, model.parked_h))
        mean_kwh = max(float(rng.normal(model.energy_kwh.mean, model.energy_kwh.sd)), model.energy_kwh.least)
        plugged = rng.random(days) < share
        hours = arrival + rng.normal(0.0, model.arrival_h.daily_sd, days)
        stays = np.maximum(parked + rng.normal(0.0, model.parked_h.daily_sd, days), 0.25)
        energy = _gamma(rng, mean_kwh, model.energy_kwh.daily_cv, days)
        starts = [
            _local(
                midnight + dt.timedelta(days=day, minutes=round(60 * float(np.clip(hours[day], 0, 23.9)))),
                zone,
            )
            for day in range(days)
        ]
        own = np.flatnonzero(plugged)
        for place, day in enumerate(own.tolist()):
            end_s = starts[day] + 60 * round(60 * float(stays[day]))
            if place + 1 < own.size:
                end_s = min(end_s, starts[int(own[place + 1])] - 900)
            if end_s - starts[day] < 900:
                continue
            used = max(round(float(energy[day]), 2), model.energy_kwh.least)
            out.append(Session(len(out) + 1, f"sampled-{number:05}", starts[day], end_s, used))
    return out


def _gamma(rng: np.random.Generator, mean: float, variation: float, count: int) -> np.ndarray[Any, Any]:
    if not variation or not mean:
        return np.full(count, mean)
    shape = 1 / variation**2
    return np.asarray(rng.gamma(shape, mean / shape, count))


def _local(time: dt.datetime, zone: ZoneInfo) -> int:
    """Return s since 1970 UTC; a local time that clocks skip is taken as the same time after the change."""
    return int(time.replace(tzinfo=zone).timestamp())
