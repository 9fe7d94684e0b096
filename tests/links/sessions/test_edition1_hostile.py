"""Chargers and vehicles of DIN 70121 and ISO 15118-2 against ends that do not keep to the protocol."""

from dataclasses import replace

import pytest
from edition1_line import AC_LIMITS, PATIENT, Line, names, run
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from v2glab.evidence import InputError
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
from v2glab.links.sessions.edition1._values import bound, number, physical

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
BOTH = ("din", "iso2")
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


async def fails(line, wishes=None, cycles=1):
    with pytest.raises(SessionFailure) as caught:
        async with line.vehicle(wishes) as driver:
            await driver.set_up()
            for _ in range(cycles):
                await driver.cycle(Wanted(-1000))
            await driver.stop()
    return caught.value


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
    battery.limits = replace(AC_LIMITS, low_v=110, high_v=110)
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


def impatient(protocol, **limits):
    shorter = PATIENT.limits[protocol].model_copy(update=limits)
    return PATIENT.model_copy(update={"limits": {**PATIENT.limits, protocol: shorter}})


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


class Silent:
    """Never sends a message of that name."""

    def __init__(self, name):
        self.name = name

    def message(self, message):
        return None if message.name == self.name else message

    def octets(self, message, octets):
        return [Parcel(octets)]


@pytest.mark.parametrize("protocol", BOTH)
@pytest.mark.parametrize("end", ["tamper", "secc_tamper"])
def test_an_end_that_falls_silent_leaves_both_plants_safe(protocol, end):
    vehicle = end == "tamper"
    name = "CurrentDemandReq" if vehicle else "CurrentDemandRes"
    rules = impatient(protocol, **({"sequence_s": 0.3} if vehicle else {"message_s": {"CurrentDemand": 0.2}}))
    line = Line(protocol, rules=rules, **{end: Silent(name)})
    caught = run(fails(line))
    assert caught.cause.name == ("closed" if vehicle else "no-answer")
    assert line.endings[0].cause.name == ("no-request" if vehicle else "closed")
    assert line.is_safe


def test_no_power_before_set_up_or_after_the_end():
    line = Line("iso2")

    async def session():
        async with line.vehicle() as driver:
            with pytest.raises(InputError, match="without PowerDelivery"):
                await driver.cycle(Wanted(-1000))
            await driver.set_up()
            await driver.stop()
            with pytest.raises(InputError, match="without PowerDelivery"):
                await driver.cycle(Wanted(-1000))

    run(session())
    assert line.endings == [None]


class Cut:
    """Ends the connection at the nth frame."""

    def __init__(self, after):
        self.left = after

    def message(self, message):
        return message

    def octets(self, message, octets):
        self.left -= 1
        return [Parcel(octets[: len(octets) // 2], close=True)] if self.left < 0 else [Parcel(octets)]


@pytest.mark.parametrize("protocol", BOTH)
@pytest.mark.parametrize("end", ["tamper", "secc_tamper"])
def test_a_cut_connection_leaves_both_plants_safe(protocol, end):
    for after in range(1, 12):
        line = Line(protocol, **{end: Cut(after)})
        with pytest.raises(SessionFailure) as caught:
            run(session_until_cut(line))
        assert caught.value.cause.name == "closed", after
        assert line.is_safe, after


async def session_until_cut(line):
    async with line.vehicle() as driver:
        await driver.set_up()
        while True:
            await driver.cycle(Wanted(-5000))


REQUESTS = {
    name: sorted(
        {r for follow in load_edition1_rules().sequence[name].values() for r in follow} | {"SessionSetup"}
    )
    for name in BOTH
}  # fmt: skip


@pytest.mark.parametrize("protocol", BOTH)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_random_requests_never_break_the_charger(protocol, data):
    """A good beginning, then anything: what is refused ends the session, and the plant is safe."""
    line, good = Line(protocol), good_start(protocol)
    steps = data.draw(st.integers(0, 8))
    chosen = data.draw(st.lists(st.sampled_from(REQUESTS[protocol]), max_size=6))

    async def session():
        async with line.asker() as asker:
            for name in [*good[:steps], *chosen]:
                await asker.ask(*(name if isinstance(name, tuple) else (name, blank_request(protocol, name))))

    try:
        run(session())
    except SessionFailure as error:
        assert error.cause.response_code.startswith("FAILED") or error.cause.name == "closed"
    assert len(line.endings) == 1
    assert not (line.charger._closed or line.charger._current_a)


def blank_request(protocol, name):
    found = RULES.protocol[protocol]
    return blank(namespace_of(f"{name}Req", found), f"{name}Req", ("DC_EVChargeParameter",))


def good_start(protocol):
    """Requests of a good session, as the vehicle sends them."""
    if protocol not in _RECORDED:
        line = Line(protocol, tamper=(record := Record()))

        async def session():
            async with line.vehicle() as driver:
                await driver.set_up()
                await driver.cycle(Wanted(-1000))
                await driver.stop()

        run(session())
        _RECORDED[protocol] = [(m.name.removesuffix("Req"), m.body) for m in record.sent[1:]]
    return _RECORDED[protocol]


class Record:
    def __init__(self):
        self.sent = []

    def message(self, message):
        self.sent.append(message)
        return message

    def octets(self, message, octets):
        return [Parcel(octets)]


_RECORDED = {}


def test_physical_values_keep_their_number():
    assert number(physical(400.04, "V")) == 400.0
    assert number(physical(15.942, "A")) == 15.94
    assert number(bound(15.949, "A")) == 15.94
    assert number(bound(0.3, "A")) == 0.3
    assert number(bound(22_000, "W")) == 22_000
    assert number(bound(49_999, "W")) == 49_990
    assert physical(-25.8, "A") == {"Multiplier": -2, "Unit": "A", "Value": -2580}


@given(st.floats(0, 3e7), st.sampled_from(["V", "A", "W", "Wh"]))
def test_a_bound_never_grows_and_a_value_is_the_nearest(value, unit):
    told = bound(value, unit)
    step = 10.0 ** told["Multiplier"]
    assert value - step * 1.001 <= number(told) <= value + 1e-5 * step
    assert abs(number(physical(value, unit)) - value) <= step * 0.5001
    assert -32768 <= told["Value"] <= 32767
