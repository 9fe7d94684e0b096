"""A line without sockets or clocks: laws hear each other, times are exact."""

import heapq
import random
from itertools import count

from v2glab.links.slac import (
    BROADCAST,
    AttenProfileInd,
    Match,
    MnbcSoundInd,
    Send,
    SetKeyCnf,
    SetKeyReq,
    SlacFailure,
    load_slac_rules,
    parse_mac,
)

RULES = load_slac_rules()
MODEM = parse_mac(RULES.key.modem)
EV, EVSE_A, EVSE_B = (parse_mac(f"02:00:00:00:00:{tail}") for tail in ("0e", "5a", "5b"))
#: One-way delay of every frame.
DELAY_S = 1e-3


def randbytes(seed):
    return random.Random(seed).randbytes


class Line:
    """Runs laws in simulated time.

    ``profiles`` gives what the charger of an address measures of a sound; None drops the report.
    ``lose(source, destination, message)`` tells which frames are lost. ``plugged`` is the charger whose
    control pilot the vehicle toggles.
    """

    def __init__(self, laws, profiles=None, lose=None, plugged=None, key_result=0):
        self.laws = {law.mac: law for law in laws}
        self.profiles = profiles or {}
        self.lose = lose or (lambda source, destination, message: False)
        self.plugged, self.key_result = plugged, key_result
        self.pulses = dict.fromkeys(self.laws, 0)
        self.sent = []
        self.now_s = 0.0
        self._mail, self._order = [], count()

    def run(self, until_s=60.0):
        """Run until every law has ended; return the outcomes by address."""
        for law in self.laws.values():
            self._act(law, law.start(0.0))
        while any(law.outcome is None for law in self.laws.values()):
            law_times = [
                (law.deadline_s, k)
                for k, law in enumerate(self.laws.values())
                if law.outcome is None and law.deadline_s is not None
            ]
            tick = min(law_times, default=(float("inf"), 0))
            mail_s = self._mail[0][0] if self._mail else float("inf")
            self.now_s = min(tick[0], mail_s)
            if self.now_s > until_s:
                break
            if mail_s <= tick[0]:
                _, _, target, source, message = heapq.heappop(self._mail)
                law = self.laws[target]
                self._act(law, law.receive(self.now_s, source, message))
            else:
                law = list(self.laws.values())[tick[1]]
                self._act(law, law.tick(self.now_s))
        return {mac: law.outcome for mac, law in self.laws.items()}

    def _act(self, law, actions):
        for action in actions:
            if not isinstance(action, Send):
                if self.plugged is not None:
                    self.pulses[self.plugged] += action.count
                continue
            self.sent.append((self.now_s, law.mac, action.destination, action.message))
            if isinstance(action.message, SetKeyReq):
                if self.key_result is not None:
                    self._post(law.mac, MODEM, SetKeyCnf(self.key_result))
                continue
            for mac in self.laws:
                meant = action.destination in (mac, BROADCAST) and mac != law.mac
                if not meant or self.lose(law.mac, mac, action.message):
                    continue
                self._post(mac, law.mac, action.message)
                profile = self.profiles.get(mac)
                if isinstance(action.message, MnbcSoundInd) and profile is not None:
                    self._post(mac, MODEM, AttenProfileInd(law.mac, profile))

    def _post(self, target, source, message):
        heapq.heappush(self._mail, (self.now_s + DELAY_S, next(self._order), target, source, message))

    def names(self, mac):
        """Names of the messages that one end sent, in order."""
        return [message.NAME for _, source, _, message in self.sent if source == mac]


def matched(outcome):
    assert isinstance(outcome, Match), outcome
    return outcome


def failed(outcome):
    assert isinstance(outcome, SlacFailure), outcome
    return outcome
