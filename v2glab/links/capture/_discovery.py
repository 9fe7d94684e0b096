"""What a capture shows to be wrong with discovery (SDP), and with the connection that should follow it."""

from __future__ import annotations

from collections.abc import Iterator

from v2glab.diagnosis import Finding
from v2glab.links.capture._read import Capture
from v2glab.links.sdp._ways import load_sdp_rules

_ASKED, _TOLD = "SDP request", "SDP response"


def discovery_faults(capture: Capture) -> Iterator[Finding]:
    """Return silence, late answers, and an answer that no connection followed."""
    asked = [e for e in capture.discovery if e.name == _ASKED]
    told = [e for e in capture.discovery if e.name == _TOLD]
    if asked and not told:
        yield Finding(
            "vehicle-sdp",
            "no-answer",
            "Nobody answers discovery",
            f"{len(asked)} requests, no response",
            (f"the vehicle asks for {asked[0].text}",),
            "check that the charger's discovery runs on this link, and that multicast ff02::1 reaches it",
            "established",
        )
    yield from _late(capture)
    places = {s.charger for s in capture.sessions}
    for event in {e.text: e for e in told}.values():
        place = event.text.partition(",")[0]
        if place not in places:
            yield Finding(
                "vehicle-tcp",
                "no-connection",
                "Nobody connects after discovery",
                f"the charger offers {event.text}, and no connection to that place is in the capture",
                (f"offered at {event.time_ns} ns",),
                "check neighbour discovery (ICMPv6) and the security that the vehicle asks for; see that the "
                "capture was not ended or filtered too early",
                "suspected",
            )


def _late(capture: Capture) -> Iterator[Finding]:
    rules, asked_ns, late = load_sdp_rules(), None, list[float]()
    for event in capture.discovery:
        if event.name == _ASKED and asked_ns is None:
            asked_ns = event.time_ns
        elif event.name == _TOLD and asked_ns is not None:
            waited = (event.time_ns - asked_ns) / 1e9
            late += [waited] if waited > rules.response_s else []
            asked_ns = None
    if late:
        yield Finding(
            "vehicle-sdp",
            "too-slow",
            "Late answer to discovery",
            f"{max(late) * 1e3:.1f} ms after the first request, required {rules.response_s * 1e3:g} ms",
            (f"{len(late)} times",),
            "look at lost frames on the line, and at the load of the charger; a vehicle asks again meanwhile",
            "established" if rules.confidence == "confirmed" else "suspected",
        )
