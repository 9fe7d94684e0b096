"""Whole sessions of ISO 15118-20 over loopback: services, control modes, energy, pause, renegotiation."""

import asyncio

import pytest
from iso20_line import RULES, SERVICES, Line, Spoiler, run
from v2g_links import pki_of

from v2glab.evidence import DeviceError, InputError, LimitError, UsageError
from v2glab.links.pki import write_pki
from v2glab.links.sdp import Direct
from v2glab.links.sessions import (
    Fixed,
    ModelBattery,
    ModelCharger,
    Offer,
    OpenSettings,
    Parcel,
    PausedSessions,
    PowerLimits,
    ServeSettings,
    SessionFailure,
    VehicleNeeds,
    Wishes,
    open_session,
    serve_sessions,
)
from v2glab.links.sessions._paused import Paused
from v2glab.links.sessions.iso20 import load_iso20_rules

HOUR = 3600


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write_pki(pki_of(), tmp_path_factory.mktemp("sessions") / "pki")


@pytest.mark.parametrize(("service", "control"), SERVICES)
def test_every_service_moves_the_energy_that_was_asked_for(service, control):
    line = Line(wishes=Wishes(service=service, control=control))
    soc = line.battery.soc_percent

    async def scenario():
        async with line.session() as session:
            if service.endswith("bpt"):
                state = await session.export(power_w=10_000, duration_s=1200)
                assert state.power_w == pytest.approx(10_000, rel=1e-3)
            state = await session.charge(power_w=8_000, duration_s=1200)
            assert state.power_w == pytest.approx(-8_000, rel=1e-3)
        return session.energy

    energy = run(scenario())
    exported = 10_000 * 1200 / HOUR if service.endswith("bpt") else 0.0
    charged = 8_000 * 1200 / HOUR
    assert energy.export_wh == pytest.approx(exported, rel=2e-3)
    assert energy.import_wh == pytest.approx(charged, rel=2e-3)
    # Messages against the plant's own meter and against the battery's charge.
    lossy = line.charger.efficiency if service.startswith("ac") else 1.0
    told = {"export": line.charger._export_wh, "import": line.charger._import_wh}
    assert told["export"] == pytest.approx(exported / lossy, rel=5e-3)
    assert told["import"] == pytest.approx(charged * lossy, rel=5e-3)
    fallen = (soc - line.battery.soc_percent) * line.battery.needs.capacity_wh / 100
    assert fallen == pytest.approx(exported / lossy - charged * lossy, abs=0.01 * (exported + charged))
    assert line.failure is None
    line.assert_safe()


def test_energy_by_messages_agrees_with_the_meter_that_the_messages_tell():
    line = Line()

    async def scenario():
        async with line.session() as session:
            await session.export(power_w=12_000, duration_s=1800)
            await session.charge(power_w=20_000, duration_s=900)
        return session.energy

    energy = run(scenario())
    assert energy.export_wh == pytest.approx(energy.meter_export_wh, rel=5e-3)
    assert energy.import_wh == pytest.approx(energy.meter_import_wh, rel=5e-3)


def test_a_session_in_tls_passes_through_every_phase(files):
    line = Line(files=files)
    told = []

    async def scenario():
        way = Direct("::1", 0)
        settings = ServeSettings(
            line.charger, line.offer, port=0, tls=line.tls("secc"), sdp=way, rules=line.rules
        )
        async with await serve_sessions(settings) as listener:
            way = Direct("::1", listener.sdp_port)
            opened = OpenSettings(
                line.battery, way, line.tls("evcc"), clock=line.clock, sleep=line.clock.sleep,
                progress=told.append, keep_alive=False, rules=line.rules,
            )  # fmt: skip
            async with open_session(opened) as session:
                await session.export(power_w=5_000, duration_s=1)
                phases, names = session.phases, list(session.trace.frame()["name"])
            return phases, names

    phases, names = run(scenario())
    begin = ["SDP", "TLS", "agreement", "SessionSetup", "AuthorizationSetup", "Authorization"]
    assert told[:6] == begin and told[-1] == "SessionStop"
    assert {"TCP", "PowerDelivery", "DC_CableCheck"} < set(phases)
    assert all(0 < duration < 5 for duration in phases.values())
    assert names[0] == "supportedAppProtocolReq" and names.count("PowerDeliveryRes") == 1
    line.assert_safe()


def test_the_facade_refuses_what_cannot_be_and_the_session_lives_on():
    line = Line()

    async def scenario():
        async with line.session() as session:
            for call, error in [
                (session.export(power_w=22_001, duration_s=1), LimitError),
                (session.charge(power_w=22_001, duration_s=1), LimitError),
                (session.export(power_w=-1, duration_s=1), InputError),
                (session.export(power_w=float("nan"), duration_s=1), InputError),
                (session.export(power_w=1, duration_s=float("inf")), InputError),
            ]:
                with pytest.raises(error):
                    await call
            assert line.charger._current_a == 0
            await session.export(power_w=22_000, duration_s=10)
        with pytest.raises(UsageError, match="ended"):
            await session.idle(duration_s=1)

    run(scenario())
    assert line.failure is None


def test_the_state_of_charge_bounds_both_directions():
    needs = VehicleNeeds(10_000, 50, 49, 51)
    line = Line(battery=ModelBattery(needs=needs, soc_percent=50), more={"cycle_s": 5.0})

    async def scenario():
        async with line.session() as session:
            with pytest.raises(LimitError, match="charge first"):
                await session.export(power_w=10_000, duration_s=HOUR)
            assert line.battery.soc_percent == pytest.approx(49, abs=0.3)
            assert line.charger._current_a == 0
            with pytest.raises(LimitError, match="export first"):
                await session.charge(power_w=10_000, duration_s=HOUR)
            assert line.battery.soc_percent == pytest.approx(51, abs=0.3)

    run(scenario())
    line.assert_safe()


def test_a_charging_only_service_cannot_export():
    line = Line(wishes=Wishes(service="dc"))

    async def scenario():
        async with line.session() as session:
            with pytest.raises(LimitError, match="-22000 to 0 W"):
                await session.export(power_w=1_000, duration_s=10)

    run(scenario())


def test_a_charger_without_export_offers_no_bidirectional_service():
    limits = PowerLimits(22_000, 0, 60, 0, 150, 500)
    battery = ModelBattery()
    line = Line(battery=battery, charger=ModelCharger(battery, limits))

    async def scenario():
        async with line.session():
            pytest.fail("a session without a common service")

    with pytest.raises(SessionFailure) as caught:
        run(scenario())
    assert caught.value.cause.name == "no-common-service"
    line.assert_safe()


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
