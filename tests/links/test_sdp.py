"""Discovery over real sockets: straight, by multicast in a namespace of its own, against hostile octets."""

import asyncio
import os
import shutil
import socket
import subprocess
import sys
from ipaddress import IPv6Address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from v2glab.evidence import DeviceError, InputError
from v2glab.links._v2gtp import SdpRequest, SdpResponse
from v2glab.links.sdp import (
    Direct,
    DiscoveryError,
    Multicast,
    SdpServer,
    discover,
    load_sdp_rules,
    serve_sdp,
)

# ISO 15118-2, 7.10.1 by hand: header, then security and transport, or address, port, security, transport.
REQUEST_TLS = bytes.fromhex("01fe9000 00000002 0000".replace(" ", ""))
RESPONSE_TLS = bytes.fromhex("01fe9001 00000014 fe800000000000000000000000000001 3b0e 00 00".replace(" ", ""))
ANSWER = SdpResponse(IPv6Address("fe80::1"), 15118)
QUICK = load_sdp_rules().model_copy(update={"response_s": 0.05, "attempts": 3})


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 20))


class Charger(asyncio.DatagramProtocol):
    """A charger by hand: answers each request with the next of its datagrams, or keeps silent."""

    def __init__(self, answers):
        self.answers, self.requests = list(answers), []

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        self.requests.append(data)
        for datagram in self.answers.pop(0) if self.answers else ():
            self.transport.sendto(datagram, addr)


async def found_by(answers, **more):
    loop = asyncio.get_running_loop()
    transport, charger = await loop.create_datagram_endpoint(
        lambda: Charger(answers), local_addr=("127.0.0.1", 0)
    )
    try:
        port = transport.get_extra_info("sockname")[1]
        return await discover(Direct("127.0.0.1", port), rules=more.pop("rules", QUICK), **more), charger
    finally:
        transport.close()


def test_the_octets_are_those_of_the_standard():
    async def ask():
        found, charger = await found_by([[RESPONSE_TLS]])
        assert charger.requests == [REQUEST_TLS]
        assert found.response == ANSWER and found.attempts == 1 and found.ignored == {}

    run(ask())

    async def answer():
        async with await serve_sdp(Direct("127.0.0.1", 0), lambda request: ANSWER) as server:
            loop = asyncio.get_running_loop()
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
                link.setblocking(False)
                await loop.sock_sendto(link, REQUEST_TLS, ("127.0.0.1", server.port))
                assert await loop.sock_recv(link, 100) == RESPONSE_TLS

    run(answer())


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_both_ends_straight(host):
    seen = []

    async def both():
        def answer(request):
            seen.append(request)
            return SdpResponse(IPv6Address("::1"), 40000, request.security)

        async with await serve_sdp(Direct(host, 0), answer) as server:
            found = await discover(Direct(host, server.port), SdpRequest("none"), rules=QUICK)
        return found

    found = run(both())
    assert seen == [SdpRequest("none")]
    assert (found.host, found.response.port, found.response.security) == ("::1", 40000, "none")


def test_a_lost_answer_is_asked_for_again():
    async def ask():
        return await found_by([[], [], [RESPONSE_TLS]])

    found, charger = run(ask())
    assert found.attempts == 3 and len(charger.requests) == 3
    assert found.duration_s >= 2 * QUICK.response_s


def test_silence_ends_after_the_attempts_of_the_rules():
    async def ask():
        loop = asyncio.get_running_loop()
        transport, charger = await loop.create_datagram_endpoint(
            lambda: Charger([]), local_addr=("127.0.0.1", 0)
        )
        began = loop.time()
        with pytest.raises(DiscoveryError, match="3 requests") as caught:
            await discover(Direct("127.0.0.1", transport.get_extra_info("sockname")[1]), rules=QUICK)
        transport.close()
        return caught.value, charger, loop.time() - began

    error, charger, took_s = run(ask())
    assert len(charger.requests) == 3 and took_s >= 3 * QUICK.response_s
    assert error.ignored == {} and "firewall" in error.remedy


def test_nobody_on_the_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(DiscoveryError, match="refused"):
        run(discover(Direct("127.0.0.1", port), rules=QUICK))


def packed(address="fe80::1", port=15118, security=0, transport=0):
    payload = IPv6Address(address).packed + port.to_bytes(2, "big") + bytes([security, transport])
    return bytes.fromhex("01fe900100000014") + payload


@pytest.mark.parametrize(
    ("hostile", "word"),
    [
        (b"x", "octets"),
        (RESPONSE_TLS[:-1], "octets"),
        (RESPONSE_TLS + b"x", "octets"),
        (b"\x02" + RESPONSE_TLS[1:], "version"),
        (RESPONSE_TLS[:2] + b"\x80\x01" + RESPONSE_TLS[4:], "payload type"),
        (packed(security=7), "security"),
        (packed(transport=0x10), "udp"),
        (packed(port=0), "port"),
        (packed("ff02::1"), "nobody can have"),
        (packed("::"), "nobody can have"),
        (packed(security=0x10), "without TLS"),
    ],
)
def test_an_unfit_answer_is_passed_over_and_the_right_one_is_taken(hostile, word):
    async def ask():
        return await found_by([[hostile, hostile, RESPONSE_TLS]])

    found, _ = run(ask())
    assert found.response == ANSWER and found.attempts == 1
    ((reason, count),) = found.ignored.items()
    assert word in reason and count == 2


def test_only_unfit_answers_are_told_in_the_error():
    async def ask():
        with pytest.raises(DiscoveryError, match="without TLS") as caught:
            await found_by([[packed(security=0x10)]] * 3)
        assert sum(caught.value.ignored.values()) == 3

    run(ask())


def test_an_answer_without_tls_is_taken_only_when_asked_for():
    async def ask():
        found, _ = await found_by([[packed(security=0x10)]], accept_plain=True)
        assert found.response.security == "none"

    run(ask())


def test_the_server_keeps_silent_when_it_is_told_so_and_counts():
    async def ask():
        async with await serve_sdp(Direct("127.0.0.1", 0), lambda request: None) as server:
            with pytest.raises(DiscoveryError):
                await discover(Direct("127.0.0.1", server.port), rules=QUICK)
            assert server.answered == 0 and sum(server.ignored.values()) == 3

    run(ask())


class Wire:
    def __init__(self):
        self.sent = []

    def sendto(self, data, address):
        self.sent.append((data, address))


@settings(max_examples=400, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=64),
        st.integers(0, len(REQUEST_TLS) * 8 - 1).map(
            lambda bit: bytes(b ^ (1 << bit % 8 if i == bit // 8 else 0) for i, b in enumerate(REQUEST_TLS))
        ),
    )
)
def test_the_server_answers_requests_and_nothing_else(data):
    server, wire = SdpServer(lambda request: ANSWER), Wire()
    server.connection_made(wire)
    server.datagram_received(data, ("peer", 1))
    assert len(wire.sent) + sum(server.ignored.values()) == 1
    if wire.sent:
        assert data[:8] == REQUEST_TLS[:8] and data[8] in (0x00, 0x10) and data[9] in (0x00, 0x10)


def test_noise_does_not_fill_the_memory():
    server = SdpServer(lambda request: ANSWER)
    for number in range(5000):
        server.datagram_received(b"x" * (number % 1000), ("peer", 1))
    assert len(server.ignored) <= 33 and sum(server.ignored.values()) == 5000


@pytest.mark.parametrize("way", [Direct("charger.example", 15118), Direct("127.0.0.1", 70000), Direct("", 1)])
def test_wrong_addresses_are_refused(way):
    with pytest.raises(InputError):
        run(discover(way, rules=QUICK))
    with pytest.raises(InputError):
        run(serve_sdp(way, lambda request: ANSWER))


def test_an_unknown_interface_is_named():
    for start in (
        lambda: discover(Multicast("nope0"), rules=QUICK),
        lambda: serve_sdp(Multicast("nope0"), lambda r: ANSWER),
    ):
        with pytest.raises(DeviceError, match="nope0"):
            run(start())


def test_a_taken_port_is_told():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
        holder.bind(("127.0.0.1", 0))
        with pytest.raises(DeviceError, match="in use"):
            run(serve_sdp(Direct("127.0.0.1", holder.getsockname()[1]), lambda request: ANSWER))


# What runs inside the namespace; multicast on lo needs these two (a veth pair does not need the route).
SET_UP = """
ip link set lo up
ip -6 addr add fe80::1/64 dev lo nodad
ip -6 route add local ff02::1/128 dev lo table local
"""
INSIDE = """
import asyncio, socket
from ipaddress import IPv6Address
from v2glab.links._v2gtp import SdpRequest, SdpResponse
from v2glab.links.sdp import Multicast, discover, load_sdp_rules, serve_sdp, DiscoveryError
from v2glab.links.tls import connect_plain, serve_plain

quick = load_sdp_rules().model_copy(update={"response_s": 0.2, "attempts": 5})

async def echo(stream):
    while data := await stream.read():
        await stream.write(data)

async def main():
    way = Multicast("lo")
    async with await serve_plain(echo, host="fe80::1%lo") as listener:
        assert listener.port == 15118
        answer = SdpResponse(IPv6Address("fe80::1"), listener.port, "none")
        async with await serve_sdp(way, lambda request: answer) as server:
            assert server.port == 15118
            found = await discover(way, SdpRequest("none"), rules=quick)
            assert found.host == "fe80::1%lo" and found.attempts == 1, found
            stream = await connect_plain(found.host, found.response.port)
            await stream.write(b"hello")
            assert await stream.read() == b"hello"
            await stream.close()
            # Not link-local: whoever answers so by multicast is none of this link.
            answer = SdpResponse(IPv6Address("2001:db8::1"), 15118, "none")
            try:
                await discover(way, SdpRequest("none"), rules=quick)
            except DiscoveryError as error:
                assert "not link-local" in str(error), error
            else:
                raise AssertionError("a strange address was taken")
    print("found by multicast")

asyncio.run(main())
"""


def namespaces_or_skip():
    allowed = shutil.which("unshare") and shutil.which("ip") and os.geteuid() == 0
    done = allowed and subprocess.run(["unshare", "-n", "true"], check=False, capture_output=True)
    if not done or done.returncode:
        if os.environ.get("CI") == "true" and os.geteuid() == 0:
            pytest.fail("a network namespace of its own could not be made, though this is root")
        pytest.skip("a network namespace of its own needs root, unshare and ip")


def test_multicast_in_a_namespace_of_its_own(tmp_path):
    namespaces_or_skip()
    script = tmp_path / "inside.py"
    script.write_text(INSIDE)
    command = f"set -e\n{SET_UP}\nexec {sys.executable} {script}"
    done = subprocess.run(
        ["unshare", "-n", "sh", "-c", command], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "found by multicast" in done.stdout


def test_multicast_without_an_address_says_what_is_missing(tmp_path):
    namespaces_or_skip()
    script = tmp_path / "inside.py"
    script.write_text(
        "import asyncio\nfrom v2glab.links.sdp import *\n"
        "rules = load_sdp_rules().model_copy(update={'response_s': 0.05, 'attempts': 2})\n"
        "asyncio.run(discover(Multicast('lo'), rules=rules))\n"
    )
    done = subprocess.run(
        ["unshare", "-n", sys.executable, str(script)], capture_output=True, text=True, check=False
    )
    assert "DiscoveryError: found: SDP:" in done.stderr and "link-local address" in done.stderr
