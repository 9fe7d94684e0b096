"""What passes in a handshake, seen from inside: messages, alerts and the certificates of the other end."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field

from v2glab.links.tls._rules import Phase

_ALERT, _HANDSHAKE = 21, 22
# Types of handshake messages (RFC 8446, 4; RFC 5246, 7.4).
HELLO_OF_CLIENT, HELLO_OF_SERVER, TICKET = 1, 2, 4
EXTENSIONS, CERTIFICATE_REQUEST, HELLO_DONE, STATUS = 8, 13, 14, 22
CERTIFICATE, KEY_EXCHANGE, CERTIFICATE_VERIFY, KEY_OF_CLIENT, FINISHED = 11, 12, 15, 16, 20
_CLOSE_NOTIFY = 0
_PHASES = {
    CERTIFICATE: Phase.CERTIFICATE,
    # TLS 1.2: the server signs its part of the key exchange, as CertificateVerify does in 1.3.
    KEY_EXCHANGE: Phase.CERTIFICATE_VERIFY,
    KEY_OF_CLIENT: Phase.CERTIFICATE_VERIFY,
    CERTIFICATE_VERIFY: Phase.CERTIFICATE_VERIFY,
    FINISHED: Phase.FINISHED,
}
# What comes after a message; after all others, Finished does.
_NEXT = {
    HELLO_OF_SERVER: Phase.CERTIFICATE,
    EXTENSIONS: Phase.CERTIFICATE,
    CERTIFICATE_REQUEST: Phase.CERTIFICATE,
    CERTIFICATE: Phase.CERTIFICATE_VERIFY,
    STATUS: Phase.CERTIFICATE_VERIFY,
}


@dataclass
class Watch:
    """Messages of one handshake, in their order; alerts by number (RFC 8446, 6.2)."""

    read: list[int] = field(default_factory=list)
    written: list[int] = field(default_factory=list)
    alert_read: int | None = None
    alert_written: int | None = None
    shown: list[bytes] = field(default_factory=list)

    def note(self, direction: str, content: int, data: bytes, version: int) -> None:
        """Take one message as OpenSSL reports it."""
        if content == _ALERT and len(data) == 2 and data[1] != _CLOSE_NOTIFY:
            if direction == "read":
                self.alert_read = data[1]
            else:
                self.alert_written = data[1]
        elif content == _HANDSHAKE and data:
            (self.read if direction == "read" else self.written).append(data[0])
            if direction == "read" and data[0] == CERTIFICATE:
                self.shown = certificates_of(data, with_context=version >= ssl.TLSVersion.TLSv1_3)

    @property
    def judged(self) -> Phase:
        """Phase of the last message that came: the one at fault, when something was wrong with it."""
        last = next((m for m in reversed(self.read) if m in _PHASES), None)
        return Phase.CLIENT_HELLO if last is None else _PHASES[last]

    @property
    def awaited(self) -> Phase:
        """Phase of the message that is waited for: the one at fault when none came."""
        answered = {FINISHED, HELLO_DONE} & set(self.written)
        if not self.read or (self.read[-1] == HELLO_OF_CLIENT and not answered):
            return Phase.CLIENT_HELLO
        if self.read[-1] == HELLO_OF_CLIENT:
            return Phase.CERTIFICATE if CERTIFICATE_REQUEST in self.written else Phase.FINISHED
        return _NEXT.get(self.read[-1], Phase.FINISHED)


class WatchedObject(ssl.SSLObject):
    """A TLS object that keeps what passed."""

    watch: Watch


def watch_context(context: ssl.SSLContext) -> None:
    """Let a context report the messages of its objects.

    The hook of the ssl module is the only view into an encrypted handshake. Its Python side turns every
    number into an enumeration, which costs more than the rest: the C side is set directly.
    """
    context.sslobject_class = WatchedObject

    def heard(
        link: object,
        direction: str,
        version: int,
        content: int,
        kind: int,
        data: bytes,
    ) -> None:
        watch = getattr(link, "watch", None)
        if watch is not None and content in (_ALERT, _HANDSHAKE):
            watch.note(direction, int(content), data, int(version))

    ssl.SSLContext.__mro__[1].__dict__["_msg_callback"].__set__(context, heard)


def wrap(
    context: ssl.SSLContext, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, *, server: bool
) -> WatchedObject:
    """Return a watched TLS object over two buffers."""
    made = context.wrap_bio(incoming, outgoing, server_side=server)
    if not isinstance(made, WatchedObject):
        raise TypeError("the context was made elsewhere")
    made.watch = Watch()
    return made


def certificates_of(message: bytes, *, with_context: bool) -> list[bytes]:
    """Return the DER certificates of a Certificate message (RFC 8446, 4.4.2; RFC 5246, 7.4.2).

    What does not fit is left out: OpenSSL judges the message itself.

    Parameters
    ----------
    message
        With its header of four octets.
    with_context
        TLS 1.3: a request context stands before the list, and extensions follow each entry.
    """
    body = memoryview(message)[4:]
    if with_context:
        body = body[1 + body[0] :] if len(body) else body
    body, found = body[3:], []
    while len(body) >= 3:
        length = int.from_bytes(body[:3], "big")
        found.append(bytes(body[3 : 3 + length]))
        if len(found[-1]) != length:
            return found[:-1]
        body = body[3 + length :]
        if with_context:
            body = body[2 + int.from_bytes(body[:2], "big") :]
    return found
