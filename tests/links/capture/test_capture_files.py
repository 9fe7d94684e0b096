"""File formats and link layers: the same packets from every kind of file; damage gives typed errors."""

import struct

import pytest
from capture_files import CHARGER, VEHICLE, ethernet, internet, tcp, udp, write_pcap, write_pcapng
from hypothesis import given, settings
from hypothesis import strategies as st

from v2glab.evidence import InputError
from v2glab.links.capture import CaptureError, KeyLog, packets, read_capture
from v2glab.links.capture._files import Packet
from v2glab.links.capture._layers import Datagram, Other, PlcFrame, Segment, read_layers

T0 = 1_700_000_000 * 10**9 + 123_456_789
KEPT = [(T0, b"first"), (T0 + 7, b"second, odd"), (T0 + 10**9, b"", 9)]
CARRIED = udp(VEHICLE, CHARGER, b"hello")


def read(tmp_path, data, **more):
    (tmp_path / "a").write_bytes(data)
    return list(packets(tmp_path / "a", **more))


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(
    ("write", "step_ns"),
    [
        (lambda p, o: write_pcap(p, order=o), 1),
        (lambda p, o: write_pcap(p, order=o, nanoseconds=False), 1000),
        (lambda p, o: write_pcapng(p, order=o), 1),
        (lambda p, o: write_pcapng(p, order=o, resolution=None), 1000),
        (lambda p, o: write_pcapng(p, order=o, resolution=0x80 | 20), 954),
    ],
)
def test_every_format_gives_the_same_packets(tmp_path, write, step_ns, order):
    found = read(tmp_path, write(KEPT, order))
    assert [(p.number, p.data, p.length) for p in found] == [
        (1, b"first", 5),
        (2, b"second, odd", 11),
        (3, b"", 9),
    ]
    for packet, (time_ns, *_) in zip(found, KEPT, strict=True):
        assert 0 <= time_ns - packet.time_ns < step_ns
    assert {p.link for p in found} == {1}


def test_an_offset_of_time_and_a_packet_without_one(tmp_path):
    def block(kind, body):
        size = struct.pack("<I", len(body) + 12)
        return struct.pack("<I", kind) + size + body + size

    data = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
    data += block(1, struct.pack("<HHIHHqHH", 1, 0, 3, 14, 8, 1_700_000_000, 0, 0))
    data += block(0xBAD, b"unknown!") + block(6, struct.pack("<IIIII", 0, 0, 5, 4, 4) + b"abcd")
    data += block(3, struct.pack("<I", 9) + b"efg\0")
    notes = []
    first, second = read(tmp_path, data, notes=notes)
    assert first.time_ns == 1_700_000_000 * 10**9 + 5000 == second.time_ns
    assert (second.data, second.length) == (b"efg", 9) and "1 packets have no time" in notes[0]


def test_keys_of_a_capture_are_handed_over(tmp_path):
    keys, random = KeyLog(), b"\x11" * 32
    line = b"CLIENT_RANDOM %s %s\n" % (random.hex().encode(), b"22" * 48)
    read(tmp_path, write_pcapng(KEPT, keys=line), keys=keys)
    assert keys.of(random) == {"CLIENT_RANDOM": b"\x22" * 48}
    assert "22" * 8 not in repr(keys)


@pytest.mark.parametrize("write", [write_pcap, write_pcapng])
def test_a_cut_at_any_octet_is_noticed_or_leaves_whole_packets(tmp_path, write):
    data, seen = write(KEPT), set()
    for end in range(len(data)):
        try:
            found = read(tmp_path, data[:end])
            seen.add(len(found))
            # A section of pcapng may end before its first interface.
            assert end in (len(write(KEPT[: len(found)])), 28)
        except CaptureError as error:
            assert error.cut and error.offset <= end and error.packet <= 3
    assert seen == {0, 1, 2}


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"\x7fELF" + bytes(40), "begins with 7f454c46"),
        (
            write_pcap(KEPT)[:24] + struct.pack("<IIII", 1, 0, 1 << 31, 1),
            "a packet of 2147483648 octets at octet 24",
        ),
        (write_pcap([])[:4] + b"\x09" + write_pcap([])[5:], "version 9"),
        (write_pcapng([])[:4] + b"\xff\xff\xff\x7f" + write_pcapng([])[8:], "a block of 2147483647 octets"),
        (write_pcapng([])[:-1] + b"\1", "block lengths"),
        (write_pcapng(KEPT)[:28] + write_pcapng(KEPT)[60:], "interface 0"),
    ],
)
def test_damage_names_its_place(tmp_path, data, told):
    with pytest.raises(CaptureError) as caught:
        read(tmp_path, data)
    assert told in str(caught.value) and "at octet" in str(caught.value) and not caught.value.cut


@pytest.mark.parametrize(
    ("link", "data"),
    [
        (1, ethernet(CARRIED)),
        (1, ethernet(b"\0\5" + b"\x86\xdd" + CARRIED, 0x8100)),
        (0, struct.pack("<I", 30) + CARRIED),
        (0, struct.pack(">I", 10) + CARRIED),
        (108, struct.pack(">I", 24) + CARRIED),
        (101, CARRIED),
        (229, CARRIED),
        (113, struct.pack(">HHH8sH", 0, 1, 6, bytes(8), 0x86DD) + CARRIED),
        (276, struct.pack(">HHIHBB8s", 0x86DD, 0, 1, 1, 0, 6, bytes(8)) + CARRIED),
        # Options for every hop, and a fragment that is the whole.
        (
            101,
            CARRIED[:6]
            + b"\0"
            + CARRIED[7:40]
            + bytes((44, 0, *range(6)))
            + bytes((17, 0, 0, 0, 0, 0, 0, 1))
            + CARRIED[40:],
        ),
    ],
)
def test_every_link_type_leads_to_the_same_datagram(link, data):
    if len(data) == len(CARRIED) + 16 and link == 101:
        data = data[:4] + struct.pack(">H", len(data) - 40) + data[6:]
    found = read_layers(Packet(1, T0, link, data, len(data), 0))
    assert isinstance(found, Datagram) and found.data == b"hello"
    assert found.source[1] == VEHICLE[1] and found.destination[1] == CHARGER[1]


def test_ipv4_and_what_the_network_card_left_open():
    places = ("10.0.0.1", 5), ("10.0.0.2", 6)
    data = ethernet(tcp(*places, 7, 8, 24, b"body"), 0x0800)
    found = read_layers(Packet(1, T0, 1, data + bytes(2), len(data) + 2, 0))
    # Padding of Ethernet is no part of the segment.
    assert isinstance(found, Segment) and (found.data, found.length, found.sequence) == (b"body", 4, 7)
    open_length = data[:16] + b"\0\0" + data[18:]
    assert read_layers(Packet(1, T0, 1, open_length, len(data), 0)).length == 4
    cut = read_layers(Packet(1, T0, 1, data[:-3], len(data), 0))
    assert (cut.data, cut.length) == (b"b", 4)


@pytest.mark.parametrize(
    ("link", "data", "reason"),
    [
        (77, CARRIED, "link type 77"),
        (1, ethernet(b"", 0x0806), "no internet protocol"),
        (101, internet(VEHICLE, CHARGER, b"", 58), "neither TCP nor UDP"),
        (
            101,
            CARRIED[:6] + b"\x2c" + CARRIED[7:40] + b"\x11\0\0\x09\0\0\0\1" + CARRIED[40:],
            "fragment of IPv6",
        ),
        (101, b"\x45\0\0\x14\0\0\x20\0" + bytes(12), "fragment of IPv4"),
        (101, b"\x41" + bytes(30), "damaged IPv4"),
        (101, b"", "cut or damaged"),
    ],
)
def test_what_is_left_out_has_a_reason(link, data, reason):
    found = read_layers(Packet(1, T0, link, data, len(data), 0))
    assert isinstance(found, Other) and reason in found.reason


@given(st.binary(max_size=120), st.sampled_from([0, 1, 12, 101, 108, 113, 229, 276]), st.integers(0, 2000))
@settings(max_examples=300, deadline=None)
def test_no_packet_breaks_the_layers(data, link, more):
    found = read_layers(Packet(1, T0, link, data, len(data) + more, 0))
    assert isinstance(found, (Segment, Datagram, PlcFrame, Other))


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_flipped_bits_give_typed_errors_only(tmp_path_factory, data):
    whole = data.draw(st.sampled_from([write_pcap, write_pcapng]))([(T0, ethernet(CARRIED))] * 3)
    flipped = bytearray(whole)
    for place in data.draw(st.lists(st.integers(0, 8 * len(whole) - 1), min_size=1, max_size=8)):
        flipped[place // 8] ^= 1 << place % 8
    path = tmp_path_factory.getbasetemp() / "flipped"
    path.write_bytes(bytes(flipped))
    try:
        assert read_capture(path).packets <= 3
    except InputError as error:
        assert error.found and error.remedy


def test_a_name_without_a_file_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="no-such"):
        read_capture(tmp_path / "no-such")
