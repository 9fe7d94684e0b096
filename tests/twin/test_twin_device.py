"""The plant's grid-support functions: settings that act, service by itself, permissions, deviations."""

from __future__ import annotations

import math

import numpy as np
import pytest
from plant_bench import connected, event

from v2glab.twin import GridEvent, Plant
from v2glab.twin._physics import Fault

RATED_W = 22_000.0


def test_volt_var_acts_on_the_terminals_by_its_curve() -> None:
    plant = connected(0.0)
    wanted = plant.device_settings.with_(volt_var={"enabled": True, "olrt_s": 1.0}, mode_transition_s=5.0)
    plant.configure(wanted)
    plant.schedule(event(plant, 20.0, volts=0.95))
    plant.advance(10.0)
    volts = float(np.mean(plant.state.voltage_v)) / 277.0
    (v0, q0), (v1, q1) = wanted.volt_var.points[:2]
    expected = q0 + (q1 - q0) * (volts - v0) / (v1 - v0)
    assert plant.state.reactive_power_var / RATED_W == pytest.approx(expected, abs=2e-3)
    assert plant.state.reactive_power_var > 2_000  # it injects where the voltage is low


def test_reactive_power_leads_or_lags_as_the_sign_says() -> None:
    plant = connected(5_000.0)
    for q in (0.3, -0.3):
        plant.configure(
            plant.device_settings.with_(
                constant_q={"enabled": True, "q_pu": q, "olrt_s": 0.2}, mode_transition_s=5.0
            )
        )
        plant.advance(8.0)
        rows = plant.waveform(("a", "b", "c", "current_a", "current_b", "current_c"), 5000)
        tone = np.exp(-2j * np.pi * 60.02e-4 * np.arange(5000))
        phasors = rows @ tone * 2 / 5000
        reactive = float(np.sum((phasors[:3] * np.conj(phasors[3:])).imag) / 2)
        # The current's frame is the source's angle: 2 % of the power lie between that and the terminals.
        assert reactive / RATED_W == pytest.approx(q, abs=0.01)
        assert plant.state.reactive_power_var == pytest.approx(reactive, abs=60)


def _automatic(delay_s: float, ramp_s: float) -> Plant:
    plant = Plant()
    plant.configure(
        plant.device_settings.with_(
            enter_service={"delay_s": delay_s, "ramp_s": ramp_s, "f_high_hz": 60.1},
        )
    )
    plant.command("power_setpoint", 11_000.0)
    plant.command("automatic_start", 1)
    return plant


def test_it_enters_service_by_itself_after_the_delay_and_ramps() -> None:
    plant = _automatic(2.0, 4.0)
    plant.advance(1.9)
    assert not plant.state.contactor_closed
    plant.advance(0.2)
    assert plant.state.contactor_closed
    plant.advance(0.9)  # one second of four: a quarter of rated power
    assert plant.state.power_w / RATED_W == pytest.approx(0.25, abs=0.02)
    plant.advance(4.0)
    assert plant.state.power_w == pytest.approx(11_000, rel=2e-3)


def test_it_comes_back_after_a_trip_without_a_fault() -> None:
    plant = _automatic(1.0, 1.0)
    plant.advance(3.0)
    plant.schedule(event(plant, 2.5, volts=0.3))
    plant.advance(2.3)
    assert (plant.state.contactor_closed, plant.state.fault_code) == (False, 0)
    plant.advance(0.2 + 1.0)
    assert not plant.state.contactor_closed  # the delay counts from good voltage, seen one cycle later
    plant.advance(0.1)
    assert plant.state.contactor_closed
    plant.advance(0.6)
    assert plant.state.power_w == pytest.approx(11_000, rel=5e-3)


@pytest.mark.parametrize("how", ["contactor_command", "inverter_run", "automatic_start"])
def test_an_order_to_stop_ends_service_by_itself(how: str) -> None:
    plant = _automatic(0.5, 1.0)
    plant.advance(1.5)
    assert plant.state.contactor_commanded
    plant.command(how, 0)
    plant.advance(5.0)
    state = plant.state
    assert (state.contactor_closed, state.automatic_start, state.power_w) == (False, False, 0.0)


def test_the_safe_state_opens_at_once_after_service_by_itself_was_ended() -> None:
    plant = _automatic(0.5, 1.0)
    plant.advance(1.5)
    plant.command("automatic_start", 0)
    plant.command("contactor_command", 0)
    assert not plant.state.contactor_closed


def test_what_runs_stays_when_it_is_left_to_itself() -> None:
    plant = connected(10_000.0)
    plant.command("automatic_start", 1)
    plant.advance(1.0)
    assert plant.state.power_w == pytest.approx(10_000, rel=2e-3)


def test_withdrawn_permission_opens_without_a_fault() -> None:
    plant = connected(10_000.0)
    plant.configure(plant.device_settings.with_(enter_service={"permit_service": False}))
    plant.advance(0.1)
    state = plant.state
    assert (state.contactor_closed, state.contactor_commanded, state.fault_code) == (False, False, 0)


def test_withdrawn_authorisation_ends_export_and_not_charging() -> None:
    plant = connected(10_000.0)
    plant.command("discharge_authorisation", 0)
    plant.advance(0.5)
    assert abs(plant.state.power_w) < 1.0
    plant.command("power_setpoint", -10_000.0)
    plant.advance(0.5)
    assert plant.state.power_w == pytest.approx(-10_000, rel=2e-3)


@pytest.mark.parametrize(("jump_deg", "stays"), [(8.0, True), (12.0, False)])
def test_vector_shift_trips_on_a_jump_of_the_positive_sequence(jump_deg: float, stays: bool) -> None:
    plant = connected(10_000.0, vector_shift=True)
    plant.schedule(GridEvent(plant.time_ns, 1.0, phase_jump_rad=math.radians(jump_deg)))
    plant.advance(0.1)
    assert plant.state.fault_code == (0 if stays else Fault.VECTOR_SHIFT)


def test_a_turned_phase_turns_the_positive_sequence_by_a_third() -> None:
    """One phase turned by 60° turns the mean of the three phasors by 19.1°; power keeps flowing."""
    plant = connected(10_000.0)
    plant.schedule(GridEvent(plant.time_ns, 2.0, turn_rad=(math.radians(60.0), 0.0, 0.0), senses=True))
    plant.advance(1.0)
    rows = plant.waveform(("a", "b", "c", "current_a"), 1000)
    phasors = rows @ np.exp(-2j * np.pi * 60.02e-4 * np.arange(1000))
    assert math.degrees(np.angle(-phasors[1] / phasors[0])) == pytest.approx(0.0, abs=1.0)
    behind = math.degrees(np.angle(phasors[3] / phasors[0]))
    positive = math.degrees(np.angle((2 + np.exp(1j * math.pi / 3)) / 3))
    assert behind == pytest.approx(positive - 60.0, abs=2.0)
    assert plant.state.power_w == pytest.approx(10_000, rel=5e-3)


def test_a_deviating_device_reports_what_it_was_given() -> None:
    plant, faulty = Plant(), Plant()
    faulty.set_fault("late_trip", True)
    faulty.set_fault("shifted_volt_var", True)
    assert faulty.device_settings == plant.device_settings


def test_grid_runs_evenly_within_an_event() -> None:
    plant = Plant()
    plant.schedule(
        GridEvent(plant.time_ns, 1.0, (1.0,) * 3, 60.0, voltage_to_pu=(0.9,) * 3, frequency_to_hz=61.0)
    )
    plant.advance(0.9)
    # Seen over the last 0.2 s, and through a lag of 50 ms.
    assert np.mean(plant.state.voltage_v) / 277.0 == pytest.approx(0.92, abs=1e-3)
    assert plant.state.grid_frequency_hz == pytest.approx(60.9 - 0.05, abs=2e-3)
