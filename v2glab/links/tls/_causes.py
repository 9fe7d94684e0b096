"""Why a handshake failed: phase, whose certificate, cause and remedy."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from v2glab.evidence import DeviceError, InputError
from v2glab.links.pki import ChainFinding, check_profile, load_certificates, verify_chain
from v2glab.links.tls._context import TlsSettings
from v2glab.links.tls._rules import Phase, TlsRules
from v2glab.links.tls._timing import Timing
from v2glab.links.tls._watch import Watch

Whose = Literal["own", "peer", "none"]
#: Alerts that judge the certificate of whoever receives them (RFC 8446, 6.2).
OF_CERTIFICATES = frozenset({41, 42, 43, 44, 45, 46, 48, 51, 116})
_WANTS_ONE = frozenset({41, 42, 116})
# The ssl module does not name those of TLS 1.3.
_ALERT_NAMES = {109: "missing_extension", 116: "certificate_required", 120: "no_application_protocol"} | {
    a.value: a.name.removeprefix("ALERT_DESCRIPTION_").lower() for a in ssl.AlertDescription
}


def alert_name(alert: int) -> str:
    """Return the name of an alert (RFC 8446, 6.2)."""
    return _ALERT_NAMES.get(alert, "unknown")


@dataclass(frozen=True)
class TlsCause:
    """Why a connection did not come about.

    ``name`` is the cause's key in ``tls.toml``. ``whose`` tells whose certificate is at fault, seen from this
    end. ``findings`` is what verification of that chain gives. ``suspected`` stands where nobody said why.
    """

    name: str
    phase: Phase
    whose: Whose
    text: str
    remedy: str
    evidence: tuple[str, ...] = ()
    findings: tuple[ChainFinding, ...] = ()
    certainty: Literal["established", "suspected"] = "established"


class HandshakeError(DeviceError):
    """A connection that failed, with its cause and, where a negotiation had begun, its times."""

    def __init__(self, cause: TlsCause, timing: Timing | None = None) -> None:
        whose = "" if cause.whose == "none" else f", {cause.whose} certificate"
        found = f"{cause.phase}{whose}: {cause.text} ({'; '.join(cause.evidence)})"
        super().__init__(found, "a connection that both ends accept", cause.remedy)
        self.cause = cause
        self.timing = timing


def cause_of(
    name: str,
    rules: TlsRules,
    phase: Phase,
    whose: Whose = "none",
    evidence: Sequence[str] = (),
    findings: Sequence[ChainFinding] = (),
    *,
    suspected: bool = False,
) -> TlsCause:
    """Return a cause with its texts; the phase in the rules goes before the given one."""
    cause = rules.cause[name]
    told = tuple(evidence) + tuple(str(f) for f in findings)
    certainty: Literal["established", "suspected"] = "suspected" if suspected else "established"
    return TlsCause(
        name, cause.phase or phase, whose, cause.text, cause.remedy, told, tuple(findings), certainty
    )


def explain(error: BaseException, watch: Watch, settings: TlsSettings) -> TlsCause:
    """Return the cause of an error of the ssl module or of the socket, from what passed before it."""
    if watch.alert_read is not None:
        return _alerted(watch.alert_read, watch, settings)
    if isinstance(error, TimeoutError):
        return cause_of("timed-out", settings.rules, watch.awaited, evidence=[_last(watch)])
    if isinstance(error, ssl.SSLCertVerificationError):
        return _unverified(error, watch, settings)
    if isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError):
        return _failed(error, watch, settings.rules)
    evidence = [_last(watch), str(error)] if str(error) else [_last(watch)]
    phase = watch.awaited
    # A client of TLS 1.3 has finished before its certificate is judged: a cut there speaks against it.
    whose: Whose = "own" if phase is Phase.FINISHED and settings.shows else "none"
    return cause_of("closed", settings.rules, phase, whose, evidence, suspected=True)


def peer_findings(watch: Watch, settings: TlsSettings) -> tuple[ChainFinding, ...]:
    """Return what the vehicle link's own rules say of a chain whose signatures TLS has checked."""
    if not settings.expects:
        return ()
    try:
        shown = load_certificates(watch.shown)
    except InputError:
        return _own_check(watch.shown, settings)
    return tuple(
        check_profile(
            shown,
            settings.roots,
            datetime.now(UTC),
            edition=settings.edition,
            role=settings.expects,
            name=settings.peer_name,
        )
    )


def refused_profile(findings: Sequence[ChainFinding], rules: TlsRules) -> TlsCause:
    """Return the cause for a chain that holds, but is none that the edition allows."""
    name = _by_reason(findings, rules) or "wrong-kind"
    return cause_of(name, rules, Phase.CERTIFICATE, "peer", findings=findings)


def _alerted(alert: int, watch: Watch, settings: TlsSettings) -> TlsCause:
    rules = settings.rules
    evidence = [f"alert {alert} ({alert_name(alert)}) from the other end"]
    name = next((n for n, c in rules.cause.items() if alert in c.alerts), "internal")
    if alert not in OF_CERTIFICATES:
        phase = watch.awaited if name == "damaged-record" else watch.judged
        return cause_of(name, rules, phase, evidence=evidence)
    if not settings.shows and alert not in _WANTS_ONE:
        # Without a certificate of this end, the only signature left to refuse is that over what was said.
        return cause_of("finished-differs", rules, Phase.FINISHED, evidence=evidence)
    # An alert says little: the own check of the own chain often says more.
    findings = _of_own_chain(settings)
    better = _by_reason(findings, rules)
    return cause_of(better or name, rules, Phase.CERTIFICATE, "own", evidence, findings)


def _unverified(error: ssl.SSLCertVerificationError, watch: Watch, settings: TlsSettings) -> TlsCause:
    rules, evidence = settings.rules, [f"OpenSSL {error.verify_code}: {error.verify_message}"]
    coded = next((n for n, c in rules.cause.items() if error.verify_code in c.verify), "certificate-refused")
    findings = _own_check(watch.shown, settings)
    name = _by_reason(findings, rules) or coded
    return cause_of(name, rules, Phase.CERTIFICATE, "peer", evidence, findings)


def _failed(error: ssl.SSLError, watch: Watch, rules: TlsRules) -> TlsCause:
    reason = str(error.reason or error)
    name = next((n for n, c in rules.cause.items() if reason in c.errors), "internal")
    whose: Whose = "peer" if name in {"absent", "wrong-key"} else "none"
    # What cannot be decrypted was no message yet.
    phase = watch.awaited if name == "damaged-record" else watch.judged
    return cause_of(name, rules, phase, whose, [reason, _last(watch)])


def _own_check(shown: Sequence[bytes], settings: TlsSettings) -> tuple[ChainFinding, ...]:
    return verify_chain(
        shown,
        settings.roots,
        datetime.now(UTC),
        edition=settings.edition,
        role=settings.expects,
        name=settings.peer_name,
        revoked=settings.revoked,
    )


def _of_own_chain(settings: TlsSettings) -> tuple[ChainFinding, ...]:
    role = settings.shows
    if not role:
        return ()
    try:
        chain, roots = settings.files.load_chain(role), settings.files.load_roots(role)
    except InputError:
        return ()
    return verify_chain(chain, roots, datetime.now(UTC), edition=settings.edition, role=role)


def _by_reason(findings: Sequence[ChainFinding], rules: TlsRules) -> str:
    for finding in findings:
        for name, cause in rules.cause.items():
            if finding.reason in cause.reasons:
                return name
    return ""


def _last(watch: Watch) -> str:
    read = watch.read[-1] if watch.read else None
    return "no message came" if read is None else f"last message of type {read}"
