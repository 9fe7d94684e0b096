"""Whole runs over real sockets: frame relay on loopback, raw Ethernet between namespaces."""

import asyncio
from contextlib import ExitStack, asynccontextmanager

import pytest
from slac_line import EV, EVSE_A, EVSE_B, RULES, failed

from v2glab.evidence import DeviceError, InputError
from v2glab.links.slac import (
    BROADCAST,
    INTERFACE,
    EmulatedModem,
    Frame,
    FrameRelay,
    PilotWire,
    RawLink,
    RelayLink,
    SlacFailure,
    SlacParmReq,
    decode_frame,
    encode_frame,
    inside,
    make_channel,
    match_charger,
    match_vehicle,
    nid_of,
    trace_table,
    two_namespaces,
)

FAST = RULES.fast()
HOME = make_channel("vehicle_at_home")


class Wire:
    """A recorder that keeps frames."""

    def __init__(self):
        self.frames = []

    def frame(self, *, time_ns, instrument, direction, data):
        self.frames.append((instrument, direction, data))

    def quantity(self, quantity):
        raise AssertionError("no quantities here")


@asynccontextmanager
async def medium(*stations):
    """A relay and a modem on it for each station: (address, channels, options)."""
    relay = await FrameRelay.open()
    modems = []
    try:
        for seed, (address, channels) in enumerate(stations):
            link = await RelayLink.open(relay.port, address)
            modems.append(EmulatedModem(link, channels, seed=seed))
        yield modems
    finally:
        for modem in modems:
            modem.close()
        relay.close()


async def both(ev_link, evse_link, rules=FAST, **options):
    """Run a vehicle and a charger; return both runs."""
    charger = asyncio.create_task(match_charger(evse_link, rules, linger_s=0.0))
    try:
        vehicle = await match_vehicle(ev_link, rules, **options)
        return vehicle, await charger
    finally:
        charger.cancel()


def test_a_run_over_the_relay_ends_in_one_network():
    async def main():
        async with medium((EV, {}), (EVSE_A, {EV: HOME})) as (ev, evse):
            wire = Wire()
            run, other = await both(ev, evse, recorder=wire)
            return run, other, ev, evse, wire

    run, other, ev, evse, wire = asyncio.run(main())
    match = run.match
    assert match.evse_mac == EVSE_A
    assert (match.nid, match.nmk) == (other.match.nid, other.match.nmk)
    assert ev.nmk == evse.nmk == match.nmk
    assert ev.nid == nid_of(match.nmk)
    # The capture's own mean, 9.55 dB; each group is the mean of ten sounds with 0.5 dB of spread, rounded.
    assert match.attenuation.value == pytest.approx(9.55, abs=0.2)
    table = trace_table(run.trace)
    assert list(table["name"].iloc[[0, 1, -1]]) == ["CM_SLAC_PARM.REQ", "CM_SLAC_PARM.CNF", "CM_SET_KEY.CNF"]
    timed = table.dropna(subset=["limit_s"])
    assert list(timed["name"]) == [
        "CM_SLAC_PARM.CNF",
        "CM_START_ATTEN_CHAR.IND",
        "CM_ATTEN_CHAR.IND",
        "CM_ATTEN_CHAR.RSP",
        "CM_SLAC_MATCH.CNF",
        "CM_SET_KEY.CNF",
    ]
    assert list(timed["limit_s"]) == [0.2, 0.4, 1.2, 0.2, 0.2, 0.5]
    assert (timed["elapsed_s"] >= 0).all()
    assert ((timed["limit_s"] - timed["elapsed_s"]) == timed["margin_s"]).all()
    assert (table["at_s"].diff().dropna() >= 0).all()
    # What is kept of the wire is whole but for the key.
    assert len(wire.frames) == len(run.trace)
    assert not any(match.nmk in data for _, _, data in wire.frames)
    assert {type(decode_frame(data).message).NAME for _, _, data in wire.frames} == set(table["name"])


def test_the_charger_next_door_is_not_taken():
    async def main():
        near, far = make_channel("vehicle_at_home"), make_channel("vehicle_at_home", extra_db=12.0)
        async with medium((EV, {}), (EVSE_A, {EV: far}), (EVSE_B, {EV: near})) as (ev, a, b):
            others = [asyncio.create_task(match_charger(link, FAST, linger_s=0.0)) for link in (a, b)]
            run = await match_vehicle(ev, FAST)
            winner = await others[1]
            others[0].cancel()
            return run, winner, ev, a, b

    run, winner, ev, a, b = asyncio.run(main())
    assert run.match.evse_mac == EVSE_B
    assert winner.match.ev_mac == EV
    assert ev.nmk == b.nmk != a.nmk
    (other,) = run.match.others
    assert other.attenuation.value - run.match.attenuation.value == pytest.approx(12.0, abs=0.2)


def test_validation_over_the_control_pilot():
    async def main():
        pilot, elsewhere = PilotWire(), PilotWire()
        async with medium((EV, {}), (EVSE_A, {EV: HOME}), (EVSE_B, {EV: HOME})) as (ev, a, b):
            tasks = [
                asyncio.create_task(match_charger(link, FAST, linger_s=0.0, pilot_pulses=seen))
                for link, seen in ((a, lambda: elsewhere.pulses), (b, lambda: pilot.pulses))
            ]
            run = await match_vehicle(ev, FAST, pilot=pilot)
            winner = await tasks[1]
            tasks[0].cancel()
            return run, winner

    run, winner = asyncio.run(main())
    assert run.match.evse_mac == EVSE_B
    assert run.match.validated
    assert winner.match.validated


def test_a_line_full_of_noise_fails_by_name_with_its_trace():
    dead = make_channel("two_chargers_far", extra_db=40.0, motor_load=1.0)

    async def main():
        async with medium((EV, {EVSE_A: dead}), (EVSE_A, {EV: dead})) as (ev, evse):
            with pytest.raises(SlacFailure) as caught:
                await both(ev, evse)
            return caught.value, ev, evse

    failure, _, evse = asyncio.run(main())
    assert dead.frame_loss() == pytest.approx(1.0)
    assert failed(failure).cause == "no_answer"
    assert [seen.name for seen in failure.trace] == ["CM_SLAC_PARM.REQ"] * 3
    assert evse.lost == 3


def test_a_modem_that_refuses_the_key_is_named():
    async def main():
        relay = await FrameRelay.open()
        link = await RelayLink.open(relay.port, EVSE_A)
        try:
            await match_charger(EmulatedModem(link, key_result=9), FAST)
        finally:
            link.close()
            relay.close()

    with pytest.raises(SlacFailure, match="result 9"):
        asyncio.run(main())


def test_rubbish_on_the_line_is_noted_and_survived():
    async def main():
        async with medium((EV, {}), (EVSE_A, {EV: HOME})) as (ev, evse):
            third = await RelayLink.open(ev._link._transport.get_extra_info("peername")[1], EVSE_B)
            good = encode_frame(Frame(BROADCAST, EVSE_B, SlacParmReq(bytes(8))))
            rubbish = [good[:30], good[:19] + b"\7" + good[20:], good[:15] + b"\xff\xff" + good[17:], b"\1"]
            for data in [*rubbish, good[:12] + b"\x08\x00" + good[14:], bytes(1600)]:
                third.send(data)
            third.close()
            run, _ = await both(ev, evse)
            return run

    run = asyncio.run(main())
    notes = [seen.note for seen in run.trace if seen.note]
    assert len(notes) == 3  # what does not claim to be a management message is none of SLAC's business
    assert any("30 bytes" in note for note in notes)
    assert any("application_type" in note for note in notes)


def test_a_relay_that_is_not_there_is_named(free_port):
    with pytest.raises(DeviceError, match=f"no frame relay on port {free_port}"):
        asyncio.run(RelayLink.open(free_port, EV))


def test_a_port_that_is_taken_is_named():
    async def main():
        relay = await FrameRelay.open()
        try:
            await FrameRelay.open(relay.port)
        finally:
            relay.close()

    with pytest.raises(DeviceError, match="a free UDP port"):
        asyncio.run(main())


def test_a_link_that_was_closed_says_so():
    async def main():
        relay = await FrameRelay.open()
        link = await RelayLink.open(relay.port, EV)
        link.close()
        relay.close()
        await match_vehicle(link, FAST)

    with pytest.raises(DeviceError, match="frame relay is gone"):
        asyncio.run(main())


def test_seeds_are_checked():
    with pytest.raises(InputError, match="seed -1"):
        EmulatedModem(None, seed=-1)


def test_raw_ethernet_between_two_namespaces():
    with ExitStack() as stack:
        try:
            ev_space, evse_space = stack.enter_context(two_namespaces())
        except DeviceError as missing:
            pytest.skip(str(missing))
        ev_raw = inside(ev_space, lambda: RawLink(INTERFACE))
        evse_raw = inside(evse_space, lambda: RawLink(INTERFACE))

        async def main():
            ev = EmulatedModem(ev_raw)
            evse = EmulatedModem(evse_raw, {ev_raw.address: HOME})
            try:
                return *await both(ev, evse, RULES), ev, evse
            finally:
                ev.close()
                evse.close()

        run, other, ev, evse = asyncio.run(main())
        assert run.match.evse_mac == evse_raw.address
        assert run.match.ev_mac == other.match.ev_mac == ev_raw.address
        assert ev.nmk == evse.nmk == run.match.nmk
        assert run.match.attenuation.value == pytest.approx(9.55, abs=0.2)
        margins = [seen.margin_s for seen in run.trace if seen.margin_s is not None]
        assert len(margins) == 6
        assert min(margins) > 0  # at the standard's own timers


def test_raw_ethernet_names_what_is_missing():
    try:
        RawLink("no-such-interface")
    except DeviceError as error:
        assert "no-such" in error.found
        assert "relay" in error.remedy or "ip link" in error.remedy
    else:
        pytest.fail("opened an interface that is not there")
