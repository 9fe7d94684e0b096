"""Frames of OCPP-J: CALL, CALLRESULT and CALLERROR (OCPP 2.0.1, part 4, clause 4)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from v2glab.evidence import InputError

CALL, CALL_RESULT, CALL_ERROR = 2, 3, 4
#: Part 4, clause 4.1.4: message identities have at most 36 characters.
LONGEST_ID = 36
#: Longest text that is read, in characters. The standard leaves it to the implementation.
LONGEST_FRAME = 1 << 20
#: Longest error description (part 4, clause 4.2.3).
LONGEST_DESCRIPTION = 255
#: Identity in answers to a frame whose own could not be read.
NO_ID = "-1"


class ErrorCode(StrEnum):
    """Codes of a CALLERROR (part 4, clause 4.3)."""

    FORMAT_VIOLATION = "FormatViolation"
    GENERIC_ERROR = "GenericError"
    INTERNAL_ERROR = "InternalError"
    MESSAGE_TYPE_NOT_SUPPORTED = "MessageTypeNotSupported"
    NOT_IMPLEMENTED = "NotImplemented"
    NOT_SUPPORTED = "NotSupported"
    OCCURRENCE_CONSTRAINT = "OccurrenceConstraintViolation"
    PROPERTY_CONSTRAINT = "PropertyConstraintViolation"
    PROTOCOL_ERROR = "ProtocolError"
    RPC_FRAMEWORK_ERROR = "RpcFrameworkError"
    SECURITY_ERROR = "SecurityError"
    TYPE_CONSTRAINT = "TypeConstraintViolation"


class FrameError(InputError):
    """A frame or payload that OCPP does not allow; carries what a CALLERROR must say.

    ``answerable`` tells whether an answer is due: a bad CALLRESULT or CALLERROR is never answered.
    """

    def __init__(
        self, code: ErrorCode, description: str, message_id: str = NO_ID, *, answerable: bool = True
    ) -> None:
        super().__init__(f"OCPP frame: {description}", "a frame as OCPP 2.0.1 has it", "mend the sender")
        self.code, self.description, self.message_id = code, description, message_id
        self.answerable = answerable


@dataclass(frozen=True)
class Call:
    """A request: ``[2, id, action, payload]``."""

    message_id: str
    action: str
    payload: dict[str, Any]


@dataclass(frozen=True)
class CallResult:
    """An answer: ``[3, id, payload]``."""

    message_id: str
    payload: dict[str, Any]


@dataclass(frozen=True)
class CallError:
    """A refusal: ``[4, id, code, description, details]``."""

    message_id: str
    code: str
    description: str = ""
    details: dict[str, Any] = field(default_factory=dict)


Frame = Call | CallResult | CallError


def parse_frame(text: str | bytes) -> Frame:
    """Read one frame.

    Raises
    ------
    FrameError
        It is not a frame of OCPP-J; the error carries code and message identity of the answer.
    """
    import orjson

    if len(text) > LONGEST_FRAME:
        raise FrameError(ErrorCode.RPC_FRAMEWORK_ERROR, f"longer than {LONGEST_FRAME} characters")
    try:
        document = orjson.loads(text)
    except ValueError as error:
        raise FrameError(ErrorCode.RPC_FRAMEWORK_ERROR, f"not JSON: {error}") from error
    if not isinstance(document, list) or len(document) < 2:
        raise FrameError(ErrorCode.RPC_FRAMEWORK_ERROR, "not an array with message type and identity")
    kind, identity = document[0], document[1]
    if not isinstance(identity, str) or not 0 < len(identity) <= LONGEST_ID:
        raise FrameError(
            ErrorCode.RPC_FRAMEWORK_ERROR,
            f"message identity is not a text of 1 to {LONGEST_ID} characters",
            answerable=kind not in (CALL_RESULT, CALL_ERROR),
        )
    # `True == 1` and `2.0 == 2` in Python; the standard wants an integer.
    if type(kind) is not int or kind not in _READERS:
        raise FrameError(ErrorCode.MESSAGE_TYPE_NOT_SUPPORTED, f"message type {kind!r:.40}", identity)
    return _READERS[kind](identity, document)


def encode_frame(frame: Frame) -> str:
    """Return a frame as text.

    Raises
    ------
    FrameError
        The payload holds what JSON cannot (NaN, infinity, other objects).
    """
    import orjson

    document: list[Any]
    match frame:
        case Call():
            document = [CALL, frame.message_id, frame.action, frame.payload]
        case CallResult():
            document = [CALL_RESULT, frame.message_id, frame.payload]
        case CallError():
            description = frame.description[:LONGEST_DESCRIPTION]
            document = [CALL_ERROR, frame.message_id, str(frame.code), description, frame.details]
    try:
        text = orjson.dumps(document)
    except (TypeError, ValueError) as error:
        raise FrameError(ErrorCode.INTERNAL_ERROR, f"not JSON: {error}", frame.message_id) from error
    # orjson writes NaN and infinity as null; the search is only worth its time when there is a null.
    if b"null" in text and _has_no_number(document):
        raise FrameError(ErrorCode.INTERNAL_ERROR, "not JSON: a number that is not finite", frame.message_id)
    return text.decode()


def _has_no_number(node: Any) -> bool:  # noqa: ANN401 -- any part of a document
    """Return whether a NaN or an infinity stands anywhere below."""
    if isinstance(node, float):
        return not math.isfinite(node)
    if isinstance(node, dict):
        return any(map(_has_no_number, node.values()))
    return isinstance(node, list | tuple) and any(map(_has_no_number, node))


def _call(identity: str, document: list[Any]) -> Call:
    if len(document) != 4:
        raise FrameError(ErrorCode.RPC_FRAMEWORK_ERROR, "a CALL has four elements", identity)
    action, payload = document[2], document[3]
    if not isinstance(action, str) or not action:
        raise FrameError(ErrorCode.RPC_FRAMEWORK_ERROR, "the action is not a text", identity)
    if not isinstance(payload, dict):
        raise FrameError(ErrorCode.FORMAT_VIOLATION, "the payload is not an object", identity)
    return Call(identity, action, payload)


def _result(identity: str, document: list[Any]) -> CallResult:
    if len(document) != 3 or not isinstance(document[2], dict):
        raise FrameError(
            ErrorCode.RPC_FRAMEWORK_ERROR,
            "a CALLRESULT has three elements, the last an object",
            identity,
            answerable=False,
        )
    return CallResult(identity, document[2])


def _error(identity: str, document: list[Any]) -> CallError:
    good = len(document) == 5 and isinstance(document[2], str) and isinstance(document[3], str)
    if not good or not isinstance(document[4], dict):
        raise FrameError(
            ErrorCode.RPC_FRAMEWORK_ERROR,
            "a CALLERROR has five elements: code, description and an object",
            identity,
            answerable=False,
        )
    return CallError(identity, document[2], document[3], document[4])


_READERS: dict[int, Callable[[str, list[Any]], Frame]] = {
    CALL: _call,
    CALL_RESULT: _result,
    CALL_ERROR: _error,
}
