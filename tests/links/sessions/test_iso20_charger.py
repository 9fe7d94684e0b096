"""The charger of ISO 15118-20 against requests that are wrong, out of order, random, or cut off."""

from dataclasses import replace
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from iso20_line import RULES, Line, Spoiler, run

from v2glab.links.exi import blank
from v2glab.links.sessions import Message, SessionFailure, Wishes
from v2glab.links.sessions._message import known_messages, namespace_of

PROTOCOL = RULES.of_protocol("iso20-dc")
REQUESTS = sorted(n for n in known_messages(PROTOCOL) if n.endswith("Req"))
SERVED = sorted(n for n in REQUESTS if not n.startswith("Vehicle"))


def put(*path, value):
    """A change of one element of a body."""

    def change(body):
        inner = body
        for name in path[:-1]:
            inner = inner[name]
        inner[path[-1]] = value
        return body

    return change


def rename(old, new):
    def change(body):
        block = body.pop(old)
        body[new] = {k: v for k, v in block.items() if "Discharge" not in k}
        return body

    return change


def without(name):
    def change(body):
        body.pop(name)
        return body

    return change


def number(value, exponent=0):
    return {"Exponent": exponent, "Value": value}


DC, BPT = "DC_CPDReqEnergyTransferMode", "BPT_DC_CPDReqEnergyTransferMode"
LOOP = "BPT_Scheduled_DC_CLReqControlMode"
PROFILE = ("EVPowerProfile", "EVPowerProfileEntries", "EVPowerProfileEntry")
ENTRY = {"Duration": 10, "Power": number(30_000)}
WRONG = [
    ("ServiceDetail", put("ServiceID", value=3), "FAILED_ServiceIDInvalid"),
    ("ServiceSelection", put("SelectedEnergyTransferService", "ParameterSetID", value=9),
     "FAILED_NoEnergyTransferServiceSelected"),
    ("ServiceSelection", put("SelectedEnergyTransferService", "ServiceID", value=5),
     "FAILED_NoEnergyTransferServiceSelected"),
    ("ServiceSelection",
     put("SelectedVASList", value={"SelectedService": [{"ServiceID": 65, "ParameterSetID": 1}]}),
     "FAILED_ServiceSelectionInvalid"),
    ("DC_ChargeParameterDiscovery", put(BPT, "EVMinimumVoltage", value=number(600)),
     "FAILED_WrongChargeParameter"),
    ("DC_ChargeParameterDiscovery", put(BPT, "EVMinimumChargePower", value=number(30_000)),
     "FAILED_WrongChargeParameter"),
    ("DC_ChargeParameterDiscovery", put(BPT, "EVMaximumDischargePower", value=number(-5)),
     "FAILED_WrongChargeParameter"),
    ("DC_ChargeParameterDiscovery", put(BPT, "EVMaximumVoltage", value=number(100)),
     "FAILED_WrongChargeParameter"),
    ("DC_PreCharge", put("EVTargetVoltage", value=number(900)), "FAILED"),
    ("PowerDelivery", put("ChargeProgress", value="ScheduleRenegotiation"), "FAILED_ScheduleRenegotiation"),
    ("PowerDelivery", without("EVPowerProfile"), "FAILED_EVPowerProfileInvalid"),
    ("PowerDelivery", put("EVPowerProfile", "Scheduled_EVPPTControlMode", "SelectedScheduleTupleID", value=7),
     "FAILED_ScheduleSelectionInvalid"),
    ("PowerDelivery", put(*PROFILE, value=[ENTRY]), "FAILED_EVPowerProfileViolation"),
    ("DC_ChargeLoop", put(LOOP, "EVTargetCurrent", value=number(61)), "FAILED_EVPowerProfileViolation"),
    ("DC_ChargeLoop", put(LOOP, "EVTargetCurrent", value=number(-61)), "FAILED_EVPowerProfileViolation"),
    ("DC_ChargeLoop", put(LOOP, "EVTargetCurrent", value=number(59, 1)), "FAILED_EVPowerProfileViolation"),
    ("DC_ChargeLoop", rename(LOOP, "Scheduled_DC_CLReqControlMode"), "FAILED"),
    ("SessionStop", put("ChargingSession", value="ServiceRenegotiation"), "OK"),
]  # fmt: skip


def copied(value):
    if isinstance(value, dict):
        return {k: copied(v) for k, v in value.items()}
    return [copied(v) for v in value] if isinstance(value, list) else value


async def use(line):
    async with line.session() as session:
        await session.export(power_w=2_000, duration_s=20)
        return session


@pytest.mark.parametrize(("name", "change", "code"), WRONG, ids=lambda v: v if isinstance(v, str) else "")
def test_a_wrong_request_gets_its_response_code(name, change, code):
    def spoil(message):
        if message.name != f"{name}Req":
            return message
        return replace(message, body=change(copied(message.body)))

    line = Line(spoiler=Spoiler(spoil))
    if code == "OK":
        # The charger goes back to the choice of services; the vehicle leaves instead.
        run(use(line))
        assert line.failure.cause.name == "closed"
    else:
        with pytest.raises(SessionFailure) as caught:
            run(use(line))
        assert caught.value.cause.response_code == code
        assert line.failure.cause.response_code == code and line.failure.cause.message == f"{name}Req"
    line.assert_safe()


def test_power_told_by_phase_is_added_up():
    def spoil(message):
        if message.name != "AC_ChargeLoopReq":
            return message
        body = copied(message.body)
        block = body["BPT_Scheduled_AC_CLReqControlMode"]
        if block["EVPresentActivePower"]["Value"]:
            block |= {"EVPresentActivePower_L2": number(500), "EVPresentActivePower_L3": number(250)}
        return replace(message, body=body)

    line = Line(spoiler=Spoiler(spoil), wishes=Wishes(service="ac_bpt"))

    async def scenario():
        async with line.session() as session:
            return await session.charge(power_w=2_000, duration_s=20)

    assert run(scenario()).power_w == pytest.approx(-2_750, rel=1e-3)


def test_a_foreign_session_identifier_is_refused_at_every_message():
    async def scenario(name):
        def spoil(message):
            other = message.name == name and message.name != "SessionSetupReq"
            return replace(message, session_id="00000000000000AA") if other else message

        line = Line(spoiler=Spoiler(spoil))
        with pytest.raises(SessionFailure) as caught:
            await use(line)
        assert caught.value.cause.response_code == "FAILED_UnknownSession", name
        line.assert_safe()

    for name in ("AuthorizationSetupReq", "PowerDeliveryReq", "DC_ChargeLoopReq", "SessionStopReq"):
        run(scenario(name))


def test_dynamic_blocks_in_a_scheduled_session_are_refused():
    def spoil(message):
        if message.name != "ScheduleExchangeReq":
            return message
        wrong = blank(namespace_of(message.name, PROTOCOL), message.name, ("Dynamic_SEReqControlMode",))
        wrong.pop("Header")
        return replace(message, body=wrong | {"MaximumSupportingPoints": 12})

    line = Line(spoiler=Spoiler(spoil))
    with pytest.raises(SessionFailure):
        run(use(line))
    assert line.failure.cause.evidence == ("no Scheduled_SEReqControlMode",)


@pytest.mark.parametrize("side", ["vehicle", "charger"])
@pytest.mark.parametrize("half", [False, True])
def test_a_connection_cut_at_every_message_leaves_both_ends_safe(side, half):
    whole = Spoiler()

    async def scenario():
        await use(Line(spoiler=whole))
        for cut in range(len(whole.seen)):
            spoiler = Spoiler(cut_at=cut, half=half)
            line = Line(**{"spoiler" if side == "vehicle" else "charger_spoiler": spoiler})
            if side == "vehicle" and cut == len(whole.seen):
                continue
            with pytest.raises(SessionFailure) as caught:
                await use(line)
            assert caught.value.cause.name in {"closed", "damaged-frame"}, cut
            if side == "vehicle":
                assert line.failure.cause.name == "closed", cut
            line.assert_safe()

    run(scenario())


def test_a_lost_answer_is_waited_for_as_long_as_the_rules_say():
    def spoil(message):
        return None if message.name == "DC_ChargeLoopRes" else message

    line = Line(charger_spoiler=Spoiler(spoil), rules=RULES)
    with pytest.raises(SessionFailure) as caught:
        run(use(line))
    assert caught.value.cause.name == "no-answer" and "0.5 s" in str(caught.value)
    line.assert_safe()


@cache
def smallest(name):
    body = blank(namespace_of(name, PROTOCOL), name)
    body.pop("Header")
    return body


GOOD = [
    ("SessionSetupReq", {"EVCCID": "X"}),
    ("AuthorizationSetupReq", {}),
    ("AuthorizationReq", {"SelectedAuthorizationService": "EIM", "EIM_AReqAuthorizationMode": {}}),
    ("ServiceDiscoveryReq", {}),
    ("ServiceDetailReq", {"ServiceID": 6}),
    ("ServiceSelectionReq", {"SelectedEnergyTransferService": {"ServiceID": 6, "ParameterSetID": 1}}),
]
STEPS = st.one_of(
    st.sampled_from(SERVED).map(lambda name: (name, smallest(name))),
    st.sampled_from(GOOD),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(start=st.integers(0, len(GOOD)), steps=st.lists(STEPS, min_size=1, max_size=4), known=st.booleans())
def test_any_sequence_of_requests_gets_a_defined_answer_or_a_named_end(start, steps, known):
    line = Line()
    codes = []

    async def scenario():
        async with line.asker() as asker:
            session = "0" * 16
            for name, body in [*GOOD[:start], *steps]:
                await asker.link.send(Message(name, body, session))
                answer = await asker.link.receive(20, name)
                assert answer.name == name.replace("Req", "Res")
                codes.append(answer.response_code)
                if codes[-1].startswith("FAILED"):
                    return
                session = answer.session_id if known else session

    try:
        run(scenario())
    except SessionFailure as error:
        assert error.cause.name == "closed" and codes  # after SessionStop nobody answers
    assert all(c.startswith(("OK", "WARNING", "FAILED")) for c in codes)
    assert line.failure is None or line.failure.cause.name in RULES.cause
    line.assert_safe()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    where=st.integers(0, 14), octets=st.binary(max_size=40), flips=st.lists(st.integers(0, 400), max_size=3)
)
def test_spoilt_octets_end_the_session_by_name_and_leave_the_plant_safe(where, octets, flips):
    class Bits(Spoiler):
        def octets(self, message, frame):
            from v2glab.links.sessions import Parcel

            if len(self.seen) - 1 != where:
                return [Parcel(frame)]
            spoilt = bytearray(frame + octets)
            for flip in flips:
                spoilt[flip // 8 % len(spoilt)] ^= 1 << flip % 8
            return [Parcel(bytes(spoilt), close=True)]

    line = Line(spoiler=Bits())

    with pytest.raises(SessionFailure):
        run(use(line))
    assert line.failure is not None and line.failure.cause.name in RULES.cause
    line.assert_safe()
