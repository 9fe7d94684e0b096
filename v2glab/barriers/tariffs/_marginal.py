"""What the next kWh costs and earns in each step, and what makes that depend on other steps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2glab.barriers.tariffs._calendar import Calendar, calendar_of
from v2glab.barriers.tariffs._coupling import Coupling, couplings
from v2glab.barriers.tariffs._energy import no_export_rate
from v2glab.barriers.tariffs._metering import Metering
from v2glab.barriers.tariffs._money import Currency
from v2glab.barriers.tariffs._rate import Rate

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class MarginalPrices:
    """Prices of the first tier in each step, shape (T,), in ``currency`` per kWh at the meter.

    They are the whole truth where ``coupling`` is empty. Where it is not, the steps that an entry names share
    a term of the bill, and a dispatch has to hold that term too (a linear program) or refuse the rate.
    """

    currency: Currency
    buy_per_kwh: Floats
    sell_per_kwh: Floats
    coupling: tuple[Coupling, ...]

    @property
    def coupled_by(self) -> tuple[str, ...]:
        """Kinds of coupling, each once, in the order of the bill."""
        return tuple(dict.fromkeys(entry.kind for entry in self.coupling))


def marginal_prices(
    rate: Rate,
    start_s: int,
    step_s: int,
    steps: int,
    timezone: str,
    *,
    metering: Metering | None = None,
) -> MarginalPrices:
    """Return prices and couplings of ``steps`` steps; they need not be whole months.

    Under net metering a kWh given earns what a kWh drawn in its period costs, as long as more is drawn than
    given: that bound is one of the couplings. Parameters are those of :func:`bill`.

    Raises
    ------
    InputError
        The rate does not say what export earns, or the steps do not fit the clock.
    """
    metering = metering or rate.metering
    if metering is None:
        raise no_export_rate(rate, "how exported energy is settled (dgrules)")
    calendar = calendar_of(int(start_s), int(step_s), int(steps), timezone)
    tables = rate.tables
    period = tables.energy_period[calendar.cell]
    buy = tables.energy.price[period, 0] + tables.fuel[_month_of(calendar)]
    if metering.rule == "net_metering" and metering.credit == "kwh":
        sell = buy
    else:
        sell = tables.energy.sell[period, 0]
        missing = np.flatnonzero(np.isnan(sell))
        if missing.size:
            entry = tables.energy.keys[period[missing[0]]][0]
            raise no_export_rate(rate, f"what export earns: {entry}.sell")
    return MarginalPrices(rate.currency, buy, sell, tuple(couplings(rate, calendar, metering)))


def _month_of(calendar: Calendar) -> NDArray[np.int64]:
    """Return the calendar month of each step, shape (T,), from 0."""
    return np.repeat(calendar.number, np.diff(calendar.edge))
