"""A TLS connection from its two directions: handshake as events, content in clear where a key log helps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from v2glab.links.capture._ciphers import Aead13, openers_12
from v2glab.links.capture._events import Event
from v2glab.links.capture._keylog import KeyLog
from v2glab.links.capture._records import ALERT, CHANGE, DATA, HANDSHAKE, Cutter, Record, Unlocker
from v2glab.links.capture._rules import load_suites
from v2glab.links.capture._tcp import Chunk
from v2glab.links.tls._causes import alert_name
from v2glab.links.tls._hello import (
    ServerHello,
    client_random,
    is_13,
    read_server_hello,
    version_name,
)
from v2glab.links.tls._watch import CERTIFICATE, FINISHED, HELLO_OF_CLIENT, HELLO_OF_SERVER, certificates_of

_KEY_UPDATE = 24
#: Names of handshake messages (RFC 8446, 4; RFC 5246, 7.4).
_NAMES = {
    0: "HelloRequest", 1: "ClientHello", 2: "ServerHello", 4: "NewSessionTicket", 5: "EndOfEarlyData",
    8: "EncryptedExtensions", 11: "Certificate", 12: "ServerKeyExchange", 13: "CertificateRequest",
    14: "ServerHelloDone", 15: "CertificateVerify", 16: "ClientKeyExchange", 20: "Finished",
    22: "CertificateStatus", 24: "KeyUpdate",
}  # fmt: skip
#: Longest handshake message that is put together, and events of one connection.
_LONGEST_MESSAGE, MOST_EVENTS = 1 << 18, 10_000
_LABELS = (
    ("CLIENT_HANDSHAKE_TRAFFIC_SECRET", "CLIENT_TRAFFIC_SECRET_0"),
    ("SERVER_HANDSHAKE_TRAFFIC_SECRET", "SERVER_TRAFFIC_SECRET_0"),
)


@dataclass(frozen=True)
class Plain:
    """Octets in clear of one direction; ``lost`` when some are missing before."""

    from_client: bool
    began_ns: int
    time_ns: int
    data: bytes
    lost: bool


class TlsReader:
    """Reads one connection; feed it chunks in the order of time.

    ``events`` collects the handshake; ``undeciphered`` counts records that stayed closed, ``reason`` says
    why, and ``hidden`` holds the first of them: handshake messages of TLS 1.3 may be among them.
    """

    def __init__(self, keys: KeyLog) -> None:
        self._keys = keys
        self._cutters = (Cutter(), Cutter())
        self._unlockers = (Unlocker(), Unlocker())
        self._parts = (bytearray(), bytearray())
        self._closed = [False, False]
        self._lost = [False, False]
        self._losses = [0, 0]
        self._random: bytes | None = None
        self.hello: ServerHello | None = None
        self.events: list[Event] = []
        self.hidden: list[Record] = []
        self.undeciphered = 0
        self.reason = ""

    @property
    def version(self) -> str:
        """Version as OpenSSL names it; empty before the ServerHello."""
        return version_name(self.hello.version) if self.hello else ""

    @property
    def suite(self) -> str:
        """Cipher suite by its IANA name."""
        if self.hello is None:
            return ""
        known = load_suites().get(self.hello.suite)
        return known.name if known else f"0x{self.hello.suite:04x}"

    @property
    def left_out(self) -> int:
        """Octets that belong to no whole record."""
        return sum(c.left_out + len(c.buffer) for c in self._cutters)

    def feed(self, chunk: Chunk) -> Iterator[Plain]:
        """Take what came; return what it holds in clear."""
        side = 0 if chunk.from_client else 1
        for record in self._cutters[side].feed(chunk):
            if self._cutters[side].losses != self._losses[side]:
                self._losses[side] = self._cutters[side].losses
                self._unlockers[side].doubtful = self._lost[side] = True
                self._parts[side].clear()
            yield from self._take(record, side)

    def _take(self, record: Record, side: int) -> Iterator[Plain]:
        kind, content = record.kind, record.payload
        if kind == CHANGE:
            # In TLS 1.3 it means nothing (RFC 8446, 5).
            if self.hello is None or not is_13(self.hello):
                self._closed[side] = True
            return
        if kind == DATA or self._closed[side]:
            opened = self._unlockers[side].open(record)
            if opened is None:
                self._hide(record)
                return
            kind, content = opened
        if kind == HANDSHAKE:
            self._join(record, side, content)
        elif kind == ALERT and len(content) == 2:
            self._note(record, f"alert {alert_name(content[1])}", alert=content[1])
        elif kind == DATA and content:
            lost, self._lost[side] = self._lost[side], False
            yield Plain(record.from_client, record.began_ns, record.time_ns, content, lost)

    def _hide(self, record: Record) -> None:
        self.undeciphered += 1
        if len(self.hidden) < MOST_EVENTS:
            self.hidden.append(record)
        if not self.reason:
            self.reason = self._why()

    def _why(self) -> str:
        if self._random is None or self.hello is None:
            return "the capture does not hold the whole handshake"
        if self.hello.suite not in load_suites():
            return f"cipher suite 0x{self.hello.suite:04x} is none that is read here"
        if not self._keys.of(self._random):
            return f"no keys for client random {self._random.hex()[:16]}…"
        return "the keys do not open the records"

    def _join(self, record: Record, side: int, content: bytes) -> None:
        parts = self._parts[side]
        parts += content
        while len(parts) >= 4:
            end = 4 + int.from_bytes(parts[1:4], "big")
            if end > _LONGEST_MESSAGE:
                self._note(record, "damaged", f"a handshake message of {end} octets")
                parts.clear()
            if end > len(parts):
                return
            message = bytes(parts[:end])
            del parts[:end]
            self._message(record, side, message)

    def _message(self, record: Record, side: int, message: bytes) -> None:
        kind, text, shown = message[0], "", tuple[bytes, ...]()
        if kind == HELLO_OF_CLIENT and side == 0:
            self._random = client_random(message)
        elif kind == HELLO_OF_SERVER and side == 1:
            text = self._choose(message)
        elif kind == CERTIFICATE:
            with_context = self.hello is not None and is_13(self.hello)
            shown = tuple(certificates_of(message, with_context=with_context))
            text = _subjects(shown)
        name = _NAMES.get(kind, f"handshake message {kind}")
        self._note(record, name, text, certificates=shown, kind=kind)
        if kind == FINISHED and self.hello is not None and is_13(self.hello):
            self._unlockers[side].next_key()
        elif kind == _KEY_UPDATE:
            self._unlockers[side].update()

    def _choose(self, message: bytes) -> str:
        hello = read_server_hello(message)
        if hello is None:
            return "damaged"
        if hello.retry:
            return "asks for another ClientHello"
        self.hello = hello
        self._unlock(hello)
        return f"{self.version}, {self.suite}"

    def _unlock(self, hello: ServerHello) -> None:
        suite, secrets = load_suites().get(hello.suite), self._keys.of(self._random or b"")
        if suite is None or (suite.version == "TLSv1.3") != is_13(hello):
            return
        if is_13(hello):
            for side, labels in enumerate(_LABELS):
                known = [secrets[label] for label in labels if label in secrets]
                self._unlockers[side].openers[:] = [Aead13(suite, secret) for secret in known]
            return
        master = secrets.get("CLIENT_RANDOM")
        if master is not None and self._random is not None:
            randoms = (self._random, hello.random)
            pair = openers_12(suite, master, randoms, mac_behind=hello.mac_behind)
            for side, opener in enumerate(pair):
                self._unlockers[side].openers[:] = [opener]

    def _note(
        self,
        record: Record,
        name: str,
        text: str = "",
        *,
        certificates: tuple[bytes, ...] = (),
        alert: int | None = None,
        kind: int | None = None,
    ) -> None:
        if len(self.events) < MOST_EVENTS:
            self.events.append(
                Event(
                    record.time_ns,
                    "evcc" if record.from_client else "secc",
                    "TLS",
                    name,
                    text,
                    record.began_ns,
                    certificates,
                    alert,
                    kind,
                )
            )


def _subjects(certificates: tuple[bytes, ...]) -> str:
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm

    names = []
    for data in certificates[:8]:
        try:
            names.append(x509.load_der_x509_certificate(data).subject.rfc4514_string())
        except (ValueError, TypeError, x509.InvalidVersion, UnsupportedAlgorithm):
            names.append("unreadable")
    return "; ".join(names) if names else "none"
