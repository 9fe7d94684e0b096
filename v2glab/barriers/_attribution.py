"""Share the loss among rules: the full table of rule sets, and the measures that follow from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from math import factorial

import numpy as np

from v2glab.barriers._segments import Floats
from v2glab.evidence import InputError

#: Above this the table of 2^n rule sets is not filled; orders of the rules are sampled instead.
MOST_RULES = 14


@dataclass(frozen=True)
class Attribution:
    """What each rule costs, per vehicle.

    Parameters
    ----------
    rules
        Names (n,). Bit i of a row number of ``value`` says whether rule i is in force.
    value
        Shape (2^n, …): value of bidirectional charging under each rule set; the other axes are whatever was
        priced one by one, such as price years, draws of parameters, vehicles.
    """

    rules: tuple[str, ...]
    value: Floats

    @property
    def loss(self) -> Floats:
        """Value lost against no rules, shape (2^n, …)."""
        return np.asarray(self.value[0] - self.value)

    @property
    def total(self) -> Floats:
        """Value lost with all rules in force, shape (…)."""
        return np.asarray(self.value[0] - self.value[-1])

    @property
    def sampling_error(self) -> Floats:
        """Standard error of each mean Shapley value that sampling orders brings in: none here, shape (n,)."""
        return np.zeros(len(self.rules))

    def only(self, *index: int | slice) -> Attribution:
        """Return the same for part of the axes behind the first."""
        return Attribution(self.rules, self.value[(slice(None), *index)])

    def first_in(self) -> Floats:
        """Loss when a rule comes alone, shape (n, …)."""
        return np.stack([self.value[0] - self.value[1 << i] for i in range(len(self.rules))])

    def last_in(self) -> Floats:
        """Value regained when a rule is the only one lifted, shape (n, …)."""
        every = (1 << len(self.rules)) - 1
        return np.stack([self.value[every ^ (1 << i)] - self.value[every] for i in range(len(self.rules))])

    def shapley(self) -> Floats:
        """Shapley values, shape (n, …): the mean marginal loss over all orders of the rules.

        Shapley, A value for n-person games, 1953. For energy policies: Murphy and Rosenthal, Energy Journal
        27(2), 2006.
        """
        n = len(self.rules)
        weights = np.array([factorial(s) * factorial(n - s - 1) / factorial(n) for s in range(n)])
        sets = np.arange(1 << n)
        sizes = np.bitwise_count(sets)
        shares = []
        for i in range(n):
            without = sets[sets >> i & 1 == 0]
            gain = self.value[without] - self.value[without | 1 << i]
            shares.append(np.tensordot(weights[sizes[without]], gain, axes=1))
        return np.stack(shares)

    def harsanyi(self) -> Floats:
        """Harsanyi dividends of the loss, shape (2^n, …): what a set of rules does that no part of it does.

        The loss of a set is the sum of the dividends of its parts. Negative for two rules that substitute for
        each other, positive for two that only together cost anything. Harsanyi, International Economic Review
        4(2), 1963; computed as a Möbius transform in n passes.
        """
        out = self.loss.copy()
        sets = np.arange(out.shape[0])
        for i in range(len(self.rules)):
            having = sets[sets >> i & 1 == 1]
            out[having] -= out[having ^ (1 << i)]
        return out

    def interaction(self) -> Floats:
        """Shapley interaction index of each pair, shape (n, n, …), zero on the diagonal.

        The mean over the others' orders of what two rules cost together beyond what each costs. Grabisch and
        Roubens, International Journal of Game Theory 28, 1999: a dividend spread evenly over its pairs.
        """
        n = len(self.rules)
        dividends = self.harsanyi()
        sets = np.arange(1 << n)
        sizes = np.bitwise_count(sets)
        out = np.zeros((n, n, *dividends.shape[1:]))
        for i in range(n):
            for j in range(i):
                pair = sets[(sets >> i & 1 == 1) & (sets >> j & 1 == 1)]
                out[i, j] = out[j, i] = np.tensordot(1 / (sizes[pair] - 1), dividends[pair], axes=1)
        return out

    def minimal_sets(self, share: float = 0.5) -> list[tuple[tuple[str, ...], float]]:
        """Return each least set of rules whose lifting frees ``share`` of the mean loss, and what it frees.

        A set is least when no part of it does. Ordered by size, then by what is freed, most first.

        Raises
        ------
        InputError
            ``share`` is not between 0 and 1.
        """
        if not 0 < share <= 1:
            raise InputError(f"share {share:g}", "above 0, up to 1", "choose another share")
        mean = self.value.reshape(self.value.shape[0], -1).mean(axis=1)
        every = mean.size - 1
        goal = share * (mean[0] - mean[every])
        if goal <= 0:
            return []
        found: list[int] = []
        for lifted in sorted(range(1, every + 1), key=int.bit_count):
            freed = mean[every ^ lifted] - mean[every]
            if freed >= goal * (1 - 1e-12) and not any(part & lifted == part for part in found):
                found.append(lifted)
        rows = [(self._names(lifted), float(mean[every ^ lifted] - mean[every])) for lifted in found]
        return sorted(rows, key=lambda row: (len(row[0]), -row[1]))

    def _names(self, rule_set: int) -> tuple[str, ...]:
        return tuple(name for i, name in enumerate(self.rules) if rule_set >> i & 1)

    def waterfall(self) -> list[tuple[str, float]]:
        """Mean loss as rules come one after another, costliest by Shapley value first."""
        mean = self.value.reshape(self.value.shape[0], -1).mean(axis=1)
        shares = self.shapley().reshape(len(self.rules), -1).mean(axis=1)
        order = np.argsort(-shares, kind="stable")
        sets = [0]
        for i in order:
            sets.append(sets[-1] | 1 << int(i))
        steps = [float(mean[before] - mean[after]) for before, after in pairwise(sets)]
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
        Returns the value of bidirectional charging under a rule set, shape (…).
    progress
        Called with rule sets done and in all.

    Raises
    ------
    InputError
        There is no rule, or too many for the full table.
    """
    check_rules(rules, MOST_RULES)
    rows = []
    count = 1 << len(rules)
    for rule_set in range(count):
        rows.append(value(frozenset(r for i, r in enumerate(rules) if rule_set >> i & 1)))
        progress(rule_set + 1, count)
    return Attribution(rules, np.stack(rows))


def check_rules(rules: tuple[str, ...], most: int) -> None:
    """Refuse no rule, a rule twice, or more rules than ``most``."""
    if not 1 <= len(rules) <= most or len(set(rules)) != len(rules):
        raise InputError(
            f"{len(rules)} rules", f"1 to {most} different rules", "choose those that matter here"
        )
