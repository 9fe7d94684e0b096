"""The plant against closed forms: energy, charge, heat, voltage drop."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from plant_bench import connected

from v2glab.gridcodes import load_code
from v2glab.twin import Plant, PlantSettings
from v2glab.twin._physics import C, P, X

SETTINGS = PlantSettings()
#: Heat is slow: a coarser step serves.
COARSE = PlantSettings(step_s=5e-4)


def test_energy_that_leaves_the_cells_is_exported_or_lost() -> None:
    plant = connected(15_000.0)
    before = plant._x.copy()
    bus_j = [0.5 * plant._constants[P.BUS_FARAD] * v**2 for v in (before[X.DC_VOLTAGE],)]
    plant.advance(30.0)
    gone = {x: plant._x[x] - before[x] for x in X}
    bus_wh = (0.5 * plant._constants[P.BUS_FARAD] * plant._x[X.DC_VOLTAGE] ** 2 - bus_j[0]) / 3600
    spent = gone[X.ENERGY_EXPORT_WH] - gone[X.ENERGY_IMPORT_WH] + gone[X.ENERGY_LOSS_WH] + bus_wh
    assert gone[X.ENERGY_BATTERY_WH] == pytest.approx(spent, rel=2e-5)
    assert gone[X.ENERGY_EXPORT_WH] == pytest.approx(15_000 * 30 / 3600, rel=2e-3)
    assert gone[X.ENERGY_LOSS_WH] > 0


@pytest.mark.parametrize("power_w", [20_000.0, -20_000.0])
def test_state_of_charge_counts_the_energy_of_the_cells(power_w: float) -> None:
    plant = connected(power_w)
    soc, cells_wh = plant._x[X.SOC], plant._x[X.ENERGY_BATTERY_WH]
    plant.advance(20.0)
    taken_wh = plant._x[X.ENERGY_BATTERY_WH] - cells_wh
    assert math.copysign(1, taken_wh) == math.copysign(1, power_w)
    assert soc - plant._x[X.SOC] == pytest.approx(taken_wh / SETTINGS.battery_wh, rel=1e-9)


def test_battery_relaxes_with_its_time_constant() -> None:
    plant = connected(20_000.0)
    plant.advance(120.0)  # six time constants: settled
    r_ohm, tau_s = plant._constants[P.RC_OHM], plant._constants[P.RC_TAU_S]
    cells = plant._constants[P.EMPTY_V] + 80.0 * plant._x[X.SOC] - plant._x[X.RC_VOLTAGE]
    bus_w = plant._x[X.DC_CURRENT] * plant._x[X.DC_VOLTAGE]
    ohm = plant._constants[P.BATTERY_OHM]
    amps = (cells - math.sqrt(cells**2 - 4 * ohm * bus_w)) / (2 * ohm)  # P = (U − I·R)·I
    assert plant._x[X.RC_VOLTAGE] == pytest.approx(amps * r_ohm, rel=5e-3)
    start = plant._x[X.RC_VOLTAGE]
    plant.command("contactor_command", 0)
    plant.command("inverter_run", 0)
    plant.advance(tau_s)
    assert plant._x[X.RC_VOLTAGE] == pytest.approx(start * math.exp(-1), rel=5e-3)


def test_heat_sink_settles_at_power_times_resistance() -> None:
    plant = connected(18_000.0, COARSE)
    plant.advance(900.0)
    amps = plant._x[X.CURRENT_RMS]
    losses_w = 60.0 + 6.0 * amps + 0.45 * amps**2
    assert plant.state.heatsink_celsius - 25.0 == pytest.approx(losses_w * 0.06, rel=1e-3)
    junction = plant.state.junction_celsius - plant.state.heatsink_celsius
    assert junction == pytest.approx(losses_w * plant._constants[P.JUNCTION_K_W], rel=1e-3)


def test_heat_sink_rises_with_its_time_constant() -> None:
    plant = connected(18_000.0, COARSE)
    # Both stages move together, for the resistance between them is small.
    tau_s = 0.06 * (plant._constants[P.SINK_J_K] + plant._constants[P.JUNCTION_J_K])
    start = plant.state.heatsink_celsius
    amps = plant._x[X.CURRENT_RMS]
    final = 25.0 + 0.06 * (60.0 + 6.0 * amps + 0.45 * amps**2)
    plant.advance(tau_s)
    reached = (plant.state.heatsink_celsius - start) / (final - start)
    assert reached == pytest.approx(1 - math.exp(-1), abs=0.01)


def test_worn_connector_warms_by_its_resistance() -> None:
    plant = connected(20_000.0, COARSE, worn_connector=True)
    plant.advance(800.0)
    loss_w = 0.06 * plant._x[X.CURRENT_RMS] ** 2
    assert plant.state.connector_celsius - 25.0 == pytest.approx(loss_w * 1.1, rel=1e-2)


def test_export_lifts_the_voltage_by_the_impedance_of_the_grid() -> None:
    idle = connected()
    loaded = connected(20_000.0)
    amps = loaded.state.current_a[0]
    ohm = SETTINGS.grid_ohm + 5e-4
    reactance = 2 * math.pi * SETTINGS.grid_frequency_hz * SETTINGS.grid_henry
    # Current in phase with the source: what the drop adds is I·(R + jX) (a phasor sum, harmonics aside).
    fundamental = abs(277.0 + amps * complex(ohm, reactance))
    harmonics = 277.0 * math.hypot(0.012, 0.008)
    expected = math.hypot(fundamental, harmonics) - math.hypot(277.0, harmonics)
    rise = np.mean(loaded.state.voltage_v) - np.mean(idle.state.voltage_v)
    assert rise == pytest.approx(expected, abs=0.02)


def test_meter_and_waveform_agree_on_power() -> None:
    plant = connected(12_000.0)
    plant.advance(0.5)
    rows = plant.waveform(("a", "b", "c", "current_a", "current_b", "current_c"), 5000)
    active = float(np.mean(np.sum(rows[:3] * rows[3:], axis=0)))
    assert plant.state.power_w == pytest.approx(active, rel=2e-3)
    # Reactive power of the fundamental: a quarter of a period between voltage and current.
    tone = np.exp(-2j * np.pi * 60.02e-4 * np.arange(5000))
    phasors = 2 * rows @ tone / 5000
    reactive = float(np.sum((phasors[:3] * np.conj(phasors[3:])).imag) / 2)
    assert plant.state.reactive_power_var == pytest.approx(reactive, rel=0.05)


def test_thermal_foldback_limits_the_current() -> None:
    plant = connected(22_000.0)
    plant.command("max_temperature", 60.0)
    plant._x[X.SINK_C] = plant._x[X.JUNCTION_C] = 25.0 + 35.0 * 0.925  # half-way between 85 % and the limit
    plant.advance(0.2)
    share = (plant.state.heatsink_celsius - 25.0) / 35.0
    assert plant.state.derating_percent == pytest.approx(100 * (1 - share) / 0.15, abs=0.1)
    assert plant.state.current_a[0] == pytest.approx(28.9 * plant.state.derating_percent / 100, rel=0.03)


def test_export_needs_permission_and_charge() -> None:
    for name in ("export_bit_off", "low_soc"):
        plant = connected(10_000.0, **{name: True})
        assert abs(plant.state.power_w) < 1.0, name
    plant = connected(10_000.0)
    plant.command("soc_discharge_limit", 80.0)  # above the charge that there is
    plant.advance(0.5)
    assert abs(plant.state.power_w) < 1.0


def test_full_battery_takes_no_more() -> None:
    plant = connected(-10_000.0, replace(SETTINGS, soc_percent=99.999, battery_wh=500.0))
    plant.advance(5.0)
    assert plant.state.soc_percent <= 100.0
    assert plant.state.power_w > -150.0  # no more than what the charger itself uses


def test_the_device_is_delivered_with_the_settings_of_the_site() -> None:
    delivered = Plant(SETTINGS).device_settings
    trips = {t.name: (t.threshold, t.time_s) for t in delivered.trips}
    # IEEE 1547-2018, Tables 13 and 18, Category III, default settings.
    assert trips == {
        "uv1": (0.88, 21.0),
        "uv2": (0.5, 2.0),
        "ov1": (1.1, 13.0),
        "ov2": (1.2, 0.16),
        "uf1": (58.5, 300.0),
        "uf2": (56.5, 0.16),
        "of1": (61.2, 300.0),
        "of2": (62.0, 0.16),
    }
    assert (delivered.droop.deadband_over_hz, delivered.droop.droop_over) == (0.036, 0.05)
    assert delivered.nameplate.v_nominal_v == pytest.approx(480, abs=0.5)  # between lines


@pytest.mark.parametrize(
    ("code", "category"),
    [("en50549-1-2019", "default"), ("vde-ar-n-4105-2018", "inverter"), ("as4777.2-2020", "australia-a")],
)
def test_a_site_of_another_country_has_its_own_trips(code: str, category: str) -> None:
    settings = replace(SETTINGS, grid_code=code, category=category, nominal_frequency_hz=50.0)
    settings = replace(settings, grid_frequency_hz=50.0, nominal_voltage_v=230.0)
    plant = connected(5_000.0, settings)
    mine = {(t.quantity, t.side) for t in plant.device_settings.trips}
    rules = load_code(code).category(category)
    assert mine == {(t.quantity, t.side) for t in rules.trips}
    plant.advance(1.0)
    assert plant.state.fault_code == 0
    assert plant.state.power_w == pytest.approx(5_000, rel=2e-2)


def test_commands_stand_where_the_kernel_looks() -> None:
    plant = Plant()
    plant.command("soc_discharge_limit", 35.0)
    plant.command("frequency_trim", -0.5)
    assert plant._c[C.SOC_LIMIT] == pytest.approx(0.35)
    assert plant.state.frequency_trim_hz == -0.5
