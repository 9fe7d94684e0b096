"""Whole sessions of ISO 15118-20 over loopback: services, control modes, energy, phases, limits."""

import pytest
from iso20_line import SERVICES, Line, Spoiler, run
from v2g_links import pki_of

from v2glab.evidence import InputError, LimitError, UsageError
from v2glab.links.pki import write_pki
from v2glab.links.sdp import Direct
from v2glab.links.sessions import (
    ModelBattery,
    ModelCharger,
    OpenSettings,
    PowerLimits,
    ServeSettings,
    SessionFailure,
    VehicleNeeds,
    Wishes,
    open_session,
    serve_sessions,
)

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


def test_the_loop_keeps_its_beat_however_long_answers_take():
    def beats(late_s):
        line = Line()

        def late(message):
            line.clock.now_s += late_s if message.name == "DC_ChargeLoopReq" else 0.0
            return message

        line.spoiler = Spoiler(late)

        async def main():
            async with line.session(cycle_s=0.1) as session:
                await session.export(power_w=1000.0, duration_s=2.0)

        run(main())
        return line.spoiler.seen.count("DC_ChargeLoopReq")

    # At 0, 0.1, … 2.0 s, once to take the power back, once before the end.
    assert beats(0.0) == beats(0.03) == 23
    # Beats that were missed are left out: one every 0.25 s, the last answered at 2.0 s.
    assert beats(0.25) == 8 + 2
