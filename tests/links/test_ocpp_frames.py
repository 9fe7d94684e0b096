"""Frames of OCPP-J against the ocpp package, and against whatever a socket may carry."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ocpp import messages as peer

from v2glab.links import Call, CallError, CallResult, ErrorCode, FrameError, encode_frame, parse_frame

TEXTS = st.text(max_size=20)
SCALARS = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS
SCALARS |= st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(SCALARS, lambda v: st.lists(v, max_size=4) | st.dictionaries(TEXTS, v, max_size=4))
OBJECTS = st.dictionaries(TEXTS, VALUES, max_size=4)
IDS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=36)
FRAMES = (
    st.builds(Call, IDS, st.text(st.characters(codec="utf-8"), min_size=1, max_size=20), OBJECTS)
    | st.builds(CallResult, IDS, OBJECTS)
    | st.builds(CallError, IDS, st.sampled_from([str(c) for c in ErrorCode]), TEXTS, OBJECTS)
)


@given(FRAMES)
def test_what_is_written_is_read_again_here_and_by_the_peer(frame):
    try:
        text = encode_frame(frame)
    except FrameError:
        # Only lone surrogates, which UTF-8 has no bytes for.
        assert any("\ud800" <= c <= "\udfff" for c in repr_text(frame))
        return
    assert parse_frame(text) == frame
    seen = peer.unpack(text)
    assert seen.unique_id == frame.message_id
    if isinstance(frame, CallError):
        assert (seen.error_code, seen.error_description) == (frame.code, frame.description)
    else:
        assert seen.payload == frame.payload


def repr_text(frame) -> str:
    return json.dumps(frame.__dict__, ensure_ascii=False)


@given(IDS, OBJECTS)
def test_what_the_peer_writes_is_read(identity, payload):
    text = peer.Call(unique_id=identity, action="Heartbeat", payload=payload).to_json()
    assert parse_frame(text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")).action == "Heartbeat"


@given(st.binary(max_size=200) | st.text(max_size=200) | VALUES.map(json.dumps))
def test_hostile_texts_raise_frame_errors_only(text):
    try:
        frame = parse_frame(text)
    except FrameError as error:
        assert error.code in ErrorCode
        assert 0 < len(error.message_id) <= 36
    else:
        assert isinstance(frame, Call | CallResult | CallError)


@given(st.lists(VALUES, max_size=7).map(lambda rest: json.dumps([2, *rest])))
def test_hostile_calls_raise_frame_errors_only(text):
    try:
        parse_frame(text)
    except FrameError as error:
        assert error.answerable


@pytest.mark.parametrize(
    ("text", "code", "identity", "answerable"),
    [
        ("", "RpcFrameworkError", "-1", True),
        ("{}", "RpcFrameworkError", "-1", True),
        ("[]", "RpcFrameworkError", "-1", True),
        ("[2]", "RpcFrameworkError", "-1", True),
        ('[2,"a"]', "RpcFrameworkError", "a", True),
        ('[2,"a","Heartbeat"]', "RpcFrameworkError", "a", True),
        ('[2,"a","Heartbeat",{},1]', "RpcFrameworkError", "a", True),
        ('[2,"a","",{}]', "RpcFrameworkError", "a", True),
        ('[2,"a",7,{}]', "RpcFrameworkError", "a", True),
        ('[2,"a","Heartbeat",[]]', "FormatViolation", "a", True),
        ('[2,"a","Heartbeat",null]', "FormatViolation", "a", True),
        ('[2,"","Heartbeat",{}]', "RpcFrameworkError", "-1", True),
        ('[2,1,"Heartbeat",{}]', "RpcFrameworkError", "-1", True),
        (f'[2,"{"x" * 37}","Heartbeat",{{}}]', "RpcFrameworkError", "-1", True),
        ('[2.0,"a","Heartbeat",{}]', "MessageTypeNotSupported", "a", True),
        ('[true,"a","Heartbeat",{}]', "MessageTypeNotSupported", "a", True),
        ('["2","a","Heartbeat",{}]', "MessageTypeNotSupported", "a", True),
        ('[5,"a",{}]', "MessageTypeNotSupported", "a", True),
        ('[1e400,"a",{}]', "RpcFrameworkError", "-1", True),
        ('[2,"a","Heartbeat",{"x":NaN}]', "RpcFrameworkError", "-1", True),
        ('[3,"a"]', "RpcFrameworkError", "a", False),
        ('[3,"a",[]]', "RpcFrameworkError", "a", False),
        ("[3,7,{}]", "RpcFrameworkError", "-1", False),
        ('[4,"a","GenericError"]', "RpcFrameworkError", "a", False),
        ('[4,"a",1,"",{}]', "RpcFrameworkError", "a", False),
        ("[" * 100_000, "RpcFrameworkError", "-1", True),
        ('[2,"a","Heartbeat",{"x":' + "9" * 5000 + "}]", "RpcFrameworkError", "-1", True),
        ('[2,"a","Heartbeat",{"x":"' + "y" * (1 << 20) + '"}]', "RpcFrameworkError", "-1", True),
    ],
)
def test_each_fault_has_its_code(text, code, identity, answerable):
    try:
        parse_frame(text)
    except FrameError as error:
        assert (error.code, error.message_id, error.answerable) == (code, identity, answerable)
    else:
        # A number beyond the range of floats is the JSON parser's to judge; it must then be a number.
        assert "9999" in text


@pytest.mark.parametrize("value", [math.nan, math.inf, object(), {1, 2}])
def test_what_json_has_not_is_not_sent(value):
    with pytest.raises(FrameError) as caught:
        encode_frame(Call("a", "Heartbeat", {"x": [{"y": value}]}))
    assert caught.value.code == ErrorCode.INTERNAL_ERROR


def test_a_long_description_is_cut_to_what_the_standard_permits():
    sent = json.loads(encode_frame(CallError("a", ErrorCode.GENERIC_ERROR, "x" * 400)))
    assert len(sent[3]) == 255
