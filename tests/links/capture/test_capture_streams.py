"""TCP streams put together again: whatever the network did, the octets are those that were sent."""

import random

from capture_files import ACK, CHARGER, SYN, VEHICLE, Talk, tcp, udp
from hypothesis import given, settings
from hypothesis import strategies as st

from v2glab.links.capture._files import Packet
from v2glab.links.capture._layers import Segment, read_layers
from v2glab.links.capture._tcp import Streams

T0, MS = 1_700_000_000 * 10**9, 1_000_000


def connections(raw):
    streams = Streams()
    for number, (time_ns, data) in enumerate(raw, start=1):
        segment = read_layers(Packet(number, time_ns, 101, data, len(data), 0))
        assert isinstance(segment, Segment)
        streams.add(segment)
    return streams.connections


def octets(connection, *, from_client=True):
    return b"".join(c.data for c in connection.chunks() if c.from_client is from_client)


@given(
    st.binary(min_size=1, max_size=400), st.binary(max_size=200), st.integers(1, 60), st.integers(0, 1000),
    st.integers(0, 2**32 - 1), st.booleans(),
)  # fmt: skip
@settings(max_examples=150, deadline=None)
def test_order_repetition_and_wrap_do_not_matter(up, down, size, seed, first, opened):
    chance = random.Random(seed)
    talk = Talk(segment=size, first=(first, 2**32 - 50))
    if opened:
        talk.open(T0)
    head, talk.packets = talk.packets, []
    talk.say(T0 + MS, True, up, gap_ns=10)
    talk.say(T0 + 2 * MS, False, down, gap_ns=10)
    sent = talk.packets + [p for p in talk.packets if chance.random() < 0.3]
    if opened:
        chance.shuffle(sent)
    (connection,) = connections(head + sent)
    assert (octets(connection), octets(connection, from_client=False)) == (up, down)
    assert all(c.lost == 0 for c in connection.chunks())
    # A receiver cannot read what lies behind a gap before it is filled.
    for side in (True, False):
        times = [c.time_ns for c in connection.chunks() if c.from_client is side]
        assert times == sorted(times)


@given(
    st.binary(min_size=20, max_size=200),
    st.lists(st.tuples(st.integers(0, 19), st.integers(1, 60)), max_size=8),
)
@settings(max_examples=100, deadline=None)
def test_segments_that_overlap_give_each_octet_once(data, cuts):
    raw = [(T0, tcp(VEHICLE, CHARGER, 99, 0, SYN)), (T0 + 1, tcp(VEHICLE, CHARGER, 100, 0, ACK, data[:20]))]
    for k, (at, length) in enumerate(cuts):
        raw.append((T0 + 2 + k, tcp(VEHICLE, CHARGER, 100 + at, 0, ACK, data[at : at + length])))
    raw.append((T0 + 90, tcp(VEHICLE, CHARGER, 110, 0, ACK, data[10:])))
    (connection,) = connections(raw)
    assert octets(connection) == data and connection.halves[0].differing == 0


def test_a_gap_is_counted_and_what_follows_keeps_its_time():
    talk = Talk(segment=10)
    talk.open(T0)
    talk.say(T0 + MS, True, bytes(range(40)), gap_ns=MS)
    del talk.packets[4]
    (connection,) = connections(talk.packets)
    chunks = connection.chunks()
    assert [(c.lost, c.position, c.time_ns - T0) for c in chunks] == [
        (0, 0, MS),
        (10, 20, 3 * MS),
        (0, 30, 4 * MS),
    ]
    assert [c.number for c in chunks] == [4, 5, 6]


def test_a_repeated_segment_with_other_octets_is_named():
    talk = Talk()
    talk.open(T0)
    talk.say(T0 + MS, True, b"sent first")
    talk.packets.append((T0 + 2 * MS, tcp(VEHICLE, CHARGER, 1001, 0, ACK, b"sent later")))
    (connection,) = connections(talk.packets)
    assert octets(connection) == b"sent first"
    half = connection.halves[0]
    assert (half.repeated, half.differing) == (1, 1) and connection.again(T0, T0 + 3 * MS) == 1


def test_the_same_addresses_again_are_another_connection():
    first, second = Talk(), Talk(first=(77_000, 88_000))
    for talk, at in ((first, T0), (second, T0 + 100 * MS)):
        talk.open(at)
        talk.say(at + MS, True, b"one" if talk is first else b"two")
        talk.close(at + 2 * MS)
    found = connections(first.packets + second.packets)
    assert [octets(c) for c in found] == [b"one", b"two"]


def test_a_repeated_request_to_connect_is_not_another_connection():
    talk = Talk()
    talk.open(T0)
    talk.say(T0 + 2 * MS, True, b"data")
    raw = [
        talk.packets[0],
        (T0 + 5, talk.packets[0][1]),
        *talk.packets[1:],
        (T0 + 3 * MS, talk.packets[0][1]),
    ]
    (connection,) = connections(raw)
    assert octets(connection) == b"data"


def test_a_segment_cut_by_the_capture_leaves_a_gap():
    talk = Talk(segment=50)
    talk.open(T0)
    talk.say(T0 + MS, True, bytes(100))
    streams = Streams()
    for number, (time_ns, data) in enumerate(talk.packets, start=1):
        streams.add(
            read_layers(Packet(number, time_ns, 101, data[:-20] if number == 4 else data, len(data), 0))
        )
    assert [(len(c.data), c.lost) for c in streams.connections[0].chunks()] == [(30, 0), (50, 20)]


def test_a_segment_far_away_belongs_to_no_stream():
    talk = Talk()
    talk.open(T0)
    talk.packets.append((T0 + MS, tcp(VEHICLE, CHARGER, 1001 + (1 << 31) - 5, 0, ACK, b"far")))
    talk.say(T0 + 2 * MS, True, b"near")
    (connection,) = connections(talk.packets)
    assert octets(connection) == b"near" and connection.halves[0].strange == 1


def test_random_segments_never_break_it():
    chance = random.Random(5)
    raw = []
    for k in range(3000):
        ends = [VEHICLE, CHARGER] if chance.random() < 0.5 else [CHARGER, VEHICLE]
        flags, size = chance.randrange(64), chance.randrange(30)
        raw.append((T0 + k, tcp(*ends, chance.randrange(2**32), 0, flags, chance.randbytes(size))))
    for connection in connections(raw):
        assert sum(len(c.data) for c in connection.chunks()) <= 3000 * 30
    assert udp(VEHICLE, CHARGER, b"")
