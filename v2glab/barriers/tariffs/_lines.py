"""The lines of a bill, each with the entry of the rate that it follows from."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from v2glab.barriers.tariffs._money import Currency, same_currency
from v2glab.evidence import Quantity

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
Kind = Literal[
    "energy",
    "fuel adjustment",
    "export",
    "credit taken",
    "credit paid out",
    "credit lapsed",
    "flat demand",
    "time-of-use demand",
    "fixed",
    "minimum",
    "annual minimum",
    "markup",
    "grid fee",
    "levies",
    "VAT",
    "export fee",
    "refund",
]
#: Why a bill has no uncertainty.
EXACT = "exact arithmetic on the given registers and the rate as published; their own errors are not in it"


class Line(NamedTuple):
    """One charge (positive) or credit (negative): ``amount = quantity * price`` in the bill's currency.

    ``key`` names the entry of the rate: ``energyratestructure[1][0]``.
    """

    month: str
    kind: Kind
    key: str
    quantity: float
    unit: str
    price: float
    amount: float


@dataclass(frozen=True)
class Bill:
    """Bills of whole local months, to full precision: nothing is rounded before it is printed.

    Attributes
    ----------
    notes
        What the rate leaves open and how it was taken, and texts of the rate that no field prices.
    """

    rate: str
    currency: Currency
    timezone: str
    months: tuple[str, ...]
    lines: tuple[Line, ...]
    notes: tuple[str, ...] = ()

    @cached_property
    def total(self) -> float:
        """Sum of all lines."""
        return math.fsum(line.amount for line in self.lines)

    @property
    def by_month(self) -> dict[str, float]:
        """Sum of each month's lines."""
        amounts: dict[str, list[float]] = {month: [] for month in self.months}
        for line in self.lines:
            amounts[line.month].append(line.amount)
        return {month: math.fsum(found) for month, found in amounts.items()}

    def amount(self, *kinds: Kind) -> float:
        """Return the sum of the lines of the given kinds."""
        return math.fsum(line.amount for line in self.lines if line.kind in kinds)

    def quantity(self, name: str = "bill") -> Quantity:
        """Return the total for a record."""
        return Quantity(name, self.total, self.currency, None, EXACT)

    def saved_against(self, other: Bill, name: str = "bill_saved") -> Quantity:
        """Return how much less this bill is than another of the same months.

        Raises
        ------
        InputError
            The two are in different currencies.
        """
        same_currency(self.currency, other.currency, "this bill", "the other")
        return Quantity(name, other.total - self.total, self.currency, None, EXACT)

    def table(self) -> pd.DataFrame:
        """Return the lines as a table, with the currency in a column of its own."""
        import pandas as pd

        return pd.DataFrame(self.lines, columns=list(Line._fields)).assign(currency=self.currency)


def tier_lines(
    months: Sequence[str],
    kind: Kind,
    keys: tuple[tuple[str, ...], ...],
    quantity: Floats,
    unit: str,
    price: Floats,
    sign: float = 1.0,
) -> Iterator[Line]:
    """Yield a line for each tier that holds something.

    Parameters
    ----------
    quantity, price
        Shapes (M, P, K) and (P, K).
    """
    m, p, k = np.nonzero(quantity)
    held, rates = quantity[m, p, k], sign * price[p, k]
    columns = (array.tolist() for array in (m, p, k, held, rates, held * rates))
    for i, row, column, amount, each, money in zip(*columns, strict=True):
        yield Line(months[i], kind, keys[row][column], amount, unit, each, money)


def month_lines(
    months: Sequence[str], kind: Kind, key: str, quantity: Sequence[float], unit: str, price: Sequence[float]
) -> Iterator[Line]:
    """Yield a line for each month whose quantity and price are not zero."""
    for month, amount, each in zip(months, quantity, price, strict=True):
        if amount and each:
            yield Line(month, kind, key, amount, unit, each, amount * each)
