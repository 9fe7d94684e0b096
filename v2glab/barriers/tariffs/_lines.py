"""The lines of a bill, each with the entry of the rate that it follows from."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
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


class Part(NamedTuple):
    """Lines of one kind: their sum in each month (M,), and how to lay them out when they are asked for."""

    kind: Kind
    month: Floats
    lines: Callable[[], Iterable[Line]]


@dataclass(frozen=True)
class Bill:
    """Bills of whole local months, to full precision: nothing is rounded before it is printed.

    Attributes
    ----------
    parts
        Sums by kind and month, from which the lines are laid out on demand.
    notes
        What the rate leaves open and how it was taken, and texts of the rate that no field prices.
    """

    rate: str
    currency: Currency
    timezone: str
    months: tuple[str, ...]
    parts: tuple[Part, ...]
    notes: tuple[str, ...] = ()

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """Every charge and credit, each with the entry of the rate that it follows from."""
        return tuple(line for part in self.parts for line in part.lines())

    @cached_property
    def total(self) -> float:
        """Sum of all lines."""
        return math.fsum(self.by_month.values())

    @cached_property
    def by_month(self) -> dict[str, float]:
        """Sum of each month's lines."""
        return dict(zip(self.months, total_of(self.parts).tolist(), strict=True))

    def amount(self, *kinds: Kind) -> float:
        """Return the sum of the lines of the given kinds."""
        return math.fsum(float(part.month.sum()) for part in self.parts if part.kind in kinds)

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


def total_of(parts: Sequence[Part]) -> Floats:
    """Return the sum of the parts of one bill in each month, shape (M,)."""
    total = parts[0].month.copy()
    for part in parts[1:]:
        total += part.month
    return total


def tier_part(
    months: tuple[str, ...],
    kind: Kind,
    keys: tuple[tuple[str, ...], ...],
    quantity: Floats,
    unit: str,
    price: Floats,
) -> Part:
    """Return a part with a line for each tier that holds something.

    Parameters
    ----------
    quantity, price
        Shapes (M, P, K) and (P, K).
    """

    def lines() -> Iterator[Line]:
        for month, periods in zip(months, quantity.tolist(), strict=True):
            for p, tiers in enumerate(periods):
                for k, held in enumerate(tiers):
                    if held:
                        each = float(price[p, k])
                        yield Line(month, kind, keys[p][k], held, unit, each, held * each)

    rows = quantity.reshape(quantity.shape[0], -1)
    return Part(kind, rows @ price.ravel(), lines)


def month_part(
    months: tuple[str, ...],
    kind: Kind,
    key: str | Sequence[str],
    quantity: Floats,
    unit: str,
    price: float | Floats,
) -> Part:
    """Return a part with a line for each month whose quantity is not zero.

    Parameters
    ----------
    key
        One entry for all months, or one for each.
    quantity, price
        Shape (M,); one price may stand for all months.
    """
    amount = quantity * price

    def lines() -> Iterator[Line]:
        each = np.broadcast_to(price, quantity.shape).tolist()
        keys = [key] * len(months) if isinstance(key, str) else key
        for row in zip(months, keys, quantity.tolist(), each, amount.tolist(), strict=True):
            month, name, held, one, money = row
            if held:
                yield Line(month, kind, name, held, unit, one, money)

    return Part(kind, amount, lines)
