"""One message as both ends see it: name, body, session identifier; how each protocol wraps it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from v2glab.links._v2gtp import payload_type_of
from v2glab.links.exi import ExiError, decode, encode, messages
from v2glab.links.sessions._rules import SAP_NAMESPACE, Protocol

Body = dict[str, Any]
#: Session identifier of a vehicle that asks for a new session.
NEW_SESSION = "0000000000000000"
_DC, _AC = "urn:iso:std:iso:15118:-20:DC", "urn:iso:std:iso:15118:-20:AC"
_COMMON = "urn:iso:std:iso:15118:-20:CommonMessages"


@dataclass(frozen=True)
class Message:
    """One message.

    Parameters
    ----------
    name
        Such as ``SessionSetupReq``.
    body
        Content without header; keys as in the message tables.
    session_id
        Hexadecimal; empty for supportedAppProtocol.
    signature
        XML Signature of the header, where the message carries one.
    notification
        Notification of the header (DIN and -2).
    """

    name: str
    body: Body
    session_id: str = ""
    signature: Body | None = None
    notification: Body | None = None

    @property
    def response_code(self) -> str:
        """Response code; empty for a request."""
        return str(self.body.get("ResponseCode", ""))


def namespace_of(name: str, protocol: Protocol | None) -> str:
    """Return the namespace of a message; without a protocol that of the agreement."""
    if protocol is None:
        return SAP_NAMESPACE
    if protocol.wrapping == "body":
        return protocol.namespaces[0]
    # Messages of an energy service carry its name in front (ISO 15118-20, 8.3).
    for start, namespace in (("DC_", _DC), ("AC_", _AC)):
        if name.startswith(start):
            return namespace
    return _COMMON


def write_message(message: Message, protocol: Protocol | None, time_s: int) -> tuple[int, bytes]:
    """Return payload type and EXI document of a message.

    Raises
    ------
    ExiError
        The body does not fit its message table.
    """
    namespace = namespace_of(message.name, protocol)
    document = _wrapped(message, protocol, time_s)
    root = "V2G_Message" if protocol is not None and protocol.wrapping == "body" else message.name
    return payload_type_of(namespace), encode(namespace, message.name, {root: document[root]})


def read_message(payload_type: int, data: bytes, protocol: Protocol | None) -> Message:
    """Read a payload as a message of the agreed protocol.

    Raises
    ------
    ExiError
        It is none. The payload type must have been checked with :func:`payload_types`.
    """
    name, document = decode(data, payload_types(protocol)[payload_type])
    return _unwrapped(name, document, protocol)


def payload_types(protocol: Protocol | None) -> dict[int, str]:
    """Return which payload types may come under a protocol, and the namespace of each."""
    if protocol is None:
        return {payload_type_of(SAP_NAMESPACE): SAP_NAMESPACE}
    return {payload_type_of(n): n for n in protocol.namespaces}


def known_messages(protocol: Protocol) -> tuple[str, ...]:
    """Return the names of all messages of a protocol."""
    return tuple(name for n in protocol.namespaces for name in messages(n))


def _wrapped(message: Message, protocol: Protocol | None, time_s: int) -> Body:
    if protocol is None:
        return {message.name: message.body}
    header: Body = {"SessionID": message.session_id}
    if protocol.wrapping == "flat":
        header["TimeStamp"] = time_s
    elif message.notification:
        header["Notification"] = message.notification
    if message.signature:
        header["Signature"] = message.signature
    if protocol.wrapping == "flat":
        return {message.name: {"Header": header, **message.body}}
    return {"V2G_Message": {"Header": header, "Body": {message.name: message.body}}}


def _unwrapped(name: str, document: Body, protocol: Protocol | None) -> Message:
    if protocol is None:
        return Message(name, document[name])
    if protocol.wrapping == "flat":
        content = dict(document[name])
        header = content.pop("Header")
    else:
        outer = document["V2G_Message"]
        header, content = outer["Header"], outer["Body"].get(name)
        if content is None:
            raise ExiError("an empty body", "a message", "V2G_Message/Body")
    return Message(
        name,
        content,
        str(header["SessionID"]),
        header.get("Signature"),
        header.get("Notification"),
    )
