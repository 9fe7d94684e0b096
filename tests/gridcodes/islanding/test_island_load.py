"""The RLC load matches the plant, with the quality factor asked for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from v2glab.evidence import InputError
from v2glab.gridcodes.islanding import (
    IslandInverter,
    RlcLoad,
    capacitor_steps,
    match_load,
    mismatched_load,
    simulate_island,
)


@given(st.floats(0.05, 1.0), st.floats(-0.44, 0.44), st.floats(0.3, 3.0))
def test_a_matched_load_takes_what_the_plant_gives(p, q, quality_factor):
    load = match_load(p, q, nominal_hz=60, quality_factor=quality_factor)
    assert load.resistive_pu == p
    assert load.inductive_pu - load.capacitive_pu == pytest.approx(q, abs=1e-12)
    assert load.quality_factor == pytest.approx(quality_factor)


@pytest.mark.parametrize(("p", "q"), [(1.0, 0.0), (0.9, -0.25), (0.9, 0.44), (0.5, -0.44)])
def test_an_island_in_balance_stays_where_it_is(p, q):
    seen = simulate_island(IslandInverter(p, q), match_load(p, q, nominal_hz=50), (), duration_s=1.0)
    assert seen.voltage_pu == pytest.approx(1.0, abs=1e-9)
    assert seen.frequency_hz == pytest.approx(50.0, abs=1e-7)


def test_resonance_and_quality_factor_by_their_definitions():
    load = RlcLoad(0.5, 1.1, 0.9, 60.0)
    w0, volts = 2 * 3.141592653589793 * 60, 1.0
    r, inductance, capacitance = volts**2 / 0.5, 1 / (1.1 * w0), 0.9 / w0
    assert load.quality_factor == pytest.approx(r * (capacitance / inductance) ** 0.5)
    assert load.resonance_hz == pytest.approx(1 / (2 * 3.141592653589793 * (inductance * capacitance) ** 0.5))


def test_a_mismatch_moves_one_part_and_names_which():
    by_l = mismatched_load(0.8, 0.1, 0.05, nominal_hz=60, quality_factor=1.0, vary="L")
    by_c = mismatched_load(0.8, 0.1, 0.05, nominal_hz=60, quality_factor=1.0, vary="C")
    assert (by_l.inductive_pu, by_l.capacitive_pu) == (pytest.approx(0.84), 0.8)
    assert (by_c.inductive_pu, by_c.capacitive_pu) == (0.8, pytest.approx(0.76))
    assert by_l.resistive_pu == by_c.resistive_pu == pytest.approx(0.88)
    with pytest.raises(InputError):
        mismatched_load(0.8, 0, 0, nominal_hz=60, quality_factor=1.0, vary="R")
    with pytest.raises(InputError):
        mismatched_load(0.8, 0, 1.5, nominal_hz=60, quality_factor=1.0, vary="C")


def test_capacitor_steps_of_the_matrix():
    load = match_load(1.0, nominal_hz=60)
    steps = capacitor_steps(load)
    assert [percent for percent, _ in steps] == list(range(95, 106))
    assert [one.capacitive_pu for _, one in steps] == pytest.approx([0.01 * p for p, _ in steps])
    assert all((one.resistive_pu, one.inductive_pu) == (1.0, 1.0) for _, one in steps)
    assert [p for p, _ in capacitor_steps(load, (99, 100, 0.5))] == [99, 99.5, 100]
    for bad in ((95, 105, 0), (105, 95, 1), (-1, 5, 1)):
        with pytest.raises(InputError):
            capacitor_steps(load, bad)


@pytest.mark.parametrize(
    ("p", "q", "quality_factor"), [(0, 0, 1), (-1, 0, 1), (1, float("nan"), 1), (1, 0, 0)]
)
def test_a_plant_that_takes_power_makes_no_island(p, q, quality_factor):
    with pytest.raises(InputError):
        match_load(p, q, nominal_hz=60, quality_factor=quality_factor)
