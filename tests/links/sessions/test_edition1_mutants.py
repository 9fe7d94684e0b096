"""Good sessions with one message changed in one value: neither end breaks, and both plants are safe."""

import copy

import pytest
from edition1_line import AC_LIMITS, Line, run
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from v2glab.evidence import LimitError
from v2glab.links.exi import ExiError
from v2glab.links.sessions import (
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
NUMBERS = [-32768, -1, 0, 1, 2, 3, 100, 255, 300, 500, 32767, 1 << 31]
TEXTS = [
    "", "00", "FF", "OK", "FAILED", "OK_OldSessionJoined", "Ongoing", "Finished", "Start", "Stop", "Pause",
    "None", "Renegotiate", "Terminate", "StopCharging", "ReNegotiation", "EVSE_NotReady", "EVSE_Malfunction",
    "EVSE_UtilityInterruptEvent", "Invalid", "Fault", "DC_core", "DC_extended", "AC_three_phase_core", "A",
    "V", "AC_single_phase_core", "Contract", "ExternalPayment", "NO_ERROR", "FAILED_RESSTemperatureInhibit",
]  # fmt: skip
SLOW = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


class Mutate:
    """Changes the nth message in one place: another number or name that still makes a message, or nothing."""

    def __init__(self, protocol, at, pick, turn):
        self.protocol, self.at, self.pick, self.turn = RULES.protocol[protocol], at, pick, turn
        self.seen, self.changed = 0, ""

    def message(self, message):
        self.seen += 1
        if self.seen - 1 != self.at or message.name.startswith("supportedApp"):
            return message
        count = len(list(leaves(message.body)))
        return self._changed(message, self.pick % count) if count else message

    def _changed(self, message, place):
        for number in range(len(TEXTS) + 1):
            made = copy.deepcopy(message)
            holder, key = list(leaves(made.body))[place]
            others = [*choices(holder[key]), None]
            if number >= len(others):
                break
            told = others[(number + self.turn) % len(others)]
            if told is None:
                del holder[key]
            else:
                holder[key] = told
            try:
                write_message(made, self.protocol, 0)
            except ExiError:
                continue
            self.changed = f"{message.name}: {key} = {told!r}"
            return made
        return message

    def octets(self, message, octets):
        return [Parcel(octets)]


def choices(value):
    """Return what could stand instead of a value."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [n for n in NUMBERS if n != value]
    return [t for t in TEXTS if t != value] if isinstance(value, str) else []


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
@given(at=st.integers(1, 13), pick=st.integers(0, 60), turn=st.integers(0, 40))
def test_one_changed_value(protocol, kind, end, at, pick, turn):
    mutate = Mutate(protocol, at, pick, turn)
    line = line_of(protocol, kind, **{end: mutate})
    try:
        run(session(line, kind))
    except SessionFailure as error:
        assert error.cause.name, mutate.changed
    assert len(line.endings) == 1, mutate.changed
    assert line.is_safe, mutate.changed
