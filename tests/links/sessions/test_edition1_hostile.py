"""Chargers and vehicles of DIN 70121 and ISO 15118-2 against ends that do not keep to the protocol."""

from dataclasses import replace

import pytest
from edition1_line import AC_LIMITS, BOTH, Line, fails, impatient, names, run

from v2glab.links.exi import blank
from v2glab.links.sessions import (
    Message,
    ModelBattery,
    ModelCharger,
    Parcel,
    SessionFailure,
    Wanted,
    Wishes,
    load_session_rules,
)
from v2glab.links.sessions._message import namespace_of, write_message
from v2glab.links.sessions._offer import Offer
from v2glab.links.sessions.edition1._rules import load_edition1_rules
from v2glab.links.sessions.edition1._values import bound

RULES = load_session_rules()


class Spoil:
    """Changes every message of a name by a function of its body."""

    def __init__(self, name, **values):
        self.name, self.values = name, values

    def message(self, message):
        if message.name != self.name:
            return message
        body = {k: v for k, v in {**message.body, **self.values}.items() if v is not None}
        return replace(message, body=body)

    def octets(self, message, octets):
        return [Parcel(octets)]


def volts(value):
    return {"Multiplier": 0, "Unit": "V", "Value": value}


def ampere(value):
    return {"Multiplier": 0, "Unit": "A", "Value": value}


SICK = {"EVReady": True, "EVErrorCode": "FAILED_RESSTemperatureInhibit", "EVRESSSOC": 50}
SELECTION = {"din": "ServicePaymentSelectionReq", "iso2": "PaymentServiceSelectionReq"}
MODE = {"din": "EVRequestedEnergyTransferType", "iso2": "RequestedEnergyTransferMode"}


def services(*numbers):
    return {"SelectedServiceList": {"SelectedService": [{"ServiceID": n} for n in numbers]}}


def limits(**values):
    return {"DC_EVChargeParameter": {
        "DC_EVStatus": {**SICK, "EVErrorCode": "NO_ERROR"}, "EVMaximumCurrentLimit": ampere(100),
        "EVMaximumVoltageLimit": volts(400), **values,
    }}  # fmt: skip


PROFILE = {"ChargingProfileEntryStart": 0, "ChargingProfileEntryMaxPower": bound(30_000, "W")}
CASES = [
    ("selection", services(2), "no-charge-service"),
    ("selection", services(1, 9), "service-not-offered"),
    ("selection", {"SelectedPaymentOption": "Contract"}, "payment-not-offered"),
    ("mode", "DC_core", "energy-mode"),
    ("ChargeParameterDiscoveryReq", limits(EVMaximumVoltageLimit=volts(100)), "charge-parameter"),
    ("ChargeParameterDiscoveryReq", limits(EVMaximumCurrentLimit=ampere(-1)), "charge-parameter"),
    ("CableCheckReq", {"DC_EVStatus": SICK}, "vehicle-fault"),
    ("PreChargeReq", {"DC_EVStatus": SICK}, "vehicle-fault"),
    ("PreChargeReq", {"EVTargetVoltage": volts(900)}, "set-point"),
    ("PreChargeReq", {"EVTargetCurrent": ampere(3)}, "set-point"),
    ("CurrentDemandReq", {"DC_EVStatus": SICK}, "vehicle-fault"),
    ("CurrentDemandReq", {"EVTargetCurrent": ampere(61)}, "set-point"),
    ("CurrentDemandReq", {"EVTargetCurrent": ampere(-1)}, "set-point"),
    ("CurrentDemandReq", {"EVTargetVoltage": volts(501)}, "set-point"),
]


@pytest.mark.parametrize("protocol", BOTH)
@pytest.mark.parametrize(("name", "values", "why"), CASES)
def test_a_request_that_cannot_be_served_has_its_response_code(protocol, name, values, why):
    if name == "selection":
        name = SELECTION[protocol]
    if name == "mode":
        name, values = "ChargeParameterDiscoveryReq", {MODE[protocol]: values}
    rule = load_edition1_rules().refusal[why]
    line = Line(protocol, tamper=Spoil(name, **values))
    caught = run(fails(line))
    assert (caught.cause.response_code, line.endings[0].cause.name) == (rule.code(protocol), rule.cause)
    assert line.is_safe


@pytest.mark.parametrize(("values", "why"), [
    ({"SAScheduleTupleID": 7}, "schedule"),
    ({"ChargingProfile": {"ProfileEntry": [PROFILE]}}, "profile"),
])  # fmt: skip
def test_schedules_that_were_not_offered_are_refused(values, why):
    line = Line("iso2", tamper=Spoil("PowerDeliveryReq", **values))
    caught = run(fails(line))
    assert caught.cause.response_code == load_edition1_rules().refusal[why].iso2
    assert line.is_safe


def test_an_ac_vehicle_that_this_charger_cannot_serve_is_refused():
    battery = ModelBattery()
    battery.limits = replace(AC_LIMITS, phase_v=110)
    line = Line("iso2", battery=battery, charger=ModelCharger(battery, AC_LIMITS))
    assert run(fails(line, Wishes("ac"))).cause.response_code == "FAILED_WrongChargeParameter"
    # Neither does a charger of AC offer DC.
    assert run(fails(line)).cause.name == "no-common-service"


def test_the_codes_of_refusals_exist_in_their_protocols():
    for rule in load_edition1_rules().refusal.values():
        for dialect in BOTH:
            protocol = RULES.protocol[dialect]
            body = blank(namespace_of("SessionStopRes", protocol), "SessionStopRes")
            message = Message("SessionStopRes", {**body, "ResponseCode": rule.code(dialect)}, "01")
            assert write_message(message, protocol, 0)
        assert rule.cause in RULES.cause


STATUS = {"NotificationMaxDelay": 0, "EVSENotification": "None", "EVSEStatusCode": "EVSE_Ready"}
CHARGER_CASES = [
    ("CableCheckRes", {"DC_EVSEStatus": {**STATUS, "EVSEIsolationStatus": "Fault"}}, "insulation"),
    ("CableCheckRes", {"DC_EVSEStatus": STATUS}, "insulation"),
    ("PreChargeRes", {"EVSEPresentVoltage": volts(100)}, "pre-charge"),
    ("PowerDeliveryRes", {"DC_EVSEStatus": {**STATUS, "EVSEStatusCode": "EVSE_Malfunction"}}, "emergency"),
    (
        "CurrentDemandRes",
        {"DC_EVSEStatus": {**STATUS, "EVSEStatusCode": "EVSE_EmergencyShutdown"}},
        "emergency",
    ),
    ("CurrentDemandRes", {"EVSEPresentVoltage": volts(100)}, "measurement"),
    ("WeldingDetectionRes", {"EVSEPresentVoltage": volts(380)}, "contactor"),
    ("SessionStopRes", {"ResponseCode": "FAILED"}, "refused"),
]


@pytest.mark.parametrize("protocol", BOTH)
@pytest.mark.parametrize(("name", "values", "cause"), CHARGER_CASES)
def test_a_charger_that_misbehaves_is_named_and_left(protocol, name, values, cause):
    line = Line(protocol, secc_tamper=Spoil(name, **values))
    caught = run(fails(line))
    assert caught.cause.name == cause
    assert line.is_safe


@pytest.mark.parametrize("protocol", BOTH)
@pytest.mark.parametrize(
    ("limit", "cause"), [("ongoing_s", "not-authorised"), ("cable_check_s", "insulation")]
)
def test_a_charger_that_is_busy_for_too_long_is_left(protocol, limit, cause):
    async def authorise(who):
        return "waiting" if limit == "ongoing_s" else "granted"

    async def insulation(voltage_v):
        return "ongoing"

    line = Line(protocol, Offer(authorise=authorise), rules=impatient(protocol, **{limit: 5.0}))
    line.charger.insulation = insulation
    assert run(fails(line)).cause.name == cause
    # On the session's clock; what the exchanges took on the machine's counts besides.
    assert 2 < line.clock.now_s <= 5
    assert line.is_safe


@pytest.mark.parametrize("protocol", BOTH)
def test_a_charger_that_is_busy_for_a_while_is_waited_for(protocol):
    grants, ready, checks = (
        iter(["waiting", "ongoing", "granted"]),
        iter([False, True]),
        iter(["ongoing", "valid"]),
    )

    async def authorise(who):
        return next(grants)

    async def insulation(voltage_v):
        return next(checks)

    line = Line(protocol, Offer(authorise=authorise, ready=lambda: next(ready)))
    line.charger.insulation = insulation

    async def session():
        async with line.vehicle() as driver:
            await driver.set_up()
            await driver.stop()
            return names(driver.asker)

    sent = run(session())
    first = "ContractAuthenticationReq" if protocol == "din" else "AuthorizationReq"
    counts = [sent.count(name) for name in (first, "ChargeParameterDiscoveryReq", "CableCheckReq")]
    assert counts == [3, 2, 2]
    assert line.endings == [None]


@pytest.mark.parametrize("protocol", BOTH)
def test_a_refused_authorisation(protocol):
    async def authorise(who):
        return "refused"

    line = Line(protocol, Offer(authorise=authorise))
    assert run(fails(line)).cause.response_code == "FAILED"
    assert line.endings[0].cause.name == "not-authorised"


@pytest.mark.parametrize("protocol", BOTH)
@pytest.mark.parametrize("fault", ["emergency", "contactor", "something new"])
def test_faults_of_the_plant_reach_the_vehicle_in_the_loop(protocol, fault):
    line = Line(protocol)

    async def session():
        with pytest.raises(SessionFailure) as caught:
            async with line.vehicle() as driver:
                await driver.set_up()
                await driver.cycle(Wanted(-5000))
                line.charger.fault = fault
                await driver.cycle(Wanted(-5000))
        return caught.value

    assert run(session()).cause.name == "emergency"
    assert line.is_safe


@pytest.mark.parametrize("protocol", BOTH)
def test_an_insulation_fault_ends_the_session(protocol):
    line = Line(protocol)

    async def insulation(voltage_v):
        return "fault"

    line.charger.insulation = insulation
    assert run(fails(line)).cause.response_code == "FAILED"
    assert line.endings[0].cause.name == "insulation"
    assert line.is_safe


@pytest.mark.parametrize("protocol", BOTH)
def test_a_contactor_that_does_not_open_is_named(protocol):
    line = Line(protocol)
    line.charger.stuck = True
    caught = run(fails(line))
    assert line.endings[0].cause.code == "F-092"
    assert caught.cause.name == ("contactor" if protocol == "iso2" else "refused")
    assert not line.battery.contactor_closed
