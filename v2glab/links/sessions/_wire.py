"""Messages over a connection: frames in, messages out, and a record of each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol as Shape

from v2glab.links._v2gtp import V2gtpError, V2gtpFrame, V2gtpFramer, build_v2gtp
from v2glab.links.exi import ExiError
from v2glab.links.sessions._failure import SessionFailure, failure
from v2glab.links.sessions._message import Message, payload_types, read_message, write_message
from v2glab.links.sessions._rules import Protocol, SessionRules, load_session_rules
from v2glab.links.sessions._trace import End, MessageRecord, Trace, now_ns

#: Seconds between two questions to the kernel for the round trip.
_WAY_EVERY_S = 0.25


class Stream(Shape):
    """What messages travel on: a plain or TLS connection of ``v2glab.links.tls``."""

    @property
    def round_trip_s(self) -> float | None:
        """Round trip of TCP, seconds."""

    async def read(self) -> bytes:
        """Return what came; empty at the end."""

    async def write(self, data: bytes) -> None:
        """Send."""

    async def close(self) -> None:
        """End the connection."""


@dataclass(frozen=True)
class Parcel:
    """Octets to send ``after_s`` seconds; ``close`` ends the connection after them."""

    octets: bytes
    after_s: float = 0.0
    close: bool = False


class Tamper(Shape):
    """Spoils what one end sends, to see what the other makes of it."""

    def message(self, message: Message) -> Message | None:
        """Return what to send instead; None to send nothing."""

    def octets(self, message: Message, octets: bytes) -> Sequence[Parcel]:
        """Return what to put on the wire instead of a frame."""


class MessageLink:
    """One end of a connection that carries messages.

    ``protocol`` and ``protocol_name`` are set when the ends have agreed; until then only supportedAppProtocol
    passes.
    """

    def __init__(
        self,
        stream: Stream,
        end: End,
        trace: Trace | None = None,
        *,
        tamper: Tamper | None = None,
        rules: SessionRules | None = None,
    ) -> None:
        self._stream, self.end = stream, end
        self.trace = trace if trace is not None else Trace()
        self.rules = rules or load_session_rules()
        self._tamper, self._framer, self._waiting = tamper, V2gtpFramer(), list[V2gtpFrame]()
        self.protocol: Protocol | None = None
        self.protocol_name = ""
        self._sent_at = self._came_at = self._free_at = time.perf_counter()
        self._ask_way_at = 0.0
        self._way_s: float | None = None
        self._closed = False

    @property
    def stream(self) -> Stream:
        """What the messages travel on."""
        return self._stream

    def agree(self, name: str) -> Protocol:
        """Go on in a protocol, and return it."""
        protocol = self.rules.of_protocol(name)
        self.protocol, self.protocol_name = protocol, name
        return protocol

    async def send(self, message: Message, *, limit_s: float | None = None) -> None:
        """Send a message; ``limit_s`` is the charger's performance time, for the record.

        Raises
        ------
        ExiError
            The message does not fit its table; nothing was sent.
        SessionFailure
            The connection is closed.
        """
        began = time.perf_counter()
        spoilt = self._tamper.message(message) if self._tamper else message
        if spoilt is None:
            return
        payload_type, document = write_message(spoilt, self.protocol, int(time.time()))
        octets = build_v2gtp(V2gtpFrame(payload_type, document))
        encoded = time.perf_counter()
        record = self._record("tx", spoilt, payload_type, len(octets))
        try:
            await self._put(spoilt, octets)
        except (ConnectionError, OSError) as error:
            raise failure("closed", message.name, self.end, str(error), trace=self.trace) from error
        self._sent_at = time.perf_counter()
        record.decide_s, record.encode_s = began - self._free_at, encoded - began
        record.wire_s = self._sent_at - encoded
        if self.end == "secc":
            record.answer_s, record.limit_s = self._sent_at - self._came_at, limit_s
        self.trace.add(record)

    async def receive(self, timeout_s: float, awaited: str) -> Message:
        """Wait for a message.

        Parameters
        ----------
        awaited
            What the other end should send, for the failure's text.

        Raises
        ------
        SessionFailure
            Nothing came in time, the connection ended, or what came is no message of the protocol.
        HandshakeError
            The other end refused this end's certificate after the handshake.
        """
        frame = await self._frame(timeout_s, awaited)
        self._came_at = time.perf_counter()
        record = self._record("rx", Message("?", {}), frame.payload_type, 8 + len(frame.payload))
        try:
            message = self._read(frame, awaited)
        except SessionFailure as error:
            record.note = error.found
            self.trace.add(record)
            raise
        self._free_at = time.perf_counter()
        record.name, record.session_id = message.name, message.session_id
        record.response_code = message.response_code
        record.decode_s = self._free_at - self._came_at
        record.wire_s = self._one_way()
        if self.end == "evcc":
            record.answer_s, record.limit_s = self._came_at - self._sent_at, timeout_s
        self.trace.add(record)
        return message

    def _one_way(self) -> float | None:
        # The kernel smooths it over many segments: asking once in a while is enough.
        if self._came_at >= self._ask_way_at:
            self._ask_way_at = self._came_at + _WAY_EVERY_S
            way = self._stream.round_trip_s
            self._way_s = way / 2 if way is not None else None
        return self._way_s

    async def close(self) -> None:
        """End the connection; twice does no harm."""
        if not self._closed:
            self._closed = True
            await self._stream.close()

    async def _put(self, message: Message, octets: bytes) -> None:
        if self._tamper is None:
            await self._stream.write(octets)
            return
        for parcel in self._tamper.octets(message, octets):
            if parcel.after_s:
                await asyncio.sleep(parcel.after_s)
            if parcel.octets:
                await self._stream.write(parcel.octets)
            if parcel.close:
                await self.close()

    async def _frame(self, timeout_s: float, awaited: str) -> V2gtpFrame:
        try:
            async with asyncio.timeout(timeout_s):
                while not self._waiting:
                    data = await self._stream.read()
                    if not data:
                        rest = f"{self._framer.pending} octets of a frame" if self._framer.pending else ""
                        raise failure("closed", awaited, self.end, rest, trace=self.trace)
                    self._waiting += self._framer.feed(data)
        except TimeoutError as error:
            name = "no-answer" if self.end == "evcc" else "no-request"
            waited = f"waited {timeout_s:g} s"
            raise failure(name, awaited, self.end, waited, trace=self.trace) from error
        except OSError as error:
            raise failure("closed", awaited, self.end, str(error), trace=self.trace) from error
        except V2gtpError as error:
            raise failure("damaged-frame", awaited, self.end, error.found, trace=self.trace) from error
        return self._waiting.pop(0)

    def _read(self, frame: V2gtpFrame, awaited: str) -> Message:
        allowed = payload_types(self.protocol)
        if frame.payload_type not in allowed:
            text = f"0x{frame.payload_type:04X}, not {' or '.join(f'0x{t:04X}' for t in allowed)}"
            raise failure("wrong-payload-type", awaited, self.end, text, trace=self.trace)
        try:
            return read_message(frame.payload_type, frame.payload, self.protocol)
        except ExiError as error:
            raise failure("undecodable", awaited, self.end, error.found, trace=self.trace) from error

    def _record(self, direction: str, message: Message, payload_type: int, octets: int) -> MessageRecord:
        return MessageRecord(
            now_ns(),
            self.end,
            "tx" if direction == "tx" else "rx",
            message.name,
            self.protocol_name,
            message.session_id,
            message.response_code,
            octets,
            payload_type=payload_type,
        )
