"""Ours in the compatibility discretisation against OpenDER 2.2.0: P, Q and state, sample by sample."""

import pytest
from opender_peer import both, like_opender, worst
from opender_scenarios import SCENARIOS


@pytest.mark.parametrize("name", SCENARIOS)
def test_agrees_with_opender(name):
    category, normal, changes, segments, step = SCENARIOS[name]
    ours, peer = both(like_opender(category, normal, **changes), segments, step)
    p, q, states = worst(ours, peer)
    assert states == 0
    assert p <= 1e-6
    assert q <= 1e-6


def test_scenarios_are_many():
    assert len(SCENARIOS) >= 60
