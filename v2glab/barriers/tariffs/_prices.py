"""A year of prices, and how it is laid over the sessions' calendar."""

from __future__ import annotations

import calendar
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2glab.barriers._sessions import STEP_S, Window
from v2glab.barriers.tariffs._money import Currency
from v2glab.evidence import InputError

#: Absurd beyond: the harmonised day-ahead limits of the EU have stayed within -0.5 and 5 EUR/kWh.
PRICE_BOUNDS_PER_KWH = (-5.0, 10.0)


@dataclass(frozen=True)
class PriceYear:
    """Energy price per kWh of one whole calendar year (UTC), one value every ``step_s`` seconds, in
    ``currency``.
    """

    year: int
    step_s: int
    per_kwh: NDArray[np.float64]
    currency: Currency = "EUR"

    def __post_init__(self) -> None:
        whole = (366 if calendar.isleap(self.year) else 365) * 86_400
        divides = self.step_s > 0 and 3600 % self.step_s == 0 and self.step_s % STEP_S == 0
        if not divides or self.per_kwh.shape != (whole // self.step_s,):
            raise InputError(
                f"{self.per_kwh.size} prices, one every {self.step_s} s",
                f"the whole of {self.year}, every 15, 30 or 60 minutes",
                "complete the file",
            )


def lay_over(prices: PriceYear, window: Window) -> NDArray[np.float64]:
    """Return the price of each step of the window, shape (steps,).

    Rule: a step gets the price of the same month, day and time of day (UTC) in the price year, whatever the
    weekday. A 29 February that the price year lacks gets the prices of 28 February; one that the window
    lacks goes unused. The sessions keep their calendar, the prices are moved.
    """
    times = window.times_s.astype("datetime64[s]")
    days = times.astype("datetime64[D]")
    months = times.astype("datetime64[M]")
    month = months.astype(np.int64) % 12
    day = (days - months.astype("datetime64[D]")).astype(np.int64)
    if not calendar.isleap(prices.year):
        day = np.where((month == 1) & (day == 28), 27, day)
    lengths = [calendar.monthrange(prices.year, m)[1] for m in range(1, 13)]
    first = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    second = window.times_s % 86_400
    index = (first[month] + day) * (86_400 // prices.step_s) + second // prices.step_s
    laid: NDArray[np.float64] = prices.per_kwh[index]
    return laid
