"""Frames and messages out of the octets of both directions: one record a message, as its sender has it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from v2glab.evidence import InputError
from v2glab.links._v2gtp import V2gtpError, V2gtpFrame, V2gtpFramer, codes, payload_name, payload_type_of
from v2glab.links.capture._tls import Plain
from v2glab.links.sessions._message import Body, Message, payload_types, read_message
from v2glab.links.sessions._rules import SAP_NAMESPACE, Protocol, SessionRules, load_session_rules
from v2glab.links.sessions._trace import End, MessageRecord, Trace

_AGREE_REQ, _AGREE_RES = "supportedAppProtocolReq", "supportedAppProtocolRes"
#: Faults that are kept of one connection.
_MOST_NOTES = 1000
#: Messages of one connection whose content is kept; of refusals it is kept beyond.
MOST_BODIES = 2000


@dataclass
class _Way:
    framer: V2gtpFramer = field(default_factory=V2gtpFramer)
    began_ns: int = 0
    astray: bool = False


class Dialogue:
    """Reads the messages of one connection; feed it octets in the order of time.

    ``protocol_name`` is what the ends agreed on; ``guessed`` when the capture does not hold the agreement and
    it was told from the messages. ``notes`` are faults of the stream, with who sent them. ``bodies`` holds
    content by the place of its record.
    """

    def __init__(self, rules: SessionRules | None = None) -> None:
        self._rules = rules or load_session_rules()
        self._ways = (_Way(), _Way())
        self._offers: dict[int, str] = {}
        self._asked: tuple[str, int] | None = None
        self.trace = Trace()
        self.protocol: Protocol | None = None
        self.protocol_name = ""
        self.guessed = False
        self.frames = 0
        self.notes: list[str] = []
        self.bodies: dict[int, Body] = {}

    @property
    def unanswered(self) -> tuple[str, int] | None:
        """The last request and its time, when no answer followed."""
        return self._asked

    @property
    def pending(self) -> int:
        """Octets of frames that never became whole."""
        return sum(w.framer.pending for w in self._ways)

    def feed(self, plain: Plain) -> None:
        """Take octets of one direction."""
        way = self._ways[0 if plain.from_client else 1]
        if plain.lost:
            self._tell(plain, f"octets are missing, {way.framer.pending} octets of a frame are left out")
            way.framer, way.astray = V2gtpFramer(), True
        if way.astray:
            if not begins_frame(plain.data):
                return
            way.astray = False
        if not way.framer.pending:
            way.began_ns = plain.began_ns
        for frame in self._cut(way, plain):
            self._take(frame, plain, way.began_ns)
            way.began_ns = plain.began_ns

    def _cut(self, way: _Way, plain: Plain) -> Iterable[V2gtpFrame]:
        try:
            return way.framer.feed(plain.data)
        except V2gtpError as error:
            self._tell(plain, error.found)
            way.framer, way.astray = V2gtpFramer(), True
            return ()

    def _take(self, frame: V2gtpFrame, plain: Plain, began_ns: int) -> None:
        self.frames += 1
        end: End = "evcc" if plain.from_client else "secc"
        record = MessageRecord(
            plain.time_ns,
            end,
            "tx",
            "?",
            self.protocol_name,
            octets=8 + len(frame.payload),
            wire_s=(plain.time_ns - began_ns) / 1e9,
            payload_type=frame.payload_type,
        )
        try:
            message = self._read(frame)
        except InputError as error:
            record.note = error.found
            if self._asked is not None and end == "secc":
                self._time(record, plain.time_ns)
        else:
            self._follow(record, message)
            self._keep(message)
        self.trace.add(record)

    def _follow(self, record: MessageRecord, message: Message) -> None:
        record.name, record.session_id = message.name, message.session_id
        record.response_code, record.protocol = message.response_code, self.protocol_name
        if message.name.endswith("Req"):
            self._asked = (message.name, record.time_ns)
        elif self._asked is not None:
            self._time(record, record.time_ns)
        if message.name == _AGREE_REQ:
            self._forget()
            record.protocol = ""
            for offer in message.body.get("AppProtocol", ()):
                self._offers[offer["SchemaID"]] = offer["ProtocolNamespace"]
        elif message.name == _AGREE_RES:
            record.protocol = ""
            self._agree(record, message)

    def _keep(self, message: Message) -> None:
        refused = message.response_code.startswith("FAILED") and len(self.bodies) < 2 * MOST_BODIES
        if len(self.bodies) < MOST_BODIES or refused:
            self.bodies[len(self.trace.records)] = message.body

    def _time(self, record: MessageRecord, now_ns: int) -> None:
        """Time an answer by its request: what the charger may take is the limit."""
        assert self._asked is not None  # noqa: S101 -- the callers have looked
        name, asked_ns = self._asked
        self._asked = None
        limits = self._rules.limits[self.protocol.limits if self.protocol else "sap"]
        record.answer_s, record.limit_s = (now_ns - asked_ns) / 1e9, limits.served_s(name)

    def _forget(self) -> None:
        self.protocol, self.protocol_name, self.guessed = None, "", False
        self._offers = {}

    def _agree(self, record: MessageRecord, message: Message) -> None:
        if not message.response_code.startswith("OK"):
            return
        namespace = self._offers.get(message.body.get("SchemaID", -1))
        chosen = next((n for n, p in self._rules.protocol.items() if namespace in p.offers), None)
        if chosen is None:
            record.note = f"agreed on {namespace or 'what was not offered'}, which is not read here"
            return
        self.protocol, self.protocol_name = self._rules.protocol[chosen], chosen

    def _read(self, frame: V2gtpFrame) -> Message:
        """Read a message of the agreed protocol; an agreement may begin anew at any time.

        Raises
        ------
        InputError
            It is none.
        """
        if self.protocol is None:
            return self._read_first(frame)
        if frame.payload_type in payload_types(self.protocol):
            try:
                return read_message(frame.payload_type, frame.payload, self.protocol)
            except InputError:
                if frame.payload_type == payload_type_of(SAP_NAMESPACE):
                    again = _read_or_none(frame, None)
                    if again is not None:
                        return again
                raise
        if frame.payload_type == payload_type_of(SAP_NAMESPACE):
            return read_message(frame.payload_type, frame.payload, None)
        if self.guessed:
            return self._read_first(frame)
        raise _of_no_protocol(frame)

    def _read_first(self, frame: V2gtpFrame) -> Message:
        """Read a message before an agreement, or of one that the capture does not hold."""
        if frame.payload_type == payload_type_of(SAP_NAMESPACE):
            try:
                return read_message(frame.payload_type, frame.payload, None)
            except InputError as error:
                first = error
        else:
            first = _of_no_protocol(frame)
        # A document of one may by chance be one of another: the most frequent goes first.
        for name in ("iso2", "din", *self._rules.protocol):
            protocol = self._rules.protocol.get(name)
            if protocol is None or frame.payload_type not in payload_types(protocol):
                continue
            found = _read_or_none(frame, protocol)
            if found is not None:
                self.protocol, self.protocol_name, self.guessed = protocol, name, True
                return found
        raise first

    def _tell(self, plain: Plain, text: str) -> None:
        if len(self.notes) < _MOST_NOTES:
            self.notes.append(f"{'vehicle' if plain.from_client else 'charger'}: {text}")


def begins_frame(data: bytes) -> bool:
    """Whether octets begin as a V2GTP frame does."""
    table = codes()
    return data[:2] == bytes((table["version"], table["inverse"]))[: max(len(data), 1)]


def _read_or_none(frame: V2gtpFrame, protocol: Protocol | None) -> Message | None:
    try:
        return read_message(frame.payload_type, frame.payload, protocol)
    except InputError:
        return None


def _of_no_protocol(frame: V2gtpFrame) -> V2gtpError:
    known = payload_name(frame.payload_type) or "unknown"
    found = f"payload type 0x{frame.payload_type:04X} ({known})"
    return V2gtpError(found, "a type of the agreed protocol")
