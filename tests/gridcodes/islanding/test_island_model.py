"""The island's model against closed forms, against the full equations, and against itself uncompiled."""

import json
import math
import os
import subprocess
import sys

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from v2glab.evidence import InputError
from v2glab.gridcodes import load_code, trip_settings
from v2glab.gridcodes.islanding import (
    Curve,
    Droop,
    IslandInverter,
    IslandTrip,
    RlcLoad,
    capacitor_steps,
    critical_frequency_shift_gain,
    critical_voltage_shift_gain,
    match_load,
    mismatched_load,
    non_detection_map,
    passive_power_boundary,
    passive_reactive_boundary,
    run_on_time,
    simulate_island,
)

F0 = 60.0
TRIPS = (
    IslandTrip("voltage", "low", 0.88, 0.16),
    IslandTrip("voltage", "high", 1.10, 0.16),
    IslandTrip("frequency", "low", 59.3, 0.16),
    IslandTrip("frequency", "high", 60.5, 0.16),
)


def boundary(inverter, low, high, load, trips=TRIPS):
    """Bisect between a mismatch that persists and one that is detected."""
    assert run_on_time(inverter, load(low), trips, duration_s=3).persisted
    assert not run_on_time(inverter, load(high), trips, duration_s=3).persisted
    while abs(high - low) > 1e-5:
        middle = (low + high) / 2
        persists = run_on_time(inverter, load(middle), trips, duration_s=3).persisted
        low, high = (middle, high) if persists else (low, middle)
    return (low + high) / 2


@pytest.mark.parametrize(("threshold", "far"), [(0.88, 0.5), (1.10, -0.4)])
def test_the_passive_boundary_of_power_is_where_voltage_settles_at_its_trip(threshold, far):
    def load(delta):
        return mismatched_load(0.7, delta, 0.0, nominal_hz=F0, quality_factor=1.0)

    found = boundary(IslandInverter(0.7), 0.0, far, load)
    assert found == pytest.approx(float(passive_power_boundary(threshold)), abs=2e-4)


@pytest.mark.parametrize("vary", ["L", "C"])
@pytest.mark.parametrize("quality_factor", [0.5, 1.0, 2.5])
@pytest.mark.parametrize(("threshold", "far"), [(59.3, -0.3), (60.5, 0.3)])
def test_the_passive_boundary_of_reactive_power_is_where_frequency_settles(
    vary, quality_factor, threshold, far
):
    def load(delta):
        return mismatched_load(1.0, 0.0, delta, nominal_hz=F0, quality_factor=quality_factor, vary=vary)

    exact = float(passive_reactive_boundary(threshold, F0, quality_factor, vary))
    assert boundary(IslandInverter(1.0), 0.0, far, load) == pytest.approx(exact, abs=2e-4)


def test_closed_forms_are_their_own_words():
    assert passive_power_boundary([0.88, 1.1]) == pytest.approx([0.29132, -0.17355], abs=1e-5)
    assert passive_reactive_boundary(60.5, 60, 1, "L") == pytest.approx(0.016736, abs=1e-6)
    assert passive_reactive_boundary(60.5, 60, 1, "C") == pytest.approx(0.016460, abs=1e-6)
    assert critical_frequency_shift_gain(1.0, 60) == pytest.approx(0.021221, abs=1e-6)
    with pytest.raises(InputError):
        passive_reactive_boundary(60.5, 60, 1, "R")


@pytest.mark.parametrize("quality_factor", [0.7, 1.0, 2.5])
def test_the_non_detection_zone_vanishes_at_the_critical_frequency_shift_gain(quality_factor):
    critical = critical_frequency_shift_gain(quality_factor, F0)
    trips = TRIPS[2:]
    # a resonance a little off nominal is what the feedback needs to begin
    load = mismatched_load(1.0, 0.0, 1e-5, nominal_hz=F0, quality_factor=quality_factor)
    below = IslandInverter(1.0, frequency_shift_gain=0.99 * critical)
    above = IslandInverter(1.0, frequency_shift_gain=1.01 * critical)
    assert run_on_time(below, load, trips, duration_s=20).persisted
    seen = run_on_time(above, load, trips, duration_s=20)
    assert not seen.persisted and seen.cause == "frequency high"


@pytest.mark.parametrize("share", [1.2, 2.0])
def test_above_the_critical_gain_frequency_runs_away_exponentially(share):
    tau, offset = 0.1, 1e-7
    inverter = IslandInverter(
        1.0, frequency_shift_gain=share * critical_frequency_shift_gain(1.0, F0), measuring_s=tau
    )
    load = mismatched_load(1.0, 0.0, offset, nominal_hz=F0, quality_factor=1.0)
    seen = simulate_island(inverter, load, (), duration_s=1.0 / (share - 1), step_s=2e-4)
    moved = seen.frequency_hz - F0
    near = (moved > 2e-3) & (moved < 2e-2)
    rate = np.polyfit(seen.time_s[near], np.log(moved[near]), 1)[0]
    # measured frequency f' = (f − f_m)/τ, with f − f_r = (K/K_critical)·(f_m − f₀); the resonance's own
    # offset of 3 µHz is small beside what is fitted
    assert rate == pytest.approx((share - 1) / tau, rel=0.02)


@pytest.mark.parametrize("constant_current", [False, True])
def test_no_voltage_is_stable_above_the_critical_voltage_shift_gain(constant_current):
    critical = critical_voltage_shift_gain(constant_current=constant_current)
    load = mismatched_load(0.5, 1e-3, 0.0, nominal_hz=F0, quality_factor=1.0)
    for share, stays in ((0.95, True), (1.05, False)):
        inverter = IslandInverter(0.5, constant_current=constant_current, voltage_shift_gain=share * critical)
        seen = simulate_island(inverter, load, (), duration_s=20.0)
        assert (abs(seen.voltage_pu[-1] - 1) < 0.02) == stays, share


def test_a_map_agrees_with_the_closed_forms():
    delta_p, delta_q = np.linspace(-0.25, 0.35, 13), np.linspace(-0.04, 0.04, 9)
    seen = non_detection_map(IslandInverter(1.0), TRIPS, delta_p, delta_q, nominal_hz=F0, vary="C")
    high, low = passive_power_boundary([1.1, 0.88])[[0, 1]]
    left, right = (float(passive_reactive_boundary(f, F0, 1.0, "C")) for f in (59.3, 60.5))
    inside = np.outer((delta_p > high) & (delta_p < low), (delta_q > left) & (delta_q < right))
    assert (seen.undetected == inside).all() and inside.any() and not inside.all()
    assert np.isinf(seen.run_on_s[inside]).all() and (seen.run_on_s[~inside] < 2.0).all()


def full_equations(inverter, load, duration_s, law):
    """Integrate capacitor and inductor in the stationary frame; ``law`` gives P, Q and slopes of its lags."""
    w0 = math.tau * load.nominal_hz
    capacitor, inductor = load.capacitive_pu / w0, 1 / (load.inductive_pu * w0)

    def right(t, y):
        v, i = complex(y[0], y[1]), complex(y[2], y[3])
        vm, fm, lags = y[4], y[5], y[6:]
        p, q, moved = law(abs(v), vm, fm, lags)
        dv = (np.conj(complex(p, q) / v) - load.resistive_pu * v - i) / capacitor
        di = v / inductor
        hertz = (dv / v).imag / math.tau
        seen = [(abs(v) - vm) / inverter.measuring_s, (hertz - fm) / inverter.measuring_s]
        return [dv.real, dv.imag, di.real, di.imag, *seen, *moved]

    begin = [1.0, 0.0, 0.0, -load.inductive_pu, 1.0, load.nominal_hz, *law(None, None, None, None)]
    return solve_ivp(right, (0, duration_s), begin, method="DOP853", rtol=1e-8, atol=1e-9, max_step=1e-3)


def compare(inverter, load, law, duration_s=0.6):
    exact = full_equations(inverter, load, duration_s, law)
    seen = simulate_island(inverter, load, (), duration_s=duration_s)
    later = exact.t > 0.05
    volts = np.interp(exact.t, seen.time_s, seen.voltage_pu)
    assert np.hypot(exact.y[0], exact.y[1])[later] == pytest.approx(volts[later], abs=0.015)
    # the measured frequency of both: that of the model behind the same lag
    behind = np.zeros(seen.time_s.size)
    behind[0] = load.nominal_hz
    keep = math.exp(-(seen.time_s[1] - seen.time_s[0]) / inverter.measuring_s)
    for k in range(1, behind.size):
        behind[k] = keep * behind[k - 1] + (1 - keep) * seen.frequency_hz[k - 1]
    hertz = np.interp(exact.t, seen.time_s, behind)
    assert exact.y[5][later] == pytest.approx(hertz[later], abs=0.25)
    assert exact.y[5][-1] == pytest.approx(hertz[-1], abs=0.02)
    assert np.hypot(exact.y[0], exact.y[1])[-1] == pytest.approx(volts[-1], abs=2e-3)


@pytest.mark.parametrize(
    ("delta_p", "delta_q", "vary"), [(0.2, 0.05, "L"), (-0.15, -0.05, "C"), (0, 0.2, "C")]
)
def test_the_full_equations_agree_on_a_passive_island(delta_p, delta_q, vary):
    load = mismatched_load(0.8, delta_p, delta_q, nominal_hz=F0, quality_factor=1.0, vary=vary)
    compare(IslandInverter(0.8), load, lambda v, vm, fm, lags: (0.8, 0.0, []) if v else [])


def test_the_full_equations_agree_with_frequency_and_voltage_shift():
    gain = 0.7 * critical_frequency_shift_gain(1.0, F0)
    inverter = IslandInverter(
        0.8, frequency_shift_gain=gain, frequency_shift_offset=0.01, voltage_shift_gain=1.2, measuring_s=0.05
    )
    load = mismatched_load(0.8, 0.03, 0.01, nominal_hz=F0, quality_factor=1.0)

    def law(v, vm, fm, lags):
        if v is None:
            return []
        lead = math.pi / 2 * (0.01 + gain * (fm - F0))
        power = 0.8 * (1 + 1.2 * (vm - 1))
        return power * math.cos(lead), -power * math.sin(lead), []

    compare(inverter, load, law)


def test_the_full_equations_agree_with_droop_volt_var_and_volt_watt():
    inverter = IslandInverter(
        0.9,
        droop=Droop(0.036, 0.2, 0.5),
        volt_var=Curve((0.9, 0.98, 1.02, 1.1), (0.1, 0.0, 0.0, -0.1), 0.4),
        volt_watt=Curve((1.0, 1.1), (1.0, 0.5), 0.3),
    )
    load = mismatched_load(0.9, -0.2, 0.03, nominal_hz=F0, quality_factor=1.0)
    tau = [response / math.log(10) for response in (0.5, 0.4, 0.3)]

    def law(v, vm, fm, lags):
        if v is None:
            return [0.0, 0.0, 1.0]
        over, under = fm - F0 - 0.036, F0 - 0.036 - fm
        droop = -max(over, 0) / (F0 * 0.2) + max(under, 0) / (F0 * 0.2)
        var = np.interp(vm, (0.9, 0.98, 1.02, 1.1), (0.1, 0.0, 0.0, -0.1))
        watt = np.interp(vm, (1.0, 1.1), (1.0, 0.5))
        moved = [(x - y) / t for x, y, t in zip((droop, var, watt), lags, tau, strict=True)]
        return min(max(min(0.9 + lags[0], lags[2]), 0), 1.0), lags[1], moved

    compare(inverter, load, law, duration_s=2.0)


def test_the_time_of_a_trip_is_threshold_crossing_plus_delay_whatever_the_step():
    load = mismatched_load(1.0, -0.3, 0.0, nominal_hz=F0, quality_factor=1.0)
    inverter = IslandInverter(1.0, measuring_s=0.05)
    exact = full_equations(inverter, load, 0.4, lambda v, vm, fm, lags: (1.0, 0.0, []) if v else [])
    crossed = float(np.interp(1.1, exact.y[4], exact.t))
    for step_s in (1e-4, 5e-4, 1e-3):
        seen = run_on_time(inverter, load, TRIPS, step_s=step_s)
        assert (seen.persisted, seen.cause) == (False, "voltage high")
        assert abs(seen.time_s - crossed - 0.16) < 2 * seen.uncertainty_s
        assert seen.time_s == pytest.approx(run_on_time(inverter, load, TRIPS, step_s=5e-5).time_s, abs=1e-4)


def test_after_the_trip_the_inverter_gives_nothing_and_the_voltage_dies():
    load = mismatched_load(1.0, -0.3, 0.0, nominal_hz=F0, quality_factor=1.0)
    seen = simulate_island(IslandInverter(1.0), load, TRIPS, duration_s=0.5)
    after = seen.time_s > seen.run_on.time_s + 1e-3
    assert (seen.p_pu[after] == 0).all() and (seen.q_pu[after] == 0).all() and seen.voltage_pu[-1] < 0.01
    assert seen.p_pu[seen.time_s < seen.run_on.time_s].min() > 0.9
    quantity = seen.run_on.quantity()
    assert (quantity.name, quantity.unit, quantity.value) == ("islanding_time", "s", seen.run_on.time_s)


@pytest.mark.parametrize("factor", [0.6, 1.5])
def test_the_shift_finds_islands_that_no_trip_may_end_and_only_above_its_critical_gain(factor):
    # settings of the type test: no trip may fall within 1000 s (IEEE 1547.1-2020, Table 15)
    trips = [IslandTrip("frequency", "high", 66.0, 1000.0), IslandTrip("frequency", "low", 50.0, 1000.0)]
    gain = factor * critical_frequency_shift_gain(1.0, F0)
    given = {"frequency_shift_gain": gain, "frequency_shift_offset": 0.002, "frequency_shift_limit": 0.1}
    for percent, load in capacitor_steps(match_load(1.0, nominal_hz=F0)):
        blind = run_on_time(IslandInverter(1.0, **given), load, trips)
        seen = run_on_time(IslandInverter(1.0, **given, detection_s=0.1), load, trips)
        assert blind.persisted
        assert seen.persisted == (factor < 1), percent
        if factor > 1:
            assert seen.cause == "frequency shift" and 0.1 < seen.time_s < 2.0
            before = simulate_island(IslandInverter(1.0, **given), load, trips, duration_s=seen.time_s)
            measured = 0.1 / gain - 0.002 / gain  # Hz beyond nominal at which the shift saturates upwards
            assert np.abs(before.frequency_hz[-1] - F0) > measured - 0.2


def test_trips_of_a_code_are_taken_as_they_are():
    trips = trip_settings(load_code("ieee1547-2018"), "III")
    low = next(t for t in trips if t.quantity == "voltage" and t.side == "low" and t.threshold < 0.6)
    load = mismatched_load(0.2, 10.0, 0.0, nominal_hz=F0, quality_factor=1.0)
    seen = run_on_time(IslandInverter(0.2), load, trips, step_s=1e-4)
    assert seen.cause == "voltage low" and seen.time_s == pytest.approx(low.time_s, abs=0.1)


def test_a_collapse_without_a_trip_is_no_persisting_island():
    load = RlcLoad(1000.0, 1000.0, 1000.0, F0)
    seen = run_on_time(IslandInverter(0.1, voltage_shift_gain=3.0), load, ())
    assert not seen.persisted and seen.cause == "collapse"


SCRIPT = """
import json
from v2glab.gridcodes.islanding import *
inverter = IslandInverter(0.9, q_pu=0.1, droop=Droop(0.02, 0.05, 0.2), frequency_shift_gain=0.02,
    frequency_shift_offset=0.01, voltage_shift_gain=0.5, detection_s=0.3,
    volt_var=Curve((0.95, 1.0, 1.0, 1.05), (0.4, 0, 0, -0.4), 0.3),
    volt_watt=Curve((1.05, 1.1), (1.0, 0.2), 0.3), watt_var=Curve((0.2, 0.9, 1.0), (0.1, 0.1, -0.4), 1.0))
load = mismatched_load(0.9, -0.1, -0.12, nominal_hz=60.0, quality_factor=1.0)
trips = [IslandTrip("voltage", "high", 1.04, 0.1), IslandTrip("frequency", "high", 61.0, 0.2)]
seen = simulate_island(inverter, load, trips, duration_s=0.6)
run_on = seen.run_on
print(json.dumps([run_on.time_s, run_on.cause, seen.voltage_pu.tolist(), seen.frequency_hz.tolist()]))
"""


def test_the_compiled_kernel_does_what_the_source_says():
    def result(disable):
        environment = {**os.environ, "NUMBA_DISABLE_JIT": disable}
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=True
        )
        return json.loads(done.stdout)

    compiled, plain = result("0"), result("1")
    assert compiled[1] == plain[1] != ""
    assert compiled[0] == pytest.approx(plain[0], abs=1e-9)
    assert compiled[2] == pytest.approx(plain[2], abs=1e-9) and compiled[3] == pytest.approx(
        plain[3], abs=1e-7
    )


@pytest.mark.parametrize(
    "call",
    [
        lambda: IslandInverter(0.0),
        lambda: IslandInverter(1.1),
        lambda: IslandInverter(math.nan),
        lambda: IslandInverter(1.0, frequency_shift_limit=2.0),
        lambda: IslandInverter(1.0, detection_s=0.0),
        lambda: Curve((1.0, 0.9), (0.0, 1.0), 1.0),
        lambda: Curve((1.0,), (0.0,), 1.0),
        lambda: Curve((1.0, 1.1), (0.0, math.nan), 1.0),
        lambda: Droop(0.0, 0.0, 1.0),
        lambda: run_on_time(IslandInverter(1.0), match_load(1.0, nominal_hz=F0), (), step_s=0.01),
        lambda: run_on_time(IslandInverter(1.0), match_load(1.0, nominal_hz=F0), (), duration_s=math.nan),
        lambda: run_on_time(
            IslandInverter(1.0), match_load(1.0, nominal_hz=F0), [IslandTrip("power", "low", 1.0, 1.0)]
        ),
        lambda: non_detection_map(IslandInverter(1.0), TRIPS, np.zeros(0), np.zeros(1), nominal_hz=F0),
    ],
)
def test_what_cannot_be_simulated_is_refused(call):
    with pytest.raises(InputError):
        call()
