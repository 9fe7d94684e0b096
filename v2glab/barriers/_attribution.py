"""Share the loss among rules: the full table of rule sets, Shapley values, first-in, last-in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from math import factorial

import numpy as np
from numpy.typing import NDArray

from v2glab.evidence import InputError

Floats = NDArray[np.float64]
#: Above this the table of 2^n rule sets is refused.
MOST_RULES = 10


@dataclass(frozen=True)
class Attribution:
    """What each rule costs, per vehicle.

    Parameters
    ----------
    rules
        Names (n,). Bit i of a row number of ``value`` says whether rule i is in force.
    value
        Shape (2^n, vehicles): value of bidirectional charging under each rule set.
    """

    rules: tuple[str, ...]
    value: Floats

    @property
    def loss(self) -> Floats:
        """Value lost against no rules, shape (2^n, vehicles)."""
        return np.asarray(self.value[0] - self.value)

    @property
    def total(self) -> Floats:
        """Value lost with all rules in force, shape (vehicles,)."""
        return np.asarray(self.value[0] - self.value[-1])

    def first_in(self) -> Floats:
        """Loss when a rule comes alone, shape (n, vehicles)."""
        return np.stack([self.loss[1 << i] for i in range(len(self.rules))])

    def last_in(self) -> Floats:
        """Value regained when a rule is the only one lifted, shape (n, vehicles)."""
        every = (1 << len(self.rules)) - 1
        return np.stack([self.loss[every] - self.loss[every ^ (1 << i)] for i in range(len(self.rules))])

    def shapley(self) -> Floats:
        """Shapley values, shape (n, vehicles): the mean marginal loss over all orders of the rules.

        Shapley, A value for n-person games, 1953. For energy policies: Murphy and Rosenthal, Energy Journal
        27(2), 2006.
        """
        n = len(self.rules)
        loss = self.loss
        shares = np.zeros((n, loss.shape[1]))
        for rule_set in range(1 << n):
            size = rule_set.bit_count()
            for i in range(n):
                if not rule_set >> i & 1:
                    weight = factorial(size) * factorial(n - size - 1) / factorial(n)
                    shares[i] += weight * (loss[rule_set | 1 << i] - loss[rule_set])
        return shares

    def waterfall(self) -> list[tuple[str, float]]:
        """Mean loss per vehicle as rules come one after another, costliest by Shapley value first."""
        order = np.argsort(-self.shapley().mean(axis=1), kind="stable")
        sets = [0]
        for i in order:
            sets.append(sets[-1] | 1 << int(i))
        mean = self.loss.mean(axis=1)
        steps = [float(mean[after] - mean[before]) for before, after in pairwise(sets)]
        return [(self.rules[int(i)], step) for i, step in zip(order, steps, strict=True)]


def attribute(
    rules: tuple[str, ...],
    value: Callable[[frozenset[str]], Floats],
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Attribution:
    """Fill the table over all 2^n rule sets.

    Parameters
    ----------
    value
        Returns the value of bidirectional charging under a rule set, shape (vehicles,).
    progress
        Called with rule sets done and in all.

    Raises
    ------
    InputError
        There is no rule, or too many for the full table.
    """
    if not 1 <= len(rules) <= MOST_RULES or len(set(rules)) != len(rules):
        raise InputError(
            f"{len(rules)} rules", f"1 to {MOST_RULES} different rules", "choose those that matter here"
        )
    rows = []
    count = 1 << len(rules)
    for rule_set in range(count):
        rows.append(value(frozenset(r for i, r in enumerate(rules) if rule_set >> i & 1)))
        progress(rule_set + 1, count)
    return Attribution(rules, np.stack(rows))


@dataclass(frozen=True, slots=True)
class Estimate:
    """Mean over vehicles with its bootstrap standard error and 95 % percentile interval."""

    mean: float
    standard_error: float
    low: float
    high: float


def bootstrap(per_vehicle: Floats, *, seed: int, samples: int = 2000) -> Estimate:
    """Resample vehicles with replacement (Efron and Tibshirani, 1993, chapter 13: percentile interval).

    Parameters
    ----------
    per_vehicle
        Shape (vehicles,). Of a single vehicle nothing can be said: its interval is the point itself and its
        standard error NaN.
    """
    mean = float(per_vehicle.mean())
    if per_vehicle.size < 2:
        return Estimate(mean, float("nan"), mean, mean)
    picks = np.random.default_rng(seed).integers(0, per_vehicle.size, (samples, per_vehicle.size))
    means = per_vehicle[picks].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return Estimate(mean, float(means.std(ddof=1)), float(low), float(high))
