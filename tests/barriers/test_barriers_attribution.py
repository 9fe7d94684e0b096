"""Sharing a loss: hand-solved, dummy, substitutes, sums."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from v2glab.barriers import (
    Attribution,
    SampledAttribution,
    attribute,
    bootstrap,
    draw_rules,
    load_catalogue,
    sample_orders,
    sets_of,
)
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
    # Dividends: what A and B cost together, 80, is 40 less than what each costs alone; C meets nobody.
    assert found.harsanyi()[:, 0].tolist() == [0.0, 60.0, 60.0, -40.0, 10.0, 0.0, 0.0, 0.0]
    assert found.interaction()[:, :, 0].tolist() == [[0.0, -40.0, 0.0], [-40.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    # Of 90, half is 45: no single rule frees that; A with B frees 80.
    assert found.minimal_sets(0.5) == [(("A", "B"), 80.0)]
    assert found.minimal_sets(0.2) == [(("A",), 20.0), (("B",), 20.0)]
    with pytest.raises(InputError, match="share"):
        found.minimal_sets(0.0)


def test_substitutes_look_dear_alone_and_free_at_the_end() -> None:
    found = attribute(("A", "B"), lambda chosen: np.array([0.0 if chosen else 50.0]))
    assert found.first_in()[:, 0].tolist() == [50.0, 50.0]
    assert found.last_in()[:, 0].tolist() == [0.0, 0.0]
    assert found.shapley()[:, 0].tolist() == [25.0, 25.0]
    assert found.interaction()[0, 1, 0] == -50.0
    assert found.minimal_sets() == [(("A", "B"), 50.0)]


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
    for measure in (found.shapley(), found.first_in(), found.last_in(), *found.interaction()):
        assert measure[1] == pytest.approx([0.0, 0.0], abs=1e-9)
    having = [s for s in range(8) if s >> 1 & 1]
    assert found.harsanyi()[having] == pytest.approx(np.zeros((4, 2)), abs=1e-9)
    assert not any("D" in names for names, _ in found.minimal_sets(0.9))


@settings(max_examples=30, deadline=None)
@given(arrays(np.float64, (16, 2), elements=st.floats(-1e3, 1e3, allow_subnormal=False)))
def test_dividends_add_up_and_share_out_to_shapley_values(value: np.ndarray) -> None:
    found = Attribution(("A", "B", "C", "D"), value)
    dividends = found.harsanyi()
    for rule_set in range(16):
        parts = [s for s in range(16) if s & rule_set == s]
        assert dividends[parts].sum(axis=0) == pytest.approx(found.loss[rule_set], abs=1e-8)
    # A dividend is shared evenly by the rules that make it (Harsanyi 1963).
    shares = [sum(dividends[s] / s.bit_count() for s in range(1, 16) if s >> i & 1) for i in range(4)]
    assert found.shapley() == pytest.approx(np.array(shares), abs=1e-8)


def _many_rules(rule_set: int) -> float:
    """Twenty rules: each costs its number; neighbours in pairs stand in for each other by half."""
    loss = sum(i + 1 for i in range(20) if rule_set >> i & 1)
    return 300.0 - loss + sum(0.5 * (i + 1) for i in range(0, 20, 2) if rule_set >> i & 3 == 3)


def test_sampled_orders_agree_with_the_closed_form_within_their_error() -> None:
    names = tuple(f"r{i}" for i in range(20))
    orders = tuple(sample_orders(20, 60, seed=3))
    sets = tuple(sets_of(orders))
    value = np.array([[_many_rules(s), 2 * _many_rules(s)] for s in sets])
    found = SampledAttribution(names, orders, sets, value)
    exact = np.array([i + 1 - 0.25 * (i + 1 - i % 2) for i in range(20)])
    shapley = found.shapley()
    assert shapley[:, 0].sum() == pytest.approx(found.total[0], rel=1e-12)
    assert shapley[:, 1] == pytest.approx(2 * shapley[:, 0])
    # An order and its reverse hold either neighbour first once: with pairs alone the mean is exact.
    assert shapley[:, 0] == pytest.approx(exact, abs=1e-9)
    assert (np.abs(1.5 * exact - shapley.mean(axis=1)) <= 4 * found.sampling_error + 1e-9).all()
    assert found.first_in()[3, 0] == 4.0
    assert found.last_in()[3, 0] == pytest.approx(4.0 - 1.5)
    assert sum(step for _, step in found.waterfall()) == pytest.approx(found.total.mean())


def test_the_error_of_sampled_orders_is_that_of_repeated_samples() -> None:
    names = tuple("ABCDEFGHIJ")
    rng = np.random.default_rng(5)
    table = np.append(0.0, np.cumsum(rng.random(1023)))[:, None]
    exact = Attribution(names, table).shapley()[:, 0]
    estimates, errors = [], []
    for seed in range(60):
        orders = tuple(sample_orders(10, 20, seed=seed))
        sets = tuple(sets_of(orders))
        found = SampledAttribution(names, orders, sets, table[list(sets)])
        estimates.append(found.shapley()[:, 0])
        errors.append(found.sampling_error)
    assert np.mean(estimates, axis=0) == pytest.approx(exact, abs=4 * np.mean(errors) / np.sqrt(60))
    assert np.std(estimates, axis=0).mean() == pytest.approx(np.mean(errors), rel=0.2)


def test_draws_follow_the_uncertainty_and_stay_among_values_that_a_term_takes() -> None:
    rules = load_catalogue().select("double_levy,power_factor_reactive=0.95,anti_islanding=300")
    uncertain = rules["power_factor_reactive"].model_copy(update={"uncertainty": 0.05})
    drawn = draw_rules(rules | {"power_factor_reactive": uncertain}, 400, seed=1)
    assert drawn[0]["power_factor_reactive"].value == 0.95
    values = np.array([d["power_factor_reactive"].value for d in drawn[1:]])
    assert len(values) == 400 and values.max() <= 1.0
    assert values.std() == pytest.approx(0.04, rel=0.2)  # a normal distribution cut off at one sigma
    assert {d["anti_islanding"].value for d in drawn} == {300.0}
    assert draw_rules(rules, 400, seed=1) == [rules]
    absurd = rules["power_factor_reactive"].model_copy(update={"uncertainty": 1e9})
    with pytest.raises(InputError, match="uncertainty"):
        draw_rules({"power_factor_reactive": absurd}, 2, seed=1)


def test_the_joint_bootstrap_covers_years_and_draws() -> None:
    rng = np.random.default_rng(3)
    vehicles = rng.normal(100.0, 5.0, 50)
    one = bootstrap(vehicles, seed=1)
    years = np.stack([vehicles[None], vehicles[None] + 100.0])
    both = bootstrap(years, seed=1)
    assert both.mean == pytest.approx(vehicles.mean() + 50.0)
    assert both.low == pytest.approx(one.low, abs=1.0) and both.high == pytest.approx(one.high + 100, abs=1.0)


def test_progress_counts_rule_sets_and_too_many_rules_are_refused() -> None:
    seen: list[tuple[int, int]] = []
    attribute(("A", "B"), lambda chosen: np.zeros(1), lambda done, total: seen.append((done, total)))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    for rules in ((), tuple("ABCDEFGHIJKLMNO"), ("A", "A")):
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
