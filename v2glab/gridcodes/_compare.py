"""Two grid codes side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from v2glab.gridcodes._rows import Row


@dataclass(frozen=True)
class Pair:
    """The same limit in two codes; ``None`` where a code has none that is known."""

    group: str
    name: str
    first: Row | None
    second: Row | None

    @property
    def differs(self) -> bool:
        """Whether value or range differ, or one code has no such limit."""
        if self.first is None or self.second is None:
            return True
        return (self.first.value, self.first.range) != (self.second.value, self.second.range)

    @property
    def unverified(self) -> bool:
        """Whether either side has to be checked against its text."""
        return any(row is not None and row.confidence == "unverified" for row in (self.first, self.second))


def compare_rows(first: Sequence[Row], second: Sequence[Row]) -> tuple[Pair, ...]:
    """Match the rows of two codes by what they are, in the order of the first code.

    Rows of several categories of one code must not be mixed: give the rows of one category each.
    """
    before, after = ({row.key: row for row in rows} for rows in (first, second))
    keys = dict.fromkeys([*before, *after])
    return tuple(Pair(*key, before.get(key), after.get(key)) for key in keys)
