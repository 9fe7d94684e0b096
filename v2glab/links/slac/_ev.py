"""The vehicle's side of SLAC: ask, sound, choose, validate, match, set the key (ISO 15118-3:2015, A.9)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from v2glab.evidence import UsageError
from v2glab.links.slac._error import SlacFailure
from v2glab.links.slac._frame import mac_text
from v2glab.links.slac._keys import nid_of
from v2glab.links.slac._law import Action, Law, Match, Send, Toggle
from v2glab.links.slac._messages import (
    BROADCAST,
    NO_ID,
    AttenCharInd,
    AttenCharRsp,
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
from v2glab.links.slac._profile import Report, ambiguity, choose, read_report
from v2glab.links.slac._rules import SlacRules

Phase = Literal["new", "asking", "sounding", "results", "ready", "toggling", "matching", "key", "done"]
#: Results of CM_VALIDATE.CNF (ISO 15118-3:2015, table A.6).
READY, SUCCESS, NOT_REQUIRED = 1, 2, 4
#: Pulses of a validation: the standard permits one to three.
MOST_PULSES = 3


class EvLaw(Law):
    """A vehicle that looks for its charger; one run.

    Parameters
    ----------
    rules
        Timers, counts and thresholds.
    mac
        The vehicle's address.
    modem
        Address at which the vehicle's own modem listens to its host.
    random
        Returns so many random bytes.
    pev_id
        Identity of the vehicle, 17 bytes.
    can_toggle
        The control pilot can be toggled, so that doubtful matches are validated.
    always_validate
        Validate every match, not only doubtful ones.

    Raises
    ------
    UsageError
        Every match is to be validated, but nothing can be toggled.
    """

    def __init__(
        self,
        rules: SlacRules,
        mac: bytes,
        modem: bytes,
        random: Callable[[int], bytes],
        *,
        pev_id: bytes = NO_ID,
        can_toggle: bool = False,
        always_validate: bool = False,
    ) -> None:
        super().__init__(rules, mac, modem)
        if always_validate and not can_toggle:
            found = "validation without a control pilot"
            raise UsageError(found, "a pilot that can be toggled", "hand one over, or do without validation")
        self.phase: Phase = "new"
        self.run_id = random(8)
        self._random, self._pev_id = random, pev_id
        self._can_toggle, self._always_validate = can_toggle, always_validate
        self._asked: dict[bytes, SlacParmCnf] = {}
        self._reports: dict[bytes, Report] = {}
        self._queue: list[Message] = []
        self._results_due_s = 0.0
        self._sounds_begun = False
        self._candidates: list[Report] = []
        self._validated = False
        self._pulses = 0
        self._tries = 0
        self._match: SlacMatchCnf | None = None

    def start(self, now_s: float) -> list[Action]:
        """Ask who is there."""
        self.phase, self._tries = "asking", 1
        self.wait("TT_match_response", now_s)
        return [Send(BROADCAST, SlacParmReq(self.run_id))]

    def receive(self, now_s: float, source: bytes, message: Message) -> list[Action]:
        """Take one message; what does not belong to this run is left alone."""
        if isinstance(message, SlacParmCnf):
            return self._take_answer(now_s, source, message)
        if isinstance(message, AttenCharInd):
            return self._take_report(now_s, source, message)
        if isinstance(message, ValidateCnf):
            return self._take_validation(now_s, source, message)
        if isinstance(message, SlacMatchCnf):
            return self._take_match(now_s, source, message)
        if isinstance(message, SetKeyCnf) and self.phase == "key":
            return self._take_key(message)
        return []

    def tick(self, now_s: float) -> list[Action]:
        """A timer ran out: send the next sound, ask again, or fail by name."""
        match self.phase:
            case "asking":
                actions = self._again(now_s, [Send(BROADCAST, SlacParmReq(self.run_id))], "no_answer")
            case "sounding":
                actions = self._sound(now_s)
            case "results":
                actions = self._decide(now_s)
            case "ready" | "toggling":
                actions = self._reject(now_s, "did not answer CM_VALIDATE.REQ")
            case "matching":
                actions = self._again(now_s, [self._match_request()], "no_match")
            case "key":
                failure = self.rules.failed("set_key", "no answer", "CM_SET_KEY.CNF", "set_key")
                actions = self.end(failure)
            case _:
                actions = []
        return actions

    def _take_answer(self, now_s: float, source: bytes, message: SlacParmCnf) -> list[Action]:
        ours = message.run_id == self.run_id and message.forwarding_sta == self.mac
        if not ours or self.phase not in ("asking", "sounding") or source in self._asked:
            return []
        if not 0 < message.num_sounds <= self.rules.number("most_sounds"):
            self.notes.append(f"{mac_text(source)} asks for {message.num_sounds} sounds: left out")
            return []
        if len(self._asked) >= self.rules.number("most_sessions"):
            self.notes.append(f"{mac_text(source)} is one charger too many: left out")
            return []
        self._asked[source] = message
        if self.phase == "sounding":
            return []
        return self._announce(now_s)

    def _announce(self, now_s: float) -> list[Action]:
        """Queue the announcements; the sounds follow when they are gone, for all that answered by then."""
        self.phase = "sounding"
        (first,) = self._asked.values()
        start = StartAttenCharInd(self.run_id, self.mac, first.num_sounds, first.timeout_100ms)
        self._queue = [start] * self.rules.number("C_EV_start_atten_char_inds")
        self._results_due_s = now_s + self.rules.time_s("TT_EV_atten_results")
        return self._sound(now_s)

    def _sound(self, now_s: float) -> list[Action]:
        if not self._queue and not self._sounds_begun:
            self._sounds_begun = True
            count = max(message.num_sounds for message in self._asked.values())
            self._queue = [
                MnbcSoundInd(self.run_id, left, self._random(16), self._pev_id)
                for left in range(count - 1, -1, -1)
            ]
        message = self._queue.pop(0)
        if self._queue or not self._sounds_begun:
            self.wait("TP_EV_batch_msg_interval", now_s)
        else:
            self.phase = "results"
            self.wait("TT_EV_atten_results", now_s, max(self._results_due_s - now_s, 0.0))
        return [Send(BROADCAST, message), *self._decide_early(now_s)]

    def _take_report(self, now_s: float, source: bytes, message: AttenCharInd) -> list[Action]:
        ours = message.run_id == self.run_id and message.source_address == self.mac
        if not ours or source not in self._asked:
            return []
        answer = AttenCharRsp(self.mac, self.run_id, 0, message.source_id, message.resp_id)
        actions: list[Action] = [Send(source, answer)]
        if self.phase in ("sounding", "results") and source not in self._reports:
            self._reports[source] = read_report(source, message.num_sounds, message.groups, self.rules)
        return actions + self._decide_early(now_s)

    def _decide_early(self, now_s: float) -> list[Action]:
        """Choose as soon as all that answered have reported."""
        complete = self.phase == "results" and self._reports.keys() == self._asked.keys()
        return self._decide(now_s) if complete else []

    def _decide(self, now_s: float) -> list[Action]:
        silent = [mac for mac in self._asked if mac not in self._reports]
        self.notes += [f"{mac_text(mac)} answered but reported nothing" for mac in silent]
        if not self._reports:
            told = f"{len(self._asked)} answered, none reported"
            timer = "TT_EV_atten_results"
            return self.end(self.rules.failed("no_results", told, f"a report within {timer}", timer))
        choice = choose(list(self._reports.values()), self.rules)
        if isinstance(choice, SlacFailure):
            return self.end(choice)
        if choice.doubtful and not self._can_toggle:
            return self.end(ambiguity(choice, self.rules))
        self._candidates = list(choice.candidates)
        if choice.doubtful or self._always_validate:
            return self._validate(now_s)
        return self._ask_match(now_s)

    def _validate(self, now_s: float) -> list[Action]:
        self.phase = "ready"
        self.wait("TT_match_response", now_s)
        return [Send(self._candidates[0].evse_mac, ValidateReq(timer=0))]

    def _take_validation(self, now_s: float, source: bytes, message: ValidateCnf) -> list[Action]:
        if self.phase not in ("ready", "toggling") or source != self._candidates[0].evse_mac:
            return []
        if self.phase == "ready" and message.result == READY:
            return self._toggle(now_s)
        if self.phase == "toggling" and message.result == SUCCESS and message.toggle_num == self._pulses:
            self._validated = True
            return self._ask_match(now_s)
        if self.phase == "ready" and message.result == NOT_REQUIRED and len(self._candidates) == 1:
            self.notes.append("the charger holds validation for unnecessary")
            return self._ask_match(now_s)
        told = f"result {message.result}, {message.toggle_num} toggles counted, {self._pulses} made"
        return self._reject(now_s, told)

    def _toggle(self, now_s: float) -> list[Action]:
        self.phase = "toggling"
        self._pulses = 1 + self._random(1)[0] % MOST_PULSES
        time_s = self.rules.time_s("TT_EVSE_vald_toggle")
        code = min(max(round(time_s * 10) - 1, 0), 255)
        limit_s = 0.1 * (code + 1) + self.rules.time_s("TT_match_response")
        self.wait("TT_EVSE_vald_toggle", now_s, limit_s)
        return [Send(self._candidates[0].evse_mac, ValidateReq(code)), Toggle(self._pulses, time_s)]

    def _reject(self, now_s: float, told: str) -> list[Action]:
        rejected = self._candidates.pop(0)
        self.notes.append(f"{mac_text(rejected.evse_mac)} is not the charger: {told}")
        if self._candidates:
            return self._validate(now_s)
        told = "; ".join(self.notes)
        return self.end(self.rules.failed("validation_failed", told, "a charger that counts the toggles"))

    def _ask_match(self, now_s: float) -> list[Action]:
        self.phase, self._tries = "matching", 1
        self.wait("TT_match_response", now_s)
        return [self._match_request()]

    def _match_request(self) -> Send:
        chosen = self._candidates[0].evse_mac
        return Send(chosen, SlacMatchReq(self.mac, chosen, self.run_id, self._pev_id))

    def _take_match(self, now_s: float, source: bytes, message: SlacMatchCnf) -> list[Action]:
        if self.phase != "matching" or source != self._candidates[0].evse_mac:
            return []
        ours = (message.run_id, message.pev_mac, message.evse_mac) == (self.run_id, self.mac, source)
        if not ours:
            self.notes.append(f"{mac_text(source)} confirmed a match of another run: left alone")
            return []
        if message.nid != nid_of(message.nmk):
            self.notes.append("the network identity does not follow from the key")
        self._match, self.phase = message, "key"
        self.wait("set_key", now_s)
        return [Send(self.modem, SetKeyReq(message.nid, message.nmk))]

    def _take_key(self, message: SetKeyCnf) -> list[Action]:
        if message.result not in self.rules.key.accepted_results:
            allowed = ", ".join(map(str, self.rules.key.accepted_results))
            return self.end(self.rules.failed("set_key", f"result {message.result}", f"one of {allowed}"))
        self.phase = "done"
        chosen, match = self._candidates[0], self._match
        assert match is not None  # noqa: S101 -- the phase says so
        others = tuple(r for mac, r in sorted(self._reports.items()) if mac != chosen.evse_mac)
        return self.end(
            Match(
                self.mac,
                chosen.evse_mac,
                self.run_id,
                chosen.attenuation,
                chosen.no_attenuation,
                chosen.level,
                chosen.groups_db,
                others,
                self._validated,
                match.nid,
                match.nmk,
                tuple(self.notes),
            )
        )

    def _again(self, now_s: float, actions: list[Action], cause: str) -> list[Action]:
        """Ask once more, or give up when the retries are used."""
        timer = "TT_match_response"
        if self._tries > self.rules.number("C_EV_match_retry"):
            told = f"{self._tries} requests without an answer"
            required = f"an answer within {timer}, {self.rules.time_s(timer):g} s"
            return self.end(self.rules.failed(cause, told, required, timer))
        self._tries += 1
        self.wait(timer, now_s)
        return actions
