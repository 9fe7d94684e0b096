"""Price every vehicle under every rule set, in every price year and draw of the parameters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from v2glab.barriers import (
    MOST_RULES,
    Attribution,
    SampledAttribution,
    VehicleColumn,
    draw_rules,
    sample_orders,
    sets_of,
    terms_of,
)
from v2glab.procedures._analyse_barriers_inputs import Inputs
from v2glab.procedures._barrier_engine import Common, Job, run_jobs
from v2glab.procedures._barrier_store import Store

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Priced:
    """Values of shape (rule sets, price years, draws, vehicles), shared out, and how they were found.

    The first draw holds the parameters' own values.
    """

    attribution: Attribution | SampledAttribution
    methods: Counter[str]
    gap_eur: float
    solved: int
    repeated: int
    continued: int

    @property
    def nominal(self) -> Attribution | SampledAttribution:
        """The attribution at the parameters' own values: years and vehicles remain, (years, vehicles)."""
        return self.attribution.only(slice(None), 0)


def price(
    inputs: Inputs, *, engine: str, store: str, draws: int, order_pairs: int, seed: int, progress: Progress
) -> Priced:
    """Fill the table; what the store already holds is not priced again.

    Parameters
    ----------
    engine
        See :func:`run_jobs`.
    store
        Folder of what was priced, or empty.
    draws
        Draws of the uncertain parameters; none are made when none is uncertain.
    order_pairs
        Pairs of orders to sample when there are too many rules for the full table.
    progress
        Called with vehicles done and in all (each price year and draw counts).
    """
    names = tuple(inputs.rules)
    full = len(names) <= MOST_RULES
    orders = () if full else tuple(sample_orders(len(names), order_pairs, seed))
    sets = range(1 << len(names)) if full else sets_of(orders)
    drawn = draw_rules(inputs.rules, draws, seed)
    common = Common(inputs.markets, tuple(tuple(terms_of(rules, sets)) for rules in drawn))
    shape = (len(inputs.markets), len(drawn), len(inputs.years))
    jobs = [
        Job(inputs.years[vehicle], inputs.vehicle, year, draw) for year, draw, vehicle in np.ndindex(shape)
    ]
    columns, continued = _columns(common, jobs, engine, store, progress)
    value = np.array([column.values for column in columns]).T.reshape(len(sets), *shape)
    methods: Counter[str] = Counter()
    for column in columns:
        methods.update(column.methods)
    attribution = Attribution(names, value) if full else SampledAttribution(names, orders, tuple(sets), value)
    return Priced(
        attribution,
        methods,
        max(column.gap_eur for column in columns),
        sum(column.solved for column in columns),
        sum(column.repeated for column in columns),
        continued,
    )


def _columns(
    common: Common, jobs: list[Job], engine: str, store: str, progress: Progress
) -> tuple[list[VehicleColumn], int]:
    kept = Store(Path(store), common, jobs) if store else None
    try:
        columns = kept.read() if kept else {}
        continued = len(columns)
        missing = [number for number in range(len(jobs)) if number not in columns]
        progress(continued, len(jobs))

        def done(place: int, column: VehicleColumn) -> None:
            columns[missing[place]] = column
            if kept:
                kept.add(missing[place], column)
            progress(len(columns), len(jobs))

        run_jobs(common, [jobs[number] for number in missing], engine, done)
    finally:
        if kept:
            kept.close()
    return [columns[number] for number in range(len(jobs))], continued
