"""The bill of a dynamic tariff, taken apart: energy, levies, fees, VAT, export and what is refunded."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from v2glab.barriers._terms import Terms
from v2glab.barriers.tariffs._calendar import Calendar, calendar_of, part_months
from v2glab.barriers.tariffs._lines import Bill, Kind, Part, month_part
from v2glab.barriers.tariffs._meter import power_series, refuse_step, sound
from v2glab.barriers.tariffs._money import same_currency
from v2glab.barriers.tariffs._tariff import Tariff, evened, settle
from v2glab.evidence import InputError

Floats = NDArray[np.float64]


def tariff_bill(
    tariff: Tariff,
    energy_per_kwh: ArrayLike,
    currency: str,
    load_kw: ArrayLike,
    export_kw: ArrayLike,
    start_s: int,
    step_s: int,
    terms: Terms | None = None,
) -> Bill:
    """Return the bill of whole local months, exact given the data; its total is that of :func:`settle`.

    Parameters
    ----------
    energy_per_kwh, currency
        Shape (T,): energy price before additions (see :func:`energy_price`), and the currency it is in.
    load_kw, export_kw
        Shape (T,): mean power drawn from, and given to, the grid, kW, both >= 0.
    start_s, step_s
        Start in seconds since 1970 UTC, and length of a step, s; months follow the tariff's time zone.
    terms
        Terms of export; ``None`` is a world without barriers, where refundable levies are refunded in full.

    Raises
    ------
    InputError
        Currencies or lengths differ, a value is missing, or months are not whole.
    """
    terms = terms or Terms()
    same_currency(currency, tariff.currency, "prices", f"tariff {tariff.id}")
    load, export = power_series(load_kw, export_kw)
    energy = np.asarray(energy_per_kwh, dtype=np.float64)
    calendar = _checked(
        energy, load, export, calendar_of(int(start_s), int(step_s), load.size, tariff.timezone)
    )
    hours = step_s / 3600
    priced = evened(energy, step_s, terms)

    def by_month(values: Floats) -> Floats:
        return np.asarray(np.add.reduceat(values, calendar.edge[:-1]) * hours)

    def money(kind: Kind, key: str, amount: Floats) -> Part:
        return month_part(calendar.names, kind, key, amount, "1", 1.0)

    def per_kwh(kind: Kind, key: str, kwh: Floats, price: float) -> Part:
        return month_part(calendar.names, kind, key, kwh, "kWh", price)

    drawn, given, rates = by_month(load), by_month(export), tariff.imports
    parts = [
        money("energy", f"imports.{rates.kind}", by_month(load * priced)),
        per_kwh("markup", "imports.markup", drawn, rates.markup),
        per_kwh("grid fee", "imports.grid_fee", drawn, rates.grid_fee),
        per_kwh("levies", "imports.levies", drawn, rates.levies),
    ]
    taxed = np.sum([part.month for part in parts], axis=0)
    parts.append(
        month_part(calendar.names, "VAT", "imports.vat_percent", taxed, "1", rates.vat_percent / 100)
    )
    _, sell = settle(tariff, energy, step_s, terms)
    refund = terms.levy_refund_share * tariff.refund(priced)
    paid = sell + tariff.exports.fee - refund
    parts += [
        money("export", f"exports.{tariff.exports.kind}", -by_month(export * paid)),
        per_kwh("export fee", "exports.fee", given, tariff.exports.fee),
        money("refund", "refundable", -by_month(export * refund)),
    ]
    return Bill(tariff.id, tariff.currency, tariff.timezone, calendar.names, tuple(parts))


def _checked(energy: Floats, load: Floats, export: Floats, calendar: Calendar) -> Calendar:
    """Return the calendar when all series are whole, of one length, and over whole months."""
    good = sound(load) & sound(export)
    if not good.all():
        raise refuse_step(load, export, int(np.argmin(good)))
    missing = int((~np.isfinite(energy)).sum())
    if energy.shape != load.shape or missing:
        raise InputError(
            f"{energy.size} prices for {load.size} steps, {missing} of them missing",
            "one price a step",
            "align the two; fill in what is missing from its source",
        )
    if not calendar.whole:
        raise part_months(calendar)
    return calendar
