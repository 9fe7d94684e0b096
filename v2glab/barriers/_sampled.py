"""Share the loss among more rules than a full table can hold: Shapley values from sampled orders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from v2glab.barriers._attribution import check_rules
from v2glab.barriers._segments import Floats
from v2glab.evidence import InputError

#: A rule set is a row of bits in a 64-bit number.
MOST_SAMPLED_RULES = 40


def sample_orders(count: int, pairs: int, seed: int) -> list[tuple[int, ...]]:
    """Return ``pairs`` random orders of ``count`` rules, each followed by its reverse.

    An order and its reverse have opposite errors for rules that substitute for each other (antithetic
    variates): Castro, Gómez and Tejada, Computers & Operations Research 36(5), 2009, for sampling orders;
    Mitchell and others, Journal of Machine Learning Research 23, 2022, for pairing them.
    """
    if pairs < 2:
        raise InputError(f"{pairs} pairs of orders", "at least 2", "sample more orders")
    rng = np.random.default_rng(seed)
    orders: list[tuple[int, ...]] = []
    for _ in range(pairs):
        order = tuple(int(i) for i in rng.permutation(count))
        orders += [order, order[::-1]]
    return orders


def sets_of(orders: Sequence[tuple[int, ...]]) -> list[int]:
    """Return the rule sets that the orders pass through, and those that first-in and last-in need, rising."""
    count = len(orders[0])
    every = (1 << count) - 1
    found = {0, every}
    found |= {1 << i for i in range(count)} | {every ^ (1 << i) for i in range(count)}
    for order in orders:
        held = 0
        for i in order:
            held |= 1 << i
            found.add(held)
    return sorted(found)


@dataclass(frozen=True)
class SampledAttribution:
    """What each rule costs, from sampled orders; sums exactly to the whole loss, as each order does.

    Parameters
    ----------
    rules
        Names (n,).
    orders
        Pairs of orders, an order followed by its reverse.
    sets
        Rule sets priced, rising; see :func:`sets_of`.
    value
        Shape (sets, …): value of bidirectional charging under each.
    """

    rules: tuple[str, ...]
    orders: tuple[tuple[int, ...], ...]
    sets: tuple[int, ...]
    value: Floats

    def __post_init__(self) -> None:
        check_rules(self.rules, MOST_SAMPLED_RULES)

    def _row(self, rule_set: int) -> Floats:
        return np.asarray(self.value[int(np.searchsorted(self.sets, rule_set))])

    @property
    def total(self) -> Floats:
        """Value lost with all rules in force, shape (…)."""
        return np.asarray(self.value[0] - self.value[-1])

    def only(self, *index: int | slice) -> SampledAttribution:
        """Return the same for part of the axes behind the first."""
        return SampledAttribution(self.rules, self.orders, self.sets, self.value[(slice(None), *index)])

    def first_in(self) -> Floats:
        """Loss when a rule comes alone, shape (n, …): exact."""
        return np.stack([self.value[0] - self._row(1 << i) for i in range(len(self.rules))])

    def last_in(self) -> Floats:
        """Value regained when a rule is the only one lifted, shape (n, …): exact."""
        every = (1 << len(self.rules)) - 1
        return np.stack([self._row(every ^ (1 << i)) - self.value[-1] for i in range(len(self.rules))])

    def _pairs(self) -> Floats:
        """Marginal losses, one row a pair of orders, shape (pairs, n, …)."""
        rows = np.zeros((len(self.orders) // 2, len(self.rules), *self.value.shape[1:]))
        for number, order in enumerate(self.orders):
            held = 0
            for i in order:
                rows[number // 2, i] += 0.5 * (self._row(held) - self._row(held | 1 << i))
                held |= 1 << i
        return rows

    def shapley(self) -> Floats:
        """Estimated Shapley values, shape (n, …)."""
        return np.asarray(self._pairs().mean(axis=0))

    @property
    def sampling_error(self) -> Floats:
        """Standard error of each mean Shapley value that sampling orders brings in, shape (n,)."""
        pairs = self._pairs()
        means = pairs.reshape(*pairs.shape[:2], -1).mean(axis=2)
        return np.asarray(means.std(axis=0, ddof=1) / np.sqrt(len(means)))

    def waterfall(self) -> list[tuple[str, float]]:
        """Mean loss along the first order sampled."""
        mean = self.value.reshape(self.value.shape[0], -1).mean(axis=1)
        held, steps = 0, []
        for i in self.orders[0]:
            after = held | 1 << i
            before_row, after_row = (int(np.searchsorted(self.sets, s)) for s in (held, after))
            steps.append((self.rules[i], float(mean[before_row] - mean[after_row])))
            held = after
        return steps
