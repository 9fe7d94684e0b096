"""``v2glab vehicle slac --interface``: one end behind a modem that it reaches over a cable of Ethernet."""

import asyncio
import json
import socket
import sys
from contextlib import AsyncExitStack, ExitStack, suppress

import pytest
from slac_line import EV, EVSE_A, RULES

from v2glab.evidence import DeviceError
from v2glab.links.slac import (
    INTERFACE,
    EmulatedModem,
    FrameRelay,
    RelayLink,
    SlacFailure,
    inside,
    make_channel,
    match_charger,
    match_vehicle,
    two_namespaces,
)

ETHER_TYPE = 0x88E1
HOME = make_channel("vehicle_at_home")


def tap():
    """All frames of the cable, whomever they are for: a modem listens to its host's."""
    made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETHER_TYPE))
    made.bind((INTERFACE, 0))
    made.setblocking(False)
    return made


async def address_of(space):
    shown = await asyncio.create_subprocess_exec(
        "ip", "-n", space, "-j", "link", "show", INTERFACE, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await shown.communicate()
    return bytes.fromhex(json.loads(out)[0]["address"].replace(":", ""))


async def carry(cable, modem):
    """Be the modem in its housing: its host on the cable, the power line on its other side."""
    loop = asyncio.get_running_loop()

    def heard():
        data, origin = cable.recvfrom(2048)
        if origin[2] != socket.PACKET_OUTGOING:
            modem.send(data)

    loop.add_reader(cable.fileno(), heard)
    try:
        while True:
            data = await modem.receive(0.005)
            if data is not None:
                cable.send(data)
    finally:
        loop.remove_reader(cable.fileno())


async def meet(end, host_space, cable):
    """Run the command in the host's namespace, and the other end on the line; return both outcomes."""
    other_mac = EVSE_A if end == "vehicle" else EV
    async with AsyncExitStack() as stack:
        relay = await FrameRelay.open()
        stack.callback(relay.close)
        host = await address_of(host_space)
        line = await RelayLink.open(relay.port, host)
        own = EmulatedModem(line, {other_mac: HOME}, seed=1)
        stack.callback(own.close)
        other = EmulatedModem(await RelayLink.open(relay.port, other_mac), {host: HOME}, seed=2)
        stack.callback(other.close)
        carrying = asyncio.create_task(carry(cable, own))
        command = [sys.executable, "-m", "v2glab", "vehicle", "slac", "--json", "--interface", INTERFACE]
        process = await asyncio.create_subprocess_exec(
            "ip", "netns", "exec", host_space, *command, "--end", end, stdout=asyncio.subprocess.PIPE
        )
        answering = asyncio.create_task(_other_end(end, other))
        try:
            out, _ = await asyncio.wait_for(process.communicate(), 60)
            run = await asyncio.wait_for(answering, 10)
        finally:
            for task in (carrying, answering):
                task.cancel()
            with suppress(ProcessLookupError):
                process.kill()
        return json.loads(out), process.returncode, run, host, own


async def _other_end(end, modem):
    if end == "vehicle":
        return await match_charger(modem, RULES, linger_s=0.2)
    for _ in range(20):  # the command loads for a moment before it listens
        with suppress(SlacFailure):
            return await match_vehicle(modem, RULES)
    raise AssertionError("no charger answered")


@pytest.mark.parametrize("end", ["vehicle", "charger"])
def test_one_end_matches_through_a_modem_that_it_reaches_by_ethernet(end):
    with ExitStack() as stack:
        try:
            host_space, modem_space = stack.enter_context(two_namespaces())
        except DeviceError as missing:
            pytest.skip(str(missing))
        cable = stack.enter_context(inside(modem_space, tap))
        told, code, run, host, modem = asyncio.run(meet(end, host_space, cable))
    assert code == 0, told
    macs = {"vehicle": (host, EVSE_A), "charger": (EV, host)}[end]
    assert (run.match.ev_mac, run.match.evse_mac) == macs
    assert told["match"]["ev_mac"] == macs[0].hex(":")
    assert told["match"]["evse_mac"] == macs[1].hex(":")
    # The modem took the network's key from its host; the document does not show it.
    assert modem.nmk == run.match.nmk
    assert run.match.nmk.hex() not in json.dumps(told)
    assert told["reports"][0]["mean_db"] == pytest.approx(9.55, abs=0.3)
    sent = [frame["name"] for frame in told["frames"]]
    assert "CM_SET_KEY.REQ" in sent and "CM_SET_KEY.CNF" in sent
