"""Sessions of ISO 15118-20 that end badly: faults, welds, cancelled tasks, silence; both ends safe."""

import asyncio

import pytest
from iso20_line import RULES, Line, Spoiler, run

from v2glab.evidence import DeviceError
from v2glab.links.sessions import (
    Fixed,
    ModelBattery,
    OpenSettings,
    Parcel,
    SessionFailure,
    open_session,
)
from v2glab.links.sessions.iso20 import load_iso20_rules


@pytest.mark.parametrize("fault", ["emergency", "insulation", "contactor", "never seen before"])
def test_a_fault_of_the_charger_in_the_loop_ends_the_session(fault):
    line = Line()

    async def scenario():
        async with line.session() as session:
            await session.export(power_w=2_000, duration_s=10)
            line.charger.fault = fault
            await session.export(power_w=2_000, duration_s=10)

    with pytest.raises(SessionFailure):
        run(scenario())
    assert line.failure.cause.name == (fault if fault in {"insulation", "contactor"} else "emergency")
    assert line.failure.cause.phase == "loop"
    line.assert_safe()


def test_a_contactor_that_does_not_open_is_named():
    line = Line()
    line.charger.stuck = True

    async def scenario():
        async with line.session() as session:
            await session.export(power_w=2_000, duration_s=10)

    with pytest.raises(SessionFailure) as caught:
        run(scenario())
    assert caught.value.cause.name == "contactor" and caught.value.cause.code == "F-092"
    assert not line.battery.contactor_closed and line.charger._current_a == 0


def test_a_welded_contactor_of_the_vehicle_is_found_by_the_test_for_welds():
    class Welded(ModelBattery):
        async def open_contactor(self):
            self.current_a = 0.0

    line = Line(battery=Welded())

    async def scenario():
        async with line.session() as session:
            await session.export(power_w=2_000, duration_s=10)

    with pytest.raises(SessionFailure) as caught:
        run(scenario())
    assert caught.value.cause.name == "contactor" and "V after opening" in str(caught.value)
    assert line.clock.now_s >= load_iso20_rules().figures.welding_s


def test_leaving_by_an_error_ends_the_session_in_order():
    line = Line()

    async def scenario():
        async with line.session() as session:
            await session.export(power_w=2_000, duration_s=10)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(scenario())
    assert line.failure is None
    line.assert_safe()


def test_a_cancelled_task_leaves_both_ends_safe():
    line = Line(more={"sleep": asyncio.sleep, "cycle_s": 0.02})

    async def scenario():
        async def long():
            async with open_session(line.settings(listener.port)) as session:
                flowing.set()
                await session.export(power_w=2_000, duration_s=1e6)

        flowing = asyncio.Event()
        async with line.listener() as listener:
            task = asyncio.create_task(long())
            await flowing.wait()
            await asyncio.sleep(0.05)
            assert line.charger._current_a > 0
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await line.settled()

    run(scenario())
    assert line.failure is None
    line.assert_safe()


def test_a_command_that_is_cancelled_amid_an_exchange_leaves_the_session_in_step():
    class Late(Spoiler):
        def octets(self, message, octets):
            return [Parcel(octets, after_s=0.02 if message.name == "DC_ChargeLoopRes" else 0.0)]

    line = Line(charger_spoiler=Late())

    async def scenario():
        async with line.session() as session:
            for wait_s in (0.001, 0.011, 0.025):
                command = asyncio.create_task(session.export(power_w=2_000, duration_s=1e6))
                await asyncio.sleep(wait_s)
                command.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await command
                assert line.charger._current_a == 0
            state = await session.charge(power_w=2_000, duration_s=10)
            assert state.power_w == pytest.approx(-2_000, rel=1e-3)

    run(scenario())
    assert line.failure is None
    line.assert_safe()


def test_the_session_lives_on_while_no_command_is_under_way():
    line = Line(more={"keep_alive": True, "cycle_s": 0.05}, rules=RULES)

    async def scenario():
        async with line.session() as session:
            # Longer than the charger waits for the next loop message: 0.5 s.
            await asyncio.sleep(0.7)
            state = await session.export(power_w=2_000, duration_s=10)
            assert state.power_w == pytest.approx(2_000, rel=1e-3)

    run(scenario())
    assert line.failure is None


def test_a_vehicle_that_falls_silent_in_the_loop_is_left_by_the_charger():
    line = Line(rules=RULES)

    async def scenario():
        async with line.session() as session:
            await session.export(power_w=2_000, duration_s=10)
            await asyncio.sleep(0.6)
            await session.export(power_w=2_000, duration_s=10)

    with pytest.raises(SessionFailure) as caught:
        run(scenario())
    assert caught.value.cause.name == "closed" and line.failure.cause.name == "no-request"
    line.assert_safe()


def test_one_charger_serves_one_vehicle_at_a_time():
    line = Line()

    async def scenario():
        async with line.listener() as listener, open_session(line.settings(listener.port)):
            other = Line()
            with pytest.raises(DeviceError):
                async with open_session(other.settings(listener.port)):
                    pytest.fail("two vehicles at one charger")
            assert listener.busy == 1

    run(scenario())


def test_a_charger_that_nobody_finds_is_named():
    from v2glab.links.tls import HandshakeError

    async def scenario():
        async with open_session(OpenSettings(ModelBattery(), Fixed("::1", 1))):
            pytest.fail("nobody listens")

    with pytest.raises(HandshakeError) as caught:
        run(scenario())
    assert caught.value.cause.phase == "TCP"
