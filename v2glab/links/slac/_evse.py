"""The charger's side of SLAC: answer, listen, report, count toggles, hand over the network."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from v2glab.links.slac._error import SlacFailure
from v2glab.links.slac._ev import NOT_REQUIRED, READY, SUCCESS
from v2glab.links.slac._frame import mac_text
from v2glab.links.slac._keys import nid_of
from v2glab.links.slac._law import Action, Law, Match, Send, Waiting
from v2glab.links.slac._messages import (
    NO_ID,
    AttenCharInd,
    AttenCharRsp,
    AttenProfileInd,
    Message,
    MnbcSoundInd,
    SetKeyCnf,
    SetKeyReq,
    SlacMatchCnf,
    SlacMatchReq,
    SlacParmCnf,
    SlacParmReq,
    StartAttenCharInd,
    ValidateCnf,
    ValidateReq,
)
from v2glab.links.slac._profile import read_report
from v2glab.links.slac._rules import SlacRules

Step = Literal["asked", "listening", "reported", "counting"]
_FAILURE = 3


@dataclass
class _Session:
    """One vehicle in one run, as the charger knows it."""

    ev_mac: bytes
    run_id: bytes
    began_s: float
    waiting: Waiting
    step: Step = "asked"
    sounds: set[int] = field(default_factory=set)
    profiles: list[tuple[int, ...]] = field(default_factory=list)
    wanted: int = 0
    report: AttenCharInd | None = None
    acknowledged: bool = False
    tries: int = 0
    edges: int = 0
    validated: bool = False


class EvseLaw(Law):
    """A charger that waits for its vehicle and hears others too; ends with the first match.

    Parameters
    ----------
    rules
        Timers, counts and thresholds.
    mac
        The charger's address.
    modem
        Address at which its own modem listens.
    nmk
        Membership key of the network that it opens, 16 bytes.
    evse_id
        Identity of the charger, 17 bytes.
    pilot_pulses
        Returns the pulses seen on its control pilot so far; without it validation is not required.
    """

    def __init__(
        self,
        rules: SlacRules,
        mac: bytes,
        modem: bytes,
        nmk: bytes,
        *,
        evse_id: bytes = NO_ID,
        pilot_pulses: Callable[[], int] | None = None,
    ) -> None:
        super().__init__(rules, mac, modem)
        self._nmk, self._nid = nmk, nid_of(nmk)
        self._evse_id, self._pilot_pulses = evse_id, pilot_pulses
        self._sessions: dict[tuple[bytes, bytes], _Session] = {}
        self._own: Waiting | None = None
        self._key_set = False
        self.failures: list[SlacFailure] = []

    def start(self, now_s: float) -> list[Action]:
        """Put the own modem into the network that is handed over later."""
        self._own = Waiting("set_key", now_s, self.rules.time_s("set_key"))
        self._choose_timer()
        return [Send(self.modem, SetKeyReq(self._nid, self._nmk))]

    def receive(self, now_s: float, source: bytes, message: Message) -> list[Action]:
        """Take one message; what belongs to no session is left alone."""
        actions = self._take(now_s, source, message)
        if self.outcome is None:
            self._choose_timer()
        return actions

    def tick(self, now_s: float) -> list[Action]:
        """Close what ran out of time."""
        actions: list[Action] = []
        if self._own is not None and now_s >= self._own.since_s + self._own.limit_s:
            return self._give_up()
        for key, session in list(self._sessions.items()):
            if now_s >= session.waiting.since_s + session.waiting.limit_s:
                actions += self._expire(now_s, key, session)
        self._choose_timer()
        return actions

    def _take(self, now_s: float, source: bytes, message: Message) -> list[Action]:
        if isinstance(message, SetKeyCnf) and source == self.modem:
            return self._take_key(now_s, message)
        if isinstance(message, SlacParmReq):
            return self._take_request(now_s, source, message)
        if isinstance(message, AttenProfileInd):
            return self._take_profile(now_s, message)
        if isinstance(message, ValidateReq):
            return self._take_validation(now_s, source, message)
        session = self._sessions.get((source, getattr(message, "run_id", b"")))
        return [] if session is None else self._take_in_session(now_s, session, message)

    def _take_in_session(self, now_s: float, session: _Session, message: Message) -> list[Action]:
        if isinstance(message, StartAttenCharInd):
            self._listen(now_s, session, message)
        elif isinstance(message, MnbcSoundInd):
            session.sounds.add(message.countdown)
        elif isinstance(message, AttenCharRsp) and session.report is not None and not session.acknowledged:
            session.acknowledged = True
            self._await_match(now_s, session)
        elif isinstance(message, SlacMatchReq):
            return self._take_match(session.ev_mac, session, message)
        return []

    def _take_key(self, now_s: float, message: SetKeyCnf) -> list[Action]:
        if self._key_set:
            return []
        if message.result not in self.rules.key.accepted_results:
            allowed = ", ".join(map(str, self.rules.key.accepted_results))
            return self.end(self.rules.failed("set_key", f"result {message.result}", f"one of {allowed}"))
        self._key_set = True
        self._own = Waiting("TT_EVSE_SLAC_init", now_s, self.rules.time_s("TT_EVSE_SLAC_init"))
        return []

    def _take_request(self, now_s: float, source: bytes, message: SlacParmReq) -> list[Action]:
        key = (source, message.run_id)
        if key not in self._sessions:
            if len(self._sessions) >= self.rules.number("most_sessions"):
                self.notes.append(f"{mac_text(source)} is one vehicle too many: left out")
                return []
            # A vehicle that begins anew gives up its earlier run.
            for old in [k for k in self._sessions if k[0] == source]:
                del self._sessions[old]
            sequence = Waiting("TT_match_sequence", now_s, self.rules.time_s("TT_match_sequence"))
            self._sessions[key] = _Session(source, message.run_id, now_s, sequence)
        sounds = self.rules.number("C_EV_match_MNBC")
        steps = min(max(math.ceil(self.rules.time_s("TT_EVSE_match_MNBC") * 10 - 1e-9), 1), 255)
        return [Send(source, SlacParmCnf(message.run_id, source, sounds, steps))]

    def _listen(self, now_s: float, session: _Session, message: StartAttenCharInd) -> None:
        if session.step == "asked":
            session.step = "listening"
            session.wanted = message.num_sounds or self.rules.number("C_EV_match_MNBC")
            limit_s = self.rules.time_s("TT_EVSE_match_MNBC")
            session.waiting = Waiting("TT_EVSE_match_MNBC", now_s, limit_s)

    def _take_profile(self, now_s: float, message: AttenProfileInd) -> list[Action]:
        sessions = (s for s in self._sessions.values() if s.ev_mac == message.pev_mac)
        session = next((s for s in sessions if s.step == "listening"), None)
        if session is None:
            return []
        if len(message.groups) != self.rules.number("groups"):
            self.notes.append(f"a profile of {len(message.groups)} groups: left out")
            return []
        session.profiles.append(message.groups)
        return self._report(now_s, session) if len(session.profiles) >= session.wanted else []

    def _report(self, now_s: float, session: _Session) -> list[Action]:
        """Send the mean over the sounds for each group; a sentinel in one sound does not enter."""
        unmeasured = round(self.rules.level("not_measured"))
        means = []
        for column in zip(*session.profiles, strict=True):
            values = [value for value in column if value != unmeasured]
            means.append(math.floor(sum(values) / len(values) + 0.5) if values else unmeasured)
        session.step, session.tries = "reported", 1
        session.report = AttenCharInd(
            session.ev_mac,
            session.run_id,
            min(len(session.profiles), 255),
            tuple(means),
            NO_ID,
            self._evse_id,
        )
        session.waiting = Waiting("TT_match_response", now_s, self.rules.time_s("TT_match_response"))
        return [Send(session.ev_mac, session.report)]

    def _await_match(self, now_s: float, session: _Session) -> None:
        left_s = session.began_s + self.rules.time_s("TT_EVSE_match_session") - now_s
        session.waiting = Waiting("TT_EVSE_match_session", now_s, max(left_s, 0.0))

    def _take_validation(self, now_s: float, source: bytes, message: ValidateReq) -> list[Action]:
        sessions = (s for s in self._sessions.values() if s.ev_mac == source and s.report is not None)
        session = next(sessions, None)
        if session is None or session.step == "counting":
            return []
        if self._pilot_pulses is None:
            return [Send(source, ValidateCnf(0, NOT_REQUIRED))]
        if not session.edges:
            session.edges = self._pilot_pulses() + 1
            return [Send(source, ValidateCnf(0, READY))]
        # Counted since the charger said it was ready: a vehicle may toggle before its request is here.
        session.step = "counting"
        limit_s = 0.1 * (message.timer + 1)
        session.waiting = Waiting("TT_EVSE_vald_toggle", now_s, limit_s)
        return []

    def _count(self, now_s: float, session: _Session) -> list[Action]:
        assert self._pilot_pulses is not None  # noqa: S101 -- the step says so
        seen = min(self._pilot_pulses() + 1 - session.edges, 255)
        session.step, session.edges = "reported", 0
        session.validated = seen > 0
        self._await_match(now_s, session)
        return [Send(session.ev_mac, ValidateCnf(seen, SUCCESS if seen else _FAILURE))]

    def _take_match(self, source: bytes, session: _Session, message: SlacMatchReq) -> list[Action]:
        ours = message.evse_mac == self.mac and message.pev_mac == source
        if not ours or session.report is None or not self._key_set:
            return []
        own, ids = session.report, (message.pev_id, self._evse_id)
        confirm = SlacMatchCnf(source, self.mac, session.run_id, self._nid, self._nmk, *ids)
        if self.outcome is None:
            report = read_report(self.mac, own.num_sounds, own.groups, self.rules)
            self.end(
                Match(
                    source,
                    self.mac,
                    session.run_id,
                    report.attenuation,
                    report.no_attenuation,
                    report.level,
                    own.groups,
                    (),
                    session.validated,
                    self._nid,
                    self._nmk,
                    tuple(self.notes),
                )
            )
        return [Send(source, confirm)]

    def _expire(self, now_s: float, key: tuple[bytes, bytes], session: _Session) -> list[Action]:
        if session.step == "listening" and session.profiles:
            return self._report(now_s, session)
        if session.step == "counting":
            return self._count(now_s, session)
        retry = session.step == "reported" and not session.acknowledged and session.report is not None
        if retry and session.tries <= self.rules.number("C_EV_match_retry"):
            session.tries += 1
            session.waiting = Waiting("TT_match_response", now_s, self.rules.time_s("TT_match_response"))
            assert session.report is not None  # noqa: S101 -- just asked
            return [Send(session.ev_mac, session.report)]
        del self._sessions[key]
        cause = "no_sounds" if session.step == "listening" else "sequence"
        told = f"{mac_text(session.ev_mac)}, {len(session.sounds)} sounds heard, step {session.step!r}"
        timer = session.waiting.timer
        required = f"the next message within {timer}"
        self.failures.append(self.rules.failed(cause, told, required, timer))
        return []

    def _give_up(self) -> list[Action]:
        if not self._key_set:
            return self.end(self.rules.failed("set_key", "no answer", "CM_SET_KEY.CNF", "set_key"))
        if self.failures:
            return self.end(self.failures[-1])
        timer = "TT_EVSE_SLAC_init"
        required = f"CM_SLAC_PARM.REQ within {self.rules.time_s(timer):g} s"
        return self.end(self.rules.failed("no_request", "silence", required, timer))

    def _choose_timer(self) -> None:
        """The driver waits for the nearest of all timers."""
        timers = [s.waiting for s in self._sessions.values()]
        timers += [self._own] if self._own is not None else []
        self.waiting = min(timers, key=lambda w: w.since_s + w.limit_s, default=None)
