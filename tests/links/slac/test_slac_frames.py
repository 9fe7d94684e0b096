"""Frames of SLAC against an independent writer, and against whatever a wire may carry."""

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slac_frames import EV, GOLDEN, NID, NMK

from v2glab.evidence import InputError
from v2glab.links.slac import (
    MESSAGES,
    Frame,
    SlacFrameError,
    SlacParmReq,
    decode_frame,
    encode_frame,
    mac_text,
    new_nmk,
    nid_of,
    parse_mac,
)

BYTES = [bytes.fromhex(text) for _, text in GOLDEN]


@pytest.mark.parametrize(("frame", "text"), GOLDEN, ids=[frame.message.NAME for frame, _ in GOLDEN])
def test_frames_are_exact_both_ways(frame, text):
    assert encode_frame(frame).hex() == text
    assert decode_frame(bytes.fromhex(text)) == frame


def test_every_message_has_a_golden_frame():
    assert {type(frame.message) for frame, _ in GOLDEN} == set(MESSAGES.values())


def _values(field):
    match field.kind:
        case "int":
            return st.integers(0, 256**field.size - 1)
        case "bytes":
            return st.binary(min_size=field.size, max_size=field.size)
        case _:
            return st.lists(st.integers(0, 255), min_size=1, max_size=255).map(tuple)


def _messages(kind):
    kept = [field for field in kind.FIELDS if field.kind != "fixed"]
    assert {f.name for f in fields(kind)} == {f.name for f in kept}
    return st.builds(kind, **{field.name: _values(field) for field in kept})


ADDRESSES = st.binary(min_size=6, max_size=6)
FRAMES = st.builds(Frame, ADDRESSES, ADDRESSES, st.one_of([_messages(kind) for kind in MESSAGES.values()]))


@given(FRAMES)
def test_what_is_written_is_read_again(frame):
    assert decode_frame(encode_frame(frame)) == frame


@given(st.binary(max_size=1600))
def test_hostile_bytes_raise_frame_errors_only(data):
    try:
        decode_frame(data)
    except SlacFrameError as error:
        assert error.offset is None or 0 <= error.offset <= len(data)


@given(st.sampled_from(BYTES), st.data())
def test_a_bent_frame_is_read_exactly_or_refused_by_name(good, data):
    bent = bytearray(good)
    for position in data.draw(st.lists(st.integers(12, len(good) - 1), max_size=4)):
        bent[position] ^= 1 << data.draw(st.integers(0, 7))
    cut = bytes(bent[: data.draw(st.integers(0, len(good)))]) + data.draw(st.binary(max_size=30))
    try:
        frame = decode_frame(cut)
    except SlacFrameError as error:
        assert error.found
        assert error.required
        assert error.remedy == "mend the sender"
    else:
        assert encode_frame(frame) == cut


@pytest.mark.parametrize(
    ("position", "value", "field"),
    [
        (12, 0x08, "ether_type"),
        (14, 0x00, "mmv"),
        (15, 0x65, "mmtype"),
        (17, 0x10, "fragmentation"),
        (19, 0x01, "application_type"),
        (20, 0x01, "security_type"),
        (21, 0x3F, "mvf_length"),
    ],
)
def test_the_field_at_fault_is_named(position, value, field):
    match = bytearray(BYTES[7])
    match[position] = value
    if field == "mmtype":
        match[16] = 0x61
    with pytest.raises(SlacFrameError) as caught:
        decode_frame(bytes(match))
    assert (caught.value.field, caught.value.offset) == (field, position)


def test_runts_and_giants_are_refused():
    for data in (BYTES[0][:59], BYTES[0] + bytes(1455)):
        with pytest.raises(SlacFrameError, match="60 to 1514"):
            decode_frame(data)
    frame = GOLDEN[0][0]
    assert decode_frame(BYTES[0] + b"\1" * 1454).trailer.endswith(b"\1" * 1454)
    with pytest.raises(SlacFrameError, match="at most 1514"):
        encode_frame(replace(frame, trailer=bytes(1500)))


@pytest.mark.parametrize(
    "message",
    [
        SlacParmReq(b"short"),
        SlacParmReq(7),
        replace(GOLDEN[1][0].message, num_sounds=256),
        replace(GOLDEN[1][0].message, num_sounds=True),
        replace(GOLDEN[4][0].message, groups=()),
        replace(GOLDEN[4][0].message, groups=(1, 256)),
        replace(GOLDEN[4][0].message, groups=[1, 2]),
    ],
)
def test_what_does_not_fit_is_not_written(message):
    with pytest.raises(SlacFrameError):
        encode_frame(Frame(EV, EV, message))
    with pytest.raises(SlacFrameError):
        encode_frame(Frame(b"12345", EV, GOLDEN[0][0].message))


def test_the_identity_of_a_network_follows_from_its_key():
    assert nid_of(NMK) == NID  # as Qualcomm's tools print it
    assert nid_of(bytes(range(16))).hex() == "4d30a0f8455d0b"  # as pyslac 0.8.3 computes it
    assert len({new_nmk() for _ in range(50)}) == 50
    with pytest.raises(InputError, match="16 bytes"):
        nid_of(b"short")


@given(ADDRESSES)
def test_addresses_are_written_and_read(address):
    assert parse_mac(mac_text(address)) == address


@pytest.mark.parametrize(
    "text", ["", "02:00", "02:00:00:00:00:0g", "02:00:00:00:00:001", "2:0:0:0:0:1", "é:" * 6]
)
def test_what_is_no_address_is_refused(text):
    with pytest.raises(SlacFrameError):
        parse_mac(text)
