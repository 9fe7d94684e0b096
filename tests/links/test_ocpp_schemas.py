"""Payloads against the ocpp package's own validation, which uses another schema engine."""

import copy
import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ocpp import messages as peer
from ocpp.exceptions import OCPPError

from v2glab.links import FrameError, check_payload, known_actions

BOOT = {"reason": "PowerUp", "chargingStation": {"model": "M", "vendorName": "V"}}
EVENT = {
    "eventType": "Started",
    "timestamp": "2026-01-01T00:00:00Z",
    "triggerReason": "Authorized",
    "seqNo": 0,
    "transactionInfo": {"transactionId": "t"},
    "meterValue": [{"timestamp": "2026-01-01T00:00:00Z", "sampledValue": [{"value": 1.5}]}],
}
STATUS = {"timestamp": "2026-01-01T00:00:00Z", "connectorStatus": "Available", "evseId": 1, "connectorId": 1}
GOOD = {"BootNotification": BOOT, "TransactionEvent": EVENT, "StatusNotification": STATUS, "Heartbeat": {}}
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
JUNK = st.none() | st.booleans() | st.integers() | st.text(max_size=60) | st.builds(list) | st.builds(dict)


def accepted_by_peer(action: str, payload: dict) -> bool:
    call = peer.Call(unique_id="a", action=action, payload=json.loads(json.dumps(payload)))
    try:
        peer._validate_payload(call, "2.0.1")
    except OCPPError:
        return False
    return True


def accepted_here(action: str, payload: dict) -> bool:
    try:
        check_payload(action, "Request", payload, "a")
    except FrameError:
        return False
    return True


def times_good(node) -> bool:
    """Whether every time stamp is one of RFC 3339, which the package does not look at."""
    if isinstance(node, dict):
        times = [v for k, v in node.items() if k == "timestamp" and isinstance(v, str)]
        return all(map(RFC_3339.fullmatch, times)) and all(map(times_good, node.values()))
    return all(map(times_good, node)) if isinstance(node, list) else True


def places(node, path=()):
    yield path
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, inner in items:
        yield from places(inner, (*path, key))


@st.composite
def damaged(draw):
    action = draw(st.sampled_from(sorted(GOOD)))
    payload = copy.deepcopy(GOOD[action])
    for _ in range(draw(st.integers(0, 2))):
        path = draw(st.sampled_from([p for p in places(payload) if p] or [()]))
        node = payload
        for step in path[:-1]:
            node = node[step]
        if not path or draw(st.booleans()):
            target = node[path[-1]] if path and isinstance(node[path[-1]], dict) else payload
            target["more"] = draw(JUNK)
        elif draw(st.booleans()) and isinstance(node, dict):
            del node[path[-1]]
        else:
            node[path[-1]] = draw(JUNK)
    return action, payload


@settings(max_examples=150)
@given(damaged())
def test_the_peer_accepts_and_refuses_the_same(case):
    action, payload = case
    assert accepted_here(action, payload) == (accepted_by_peer(action, payload) and times_good(payload))


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("2026-01-01T00:00:00Z", True),
        ("2026-01-01T00:00:00.123+01:00", True),
        ("2026-01-01T00:00:00", False),
        ("2026-01-01", False),
        ("2026-02-30T00:00:00Z", False),
        ("", False),
    ],
)
def test_time_stamps_are_those_of_rfc_3339(text, good):
    assert accepted_here("StatusNotification", {**STATUS, "timestamp": text}) is good


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"reason": 7}, "TypeConstraintViolation"),
        ({"reason": "Boredom"}, "PropertyConstraintViolation"),
        ({"more": 1}, "FormatViolation"),
        ({"chargingStation": {"model": "M"}}, "OccurrenceConstraintViolation"),
        ({"chargingStation": {"model": "M" * 21, "vendorName": "V"}}, "PropertyConstraintViolation"),
    ],
)
def test_the_code_names_the_kind_of_fault(change, code):
    with pytest.raises(FrameError) as caught:
        check_payload("BootNotification", "Request", {**BOOT, **change}, "a")
    assert caught.value.code == code
    assert caught.value.answerable


def test_an_action_that_ocpp_has_not_is_not_implemented():
    for name in ("Coffee", "", "../BootNotification", "BootNotificationRequest", "x" * 1000):
        with pytest.raises(FrameError) as caught:
            check_payload(name, "Request", {}, "a")
        assert caught.value.code == "NotImplemented"


def test_every_published_schema_loads():
    # 64 actions: the message list of OCPP 2.0.1, part 2.
    actions = known_actions()
    assert len(actions) == 64
    for action in actions:
        for part in ("Request", "Response"):
            try:
                check_payload(action, part, {}, "a")
            except FrameError as error:
                assert error.code == "OccurrenceConstraintViolation", (action, part)
