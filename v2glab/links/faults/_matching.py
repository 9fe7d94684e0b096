"""Matching runs of SLAC that cannot succeed, over a frame relay on loopback."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from v2glab.links.faults._finding import LinkFinding, explain_link
from v2glab.links.slac import (
    EmulatedModem,
    FrameRelay,
    RelayLink,
    SlacFailure,
    load_slac_rules,
    make_channel,
    match_charger,
    match_vehicle,
    parse_mac,
)

_EV, _EVSE = parse_mac("02:00:00:00:00:0e"), parse_mac("02:00:00:00:00:5a")
#: Beyond the limit of mean attenuation, 40 dB, with the profile of a vehicle at home, 10 dB.
_NEXT_DOOR_DB = 40.0
#: What a modem answers that did not take a key.
_KEY_REFUSED = 2


async def match(kind: str) -> LinkFinding | None:
    """Run a match with one fault and return what the vehicle says; None when it found a charger.

    ``kind`` is that of the fault's row: ``alone``, ``cross-talk``, ``deaf`` or ``key``.
    """
    rules = load_slac_rules().fast().with_times(TT_EV_atten_results=0.3, TT_match_response=0.1)
    async with AsyncExitStack() as stack:
        relay = await FrameRelay.open()
        stack.callback(relay.close)
        result = _KEY_REFUSED if kind == "key" else 0
        vehicle = EmulatedModem(await RelayLink.open(relay.port, _EV), {}, key_result=result)
        stack.callback(vehicle.close)
        if kind != "alone":
            extra_db = _NEXT_DOOR_DB if kind == "cross-talk" else 0.0
            heard = {} if kind == "deaf" else {_EV: make_channel("vehicle_at_home", extra_db=extra_db)}
            charger = EmulatedModem(await RelayLink.open(relay.port, _EVSE), heard)
            stack.callback(charger.close)
            waiting = asyncio.create_task(match_charger(charger, rules, linger_s=0.0))
            stack.push_async_callback(_end, waiting)
        try:
            await match_vehicle(vehicle, rules)
        except SlacFailure as error:
            return explain_link(error)
    return None


async def _end(task: asyncio.Task[object]) -> None:
    """End the charger; what it says of a run that could not succeed is not asked."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
