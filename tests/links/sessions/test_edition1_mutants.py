"""Good sessions with one message changed in one value: neither end breaks, and both plants are safe."""

import copy

import pytest
from edition1_line import AC_LIMITS, Line, run
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from v2glab.evidence import LimitError
from v2glab.links.exi import ExiError
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
from v2glab.links.sessions._message import write_message
from v2glab.links.sessions._offer import Offer

RULES = load_session_rules()
KINDS = [("din", "dc"), ("iso2", "dc"), ("iso2", "ac")]
VALUES = st.one_of(
    st.sampled_from(
        [-32768, -1, 0, 1, 2, 3, 255, 32767, 1 << 31, True, False, "", "00", "Ongoing", "Finished"]
    ),
    st.integers(-32768, 32767),
    st.sampled_from(
        ["Stop", "Start", "Renegotiate", "StopCharging", "ReNegotiation", "EVSE_Malfunction", "OK"]
    ),
    st.sampled_from(
        ["DC_core", "AC_three_phase_core", "AC_single_phase_core", "Contract", "ExternalPayment"]
    ),
)
SLOW = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


class Mutate:
    """Changes the nth message that can be changed so."""

    def __init__(self, protocol, at, pick, value):
        self.protocol, self.at, self.pick, self.value = RULES.protocol[protocol], at, pick, value
        self.seen, self.changed = 0, ""

    def message(self, message):
        self.seen += 1
        if self.seen - 1 != self.at or message.name.startswith("supportedApp"):
            return message
        body = copy.deepcopy(message.body)
        places = list(leaves(body))
        if not places:
            return message
        place, key = places[self.pick % len(places)]
        if self.value is None:
            del place[key]
        else:
            place[key] = self.value
        made = Message(message.name, body, message.session_id, message.signature, message.notification)
        try:
            write_message(made, self.protocol, 0)
        except ExiError:
            return message
        self.changed = f"{message.name}: {key} = {self.value!r}"
        return made

    def octets(self, message, octets):
        return [Parcel(octets)]


def leaves(body):
    """Yield each place of a value, and of each element that may be missing."""
    for key, value in body.items() if isinstance(body, dict) else enumerate(body):
        yield body, key
        if isinstance(value, dict | list):
            yield from leaves(value)


def line_of(protocol, kind, **tamper):
    battery = ModelBattery()
    limits = AC_LIMITS if kind == "ac" else None
    battery.limits = limits or battery.limits
    line = Line(protocol, Offer(), battery=battery, **tamper)
    line.charger = ModelCharger(battery, *([limits] if limits else []), clock=line.clock)
    return line


async def session(line, kind):
    async with line.vehicle(Wishes(kind)) as driver:
        await driver.set_up()
        for _ in range(2):
            try:
                await driver.cycle(Wanted(-1000))
            except LimitError:
                break
        await driver.stop()


@pytest.mark.parametrize("end", ["tamper", "secc_tamper"])
@pytest.mark.parametrize(("protocol", "kind"), KINDS)
@SLOW
@given(at=st.integers(1, 13), pick=st.integers(0, 60), value=st.one_of(st.none(), VALUES))
def test_one_changed_value(protocol, kind, end, at, pick, value):
    mutate = Mutate(protocol, at, pick, value)
    line = line_of(protocol, kind, **{end: mutate})
    try:
        run(session(line, kind))
    except SessionFailure as error:
        assert error.cause.name, mutate.changed
    assert len(line.endings) == 1, mutate.changed
    assert line.is_safe, mutate.changed
