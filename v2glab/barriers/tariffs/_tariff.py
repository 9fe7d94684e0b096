"""What a kWh costs and what it earns, per step, from energy prices, levies, fees and VAT."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from v2glab.barriers._terms import Terms
from v2glab.barriers.tariffs._money import Currency
from v2glab.evidence import InputError

_STRICT = ConfigDict(frozen=True, extra="forbid")
Rate = Field(ge=-10, le=10)
Schedule = tuple[tuple[int, ...], ...]


class ImportRate(BaseModel):
    """Price of imported energy: energy part plus per-kWh additions, all before VAT, in currency per kWh.

    ``kind`` is ``day_ahead`` (prices come with the data), ``flat`` (``rates`` holds one) or ``tou``:
    ``weekday`` and ``weekend`` hold, per month (12) and local hour (24), the index into ``rates``. ``rate``
    marks a rate of the Utility Rate Database, whose prices come by the step.
    """

    model_config = _STRICT

    kind: Literal["day_ahead", "flat", "tou", "rate"]
    rates: tuple[float, ...] = ()
    weekday: Schedule = ()
    weekend: Schedule = ()
    markup: float = Rate
    grid_fee: float = Rate
    levies: float = Rate
    vat_percent: float = Field(ge=0, le=100)

    @model_validator(mode="after")
    def _complete(self) -> ImportRate:
        wanted = {"day_ahead": 0, "rate": 0, "flat": 1}.get(self.kind, max(len(self.rates), 1))
        if len(self.rates) != wanted or not all(-10 <= r <= 10 for r in self.rates):
            raise ValueError(f"kind {self.kind!r} needs {wanted} rate(s) between -10 and 10")
        if self.kind == "tou":
            for name, table in (("weekday", self.weekday), ("weekend", self.weekend)):
                if len(table) != 12 or any(len(row) != 24 for row in table):
                    raise ValueError(f"{name} needs 12 months of 24 hours")
                if any(not 0 <= i < len(self.rates) for row in table for i in row):
                    raise ValueError(f"{name} points at a rate that is not in 'rates'")
        return self


class ExportRate(BaseModel):
    """Remuneration of exported energy: the energy price, a fixed rate, or prices by the step (``rate``), less
    a fee, in currency per kWh.
    """

    model_config = _STRICT

    kind: Literal["energy_price", "fixed", "rate"]
    rate: float = Field(default=0.0, ge=-10, le=10)
    fee: float = Rate


class Tariff(BaseModel):
    """One tariff. ``refundable`` names the additions that are paid back on exported energy where no rule
    forbids it.
    """

    model_config = _STRICT

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")
    name: str
    currency: Currency
    jurisdiction: str
    timezone: str
    source: str = Field(min_length=1)
    imports: ImportRate
    exports: ExportRate
    refundable: tuple[Literal["grid_fee", "levies", "energy_vat"], ...] = ()

    def refund(self, energy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what is paid back per exported kWh, shape (T,): additions with their VAT, and VAT on the
        energy.
        """
        vat = self.imports.vat_percent / 100
        additions = sum(getattr(self.imports, n) for n in self.refundable if n != "energy_vat")
        on_energy = vat if "energy_vat" in self.refundable else 0.0
        return np.asarray(additions * (1 + vat) + on_energy * energy)


def parse_tariff(document: dict[str, Any], where: str) -> Tariff:
    """Build a tariff from a parsed TOML document.

    Raises
    ------
    InputError
        A field is wrong or missing; a tariff without an export rate says so.
    """
    if any(isinstance(part, dict) and part.get("kind") == "rate" for part in document.values()):
        raise InputError(f"{where}: kind 'rate'", "a kind of this format", "give the rate's own JSON file")
    if "exports" not in document:
        raise InputError(
            f"{where}: no export rate",
            "a table [exports]",
            "state it; kind = 'fixed', rate = 0.0 means unpaid",
        )
    try:
        return Tariff.model_validate(document)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise InputError(f"{where}: {faults}", "the fields of a tariff", "mend the file") from error


def energy_price(
    tariff: Tariff, day_ahead: NDArray[np.float64], times_s: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the energy price per kWh before additions, shape (T,).

    Parameters
    ----------
    day_ahead
        Shape (T,): day-ahead price per kWh.
    times_s
        Shape (T,): start of each step, seconds since 1970 UTC; local hours follow the tariff's time zone.

    Raises
    ------
    InputError
        The tariff's time zone is not known.
    """
    if tariff.imports.kind == "day_ahead":
        return day_ahead
    rates = np.array(tariff.imports.rates)
    if tariff.imports.kind == "flat":
        return np.full(len(times_s), rates[0])
    import pandas as pd

    try:
        local = pd.DatetimeIndex(pd.to_datetime(times_s, unit="s", utc=True)).tz_convert(tariff.timezone)
    except (KeyError, ValueError, TypeError) as error:
        raise InputError(
            f"time zone {tariff.timezone!r}", "a name like Europe/Oslo", "mend the tariff"
        ) from error
    month, hour = local.month.to_numpy() - 1, local.hour.to_numpy()
    weekday = np.array(tariff.imports.weekday)[month, hour]
    weekend = np.array(tariff.imports.weekend)[month, hour]
    chosen: NDArray[np.float64] = rates[np.where(local.day_of_week.to_numpy() >= 5, weekend, weekday)]
    return chosen


def settle(
    tariff: Tariff,
    energy: NDArray[np.float64],
    step_s: int,
    terms: Terms,
    paid: NDArray[np.float64] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return buying and selling price per kWh at the meter, both of shape (T,), under the given terms.

    ``paid`` is what export earns in each step, where the tariff takes that from a rate: (T,), or ``None``.
    Terms that even out the energy price even it out, too.

    Rule for negative prices: a ratio below one cuts what is earned, it never softens what has to be paid.
    """
    energy = evened(energy, step_s, terms)
    rates = tariff.imports
    buy = (energy + rates.markup + rates.grid_fee + rates.levies) * (1 + rates.vat_percent / 100)
    if paid is not None:
        paid = evened(paid, step_s, terms)
    else:
        paid = energy if tariff.exports.kind == "energy_price" else np.full_like(energy, tariff.exports.rate)
    paid = np.where(paid > 0, terms.export_price_ratio * paid, paid)
    sell = paid - tariff.exports.fee + terms.levy_refund_share * tariff.refund(energy)
    return buy, sell


def evened(price: NDArray[np.float64], step_s: int, terms: Terms) -> NDArray[np.float64]:
    """Return a price (T,) as a flat tariff and the settlement interval leave it."""
    if terms.flat_price:
        price = terms.flat_price * price.mean() + (1 - terms.flat_price) * price
    if terms.settlement_minutes * 60 > step_s:
        price = _averaged(price, max(round(terms.settlement_minutes * 60 / step_s), 1))
    return price


def _averaged(energy: NDArray[np.float64], group: int) -> NDArray[np.float64]:
    starts = np.arange(0, energy.size, group)
    sizes = np.diff(np.append(starts, energy.size))
    averaged: NDArray[np.float64] = np.repeat(np.add.reduceat(energy, starts) / sizes, sizes)
    return averaged
