"""Sessions of ISO 15118-20 that take their time or change: waits, pause, renegotiation, standby, dispatch."""

import asyncio

import pytest
from iso20_line import Clock, Line, Spoiler, run

from v2glab.evidence import UsageError
from v2glab.links.sessions import (
    Fixed,
    ModelBattery,
    ModelCharger,
    Offer,
    OpenSettings,
    PausedSessions,
    ServeSettings,
    SessionFailure,
    Wishes,
    open_session,
    serve_sessions,
)
from v2glab.links.sessions._paused import Paused


def test_a_paused_session_is_joined_by_its_vehicle_alone():
    asked = []

    async def authorise(who):
        asked.append(who.vehicle)
        return "granted"

    line = Line(offer=Offer(authorise=authorise))

    async def scenario():
        async with line.listener() as listener:
            async with open_session(line.settings(listener.port)) as session:
                await session.export(power_w=3_000, duration_s=60)
                await session.pause()
                first = session.session_id
            assert len(line.offer.paused) == 1
            line.assert_safe()
            other = Line(wishes=Wishes(evcc_id="WMIV0000000000OTHERX"), battery=line.battery)
            async with open_session(other.settings(listener.port, session_id=first)) as session:
                assert session.session_id != first and not session.driver.joined
            async with open_session(line.settings(listener.port, session_id=first)) as session:
                assert session.session_id == first and session.driver.joined
                await session.charge(power_w=3_000, duration_s=60)
            # Ended for good: there is nothing to join any more.
            async with open_session(line.settings(listener.port, session_id=first)) as session:
                assert not session.driver.joined

    run(scenario())
    assert asked == ["WMIV1234567890ABCDEX", "WMIV0000000000OTHERX", "WMIV1234567890ABCDEX"]


def test_the_store_of_paused_sessions_is_bounded():
    store = PausedSessions(most=3)
    for number in range(5):
        store.keep(Paused(f"{number:016X}", f"vehicle {number}", "iso20-dc"))
    assert len(store) == 3
    assert store.join(f"{1:016X}", "vehicle 1", "iso20-dc") is None
    assert store.join(f"{4:016X}", "vehicle 3", "iso20-dc") is None
    assert store.join(f"{4:016X}", "vehicle 4", "iso20-ac") is None
    assert store.join(f"{4:016X}", "vehicle 4", "iso20-dc").vehicle == "vehicle 4"
    taken = iter([bytes.fromhex(f"{3:016X}"), bytes.fromhex("00" * 8), bytes.fromhex("AB" * 8)])
    assert store.new_id(lambda octets: next(taken)) == "AB" * 8


def test_renegotiation_rests_the_power_and_goes_on():
    line = Line()
    flows = []

    class Watched(Spoiler):
        def message(self, message):
            if message.name.startswith(("ScheduleExchange", "PowerDelivery")):
                flows.append((message.name, message.body.get("ChargeProgress"), line.charger._current_a))
            return message

    line.charger_spoiler = Watched()

    async def scenario():
        async with line.session() as session:
            await session.export(power_w=9_000, duration_s=60)
            flows.clear()
            await session.driver.cycle(type("W", (), {"power_w": 9_000.0})())
            await session.renegotiate()
            assert [f[0] for f in flows] == ["PowerDeliveryRes", "ScheduleExchangeRes", "PowerDeliveryRes"]
            assert all(current == 0 for *_, current in flows)
            state = await session.export(power_w=9_000, duration_s=60)
            assert state.power_w == pytest.approx(9_000, rel=1e-3)

    run(scenario())
    assert line.failure is None


def test_the_vehicle_changes_service_within_one_session():
    line = Line(wishes=Wishes(service="dc"))

    async def scenario():
        async with line.session() as session:
            before = session.session_id
            await session.renegotiate(wishes=Wishes(service="dc_bpt", control="dynamic"))
            state = await session.export(power_w=4_000, duration_s=60)
            assert state.power_w == pytest.approx(4_000, rel=1e-3) and session.session_id == before
            with pytest.raises(UsageError, match="same connector"):
                await session.renegotiate(wishes=Wishes(service="ac"))

    run(scenario())
    line.assert_safe()


@pytest.mark.parametrize(("notice", "ended"), [("stop", "stop"), ("pause", "pause"), ("renegotiate", "")])
def test_the_vehicle_obeys_what_the_charger_asks_in_the_loop(notice, ended):
    notices = iter(["", "", notice])
    line = Line(offer=Offer(notice=lambda: next(notices, "")))

    async def scenario():
        async with line.session() as session:
            state = await session.export(power_w=2_000, duration_s=60)
            assert state.notice == ended.replace("renegotiate", "")
            assert (ended in session.ended) if ended else session.ended == ""
            names = [r.name for r in session.trace.records]
            assert names.count("ScheduleExchangeReq") == (2 if notice == "renegotiate" else 1)

    run(scenario())
    assert len(line.offer.paused) == (1 if notice == "pause" else 0)
    assert line.failure is None
    line.assert_safe()


def test_standby_opens_both_contactors_and_wakes_again():
    line = Line()

    async def scenario():
        async with line.session() as session:
            await session.driver.standby()
            line.assert_safe()
            await session.driver.wake()
            state = await session.export(power_w=2_000, duration_s=60)
            assert state.power_w == pytest.approx(2_000, rel=1e-3)

    run(scenario())
    assert line.failure is None


def test_standby_that_is_not_allowed_leaves_the_power_on():
    line = Line(offer=Offer(standby=False))

    async def scenario():
        async with line.session() as session:
            with pytest.raises(SessionFailure, match="StandbyNotAllowed"):
                await session.driver.standby()
            state = await session.export(power_w=2_000, duration_s=60)
            assert state.power_w == pytest.approx(2_000, rel=1e-3)

    run(scenario())


def test_the_dynamic_mode_follows_the_chargers_dispatcher_within_the_vehicles_bounds():
    seen = []

    def dispatch(bounds):
        seen.append(bounds)
        return bounds.limits.export_w / 2

    line = Line(offer=Offer(dispatch=dispatch), wishes=Wishes(control="dynamic"))

    async def scenario():
        async with line.session() as session:
            state = await session.export(power_w=6_000, duration_s=60)
            assert state.power_w == pytest.approx(3_000, rel=1e-3)

    run(scenario())
    assert all(0 <= b.limits.export_w <= 6_000 and b.limits.charge_w == 0 for b in seen)


@pytest.mark.parametrize(("busy", "grants"), [("ongoing", True), ("waiting", True), ("refused", False)])
def test_authorisation_takes_its_time_or_is_refused(busy, grants):
    said = iter([busy, busy, "granted"])

    async def authorise(who):
        return next(said)

    line = Line(offer=Offer(authorise=authorise))

    async def scenario():
        async with line.session() as session:
            return [r.name for r in session.trace.records].count("AuthorizationReq")

    if grants:
        assert run(scenario()) == 3
        return
    with pytest.raises(SessionFailure) as caught:
        run(scenario())
    assert caught.value.cause.name == "not-authorised"
    assert caught.value.cause.response_code == "WARNING_EIMAuthorizationFailure"
    line.assert_safe()


def test_authorisation_without_end_is_given_up_by_the_session_clock():
    async def authorise(who):
        return "ongoing"

    line = Line(offer=Offer(authorise=authorise))

    async def scenario():
        async with line.session():
            pytest.fail("nobody granted it")

    with pytest.raises(SessionFailure) as caught:
        run(scenario())
    assert caught.value.cause.name == "ongoing-too-long"
    assert line.clock.now_s == pytest.approx(60, abs=1)


def test_the_cable_check_is_waited_for_and_its_fault_ends_the_session():
    class Slow(ModelCharger):
        left = 5

        async def insulation(self, voltage_v):
            self.left -= 1
            return "ongoing" if self.left > 0 else await super().insulation(voltage_v)

    battery = ModelBattery()
    line = Line(battery=battery, charger=Slow(battery))

    async def scenario():
        async with line.session() as session:
            return [r.name for r in session.trace.records].count("DC_CableCheckReq")

    assert run(scenario()) == 5
    line = Line()
    line.charger.fault = "insulation"
    with pytest.raises(SessionFailure) as caught:
        run(scenario())
    assert caught.value.cause.name == line.failure.cause.name == "insulation"
    line.assert_safe()


def test_many_vehicles_at_once_each_have_a_session_of_their_own():
    batteries = [ModelBattery(soc_percent=40 + n) for n in range(12)]

    async def vehicle(battery, port, clock):
        wishes = Wishes(evcc_id=f"VEHICLE{battery.soc_percent:.0f}")
        opened = OpenSettings(
            battery, Fixed("::1", port), wishes=wishes, clock=clock, sleep=clock.sleep, keep_alive=False,
            rules=Line().rules,
        )  # fmt: skip
        async with open_session(opened) as session:
            await session.export(power_w=1_000, duration_s=1)
            return session.session_id

    async def scenario():
        clock, waiting = Clock(), list(batteries)
        made = ServeSettings(
            lambda: ModelCharger(waiting.pop(0), clock=clock), Offer(), port=0, rules=Line().rules
        )
        async with await serve_sessions(made) as listener:
            return await asyncio.gather(*(vehicle(b, listener.port, clock) for b in batteries))

    identifiers = run(scenario())
    assert len(set(identifiers)) == len(batteries)
    assert not any(b.contactor_closed for b in batteries)
