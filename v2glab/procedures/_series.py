"""Rows of samples that become tables, and means with uncertainty."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from v2glab.evidence import Quantity

if TYPE_CHECKING:
    import pandas as pd


class Series:
    """Samples taken one after the other, with the last quantity of each name kept for its provenance."""

    def __init__(self, start_ns: int) -> None:
        self.start_ns = start_ns
        self._rows: list[dict[str, float]] = []
        self._seen: dict[str, Quantity] = {}

    def add(self, time_ns: int, *groups: Mapping[str, Quantity], **plain: float) -> dict[str, float]:
        """Append one row; quantities become columns ``<name>``, plain numbers too."""
        row: dict[str, float] = {"time_s": (time_ns - self.start_ns) * 1e-9, **plain}
        for group in groups:
            for name, quantity in group.items():
                row[name] = quantity.value
                self._seen[name] = quantity
        self._rows.append(row)
        return row

    def __len__(self) -> int:
        return len(self._rows)

    def column(self, name: str) -> list[float]:
        """Return one column; rows without a value are left out."""
        return [row[name] for row in self._rows if name in row]

    def frame(self) -> pd.DataFrame:
        """Return all rows as a table."""
        import pandas as pd

        return pd.DataFrame(self._rows)

    def seen(self, name: str) -> Quantity:
        """Return the latest quantity of that name."""
        return self._seen[name]

    def mean(self, name: str, as_name: str, columns: Sequence[str] | None = None) -> Quantity:
        """Return the mean over time, and over ``columns`` when given, with standard uncertainty.

        The scatter of the mean over time (JCGM 100:2008, 4.2.3) joins the instrument's own uncertainty,
        which does not average out because every sample shares it.
        """
        names = columns or [name]
        values = [sum(parts) / len(names) for parts in zip(*(self.column(n) for n in names), strict=True)]
        average = sum(values) / len(values)
        scatter = (
            math.sqrt(sum((v - average) ** 2 for v in values) / (len(values) - 1) / len(values))
            if len(values) > 1
            else 0.0
        )
        return derived(
            as_name, average, self._seen[names[0]].unit, scatter, *(self._seen[n] for n in names), weight=1
        )

    def extreme(
        self, columns: Sequence[str], as_name: str, *, largest: bool, scale: float, unit: str
    ) -> Quantity:
        """Return the largest or smallest value over columns and time, times ``scale``."""
        pick = max if largest else min
        name = pick(columns, key=lambda c: pick(self.column(c)))
        source = self._seen[name]
        spread = None if source.uncertainty is None else source.uncertainty * scale
        return Quantity(
            as_name,
            pick(self.column(name)) * scale,
            unit,
            spread,
            source.no_uncertainty,
            time_ns=source.time_ns,
            instrument=source.instrument,
            certificate=source.certificate,
        )


def derived(
    name: str, value: float, unit: str, scatter: float, *sources: Quantity, weight: float = 1.0
) -> Quantity:
    """Return a quantity computed from others.

    ``weight`` is the largest sensitivity to a source. Sources of one instrument count as fully correlated,
    so the largest uncertainty counts once. A source without uncertainty leaves the result without.
    """
    first = sources[0]
    missing = next((q for q in sources if q.uncertainty is None), None)
    if missing is not None:
        spread, reason = None, missing.no_uncertainty
    else:
        shared = max(q.uncertainty or 0.0 for q in sources) * weight
        spread, reason = math.hypot(scatter, shared), ""
    return Quantity(
        name,
        value,
        unit,
        spread,
        reason,
        time_ns=first.time_ns,
        instrument=first.instrument,
        certificate=first.certificate,
    )


def trapezoid(times_s: Sequence[float], values: Sequence[float]) -> float:
    """Integrate samples over time by the trapezoidal rule."""
    steps = zip(pairwise(times_s), pairwise(values), strict=True)
    return sum((t1 - t0) * (v0 + v1) / 2 for (t0, t1), (v0, v1) in steps)
