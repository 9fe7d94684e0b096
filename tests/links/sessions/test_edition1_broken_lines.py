"""Lines of DIN 70121 and ISO 15118-2 that break: silent ends, cuts, requests in any order."""

import pytest
from edition1_line import BOTH, Line, fails, impatient, run
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from v2glab.evidence import InputError
from v2glab.links.exi import blank
from v2glab.links.sessions import Parcel, SessionFailure, Wanted, load_session_rules
from v2glab.links.sessions._message import namespace_of
from v2glab.links.sessions.edition1._rules import load_edition1_rules

RULES = load_session_rules()


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
