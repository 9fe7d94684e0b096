"""What a procedure hands back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from v2glab.evidence._quantity import Quantity
from v2glab.evidence._verdict import Outcome, Verdict

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Result:
    """Outcome of one procedure.

    ``tables`` holds sampled series and tables by name; time columns are ``time_s`` since ``start_ns``. Each
    becomes one Parquet file in the run folder. ``facts`` are small plain values (texts, numbers, lists).
    ``timing`` names the quantities that depend on the wall clock of this machine: a repeat with the same seed
    need not reproduce them.
    """

    procedure: str
    start_ns: int
    parameters: Mapping[str, Any]
    quantities: tuple[Quantity, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    timing: frozenset[str] = frozenset()

    def quantity(self, name: str) -> Quantity:
        """Return the quantity of that name; ``KeyError`` lists what there is."""
        for quantity in self.quantities:
            if quantity.name == name:
                return quantity
        raise KeyError(f"{name!r}; there is: {', '.join(q.name for q in self.quantities)}")

    def count(self, outcome: Outcome) -> int:
        """Return how many verdicts have that outcome."""
        return sum(v.outcome is outcome for v in self.verdicts)
