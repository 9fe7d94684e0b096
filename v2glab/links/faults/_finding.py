"""One finding for whatever kept a vehicle and a charger apart, from SLAC to the loop."""

from __future__ import annotations

from dataclasses import dataclass

from v2glab.evidence import V2GError
from v2glab.links.sdp import DiscoveryError
from v2glab.links.sessions import SessionFailure, load_session_rules
from v2glab.links.slac import SlacFailure
from v2glab.links.tls import HandshakeError, TlsStream, load_tls_rules, slow_finding


@dataclass(frozen=True)
class LinkFinding:
    """What went wrong on a vehicle link.

    Parameters
    ----------
    phase
        SLAC, SDP, TCP, TLS (the negotiation as a whole), ClientHello, certificate, CertificateVerify,
        Finished, message or loop.
    cause
        Its name in ``slac.toml``, ``tls.toml`` or ``session.toml``; of discovery ``not-found``, of a slow
        negotiation ``slow``.
    whose
        Whose certificate is at fault, seen from the end that noticed; empty where none is.
    message
        At which it ended, where messages had begun.
    response_code
        What the charger answered, where it did.
    mrec
        Minimum required error code of charging stations, empty where that list has none.
    code
        Field code of the workbench, empty where none exists.
    text, remedy
        In words.
    """

    phase: str
    cause: str
    whose: str
    message: str
    response_code: str
    mrec: str
    code: str
    text: str
    remedy: str


def explain_link(error: V2GError) -> LinkFinding | None:
    """Return the finding that an error of the vehicle link means; None for an error of something else."""
    if isinstance(error, SessionFailure):
        cause = error.cause
        mrec = load_session_rules().cause[cause.name].mrec
        return LinkFinding(
            cause.phase, cause.name, "", cause.message, cause.response_code, mrec, cause.code, error.found,
            error.remedy,
        )  # fmt: skip
    if isinstance(error, HandshakeError):
        found = error.cause
        whose = "" if found.whose == "none" else found.whose
        return LinkFinding(found.phase, found.name, whose, "", "", "", "", error.found, error.remedy)
    if isinstance(error, DiscoveryError):
        return LinkFinding("SDP", "not-found", "", "", "", "", "", error.found, error.remedy)
    if isinstance(error, SlacFailure):
        return LinkFinding("SLAC", error.cause, "", "", "", "", "", error.found, error.remedy)
    return None


def explain_slow(stream: object) -> LinkFinding | None:
    """Return ISO-15118-403 with its split when a connection took too long to negotiate; None otherwise."""
    timing = stream.timing if isinstance(stream, TlsStream) else None
    found = slow_finding(timing, load_tls_rules()) if timing else None
    if found is None:
        return None
    return LinkFinding("TLS", "slow", "", "", "", "", found.code, found.cause, found.remedy)
