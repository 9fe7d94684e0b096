"""Matching of vehicle and charger over a frame relay on loopback; both ends and modems in one process."""

import asyncio
import statistics
from collections.abc import Iterator

_REPEATS, _FAST_REPEATS = 5, 60


def measure() -> Iterator[dict[str, object]]:
    """Yield the rows ``slac`` and ``slac-fast``; value in seconds, request to key set.

    The peer of both is the least that the standard's own pauses add up to: three announcements and ten sounds
    have twelve between them.
    """
    from v2glab.links.slac import load_slac_rules

    rules = load_slac_rules()
    messages = rules.number("C_EV_start_atten_char_inds") + rules.number("C_EV_match_MNBC")
    floor_s = (messages - 1) * rules.time_s("TP_EV_batch_msg_interval")
    yield _row("slac", asyncio.run(_run(rules, _REPEATS)), floor_s)
    yield _row("slac-fast", asyncio.run(_run(rules.fast(), _FAST_REPEATS)), floor_s)


async def _run(rules: object, repeats: int) -> float:
    from v2glab.links.slac import (
        EmulatedModem,
        FrameRelay,
        RelayLink,
        make_channel,
        match_charger,
        match_vehicle,
        parse_mac,
    )

    ev, evse = parse_mac("02:00:00:00:00:0e"), parse_mac("02:00:00:00:00:5e")
    relay = await FrameRelay.open()
    near = EmulatedModem(await RelayLink.open(relay.port, ev))
    far = EmulatedModem(await RelayLink.open(relay.port, evse), {ev: make_channel("vehicle_at_home")})
    times_s = []
    for _ in range(repeats + 1):
        charger = asyncio.create_task(match_charger(far, rules, linger_s=0.0))  # type: ignore[arg-type]
        run = await match_vehicle(near, rules)  # type: ignore[arg-type]
        await charger
        times_s.append(run.duration_s)
    for link in (near, far, relay):
        link.close()
    return statistics.median(times_s[1:])


def _row(name: str, value: float, floor: float) -> dict[str, object]:
    peer = "sum of the standard's pauses between sounds"
    return {"name": name, "value": value, "unit": "s", "peer": peer, "ratio": round(value / floor, 4)}


if __name__ == "__main__":
    import json

    for row in measure():
        print(json.dumps(row))
