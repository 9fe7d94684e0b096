"""Why a session failed: cause, phase, message, remedy."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from v2glab.evidence import DeviceError
from v2glab.links.sessions._rules import SessionRules, load_session_rules

if TYPE_CHECKING:
    from v2glab.links.sessions._trace import Trace


class SessionPhase(StrEnum):
    """Where a session stood; after those of SLAC, SDP and TLS."""

    MESSAGE = "message"
    LOOP = "loop"


@dataclass(frozen=True)
class SessionCause:
    """Why a session ended early.

    ``name`` is the key in ``session.toml``; ``message`` the one at which it ended; ``end`` who noticed;
    ``response_code`` what the charger said; ``code`` the field code, empty where none exists.
    """

    name: str
    phase: SessionPhase
    message: str
    end: str
    text: str
    remedy: str
    evidence: tuple[str, ...] = ()
    response_code: str = ""
    code: str = ""


class SessionFailure(DeviceError):  # noqa: N818 -- an outcome of a session first of all
    """A session ended early; ``trace`` holds its messages."""

    def __init__(self, cause: SessionCause, trace: Trace | None = None) -> None:
        detail = f" ({'; '.join(cause.evidence)})" if cause.evidence else ""
        found = f"{cause.phase}, {cause.message}: {cause.text}{detail}"
        super().__init__(found, "a session that both ends carry through", cause.remedy)
        self.cause, self.trace = cause, trace


def failure(
    name: str,
    message: str,
    end: str,
    *evidence: str,
    trace: Trace | None = None,
    response_code: str = "",
    rules: SessionRules | None = None,
) -> SessionFailure:
    """Return the failure of that name, with its texts; the phase follows from the message."""
    cause = (rules or load_session_rules()).cause[name]
    phase = SessionPhase.LOOP if is_loop(message) else SessionPhase.MESSAGE
    told = tuple(e for e in evidence if e)
    return SessionFailure(
        SessionCause(name, phase, message, end, cause.text, cause.remedy, told, response_code, cause.code),
        trace,
    )


def is_loop(message: str) -> bool:
    """Whether a message belongs to the loop in which energy flows."""
    return message.startswith(("AC_ChargeLoop", "DC_ChargeLoop", "CurrentDemand", "ChargingStatus"))
