"""Trips, droop, cessation, contactor and watchdog of the plant against the rules they come from."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plant_bench import connected, event, phase_apart, seconds_until_fault

from v2glab.evidence import InputError, LimitError, UsageError
from v2glab.gridcodes import droop_power_pu, load_code
from v2glab.twin import FAULTS, GridEvent, Plant, PlantSettings
from v2glab.twin._physics import Fault, P, X
from v2glab.twin._plant_commands import COMMANDS

RULES = load_code("ieee1547-2018").category("III")
STEP_S = PlantSettings().step_s


def _voltage_crossing_s(plant: Plant, threshold_pu: float, below: bool) -> float:
    """Return how long the least (greatest) one-cycle RMS has been beyond a threshold, from the waveform."""
    window = round(1 / 60 / STEP_S)
    samples = plant.waveform(("a", "b", "c"), 30_000)
    squares = np.cumsum(np.hstack([np.zeros((3, 1)), samples**2]), axis=1)
    rms = np.sqrt((squares[:, window:] - squares[:, :-window]) / window) / 277.0
    beyond = rms.min(axis=0) < threshold_pu if below else rms.max(axis=0) > threshold_pu
    inside = np.flatnonzero(~beyond)
    return float((beyond.size - 1 - inside[-1]) * STEP_S)


@pytest.mark.parametrize(("name", "volts"), [("ov2", 1.25), ("uv2", 0.3)])
def test_voltage_trip_takes_the_time_of_the_grid_code(name: str, volts: float) -> None:
    plant, trip = connected(5_000.0), RULES.trip(name)
    plant.schedule(event(plant, 10.0, volts=volts))
    assert seconds_until_fault(plant, trip.time_s + 0.1) < math.inf
    assert plant.state.fault_code == Fault.VOLTAGE_TRIP
    # The waveform carries 0.2 V of noise: one step of doubt at the crossing, one at the trip.
    took_s = _voltage_crossing_s(plant, trip.threshold, trip.side == "low")
    assert took_s == pytest.approx(trip.time_s, abs=2.1 * STEP_S)


@pytest.mark.parametrize(("name", "volts"), [("uv1", 0.7), ("ov1", 1.15)])
def test_slow_voltage_trip_is_neither_early_nor_late(name: str, volts: float) -> None:
    plant, trip = connected(0.0), RULES.trip(name)
    plant.schedule(event(plant, 100.0, volts=volts))
    plant.advance(trip.time_s - 0.001)
    assert plant.state.fault_code == 0
    plant.advance(0.02)  # one cycle until the RMS has crossed
    assert plant.state.fault_code == Fault.VOLTAGE_TRIP


@pytest.mark.parametrize(("name", "hertz"), [("of2", 62.5), ("uf2", 56.0)])
def test_frequency_trip_takes_the_time_of_the_grid_code(name: str, hertz: float) -> None:
    plant, trip = connected(0.0), RULES.trip(name)
    plant.schedule(event(plant, 10.0, hertz=hertz))
    took_s = seconds_until_fault(plant, 1.0)
    # The measurement follows with a lag: it crosses the threshold after τ·ln(step / rest).
    lag_s = plant._constants[P.PLL_S]
    crossing_s = lag_s * math.log((hertz - 60.02) / (hertz - trip.threshold))
    assert took_s - crossing_s == pytest.approx(trip.time_s, abs=2.1 * STEP_S)
    assert plant.state.fault_code == Fault.FREQUENCY_TRIP


def test_voltage_back_in_time_does_not_trip() -> None:
    plant, trip = connected(0.0), RULES.trip("uv2")
    for _ in range(3):  # the timer starts anew each time
        plant.schedule(event(plant, trip.time_s - 0.05, volts=0.3))
        plant.advance(trip.time_s + 0.5)
    assert plant.state.fault_code == 0
    assert plant.state.contactor_closed


@pytest.mark.parametrize("hertz", [59.0, 59.98, 60.1, 61.0])
@pytest.mark.parametrize("set_pu", [-0.4, 0.0, 0.4])
def test_droop_follows_the_line_of_the_standard(hertz: float, set_pu: float) -> None:
    plant = connected(set_pu * 22_000)
    plant.schedule(event(plant, 20.0, hertz=hertz))
    plant.advance(15.0)  # it reaches 90 % after 5 s: 0.1 % after three times that
    expected = droop_power_pu(
        hertz,
        set_pu,
        nominal_hz=60.0,
        deadband_over_hz=0.036,
        deadband_under_hz=0.036,
        droop_over=0.05,
        droop_under=0.05,
        minimum_pu=-1.0,
    )
    assert plant.state.power_w / 22_000 == pytest.approx(expected, abs=3e-3)


@pytest.mark.parametrize(("volts", "ceases"), [(0.45, True), (0.55, False), (1.08, False), (1.15, True)])
def test_momentary_cessation_and_return(volts: float, ceases: bool) -> None:
    plant = connected(10_000.0)
    plant.schedule(event(plant, 1.0, volts=volts))
    plant.advance(0.9)
    assert (plant.state.current_a[0] == 0.0) is ceases
    assert plant.state.contactor_closed
    plant.advance(0.1 + 0.4)  # IEEE 1547-2018, 6.4.2.7: 80 % of the power before within 0.4 s
    assert plant.state.power_w > 8_000


def test_scripted_event_moves_frequency_and_phase_exactly() -> None:
    jump = 0.35
    plant = Plant(PlantSettings(grid_frequency_hz=60.0))
    plant.command("inverter_run", 1)  # its own oscillator at 60 Hz is the ruler
    plant.advance(0.2)
    before = phase_apart(plant, 6)
    plant.schedule(GridEvent(plant.time_ns, 5.0, None, None, jump))
    plant.advance(0.2)
    turned = (before - phase_apart(plant, 6) + math.pi) % math.tau - math.pi
    assert turned == pytest.approx(jump, abs=2e-3)
    plant.clear_events()
    plant.advance(0.2)
    start = phase_apart(plant, 6)
    plant.schedule(event(plant, 0.5, hertz=60.5))
    plant.advance(0.75)
    gained = (start - phase_apart(plant, 6) + math.pi) % math.tau - math.pi
    assert gained == pytest.approx(math.pi / 2, abs=5e-3)  # 0.5 Hz over 0.5 s: a quarter turn


def test_event_starts_and_ends_within_a_step() -> None:
    plant = Plant()
    plant.schedule(GridEvent(plant.time_ns + 1_234_567, 0.01, (0.0, 0.0, 0.0)))
    plant.advance(0.02)
    dead = np.abs(plant.waveform(("a", "b"), 200)).max(axis=0) < 15  # noise and harmonics, but no voltage
    first, last = np.flatnonzero(dead)[[0, -1]]
    assert first * STEP_S == pytest.approx(1.234567e-3, abs=1.1 * STEP_S)
    assert (last + 1 - first) * STEP_S == pytest.approx(0.01, abs=1.1 * STEP_S)


def test_contactor_closes_in_20_ms_and_opens_in_15() -> None:
    plant = Plant()
    plant.command("contactor_command", 1)
    plant.advance(0.0198)
    assert not plant.state.contactor_closed
    plant.advance(0.0003)
    assert plant.state.contactor_closed
    before_ns = plant.time_ns
    plant.command("contactor_command", 0)  # falls open though nobody lets time pass
    assert not plant.state.contactor_closed
    assert plant.time_ns - before_ns == 30_000_000
    running = plant.waveform(("current_a",), 10)
    assert np.abs(running).max() < 2.0


def test_closing_out_of_phase_latches_a_fault() -> None:
    plant = Plant()
    plant.command("inverter_run", 1)
    plant.command("frequency_trim", 1.02)  # 1 Hz against the grid
    for _ in range(400):
        plant.advance(0.005)
        if abs(phase_apart(plant)) > 3.0:
            break
    plant.command("contactor_command", 1)
    plant.advance(0.05)
    assert plant.state.fault_code == Fault.OUT_OF_PHASE
    assert not plant.state.contactor_closed


def test_reset_does_not_close_what_a_fault_has_opened() -> None:
    plant = connected(5_000.0)
    plant.schedule(event(plant, 0.5, volts=1.3))
    plant.advance(2.0)
    assert (plant.state.fault_code, plant.state.contactor_closed) == (Fault.VOLTAGE_TRIP, False)
    plant.command("fault_reset", 1)
    plant.advance(1.0)
    assert (plant.state.fault_code, plant.state.contactor_closed) == (0, False)


def test_welded_contactor_stays_and_is_seen() -> None:
    plant = Plant()
    told: list[tuple[str, object]] = []
    plant.listeners.append(lambda _, name, fields: told.append((name, fields.get("cause"))))
    plant.set_fault("contactor_weld", True)
    plant.advance(0.2)
    assert plant.state.contactor_closed
    assert plant.state.fault_code == Fault.CONTACTOR_WELD
    assert ("fault", "contactor_weld") in told
    plant.command("fault_reset", 1)  # its cause is still there
    assert plant.state.fault_code == Fault.CONTACTOR_WELD


def test_watchdog_opens_and_stops() -> None:
    plant = connected(10_000.0)
    plant.command("watchdog_timeout", 0.2)
    plant.trip_watchdog()
    state = plant.state
    assert (state.contactor_closed, state.fault_code, state.power_setpoint_w) == (False, Fault.WATCHDOG, 0.0)
    assert state.watchdog_timeout_s == 0.0


def test_over_temperature_stops_the_charger() -> None:
    plant = connected(5_000.0)
    plant._x[X.SINK_C] = 25.0 + 1.11 * 60.0  # above 110 % of the permitted rise
    plant.advance(0.05)
    assert plant.state.fault_code == Fault.OVER_TEMPERATURE
    assert not plant.state.contactor_closed


@given(name=st.sampled_from(sorted(COMMANDS)), value=st.floats(allow_nan=True, allow_infinity=True))
@settings(max_examples=150, deadline=None)
def test_a_command_is_carried_out_or_refused_without_a_trace(name: str, value: float) -> None:
    plant = _SHARED
    low, high = COMMANDS[name]
    before = plant.state
    if low <= value <= high:
        plant.command(name, value)
        return
    with pytest.raises(LimitError):
        plant.command(name, value)
    assert plant.state == before


_SHARED = Plant()


@given(st.text(max_size=20).filter(lambda text: text not in COMMANDS and text not in FAULTS))
def test_unknown_names_are_refused(name: str) -> None:
    with pytest.raises(LimitError):
        _SHARED.command(name, 1.0)
    with pytest.raises(UsageError):
        _SHARED.set_fault(name, True)


@pytest.mark.parametrize(
    "wrong",
    [
        {"duration_s": 0.0},
        {"duration_s": math.inf},
        {"duration_s": math.nan},
        {"voltage_pu": (1.0, 1.0, 1.6)},
        {"voltage_pu": (1.0, 1.0)},
        {"voltage_pu": (1.0, math.nan, 1.0)},
        {"frequency_hz": 39.0},
        {"frequency_hz": math.nan},
        {"phase_jump_rad": 4.0},
    ],
)
def test_event_out_of_range_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InputError, match="grid event"):
        GridEvent(**{"start_ns": 0, "duration_s": 1.0, **wrong})


def test_events_do_not_overlap_and_come_all_or_none() -> None:
    plant = Plant()
    start = plant.time_ns
    plant.schedule(GridEvent(start, 1.0))
    with pytest.raises(InputError, match="one at a time"):
        plant.schedule(GridEvent(start + 2_000_000_000, 1.0), GridEvent(start + 500_000_000, 1.0))
    plant.schedule(GridEvent(start + 2_000_000_000, 1.0))  # the first of the refused two is not there


@pytest.mark.parametrize(
    "wrong", [{"step_s": 0.0}, {"step_s": 0.01}, {"soc_percent": 101.0}, {"battery_wh": 0.0}]
)
def test_settings_that_make_no_plant_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError):
        Plant(replace(PlantSettings(), **wrong))
