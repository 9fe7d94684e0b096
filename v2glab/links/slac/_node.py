"""Drives a law over a link: frames in and out, timers, trace."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from v2glab.evidence import Direction, NullRecorder, Recorder
from v2glab.links.slac._error import SlacFailure, SlacFrameError
from v2glab.links.slac._ev import EvLaw
from v2glab.links.slac._evse import EvseLaw
from v2glab.links.slac._frame import Frame, decode_frame, encode_frame, is_slac, parse_mac
from v2glab.links.slac._keys import NMK_LENGTH, new_nmk
from v2glab.links.slac._law import Action, Law, Match, Toggle
from v2glab.links.slac._link import Link
from v2glab.links.slac._messages import NO_ID, SetKeyReq, SlacMatchCnf
from v2glab.links.slac._rules import SlacRules, load_slac_rules
from v2glab.links.slac._trace import Seen, Trace

_NO_KEY = bytes(NMK_LENGTH)


class Pilot(Protocol):
    """The vehicle's hand on the control pilot."""

    async def toggle(self, count: int, within_s: float) -> None:
        """Make so many pulses within a time."""
        ...


class PilotWire:
    """A control pilot that a vehicle of the twin toggles and a charger of the twin watches."""

    def __init__(self) -> None:
        self.pulses = 0

    async def toggle(self, count: int, within_s: float) -> None:
        """Make so many pulses, spread over the first half of the time."""
        for _ in range(count):
            await asyncio.sleep(within_s / (2 * count))
            self.pulses += 1


@dataclass(frozen=True)
class MatchRun:
    """A run that ended with a match: the match, its messages, and how long it took."""

    match: Match
    trace: tuple[Seen, ...]
    duration_s: float


class SlacNode:
    """One end of a run.

    Parameters
    ----------
    law
        What the end does.
    link
        Raw Ethernet with a modem, a relay, or an emulated modem on either.
    pilot
        The vehicle's control pilot, where it can be toggled.
    recorder, name
        Where raw frames are kept, and the name they are kept under. Keys are blanked in what is kept.
    """

    def __init__(
        self,
        law: Law,
        link: Link,
        *,
        pilot: Pilot | None = None,
        recorder: Recorder | None = None,
        name: str = "slac",
    ) -> None:
        self.law, self._link, self._pilot = law, link, pilot
        self._recorder, self._name = recorder or NullRecorder(), name
        self._trace = Trace(law.rules)
        self._toggling: set[asyncio.Task[None]] = set()

    async def run(self) -> MatchRun:
        """Run to the end.

        Raises
        ------
        SlacFailure
            No match; names cause, timer and remedy, and carries the trace.
        DeviceError
            The link broke.
        """
        began_s = self._now_s()
        try:
            self._act(self.law.start(began_s))
            while self.law.outcome is None:
                await self._step(self.law.deadline_s)
        finally:
            for task in self._toggling:
                task.cancel()
        if isinstance(self.law.outcome, SlacFailure):
            self.law.outcome.trace = self._trace.records()
            raise self.law.outcome
        return MatchRun(self.law.outcome, self._trace.records(), self._now_s() - began_s)

    async def linger(self, duration_s: float) -> None:
        """Go on answering for a while: the last confirmation may have been lost."""
        until_s = self._now_s() + duration_s
        while self._now_s() < until_s:
            await self._step(until_s, tick=False)

    async def _step(self, deadline_s: float | None, *, tick: bool = True) -> None:
        timeout_s = None if deadline_s is None else deadline_s - self._now_s()
        data = await self._link.receive(timeout_s)
        if data is not None:
            self._take(data)
        elif tick:
            # The loop's timer may fire a hair before its time; the law must not see that.
            self._act(self.law.tick(max(self._now_s(), deadline_s or 0.0)))

    def _take(self, data: bytes) -> None:
        now_s = self._now_s()
        if not is_slac(data):
            return
        try:
            frame = decode_frame(data)
        except SlacFrameError as error:
            self._keep(now_s, "rx", None, data, error.found)
            return
        self._keep(now_s, "rx", frame, data)
        self._act(self.law.receive(now_s, frame.source, frame.message))

    def _act(self, actions: list[Action]) -> None:
        for action in actions:
            if isinstance(action, Toggle):
                if self._pilot is not None:
                    task = asyncio.ensure_future(self._pilot.toggle(action.count, action.within_s))
                    self._toggling.add(task)
                    task.add_done_callback(self._toggling.discard)
                continue
            frame = Frame(action.destination, self._link.address, action.message)
            data = encode_frame(frame)
            # Kept before it is sent, so that an answer never stands before its request.
            self._keep(self._now_s(), "tx", frame, data)
            self._link.send(data)

    def _keep(self, now_s: float, way: Direction, frame: Frame | None, data: bytes, note: str = "") -> None:
        time_ns = time.time_ns()
        self._trace.add(time_ns, now_s, way, frame, len(data), note)
        kept = data if frame is None else _without_key(frame, data)
        self._recorder.frame(time_ns=time_ns, instrument=self._name, direction=way, data=kept)

    @staticmethod
    def _now_s() -> float:
        return asyncio.get_running_loop().time()


def _without_key(frame: Frame, data: bytes) -> bytes:
    if isinstance(frame.message, SlacMatchCnf):
        return encode_frame(replace(frame, message=replace(frame.message, nmk=_NO_KEY)))
    if isinstance(frame.message, SetKeyReq):
        return encode_frame(replace(frame, message=replace(frame.message, new_key=_NO_KEY)))
    return data


async def match_vehicle(
    link: Link,
    rules: SlacRules | None = None,
    *,
    pev_id: bytes = NO_ID,
    pilot: Pilot | None = None,
    always_validate: bool = False,
    random: Callable[[int], bytes] = secrets.token_bytes,
    recorder: Recorder | None = None,
) -> MatchRun:
    """Be a vehicle: find the charger that it is plugged into.

    Raises
    ------
    SlacFailure
        No match; names cause, timer and remedy, and carries the trace.
    """
    rules = load_slac_rules() if rules is None else rules
    law = EvLaw(
        rules,
        link.address,
        parse_mac(rules.key.modem),
        random,
        pev_id=pev_id,
        can_toggle=pilot is not None,
        always_validate=always_validate,
    )
    return await SlacNode(law, link, pilot=pilot, recorder=recorder, name="slac-ev").run()


async def match_charger(
    link: Link,
    rules: SlacRules | None = None,
    *,
    evse_id: bytes = NO_ID,
    nmk: bytes | None = None,
    pilot_pulses: Callable[[], int] | None = None,
    recorder: Recorder | None = None,
    linger_s: float | None = None,
) -> MatchRun:
    """Be a charger: wait for a vehicle and let it in.

    Parameters
    ----------
    nmk
        Membership key of the network; a fresh one by default.
    pilot_pulses
        Returns the pulses seen on the control pilot so far.
    linger_s
        Time in which a repeated request for the match is still answered; by default as long as a vehicle
        repeats it.

    Raises
    ------
    SlacFailure
        No match; names cause, timer and remedy, and carries the trace.
    """
    rules = load_slac_rules() if rules is None else rules
    key = new_nmk() if nmk is None else nmk
    modem = parse_mac(rules.key.modem)
    law = EvseLaw(rules, link.address, modem, key, evse_id=evse_id, pilot_pulses=pilot_pulses)
    node = SlacNode(law, link, recorder=recorder, name="slac-evse")
    run = await node.run()
    repeats = rules.number("C_EV_match_retry") + 1
    await node.linger(rules.time_s("TT_match_response") * repeats if linger_s is None else linger_s)
    return run
