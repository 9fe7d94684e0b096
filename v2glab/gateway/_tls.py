"""TLS 1.3 with certificates on both sides, and the reason when a handshake fails (RFC 8446)."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from v2glab.evidence import InputError
from v2glab.gateway._pki import PkiPaths


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a connection did not come about.

    ``about`` says what was refused: the certificate of one end, the TLS version, or something else, such as a
    port scan that spoke no TLS at all.
    """

    reason: str
    about: Literal["station", "gateway", "version", "other"]


def server_context(pki: PkiPaths, on_reject: Callable[[Refusal], None]) -> ssl.SSLContext:
    """Return the gateway's context.

    Parameters
    ----------
    on_reject
        Called for each handshake that fails.

    Raises
    ------
    InputError
        Certificates or key cannot be used.
    """
    context = _context(pki, "gateway", server=True)
    context.sslobject_class = _judging(lambda error: on_reject(Refusal(tls_reason(error), _about(error))))
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def client_context(
    pki: PkiPaths, role: str = "station", on_alert: Callable[[ssl.SSLError], None] | None = None
) -> ssl.SSLContext:
    """Return the charging station's context; it checks the gateway's name.

    Parameters
    ----------
    on_alert
        Called when the handshake fails, here or at the other end. A TLS 1.3 client finishes its handshake
        before the server has judged its certificate: the alert comes with the first read.

    Raises
    ------
    InputError
        Certificates or key cannot be used.
    """
    context = _context(pki, role, server=False)
    if on_alert is not None:
        context.sslobject_class = _listening(on_alert)
    return context


def tls_reason(error: BaseException) -> str:
    """Return the reason of a failed handshake in plain words, such as ``"certificate has expired"``."""
    if isinstance(error, ssl.SSLCertVerificationError) and error.verify_message:
        return str(error.verify_message)
    reason = getattr(error, "reason", None)
    if not reason:
        return str(error)
    # OpenSSL names an alert after the version that brought it in, such as SSLV3_ALERT_CERTIFICATE_EXPIRED.
    return re.sub(r"^(ssl|tls)v[0-9]+ alert ", "", str(reason).lower().replace("_", " "))


def _about(error: ssl.SSLError) -> Literal["station", "gateway", "version", "other"]:
    """Say what a failed handshake of the server was about (alerts: RFC 8446, 6.2)."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return "station"
    reason = str(error.reason or "")
    if reason in _NO_VERSION:
        return "version"
    if reason == "PEER_DID_NOT_RETURN_A_CERTIFICATE":
        return "station"
    # An alert comes from the station, which judged the gateway's certificate.
    alert = "_ALERT_" in reason and ("CERTIFICATE" in reason or reason.endswith("UNKNOWN_CA"))
    return "gateway" if alert else "other"


_NO_VERSION = frozenset({"UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION"})


def common_name(certificate: dict[str, Any]) -> str:
    """Return the common name of a peer certificate as ``getpeercert`` gives it; empty without one."""
    for entry in certificate.get("subject", ()):
        for key, value in entry:
            if key == "commonName":
                return str(value)
    return ""


def _judging(tell: Callable[[ssl.SSLError], None]) -> type[ssl.SSLObject]:
    """Return a TLS object that tells why a handshake failed, and lets the alert reach the other end.

    asyncio drops the connection at once: the alert that OpenSSL has made stays behind, and the other end sees
    no reason. "Want read" makes asyncio send it first; then the other end closes, or the handshake times out.
    """

    class Judging(ssl.SSLObject):
        failure: ssl.SSLError | None = None

        def do_handshake(self) -> None:
            if self.failure is not None:
                raise self.failure
            try:
                super().do_handshake()
            except _USUAL:
                raise
            except ssl.SSLError as error:
                self.failure = error
                tell(error)
                raise ssl.SSLWantReadError("the alert goes out first") from error

    return Judging


def _listening(tell: Callable[[ssl.SSLError], None]) -> type[ssl.SSLObject]:
    """Return a TLS object that tells of alerts, in the handshake or at a later read."""

    class Listening(ssl.SSLObject):
        def do_handshake(self) -> None:
            with _told(tell):
                super().do_handshake()

        def read(self, len: int = 1024, buffer: Any = None) -> Any:  # noqa: ANN401 -- as the base has it
            with _told(tell):
                return super().read(len) if buffer is None else super().read(len, buffer)

    return Listening


_USUAL = (
    ssl.SSLWantReadError,
    ssl.SSLWantWriteError,
    ssl.SSLZeroReturnError,
    ssl.SSLEOFError,
    ssl.SSLSyscallError,
)


@contextmanager
def _told(tell: Callable[[ssl.SSLError], None]) -> Iterator[None]:
    try:
        yield
    except _USUAL:
        raise
    except ssl.SSLError as error:
        tell(error)
        raise


def _context(pki: PkiPaths, role: str, *, server: bool) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    try:
        context.load_cert_chain(pki.certificate(role), pki.key(role))
        context.load_verify_locations(pki.ca)
    except (OSError, ssl.SSLError) as error:
        raise InputError(
            f"certificates of the {role} in {pki.folder}: {error}",
            f"ca.pem, {role}.pem and {role}.key that belong together",
            "make them again with the PKI of the gateway",
        ) from error
    return context
