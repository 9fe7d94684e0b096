"""Whole sessions of DIN 70121 and ISO 15118-2: messages, plant, and what cannot be."""

import pytest
from edition1_line import AC_LIMITS, Clock, Line, names, run

from v2glab.evidence import InputError, LimitError
from v2glab.links.sessions import ModelBattery, ModelCharger, Wanted, Wishes
from v2glab.links.sessions._offer import Offer

HOUR = 3600.0
DC_MESSAGES = [
    "ChargeParameterDiscoveryReq", "CableCheckReq", "PreChargeReq", "PowerDeliveryReq", "CurrentDemandReq",
    "CurrentDemandReq", "PowerDeliveryReq", "WeldingDetectionReq", "SessionStopReq",
]  # fmt: skip
START = {
    "din": ["ServicePaymentSelectionReq", "ContractAuthenticationReq"],
    "iso2": ["PaymentServiceSelectionReq", "AuthorizationReq"],
}


@pytest.mark.parametrize("protocol", ["din", "iso2"])
def test_a_dc_session_moves_the_energy_that_its_messages_tell(protocol):
    line = Line(protocol)

    async def session():
        async with line.vehicle() as driver:
            await driver.set_up()
            first = await driver.cycle(Wanted(-10_000))
            await line.clock.sleep(HOUR / 2)
            second = await driver.cycle(Wanted(-10_000))
            await driver.stop()
            return driver, first, second

    driver, first, second = run(session())
    assert names(driver.asker) == [
        "supportedAppProtocolReq", "SessionSetupReq", "ServiceDiscoveryReq", *START[protocol], *DC_MESSAGES,
    ]  # fmt: skip
    assert line.endings == [None]
    assert line.is_safe
    # 10 kW at the connector, told to 0.1 A and 0.1 V; half an hour of it; at the grid by the efficiency more.
    assert first.power_w == pytest.approx(-10_000, rel=1e-2)
    assert second.voltage_v > first.voltage_v
    gained_wh = (line.battery.soc_percent - 60) / 100 * line.battery.needs.capacity_wh
    loss_wh = first.current_a**2 * line.battery.resistance_ohm / 2
    assert gained_wh == pytest.approx(5000 - loss_wh, rel=1e-2)
    if protocol == "iso2":
        assert second.import_wh == pytest.approx(5000 / 0.96, rel=1e-2)
    else:
        assert second.import_wh is None


def test_an_ac_session_changes_power_by_its_profile():
    battery, clock = ModelBattery(), Clock()
    battery.limits = AC_LIMITS
    charger = ModelCharger(battery, AC_LIMITS, clock=clock)
    line = Line("iso2", battery=battery, clock=clock, charger=charger)

    async def session():
        async with line.vehicle(Wishes("ac")) as driver:
            await driver.set_up()
            idle = await driver.cycle(Wanted(0))
            full = await driver.cycle(Wanted(-11_000))
            await clock.sleep(HOUR)
            later = await driver.cycle(Wanted(-11_000))
            await driver.stop()
            return driver, idle, full, later

    driver, idle, full, later = run(session())
    assert (driver.mode, driver.current_a) == ("AC_three_phase_core", pytest.approx(11_000 / 690, abs=0.1))
    assert idle.power_w == 0
    assert full.power_w == pytest.approx(-11_000 * 0.96, rel=1e-2)
    assert later.import_wh == pytest.approx(11_000, rel=1e-2)
    assert names(driver.asker).count("PowerDeliveryReq") == 4  # start, renegotiate, start, stop
    assert line.endings == [None]
    assert line.is_safe


@pytest.mark.parametrize(("protocol", "title"), [("din", "DIN SPEC 70121"), ("iso2", "ISO 15118-2")])
def test_export_is_refused_by_name_and_the_session_goes_on(protocol, title):
    line = Line(protocol)

    async def session():
        async with line.vehicle(Wishes("dc_bpt")) as driver:
            await driver.set_up()
            with pytest.raises(LimitError, match=f"{title}.* has no messages to discharge"):
                await driver.cycle(Wanted(1000))
            for power_w in (-22_100, -60_000):
                with pytest.raises(LimitError, match=r"lower of both ends|schedule grants"):
                    await driver.cycle(Wanted(power_w))
            state = await driver.cycle(Wanted(-1000))
            await driver.stop()
            return state

    assert run(session()).power_w == pytest.approx(-1000, rel=2e-2)
    assert line.endings == [None]


def test_what_din_cannot_do_is_refused_before_anything_is_sent():
    line = Line("din")

    async def session():
        async with line.vehicle() as driver:
            await driver.set_up()
            sent = len(driver.asker.link.trace.records)
            with pytest.raises(InputError, match="a pause in DIN SPEC 70121"):
                await driver.stop(pause=True)
            with pytest.raises(InputError, match="renegotiation in DIN SPEC 70121"):
                await driver.renegotiate()
            assert len(driver.asker.link.trace.records) == sent
            await driver.stop()
        for wishes in (Wishes("ac"), Wishes("dc", authorisation="pnc")):
            with pytest.raises(InputError, match="direct current, authorised at the charger"):
                async with line.vehicle(wishes):
                    pass

    run(session())
    assert line.endings[0] is None


def test_a_session_is_paused_and_joined_again():
    line = Line("iso2")

    async def session():
        async with line.vehicle() as driver:
            await driver.set_up()
            await driver.stop(pause=True)
            identifier = driver.asker.session_id
        assert len(line.offer.paused) == 1
        async with line.vehicle(session_id=identifier) as driver:
            await driver.set_up()
            assert driver.joined
            assert driver.asker.session_id == identifier
            assert (await driver.cycle(Wanted(-5000))).power_w == pytest.approx(-5000, rel=1e-2)
            await driver.stop()
        assert len(line.offer.paused) == 0
        # Joined once; and another vehicle cannot take it.
        async with line.vehicle(session_id=identifier) as driver:
            await driver.set_up()
            assert not driver.joined
            assert driver.asker.session_id != identifier
            await driver.stop(pause=True)
            identifier = driver.asker.session_id
        async with line.vehicle(Wishes("dc", evcc_id="020000000001"), identifier) as driver:
            await driver.set_up()
            assert not driver.joined
            await driver.stop()

    run(session())
    assert line.endings == [None] * 4
    assert line.is_safe


def test_the_charger_asks_for_a_renegotiation_and_for_the_end():
    said = [""]
    line = Line("iso2", Offer(notice=lambda: said[0]))

    async def session():
        async with line.vehicle() as driver:
            await driver.set_up()
            said[0] = "renegotiate"
            state = await driver.cycle(Wanted(-10_000))
            assert state.notice == "renegotiate"
            line.charger.limits = type(line.charger.limits)(6_000, 0, 60, 0, 150, 500)
            said[0] = ""
            await driver.renegotiate()
            with pytest.raises(LimitError, match="6000 W, as the schedule grants"):
                await driver.cycle(Wanted(-10_000))
            state = await driver.cycle(Wanted(-6_000))
            assert (state.notice, state.limit_charge_w) == ("", 6_000)
            said[0] = "stop"
            assert (await driver.cycle(Wanted(-6_000))).notice == "stop"
            await driver.stop()
            return driver

    sent = names(run(session()).asker)
    assert sent.count("ChargeParameterDiscoveryReq") == sent.count("CableCheckReq") == 2
    assert line.endings == [None]
    assert line.is_safe
