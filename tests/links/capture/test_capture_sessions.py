"""Captures of real sessions against what both ends knew themselves."""

import asyncio
import contextlib
import os
import socket
import threading
import time
from ipaddress import IPv6Address
from itertools import pairwise

import pytest
from capture_files import Talk, ethernet, talk_of, udp, write_pcap, write_pcapng
from captured_talks import SESSION, converse, listening, settings_of

from v2glab.links import SdpRequest, SdpResponse, build_sdp
from v2glab.links.capture import CaptureError, KeyLogError, event_table, find_faults, read_capture
from v2glab.links.sessions._trace import COLUMNS
from v2glab.links.tls import HandshakeError, connect_tls, serve_tls

MS = 1_000_000
#: SO_RCVBUFFORCE, which the socket module does not name.
_FORCE_BUFFER = 33
_SAME = ["name", "protocol", "session_id", "response_code", "octets"]
KINDS = {
    "iso20-dc": ("iso15118-20", "secp521r1"),
    "iso2": ("iso15118-2", "secp256r1"),
    "iso20-ac": None,
    "din": None,
}


@pytest.fixture(scope="module")
def talks(tmp_path_factory):
    """One conversation of each protocol; -20 DC in TLS 1.3, -2 in TLS 1.2, the rest in clear."""
    held = {}
    for protocol, kind in KINDS.items():
        settings = settings_of(tmp_path_factory.mktemp(protocol), *kind) if kind else None
        held[protocol] = asyncio.run(asyncio.wait_for(converse(protocol, settings), 30))
    return held


def read(tmp_path, heard, data, *, keys=True):
    (tmp_path / "talk.pcap").write_bytes(data)
    if not keys:
        return read_capture(tmp_path / "talk.pcap")
    (tmp_path / "keys.log").write_bytes(heard.keys)
    return read_capture(tmp_path / "talk.pcap", tmp_path / "keys.log")


def of_one(capture):
    (session,) = capture.sessions
    return session


def at_times(heard, starts_ns):
    """The same octets at times of one's own; the last step is repeated for the rest."""
    base, at = 1_700_000_000 * 10**9, list(starts_ns)
    while len(at) < len(heard.octets):
        at.append(at[-1] + 2 * MS)
    return [(base + t, way, data) for t, (_, way, data) in zip(at, heard.octets, strict=True)]


@pytest.mark.parametrize("protocol", KINDS)
def test_the_table_is_what_both_ends_saw(talks, tmp_path, protocol):
    heard = talks[protocol]
    session = of_one(read(tmp_path, heard, write_pcap(talk_of(heard.octets).framed())))
    table = session.trace.frame()
    assert list(table.columns) == list(COLUMNS)
    for end, trace in (("evcc", heard.vehicle), ("secc", heard.charger)):
        own = trace.frame()
        own = own[own["direction"] == "tx"]
        seen = table[table["end"] == end]
        # Both ends name a protocol from the agreement on; an observer does from the same message on.
        assert seen[_SAME].to_numpy().tolist() == own[_SAME].to_numpy().tolist()
    assert session.protocol == protocol and not session.guessed
    assert set(table["session_id"][3:]) == {SESSION}
    assert session.undeciphered == 0 and not session.notes and session.cause is None
    assert table[["decode_s", "decide_s", "encode_s"]].isna().all(axis=None)


@pytest.mark.parametrize("protocol", KINDS)
def test_answers_take_as_long_as_the_packets_say(talks, tmp_path, protocol):
    heard = talks[protocol]
    octets = at_times(heard, [0])
    session = of_one(read(tmp_path, heard, write_pcap(talk_of(octets).framed())))
    answers = [(a, b) for a, b in pairwise(session.records) if b.end == "secc"]
    assert len(answers) == 7
    for request, answer in answers:
        assert answer.answer_s == pytest.approx((answer.time_ns - request.time_ns) / 1e9, abs=1e-9)
        assert answer.answer_s == pytest.approx(2e-3, abs=1e-9) and answer.margin_s > 0
        assert request.answer_s is None and request.limit_s is None
    assert find_faults(read(tmp_path, heard, write_pcap(talk_of(octets).framed()))) == ()


def test_a_negotiation_is_split_between_vehicle_network_and_charger(talks, tmp_path):
    heard = talks["iso20-dc"]
    # ClientHello, the charger's flight 100 ms later, the vehicle's 80 ms after that.
    octets = at_times(heard, [0, 100 * MS, 180 * MS, 190 * MS])
    session = of_one(read(tmp_path, heard, write_pcap(talk_of(octets).framed())))
    timing = session.timing
    assert session.version == "TLSv1.3" and session.suite == "TLS_AES_256_GCM_SHA384" and session.timing_seen
    assert timing.total_s == pytest.approx(0.18) and timing.connect_s == pytest.approx(4e-4)
    # The opening took 0.4 ms beyond the capture and 0.1 ms before it.
    assert (timing.peer_s, timing.local_s) == pytest.approx((0.0996, 0.0799))
    assert timing.network_s == pytest.approx(0.5e-3) and timing.round_trips == 1
    assert timing.greatest == "peer"


@pytest.mark.parametrize("keys", [True, False])
def test_a_slow_negotiation_is_iso_15118_403_even_without_keys(talks, tmp_path, keys):
    heard = talks["iso20-dc"]
    data = write_pcap(talk_of(at_times(heard, [0, 100 * MS, 400 * MS, 410 * MS])).framed())
    capture = read(tmp_path, heard, data, keys=keys)
    (finding,) = [f for f in find_faults(capture) if f.rule == "tls-negotiation"]
    assert finding.code == "ISO-15118-403" and "400 ms" in finding.cause and "local" in finding.cause
    assert "this end" in finding.remedy
    assert any("hidden" in line for line in finding.evidence) is not keys


def test_late_answers_have_cause_and_remedy(talks, tmp_path):
    heard = talks["iso2"]
    octets = at_times(heard, [0])
    session = of_one(read(tmp_path, heard, write_pcap(talk_of(octets).framed())))
    late = next(r for r in session.records if r.name == "CurrentDemandRes")
    # 40 ms more before this answer, and before all that follows.
    octets = [(t + 40 * MS * (t >= late.time_ns), way, data) for t, way, data in octets]
    (finding,) = find_faults(read(tmp_path, heard, write_pcap(talk_of(octets).framed())))
    assert finding.code == "too-slow" and "CurrentDemandRes" in finding.title and "loop" in finding.title
    assert "slowest 42.0 ms, required 25.0 ms" in finding.evidence[0] and finding.remedy
    # The limits were never checked against the standard's text.
    assert finding.certainty == "suspected"


def test_without_keys_the_handshake_shows_and_the_reason_is_named(talks, tmp_path):
    heard = talks["iso20-dc"]
    session = of_one(read(tmp_path, heard, write_pcap(talk_of(heard.octets).framed()), keys=False))
    assert not session.records and session.undeciphered > 10
    assert "no keys for client random" in session.reason
    assert {"SYN", "ClientHello", "ServerHello"} <= {e.name for e in session.events}
    assert len(event_table(session.events)) == len(session.events)


def test_keys_inside_the_capture_are_used(talks, tmp_path):
    heard = talks["iso20-dc"]
    data = write_pcapng(talk_of(heard.octets).framed(), keys=heard.keys)
    session = of_one(read(tmp_path, heard, data, keys=False))
    assert len(session.records) == 14 and session.undeciphered == 0


def test_certificates_of_both_ends_are_shown(talks, tmp_path):
    heard = talks["iso20-dc"]
    session = of_one(read(tmp_path, heard, write_pcap(talk_of(heard.octets).framed())))
    shown = {e.end: e for e in session.events if e.name == "Certificate"}
    assert shown["secc"].certificates == heard.stream.peer_chain
    assert "EVCC" in shown["evcc"].text


def test_a_lost_segment_is_named_and_the_rest_still_read(talks, tmp_path):
    heard = talks["iso20-dc"]
    whole = of_one(read(tmp_path, heard, write_pcap(talk_of(heard.octets).framed())))
    sixth = whole.records[5]
    place = next(k for k, (t, *_) in enumerate(heard.octets) if t == sixth.time_ns)
    packets = talk_of(heard.octets).framed()
    packets = [p for p in packets if p[0] != heard.octets[place][0]]
    session = of_one(read(tmp_path, heard, write_pcap(packets)))
    names = [r.name for r in session.records]
    assert names == [r.name for r in whole.records[:5] + whole.records[6:]]
    assert any("charger" in note and "octets are missing before packet" in note for note in session.notes)


@pytest.mark.parametrize("protocol", ["din", "iso20-ac"])
def test_a_session_whose_beginning_is_missing_is_read_with_a_guess(talks, tmp_path, protocol):
    heard = talks[protocol]
    session = of_one(read(tmp_path, heard, write_pcap(talk_of(heard.octets).framed()[9:])))
    assert session.guessed and session.protocol == protocol
    assert [r.name.endswith("Req") for r in session.records] == [r.end == "evcc" for r in session.records]
    assert session.charger.endswith(":15118") and len(session.records) == 8


def test_the_port_of_a_charger_is_learned_from_discovery(talks, tmp_path):
    heard, charger = talks["din"], ("fe80::2", 50_333)
    start = heard.octets[0][0] - 50 * MS
    response = SdpResponse(IPv6Address("fe80::2"), 50_333, "none")
    packets = [
        (start, ethernet(udp(("fe80::1", 60_000), ("ff02::1", 15118), build_sdp(SdpRequest("none"))))),
        (start + MS, ethernet(udp(("fe80::2", 15118), ("fe80::1", 60_000), build_sdp(response)))),
    ]
    # The opening is missing, and the charger is heard first: only the port says who is who.
    packets += talk_of(heard.octets, charger=charger).framed()[4:]
    capture = read(tmp_path, heard, write_pcap(packets))
    assert [e.name for e in capture.discovery] == ["SDP request", "SDP response"]
    assert of_one(capture).charger == "[fe80::2]:50333"
    assert not [f for f in find_faults(capture) if f.rule in ("vehicle-sdp", "vehicle-tcp")]
    silent = read(tmp_path, heard, write_pcap(packets[:1]))
    assert [f.code for f in find_faults(silent)] == ["no-answer"]
    late = [packets[0], (start + 300 * MS, packets[1][1])]
    faults = find_faults(read(tmp_path, heard, write_pcap(late)))
    assert [f.code for f in faults] == ["too-slow", "no-connection"]
    assert "300.0 ms" in faults[0].cause and "[fe80::2]:50333" in faults[1].cause


def test_an_alert_names_cause_and_phase(tmp_path):
    evcc, _ = settings_of(tmp_path)
    _, secc = settings_of(tmp_path / "other")
    heard = []

    async def meet():
        listener = await serve_tls(secc, lambda stream: stream.read(), port=0)
        async with listener, listening(listener.port, heard) as port:
            with pytest.raises(HandshakeError) as caught:
                await connect_tls("::1", port, evcc)
            await asyncio.sleep(0.05)
            return caught.value.cause

    cause = asyncio.run(meet())
    (tmp_path / "a.pcap").write_bytes(write_pcap(talk_of(heard).framed()))
    capture = read_capture(tmp_path / "a.pcap", tmp_path / "keys.log")
    session = of_one(capture)
    assert (
        (session.cause.name, session.cause.phase)
        == (cause.name, cause.phase)
        == ("unknown-issuer", "certificate")
    )
    assert "vehicle" in session.cause.evidence[0]
    (finding,) = find_faults(capture)
    assert finding.rule == "vehicle-handshake" and "root" in finding.remedy


@pytest.mark.parametrize(("flags", "name"), [(4 | 16, "refused"), (None, "timed-out")])
def test_a_connection_that_nobody_takes_has_a_cause(tmp_path, flags, name):
    talk = Talk()
    talk.ask(10**18)
    if flags:
        talk.close(10**18 + MS, False, flags)
    (tmp_path / "a.pcap").write_bytes(write_pcap(talk.framed()))
    session = of_one(read_capture(tmp_path / "a.pcap"))
    assert session.cause.name == name and session.cause.phase == "TCP"


def test_a_file_that_ends_early_is_read_as_far_as_it_goes(talks, tmp_path):
    heard = talks["din"]
    data = write_pcap(talk_of(heard.octets).framed())
    capture = read(tmp_path, heard, data[:-30])
    assert any("ends early" in note and "packet 18" in note for note in capture.notes)
    assert len(of_one(capture).records) == 14
    with pytest.raises(CaptureError) as caught:
        read(tmp_path, heard, data[:20])
    assert caught.value.offset == 0


def test_a_damaged_key_log_names_its_line(tmp_path):
    (tmp_path / "a.pcap").write_bytes(write_pcap([]))
    (tmp_path / "k").write_bytes(b"# comment\nCLIENT_RANDOM zz 00\n")
    with pytest.raises(KeyLogError) as caught:
        read_capture(tmp_path / "a.pcap", tmp_path / "k")
    assert caught.value.line == 2


def test_a_capture_of_the_loopback_interface(tmp_path):
    """Packets as the kernel saw them, with its own checksums, options and acknowledgements."""
    if os.geteuid() != 0:
        pytest.skip("raw sockets need root")
    settings = settings_of(tmp_path)
    packets, stop = [], threading.Event()
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as raw:
        raw.bind(("lo", 0))
        raw.setsockopt(socket.SOL_SOCKET, _FORCE_BUFFER, 1 << 25)
        raw.settimeout(0.1)

        def listen():
            while not stop.is_set():
                with contextlib.suppress(TimeoutError):
                    data, origin = raw.recvfrom(1 << 18)
                    # Loopback shows every packet twice: when it leaves, and when it comes.
                    if origin[2] != socket.PACKET_OUTGOING:
                        packets.append((time.time_ns(), data))

        thread = threading.Thread(target=listen)
        thread.start()
        heard = asyncio.run(asyncio.wait_for(converse("iso20-dc", settings), 30))
        stop.set()
        thread.join()
    capture = read(tmp_path, heard, write_pcap(packets))
    # The relay between the ends makes two connections; other programs may talk on loopback too.
    ours = [s for s in capture.sessions if int(s.charger.rpartition(":")[2]) in heard.ports]
    assert len(ours) == 2
    own = heard.charger.frame()
    sent = own[own["direction"] == "tx"][_SAME].to_numpy().tolist()
    for session in ours:
        table = session.trace.frame()
        assert table[table["end"] == "secc"][_SAME].to_numpy().tolist() == sent
        assert session.undeciphered == 0 and session.timing.connect_s > 0
