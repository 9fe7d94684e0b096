"""The synchronising law against an ideal pair of oscillators."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from v2glab.control import SyncLimits, SyncMeasurement, closing_obstacles, predict_phase, steer, wrap_phase

LIMITS = SyncLimits(frequency_hz=0.3, voltage_pu=0.1, phase_rad=0.05)


def measurement(**changes):
    fields = {
        "grid_frequency_hz": 60.0,
        "grid_voltage_v": 277.0,
        "frequency_hz": 0.0,
        "voltage_pu": 0.0,
        "phase_rad": 0.0,
        "u_frequency_hz": 1e-4,
        "u_voltage_pu": 1e-4,
        "u_phase_rad": 1e-3,
    }
    return SyncMeasurement(**{**fields, **changes})


@given(
    grid_hz=st.floats(58.5, 61.5),
    phase=st.floats(-math.pi, math.pi),
    voltage=st.floats(200, 320),
)
def test_converges_from_any_start(grid_hz, phase, voltage):
    inverter_hz, step_s = 60.0, 0.2
    for _ in range(60):
        seen = measurement(
            grid_frequency_hz=grid_hz,
            grid_voltage_v=voltage,
            frequency_hz=inverter_hz - grid_hz,
            phase_rad=phase,
        )
        inverter_hz = 60.0 + steer(seen, 60.0).frequency_trim_hz
        phase = wrap_phase(phase + math.tau * (inverter_hz - grid_hz) * step_s)
    final = measurement(grid_frequency_hz=grid_hz, frequency_hz=inverter_hz - grid_hz, phase_rad=phase)
    assert closing_obstacles(final, LIMITS, closing_time_s=0.02) == ()


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"frequency_hz": 0.31}, "frequency"),
        ({"voltage_pu": -0.11}, "voltage"),
        ({"phase_rad": 0.051}, "phase"),
        ({"phase_rad": 0.0495}, "phase"),
        ({"phase_rad": 0.04, "frequency_hz": 0.2}, "phase at contact"),
        ({"phase_rad": math.nan}, "phase"),
    ],
)
def test_names_each_obstacle(changes, word):
    obstacles = closing_obstacles(measurement(**changes), LIMITS, closing_time_s=0.02)
    assert any(text.startswith(word) for text in obstacles)


@given(st.floats(-1e4, 1e4))
def test_wrapping_keeps_the_direction(angle):
    wrapped = wrap_phase(angle)
    assert -math.pi < wrapped <= math.pi
    assert math.cos(wrapped) == pytest.approx(math.cos(angle), abs=1e-9)
    assert math.sin(wrapped) == pytest.approx(math.sin(angle), abs=1e-9)


def test_phase_moves_with_the_slip():
    # 0.1 Hz for 0.5 s is a twentieth of a turn.
    assert predict_phase(measurement(frequency_hz=0.1), 0.5) == pytest.approx(math.tau / 20)
