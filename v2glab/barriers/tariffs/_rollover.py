"""What becomes of energy that a net meter gave beyond what it drew: kWh carried to later months."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from v2glab.barriers.tariffs._jit import jit

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@jit
def roll_over(
    net: Floats,
    months: Ints,
    anchors: Ints,
    true_up_month: int,
    used: Floats,
    left: Floats,
    taken: Floats,
    lapsed: Floats,
) -> None:
    """Net each month within each period, and carry surplus to the next month.

    A period's credit goes to the period that holds at the same weekday hour in the next month: the first of
    the four anchor hours at which its own period holds decides (NREL's Utilityrate5). A credit whose period
    holds at none of them cannot be placed: it lapses, and is reported. After the true-up month nothing is
    carried.

    Parameters
    ----------
    net
        Shape (M, P): kWh drawn less kWh given.
    months
        Shape (M,): calendar month from 0.
    anchors
        Shape (12, 4): period at the anchor hours of each calendar month.
    true_up_month
        Calendar month from 1.
    used, left, taken
        Output, shape (M, P), kWh: to be billed; surplus at the month's end; credit taken from the month
        before.
    lapsed
        Output, shape (M,), kWh: credit of the month before that could not be placed.
    """
    count, periods = net.shape
    for m in range(count):
        if m > 0 and months[m - 1] != true_up_month - 1:
            for p in range(periods):
                if left[m - 1, p] <= 0.0:
                    continue
                target = -1
                for a in range(anchors.shape[1]):
                    if anchors[months[m - 1], a] == p:
                        target = anchors[months[m], a]
                        break
                if target < 0:
                    lapsed[m] += left[m - 1, p]
                else:
                    taken[m, target] += left[m - 1, p]
        for p in range(periods):
            balance = net[m, p] - taken[m, p]
            if balance >= 0.0:
                used[m, p] = balance
            else:
                left[m, p] = -balance


def carry_money(
    gross: Floats, earned: Floats, months: Ints, true_up_month: int, *, same_month: bool
) -> tuple[Floats, Floats]:
    """Take credits in money off energy charges, never below zero.

    Parameters
    ----------
    gross, earned
        Shape (M,): energy charges, and what export earned.
    months
        Shape (M,): calendar month from 0.
    same_month
        Whether a credit already counts in the month that earned it.

    Returns
    -------
    tuple
        Credit taken off in each month, and credit left after it, both of shape (M,).
    """
    taken, left = np.zeros_like(gross), np.zeros_like(gross)
    for m in range(gross.size):
        carried = left[m - 1] if m > 0 and months[m - 1] != true_up_month - 1 else 0.0
        ready = carried + (earned[m] if same_month else 0.0)
        taken[m] = min(ready, max(gross[m], 0.0))
        left[m] = ready - taken[m] + (0.0 if same_month else earned[m])
    return taken, left
