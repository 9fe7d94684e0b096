"""Frames of V2GTP cut out of streams, SDP messages, and what is neither."""

import struct
from ipaddress import IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from v2glab.links import (
    SdpRequest,
    SdpResponse,
    V2gtpError,
    V2gtpFrame,
    V2gtpFramer,
    build_sdp,
    build_v2gtp,
    parse_sdp,
    parse_v2gtp,
    payload_name,
    payload_type_of,
)
from v2glab.links._v2gtp import HEADER_LENGTH, LONGEST_PAYLOAD, parse_header
from v2glab.links.exi import messages, namespaces

FRAMES = st.builds(V2gtpFrame, st.integers(0, 0xFFFF), st.binary(max_size=60))
SECURITY, TRANSPORT = st.sampled_from(["tls", "none"]), st.sampled_from(["tcp", "udp"])
SDP = st.builds(SdpRequest, SECURITY, TRANSPORT) | st.builds(
    SdpResponse,
    st.ip_addresses(v=6).map(lambda a: IPv6Address(int(a))),
    st.integers(1, 0xFFFF),
    SECURITY,
    TRANSPORT,
)


def test_a_frame_as_the_standard_draws_it():
    frame = V2gtpFrame(0x8001, bytes.fromhex("80400040"))
    assert build_v2gtp(frame).hex() == "01fe80010000000480400040"
    assert parse_v2gtp(build_v2gtp(frame)) == frame


@pytest.mark.parametrize(
    ("message", "octets"),
    [
        (SdpRequest("tls", "tcp"), "01fe9000000000020000"),
        (SdpRequest("none", "tcp"), "01fe9000000000021000"),
        (
            SdpResponse(IPv6Address("fe80::1"), 15118, "none", "tcp"),
            "01fe900100000014fe80" + "00" * 13 + "01" + "3b0e1000",
        ),
    ],
)
def test_discovery_as_the_standard_draws_it(message, octets):
    assert build_sdp(message).hex() == octets
    assert parse_sdp(bytes.fromhex(octets)) == message


@given(SDP)
def test_discovery_is_read_as_it_was_written(message):
    assert parse_sdp(build_sdp(message)) == message


@given(st.lists(FRAMES, max_size=6), st.data())
def test_a_stream_is_cut_into_its_frames_however_it_is_read(frames, data):
    stream = b"".join(map(build_v2gtp, frames))
    framer, found, place = V2gtpFramer(), [], 0
    while place < len(stream):
        step = data.draw(st.integers(1, 40))
        found += framer.feed(stream[place : place + step])
        place += step
    assert found == frames
    assert framer.pending == 0


def test_the_rest_of_a_frame_is_pending():
    framer = V2gtpFramer()
    stream = build_v2gtp(V2gtpFrame(0x8004, b"abcdef"))
    assert framer.feed(stream + stream[:10]) == [V2gtpFrame(0x8004, b"abcdef")]
    assert framer.pending == 10
    assert framer.feed(b"") == []
    assert framer.feed(stream[10:]) == [V2gtpFrame(0x8004, b"abcdef")]


def test_an_announced_length_is_refused_before_anything_is_stored():
    framer = V2gtpFramer(longest=100)
    with pytest.raises(V2gtpError, match="4294967295 octets") as caught:
        framer.feed(struct.pack(">BBHI", 1, 0xFE, 0x8001, 0xFFFFFFFF))
    assert framer.pending == 0
    with pytest.raises(V2gtpError) as again:
        framer.feed(build_v2gtp(V2gtpFrame(0x8001, b"")))
    assert again.value is caught.value


def test_frames_before_a_fault_are_handed_out():
    framer, good = V2gtpFramer(), V2gtpFrame(0x8002, b"xy")
    assert framer.feed(build_v2gtp(good) + b"HTTP/1.1 400") == [good]
    with pytest.raises(V2gtpError, match="version 0x48"):
        framer.feed(b"")


@given(st.binary(max_size=80), st.integers(0, 80))
def test_any_octets_give_frames_or_an_error(data, cut):
    framer, found = V2gtpFramer(longest=1000), []
    try:
        found += framer.feed(data[:cut])
        found += framer.feed(data[cut:])
    except V2gtpError as error:
        assert error.required
    stream = b"".join(map(build_v2gtp, found))
    assert data.startswith(stream)


@given(
    st.binary(max_size=40)
    | SDP.map(build_sdp).flatmap(
        lambda d: st.integers(0, 8 * len(d) - 1).map(lambda b: (int.from_bytes(d) ^ 1 << b).to_bytes(len(d)))
    )
)
def test_any_datagram_is_discovery_or_an_error(data):
    try:
        message = parse_sdp(data)
    except V2gtpError:
        return
    assert build_sdp(message) == data


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", "header of 0 octets"),
        (b"\x01\xfe\x80\x01\x00\x00\x00", "header of 7 octets"),
        (b"\x02\xfd\x80\x01\x00\x00\x00\x00", "version 0x02"),
        (b"\x01\x01\x80\x01\x00\x00\x00\x00", "inverse 0x01"),
        (b"\x01\xfe\x80\x01\x00\x00\x00\x02\x80", "1 octets of payload"),
        (b"\x01\xfe\x80\x01\x00\x00\x00\x00\x80", "1 octets of payload"),
    ],
)
def test_no_frames(data, fault):
    with pytest.raises(V2gtpError, match=fault):
        parse_v2gtp(data)


@pytest.mark.parametrize(
    ("octets", "fault"),
    [
        ("01fe800100000000", "payload type 0x8001"),
        ("01fe900000000003000000", "SDP message of 3 octets"),
        ("01fe9000000000020100", "security 0x01"),
        ("01fe9000000000020001", "transport 0x01"),
        ("01fe900100000014" + "00" * 20, "port 0"),
    ],
)
def test_no_discovery(octets, fault):
    with pytest.raises(V2gtpError, match=fault):
        parse_sdp(bytes.fromhex(octets))


def test_what_cannot_be_sent_is_refused():
    for frame in (
        V2gtpFrame(-1, b""),
        V2gtpFrame(0x10000, b""),
        V2gtpFrame(0x8001, bytes(LONGEST_PAYLOAD + 1)),
    ):
        with pytest.raises(V2gtpError):
            build_v2gtp(frame)
    address = IPv6Address("::1")
    for message in (
        SdpRequest("ssl"),
        SdpRequest("tls", "sctp"),
        SdpResponse(address, 0),
        SdpResponse(address, 65536),
    ):
        with pytest.raises(V2gtpError):
            build_sdp(message)
    with pytest.raises(V2gtpError):
        parse_header(bytes(HEADER_LENGTH + 1))


def test_every_namespace_with_messages_has_a_type():
    types = {payload_type_of(n) for n in namespaces() if messages(n)}
    assert types == set(range(0x8001, 0x8007))
    assert payload_name(0x8004) == "ISO 15118-20 DC"
    assert payload_name(0x1234) is None
    with pytest.raises(V2gtpError, match="urn:x"):
        payload_type_of("urn:x")


@pytest.mark.real_data
def test_types_of_recorded_documents(shared_data):
    import json

    for vector in json.loads(shared_data("iso15118/exi_vectors.json").read_text())["vectors"]:
        assert payload_type_of(vector["namespace"]) == int(vector["v2gtp_payload_type"], 16)
