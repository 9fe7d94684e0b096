"""The vehicle of ISO 15118-20 against a charger that says what it must not, and numbers of both ends."""

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from iso20_line import RULES, Line, Spoiler, run
from v2g_links import pki_of

from v2glab.evidence import InputError, LimitError
from v2glab.links.pki import write_pki
from v2glab.links.sessions import (
    EnergyCount,
    LoopState,
    Offer,
    PowerLimits,
    SessionFailure,
    Wishes,
    open_session,
    serve_sessions,
)
from v2glab.links.sessions._serving import ServeSettings
from v2glab.links.sessions.iso20._modes import Mode, common, limits_body, limits_of
from v2glab.links.sessions.iso20._numbers import number, rational

ANSWERS = [
    "SessionSetup", "AuthorizationSetup", "Authorization", "ServiceDiscovery", "ServiceDetail",
    "ServiceSelection", "DC_ChargeParameterDiscovery", "ScheduleExchange", "DC_CableCheck", "DC_PreCharge",
    "PowerDelivery", "DC_ChargeLoop", "DC_WeldingDetection", "SessionStop",
]  # fmt: skip
CODES = ["FAILED", "FAILED_ContactorError", "FAILED_SequenceError", "WARNING_CertificateExpired", "OK"]
BODIES = st.sampled_from([
    {"Exponent": 0, "Value": 0}, {"Exponent": 0, "Value": -1}, {"Exponent": 127, "Value": 32767},
    {"Exponent": -128, "Value": -32768}, {"Exponent": 3, "Value": 32767}, {"Exponent": -3, "Value": 1},
])  # fmt: skip


def rationals(body, path=()):
    """Return the places of all numbers in a body."""
    found = []
    for key, value in body.items() if isinstance(body, dict) else enumerate(body):
        if isinstance(value, dict) and set(value) == {"Exponent", "Value"}:
            found.append((*path, key))
        elif isinstance(value, dict | list):
            found += rationals(value, (*path, key))
    return found


def copied(value):
    if isinstance(value, dict):
        return {k: copied(v) for k, v in value.items()}
    return [copied(v) for v in value] if isinstance(value, list) else value


def spoilt(message, which, value):
    body = copied(message.body)
    places = rationals(body)
    if not places:
        return message
    *way, last = places[which % len(places)]
    inner = body
    for step in way:
        inner = inner[step]
    inner[last] = value
    return replace(message, body=body)


async def use(line):
    async with line.session() as session:
        await session.export(power_w=2_000, duration_s=20)
        await session.charge(power_w=2_000, duration_s=20)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(name=st.sampled_from(ANSWERS), which=st.integers(0, 20), value=BODIES)
def test_wrong_numbers_of_the_charger_end_by_name_with_the_contactor_open(name, which, value):
    def change(message):
        return spoilt(message, which, value) if message.name == f"{name}Res" else message

    line = Line(charger_spoiler=Spoiler(change))
    try:
        run(use(line))
    except SessionFailure as error:
        assert error.cause.name in RULES.cause and error.cause.remedy
    except LimitError as error:
        assert "W" in error.found or "A" in error.found
    line.assert_safe()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(name=st.sampled_from(ANSWERS), code=st.sampled_from(CODES))
def test_any_response_code_is_taken_for_what_it_is(name, code):
    def change(message):
        return (
            replace(message, body=message.body | {"ResponseCode": code})
            if message.name == f"{name}Res"
            else message
        )

    line = Line(charger_spoiler=Spoiler(change))
    if code == "OK":
        run(use(line))
    else:
        with pytest.raises(SessionFailure) as caught:
            run(use(line))
        assert caught.value.cause.response_code == code and caught.value.cause.message == f"{name}Res"
    line.assert_safe()


@pytest.mark.parametrize(
    ("name", "change", "cause"),
    [
        ("SessionSetup", lambda m: replace(m, name="ServiceSelectionRes", body={"ResponseCode": "OK"}),
         "unexpected-message"),
        ("ServiceDiscovery", lambda m: replace(m, session_id="00000000000000AA"), "wrong-session"),
        ("ServiceDiscovery",
         lambda m: replace(m, body=m.body | {"EnergyTransferServiceList": {"Service": [
             {"ServiceID": 3, "FreeService": True}]}}), "no-common-service"),
        ("AuthorizationSetup",
         lambda m: replace(m, body=m.body | {"AuthorizationServices": ["PnC"]}), "not-authorised"),
        ("DC_PreCharge",
         lambda m: replace(m, body=m.body | {"EVSEPresentVoltage": rational(10.0)}), "pre-charge"),
        ("DC_ChargeLoop",
         lambda m: replace(m, body=m.body | {"EVSEPresentVoltage": rational(200.0)}), "measurement"),
        ("DC_ChargeLoop",
         lambda m: replace(m, body=m.body | {"EVSEPresentCurrent": rational(90.0)}), "measurement"),
    ],
)  # fmt: skip
def test_what_a_charger_must_not_say_is_named(name, change, cause):
    line = Line(charger_spoiler=Spoiler(lambda m: change(m) if m.name == f"{name}Res" else m))
    with pytest.raises(SessionFailure) as caught:
        run(use(line))
    assert caught.value.cause.name == cause and caught.value.cause.end == "evcc"
    line.assert_safe()


def test_a_fault_of_the_vehicle_opens_its_contactor():
    line = Line()

    async def scenario():
        async with line.session() as session:
            line.battery.fault = "isolation monitor"
            await session.export(power_w=2_000, duration_s=20)

    with pytest.raises(SessionFailure, match="isolation monitor"):
        run(scenario())
    line.assert_safe()


def test_the_schedule_is_waited_for_as_long_as_the_standard_gives():
    for rounds, good in [(3, True), (10_000, False)]:
        answers = iter([False] * rounds)
        line = Line(offer=Offer(ready=lambda answers=answers: next(answers, True)))
        if good:
            run(use(line))
            continue
        with pytest.raises(SessionFailure) as caught:
            run(use(line))
        assert caught.value.cause.name == "ongoing-too-long"
        line.assert_safe()


def test_a_vehicle_that_wants_more_than_it_says_it_can_is_refused():
    def change(message):
        if message.name != "DC_ChargeLoopReq":
            return message
        body = copied(message.body)
        body["BPT_Scheduled_DC_CLReqControlMode"]["EVMaximumDischargePower"] = rational(1_000.0)
        return replace(message, body=body)

    line = Line(spoiler=Spoiler(change))
    with pytest.raises(SessionFailure) as caught:
        run(use(line))
    assert caught.value.cause.response_code == "FAILED_EVPowerProfileViolation"


def test_a_contract_that_ends_soon_is_remarked_upon(tmp_path):
    files = write_pki(pki_of(), tmp_path / "pki")
    codes = {}
    for days, code in [(0, "OK"), (729, "OK_CertificateExpiresSoon")]:
        moment = datetime.now(UTC) + timedelta(days=days)
        offer = Offer(authorisation=("pnc",), roots=files, moment=lambda moment=moment: moment)
        line = Line(offer=offer, wishes=Wishes(authorisation="pnc", contract=files))

        async def scenario(line=line):
            async with line.session() as session:
                return [r.response_code for r in session.trace.records if r.name == "AuthorizationRes"]

        codes[code] = run(scenario())
    assert codes == {code: [code] for code in codes}


@pytest.mark.parametrize(
    ("connector", "service", "asked", "agreed"),
    [
        (
            {"phase_v": 0},
            "dc",
            [("iso20-ac", "iso20-dc"), ("iso2", "din"), ("din",)],
            ["iso20-dc", "iso2", "din"],
        ),
        (
            {"charge_a": 0, "export_a": 0},
            "ac",
            [("iso20-dc", "iso20-ac"), ("din", "iso2")],
            ["iso20-ac", "iso2"],
        ),
    ],
)
def test_a_charger_offers_all_protocols_of_its_connector_by_default(connector, service, asked, agreed):
    line = Line()
    line.charger.limits = replace(line.charger.limits, **connector)

    async def scenario():
        seen = []
        settings = ServeSettings(line.charger, line.offer, port=0, rules=line.rules)
        async with await serve_sessions(settings) as listener:
            for offered in asked:
                wishes = Wishes(service=service)
                opened = replace(line.settings(listener.port), protocols=offered, wishes=wishes)
                async with open_session(opened) as session:
                    await session.charge(power_w=1_000, duration_s=20)
                    seen.append(session.protocol)
        return seen

    assert run(scenario()) == agreed


@given(st.floats(-3.27e7, 3.27e7))
def test_numbers_keep_four_digits(value):
    assert number(rational(value)) == pytest.approx(value, rel=2e-4, abs=5.01e-4)
    assert number(rational(value, "down")) <= value + 1e-9 * abs(value) + 1e-9
    assert number(rational(value, "up")) >= value - 1e-9 * abs(value) - 1e-9
    assert abs(number(rational(value, "zero"))) <= abs(value) + 1e-9 * abs(value) + 1e-9


@given(st.integers(-32767, 32767), st.integers(-3, 3))
def test_numbers_that_fit_come_back_as_they_were(value, exponent):
    told = value * 10.0**exponent
    for rounding in ("nearest", "down", "up", "zero"):
        assert number(rational(told, rounding)) == pytest.approx(told, rel=1e-12)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 3.3e7])
def test_numbers_that_do_not_fit_are_refused(value):
    with pytest.raises(InputError):
        rational(value)


LIMITS = st.builds(
    PowerLimits, *(st.floats(0, 1e5) for _ in range(4)), st.floats(0, 500), st.floats(500, 1000)
)


@settings(max_examples=50)
@given(LIMITS, LIMITS, st.sampled_from(["AC", "DC"]), st.booleans())
def test_limits_travel_inwards_and_what_is_common_lies_within_both(one, other, kind, both):
    mode = Mode(kind, bidirectional=both)
    told = limits_of(limits_body(one, mode, "EV"), mode, "EV")
    # Six decimals of a step are kept: what lies nearer to a step than that counts as on it.
    assert told.charge_w <= one.charge_w * (1 + 1e-9) + 1e-9
    assert told.export_w <= (one.export_w * (1 + 1e-9) + 1e-9 if both else 0)
    met = common(one, other, mode)
    assert met.charge_w <= min(one.charge_w, other.charge_w)
    assert met.export_w == (min(one.export_w, other.export_w) if both else 0)
    assert met.high_v <= one.high_v


def test_energy_is_joined_by_straight_lines_and_split_at_zero():
    count = EnergyCount()
    for moment, power in [(0, 0.0), (3600, 1000.0), (7200, -1000.0), (9000, math.nan), (10800, -1000.0)]:
        count.add(LoopState(400, 1, power), moment)
    # Triangles by hand: 500 Wh up, then 250 Wh each side of zero, then 1000 Wh through the gap.
    assert count.export_wh == pytest.approx(750) and count.import_wh == pytest.approx(1250)
    assert count.meter_export_wh is None
