"""Sharing a loss: hand-solved, dummy, substitutes, sums."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from v2glab.barriers import Attribution, attribute, bootstrap
from v2glab.evidence import InputError


def test_three_barriers_solved_by_hand() -> None:
    # Value 100; A costs 60, B costs 60, together 80; C costs 10 whatever else holds.
    def value(chosen: frozenset[str]) -> np.ndarray:
        loss = {frozenset(): 0, frozenset("A"): 60, frozenset("B"): 60, frozenset("AB"): 80}
        return np.array([100.0 - loss[chosen - {"C"}] - (10.0 if "C" in chosen else 0.0)])

    found = attribute(("A", "B", "C"), value)
    # A: first 60, after B 20, each in half of the orders; C always 10.
    assert found.shapley()[:, 0].tolist() == pytest.approx([40.0, 40.0, 10.0])
    assert found.first_in()[:, 0].tolist() == [60.0, 60.0, 10.0]
    assert found.last_in()[:, 0].tolist() == [20.0, 20.0, 10.0]
    assert found.total[0] == 90.0
    assert found.waterfall() == [("A", 60.0), ("B", 20.0), ("C", 10.0)]


def test_substitutes_look_dear_alone_and_free_at_the_end() -> None:
    found = attribute(("A", "B"), lambda chosen: np.array([0.0 if chosen else 50.0]))
    assert found.first_in()[:, 0].tolist() == [50.0, 50.0]
    assert found.last_in()[:, 0].tolist() == [0.0, 0.0]
    assert found.shapley()[:, 0].tolist() == [25.0, 25.0]


@settings(max_examples=50, deadline=None)
@given(arrays(np.float64, (8, 3), elements=st.floats(-1e3, 1e3, allow_subnormal=False)))
def test_shapley_equals_the_mean_over_all_orders(value: np.ndarray) -> None:
    found = Attribution(("A", "B", "C"), value)
    shares = np.zeros((3, 3))
    for order in permutations(range(3)):
        held = 0
        for i in order:
            shares[i] += (found.loss[held | 1 << i] - found.loss[held]) / 6
            held |= 1 << i
    assert found.shapley() == pytest.approx(shares, abs=1e-9)
    assert found.shapley().sum(axis=0) == pytest.approx(found.total, abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(arrays(np.float64, (4, 2), elements=st.floats(-1e3, 1e3)))
def test_a_barrier_that_does_nothing_has_value_zero_everywhere(value: np.ndarray) -> None:
    table = {frozenset(): 0, frozenset("A"): 1, frozenset("B"): 2, frozenset("AB"): 3}
    found = attribute(("A", "D", "B"), lambda chosen: value[table[chosen - {"D"}]])
    for measure in (found.shapley(), found.first_in(), found.last_in()):
        assert measure[1] == pytest.approx([0.0, 0.0], abs=1e-9)


def test_progress_counts_rule_sets_and_too_many_rules_are_refused() -> None:
    seen: list[tuple[int, int]] = []
    attribute(("A", "B"), lambda chosen: np.zeros(1), lambda done, total: seen.append((done, total)))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    for rules in ((), tuple("ABCDEFGHIJK"), ("A", "A")):
        with pytest.raises(InputError, match="rules"):
            attribute(rules, lambda chosen: np.zeros(1))


def test_bootstrap_agrees_with_the_standard_error_of_a_mean() -> None:
    sample = np.random.default_rng(3).normal(100.0, 20.0, 400)
    estimate = bootstrap(sample, seed=1, samples=4000)
    assert estimate.mean == pytest.approx(sample.mean())
    assert estimate.standard_error == pytest.approx(sample.std(ddof=1) / 20, rel=0.05)
    assert estimate.low < estimate.mean < estimate.high
    assert estimate == bootstrap(sample, seed=1, samples=4000)
    assert np.isnan(bootstrap(sample[:1], seed=1).standard_error)
