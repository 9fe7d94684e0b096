"""From a station file to the plant that it describes: settings, and what happens on its grid."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from v2glab.evidence import InputError
from v2glab.station import StationFile
from v2glab.twin._settings import LONGEST_EVENT_S, GridEvent, PlantSettings


def plant_settings(station: StationFile, seed: int | None) -> PlantSettings:
    """Return the plant that a station file describes; a seed of the caller goes before the file's."""
    twin, site = station.twin, station.site
    if twin is None:
        raise AssertionError("checked by the caller")
    return PlantSettings(
        seed=twin.seed if seed is None else seed,
        step_s=twin.step_s,
        epoch_ns=_epoch_ns(twin.epoch),
        nominal_voltage_v=site.nominal_voltage_v,
        nominal_frequency_hz=site.nominal_frequency_hz,
        rated_power_w=site.rated_power_w,
        rated_current_a=site.rated_current_a,
        grid_code=site.grid_code,
        category=site.category,
        grid_frequency_hz=site.nominal_frequency_hz + 0.02,
        soc_percent=twin.soc_percent,
        ambient_celsius=twin.ambient_celsius,
    )


def events_of(station: StationFile) -> list[GridEvent]:
    """Return the grid events that a station file plays from its epoch on."""
    if station.twin is None or not station.twin.events:
        return []
    start = _epoch_ns(station.twin.epoch)
    return [make_event(dict(fields), start) for fields in station.twin.events]


def _epoch_ns(text: str) -> int:
    """Return the moment at which plant time starts; local time would differ between machines."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(
            f"[twin] epoch {text!r}", "a time such as 2026-01-01T00:00:00Z", "mend it"
        ) from error
    if moment.tzinfo is None:
        raise InputError(
            f"[twin] epoch {text!r} without a time zone", "UTC, such as …T00:00:00Z", "add the Z"
        )
    return round(moment.timestamp()) * 1_000_000_000


def make_event(fields: dict[str, Any], now_ns: int) -> GridEvent:
    """Build an event from plain values; ``delay_s`` counts from now.

    Raises
    ------
    InputError
        Unknown names, or values that are no event.
    """
    known = {"delay_s", "duration_s", "voltage_pu", "frequency_hz", "phase_jump_rad"}
    if unknown := set(fields) - known:
        raise InputError(f"grid event with {sorted(unknown)}", f"among {sorted(known)}", "mend the event")
    try:
        delay_s = float(fields.get("delay_s", 0.0))
        if not 0 <= delay_s <= LONGEST_EVENT_S:
            raise ValueError(f"delay_s = {delay_s:g}")
        return GridEvent(
            now_ns + round(delay_s * 1e9),
            float(fields["duration_s"]),
            _volts(fields.get("voltage_pu")),
            None if fields.get("frequency_hz") is None else float(fields["frequency_hz"]),
            float(fields.get("phase_jump_rad", 0.0)),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"grid event {fields}: {error}", "duration_s and numbers", "mend the event"
        ) from error


def _volts(value: Any) -> tuple[float, float, float] | None:  # noqa: ANN401 -- untrusted
    """Return three phases from one number or three."""
    if value is None:
        return None
    a, b, c = (value,) * 3 if isinstance(value, int | float) else value
    return float(a), float(b), float(c)
