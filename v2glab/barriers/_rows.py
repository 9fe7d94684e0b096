"""A mixed-integer program, built by columns and rows, and handed to HiGHS."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from v2glab.barriers._segments import Floats

Integers = NDArray[np.int64]
#: Nodes of a search that is not cut short.
_ENDLESS = 2**31 - 1


class Rows:
    """Columns with bounds and cost, rows with bounds, and the entries where they meet."""

    def __init__(self) -> None:
        self._low: list[Floats] = []
        self._high: list[Floats] = []
        self._cost: list[Floats] = []
        self._whole: list[NDArray[np.bool_]] = []
        self._least: list[Floats] = []
        self._most: list[Floats] = []
        self._entries: list[tuple[Integers, Integers, Floats]] = []
        self._added: list[tuple[Integers, Floats]] = []
        self._column_count = self._row_count = 0

    def columns(self, low: Floats, high: Floats, cost: Floats, *, whole: bool = False) -> Integers:
        """Add columns; return their numbers."""
        self._low.append(low)
        self._high.append(high)
        self._cost.append(cost)
        self._whole.append(np.full(low.size, whole))
        first, self._column_count = self._column_count, self._column_count + low.size
        return np.arange(first, self._column_count)

    def charge(self, columns: Integers, price: Floats | float) -> None:
        """Add to the cost of columns that are there already."""
        self._added.append((columns, np.broadcast_to(np.asarray(price, np.float64), columns.shape)))

    def new(self, least: Floats, most: Floats) -> Integers:
        """Add empty rows; return their numbers."""
        self._least.append(least)
        self._most.append(most)
        first, self._row_count = self._row_count, self._row_count + least.size
        return np.arange(first, self._row_count)

    def put(self, rows: Integers, columns: Integers, values: Floats | float) -> None:
        """Add entries, one for each pair of row and column."""
        self._entries.append((rows, columns, np.broadcast_to(np.asarray(values, np.float64), rows.shape)))

    @property
    def whole(self) -> NDArray[np.bool_]:
        """Which columns are whole numbers."""
        return np.concatenate(self._whole)

    def solve(self, relative_gap: float, nodes: int | None = None) -> tuple[Floats, float, float] | None:
        """Return the best columns, their cost and a bound from below; ``None`` when nothing is feasible.

        With ``nodes`` the search ends after so many, whatever the machine's pace.
        """
        import scipy.sparse as sp
        from scipy.optimize import Bounds, LinearConstraint, milp

        rows, columns, values = (np.concatenate(part) for part in zip(*self._entries, strict=True))
        matrix = sp.csc_matrix((values, (rows, columns)), shape=(self._row_count, self._column_count))
        cost_of = np.concatenate(self._cost)
        for added, price in self._added:
            np.add.at(cost_of, added, price)
        answer = milp(
            cost_of,
            constraints=LinearConstraint(matrix, np.concatenate(self._least), np.concatenate(self._most)),
            bounds=Bounds(np.concatenate(self._low), np.concatenate(self._high)),
            integrality=self.whole.astype(np.int64),
            options={"mip_rel_gap": relative_gap, "node_limit": nodes or _ENDLESS},
        )
        if answer.x is None:
            return None
        cost = float(answer.fun)
        bound = answer.mip_dual_bound
        return np.asarray(answer.x), cost, cost if bound is None else float(bound)
