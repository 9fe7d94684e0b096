"""The plant as a charger of the vehicle link: step before closing, set-points, limits, claims, faults."""

import asyncio
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plant_bench import phase_apart

from v2glab.evidence import DeviceError, LimitError
from v2glab.links.sessions import Identification
from v2glab.twin import Plant, PlantSettings
from v2glab.twin._vehicle_charger import Claim, VehicleCharger

WHO = Identification("WMIV1234567890ABCDEX", "eim")


def charger(plant, claim=None):
    return VehicleCharger(plant, claim or Claim(), lockstep=True)


async def let_in(plant, unit, most=200):
    """Ask as a vehicle does, every 0.1 s of the plant's time, until the charger has decided."""
    for _ in range(most):
        said = await unit.authorise(WHO)
        if said != "ongoing":
            return said
        plant.advance(0.1)
    return "ongoing"


async def connected(plant, unit):
    assert await let_in(plant, unit) == "granted"
    while await unit.insulation(900.0) == "ongoing":
        plant.advance(0.1)
    await unit.pre_charge(750.0, 0.0)
    await unit.connect()


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 1000), st.floats(59.2, 60.8))
def test_it_closes_in_step_from_every_angle_and_frequency(seed, hertz):
    plant = Plant(PlantSettings(seed=seed, grid_frequency_hz=hertz))
    unit = charger(plant)
    assert asyncio.run(let_in(plant, unit)) == "granted"
    # By correlation, not by the fit that the charger steers with; IEEE 1547-2018, table 5: 20 degrees.
    assert abs(phase_apart(plant)) < math.radians(20)
    asyncio.run(unit.connect())
    assert plant.state.contactor_closed
    assert plant.state.fault_code == 0


def test_a_grid_that_it_cannot_follow_keeps_it_open():
    plant = Plant(PlantSettings(grid_frequency_hz=63.0))  # the inverter's trim ends at 62 Hz
    unit = charger(plant)
    assert asyncio.run(let_in(plant, unit, most=40)) == "ongoing"
    with pytest.raises(DeviceError, match="frequency"):
        asyncio.run(unit.connect())
    assert not plant.state.contactor_closed
    assert not plant.state.contactor_commanded


def test_lockstep_leaves_time_to_the_station():
    plant = Plant()
    unit = charger(plant)
    before_ns = plant.time_ns
    for _ in range(5):
        assert asyncio.run(unit.authorise(WHO)) == "ongoing"
    assert plant.time_ns == before_ns
    assert asyncio.run(let_in(plant, unit)) == "granted"
    before_ns = plant.time_ns
    asyncio.run(unit.connect())
    assert plant.time_ns - before_ns == 30_000_000  # the contactor's own time


@pytest.mark.parametrize("current_a", [29.0, 10.0, -10.0, -28.0])
def test_dc_current_is_what_was_asked_for(current_a):
    plant = Plant()
    unit = charger(plant)

    async def flow():
        await connected(plant, unit)
        await unit.set_dc(900.0, current_a)
        plant.advance(1.0)
        return await unit.read()

    reading = asyncio.run(flow())
    assert reading.current_a == pytest.approx(current_a, rel=0.01)
    assert reading.voltage_v == pytest.approx(750, rel=0.01)
    # What the inverter loses comes off on the way out, and on top on the way in.
    assert reading.power_w < reading.voltage_v * reading.current_a


def test_limits_raise_and_change_nothing():
    plant = Plant()
    unit = charger(plant)
    asyncio.run(connected(plant, unit))
    most = unit.limits
    for call in (
        unit.set_power(most.export_w + 1),
        unit.set_power(-22_001.0),
        unit.set_dc(900.0, most.export_a + 0.1),
        unit.set_dc(900.0, -31.0),
        unit.pre_charge(1001.0, 0.0),
    ):
        with pytest.raises(LimitError):
            asyncio.run(call)
    assert plant.state.power_setpoint_w == 0


@pytest.mark.parametrize("fault", ["export_bit_off", "low_soc"])
def test_without_leave_to_export_none_is_offered(fault):
    plant = Plant()
    assert charger(plant).limits.export_w > 0
    plant.set_fault(fault, True)
    limits = charger(plant).limits
    assert limits.export_w == limits.export_a == 0
    assert limits.charge_w > 20_000


def test_one_vehicle_at_a_time_and_no_other_master():
    plant, claim = Plant(), Claim()
    first, second = charger(plant, claim), charger(plant, claim)
    asyncio.run(connected(plant, first))
    assert asyncio.run(second.authorise(WHO)) == "refused"
    asyncio.run(second.make_safe())  # its session ends: that of the first goes on
    assert plant.state.contactor_closed
    asyncio.run(first.make_safe())
    assert not plant.state.contactor_closed
    assert not plant.state.inverter_running
    plant.command("contactor_command", 1)
    assert asyncio.run(second.authorise(WHO)) == "refused"


def test_a_weld_is_told_and_stays_told():
    plant = Plant()
    unit = charger(plant)

    async def weld():
        await connected(plant, unit)
        plant.set_fault("contactor_weld", True)
        with pytest.raises(DeviceError, match="stays closed"):
            await unit.disconnect()
        reading = await unit.read()
        with pytest.raises(DeviceError, match="fault 92"):
            await unit.connect()
        return reading

    reading = asyncio.run(weld())
    assert reading.contactor_closed
    assert reading.fault == "contactor"
    assert reading.voltage_v == 0  # the vehicle's side is off all the same
