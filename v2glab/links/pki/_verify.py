"""Whether a chain holds, and if not, which certificate is at fault and why (RFC 5280, 6.1; pki.toml)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

from v2glab.evidence import Confidence, InputError
from v2glab.links.pki._certificate import curve_name
from v2glab.links.pki._path import build_path
from v2glab.links.pki._rules import PkiRules, Profile, Reason, load_pki_rules

_KNOWN_CRITICAL = (x509.BasicConstraints, x509.KeyUsage, x509.ExtendedKeyUsage, x509.SubjectAlternativeName)
_MALFORMED = (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType)


@dataclass(frozen=True)
class ChainFinding:
    """What is wrong with one certificate of a chain.

    ``place`` counts from the leaf, which is 0. ``confidence`` is that of the rule: RFC 5280 is confirmed, the
    profiles of ISO 15118 are as sure as their source.
    """

    reason: Reason
    place: int
    subject: str
    detail: str
    confidence: Confidence = "confirmed"

    def __str__(self) -> str:
        return f"{self.subject}: {self.reason} ({self.detail})"


def load_certificates(shown: Sequence[bytes]) -> list[x509.Certificate]:
    """Read a chain as it came over the wire: DER, leaf first.

    Raises
    ------
    InputError
        One of them is no certificate.
    """
    read = []
    for index, data in enumerate(shown):
        try:
            certificate = x509.load_der_x509_certificate(data)
            # Parts are read on first use: names, key and extensions are what the checks look at.
            _ = (certificate.subject, certificate.issuer, certificate.extensions, certificate.public_key())
        except (*_MALFORMED, UnsupportedAlgorithm) as error:
            found = f"certificate {index} of the chain: {error}"
            raise InputError(found, "a DER certificate", "look at the other end's file") from error
        read.append(certificate)
    return read


def verify_chain(
    shown: Sequence[x509.Certificate | bytes],
    roots: Sequence[x509.Certificate],
    moment: datetime,
    *,
    edition: str,
    role: str,
    name: str = "",
    revoked: Sequence[x509.CertificateRevocationList] = (),
    rules: PkiRules | None = None,
) -> tuple[ChainFinding, ...]:
    """Return everything that is wrong with a chain, the gravest first; empty when it holds.

    Parameters
    ----------
    shown
        Leaf first, then sub-CAs; objects or DER.
    roots
        The trusted ones.
    role
        What the leaf must be, such as ``"secc"``.
    name
        Common name that the leaf must have; any when empty.
    revoked
        Lists of revoked certificates. One whose signature is not its issuer's counts for nothing.

    Raises
    ------
    InputError
        Edition or role is unknown.
    """
    rules = rules or load_pki_rules()
    rules.of_edition(edition), rules.of_role(role)
    if not shown:
        return (ChainFinding(Reason.ABSENT, 0, "", "no certificate was shown"),)
    if len(shown) > rules.longest_chain:
        detail = f"{len(shown)} certificates, at most {rules.longest_chain}"
        return (ChainFinding(Reason.TOO_LONG, 0, "", detail),)
    try:
        chain = [c if isinstance(c, x509.Certificate) else load_certificates([c])[0] for c in shown]
        path, broken = build_path(chain, roots)
        findings = [_finding(path, len(path) - 1, broken, _why(broken, path[-1]))] if broken else []
        findings += _revoked(path, revoked)
        findings += _check_path(path, moment, edition=edition, role=role, name=name, rules=rules)
    except InputError as error:
        return (ChainFinding(Reason.MALFORMED, 0, "", error.found),)
    except _MALFORMED as error:
        return (ChainFinding(Reason.MALFORMED, 0, "", str(error)),)
    order = list(Reason)
    return tuple(sorted(findings, key=lambda f: (order.index(f.reason), f.place)))


def check_profile(
    chain: Sequence[x509.Certificate],
    roots: Sequence[x509.Certificate],
    moment: datetime,
    *,
    edition: str,
    role: str,
    name: str = "",
    rules: PkiRules | None = None,
) -> list[ChainFinding]:
    """Return what is wrong with the certificates of a chain, signatures and revocation aside.

    For a chain whose signatures were checked already, as those of a finished handshake were.
    """
    path, _ = build_path(chain, roots, signatures=False)
    return _check_path(path, moment, edition=edition, role=role, name=name, rules=rules)


def _check_path(
    path: Sequence[x509.Certificate],
    moment: datetime,
    *,
    edition: str,
    role: str,
    name: str = "",
    rules: PkiRules | None = None,
) -> list[ChainFinding]:
    rules = rules or load_pki_rules()
    profile = rules.of_role(role)
    edition_rules = rules.of_edition(edition)
    found = []
    for place, certificate in enumerate(path):
        checks = [_dates(certificate, moment), _critical(certificate), _usage(certificate, place, profile)]
        checks += [_ca(certificate, place)] if place else []
        for reason, detail in (c for c in checks if c):
            found.append(_finding(path, place, reason, detail))
        curve = curve_name(certificate.public_key())
        if curve not in edition_rules.curves:
            detail = f"{curve}, {edition} has {', '.join(edition_rules.curves)}"
            found.append(_finding(path, place, Reason.WRONG_CURVE, detail, edition_rules.confidence))
    found += [
        _finding(path, 0, reason, detail, profile.confidence)
        for reason, detail in _leaf(path[0], profile, name)
    ]
    return found


def _finding(
    path: Sequence[x509.Certificate],
    place: int,
    reason: Reason,
    detail: str,
    confidence: Confidence = "confirmed",
) -> ChainFinding:
    return ChainFinding(reason, place, path[place].subject.rfc4514_string(), detail, confidence)


def _why(reason: Reason, certificate: x509.Certificate) -> str:
    issuer = certificate.issuer.rfc4514_string()
    return {
        Reason.SELF_SIGNED: "it is its own issuer and no trusted root",
        Reason.BAD_SIGNATURE: f"the signature is not of {issuer}",
    }.get(reason, f"{issuer} is neither shown nor trusted")


_Fault = tuple[Reason, str]


def _dates(certificate: x509.Certificate, moment: datetime) -> _Fault | None:
    if moment < certificate.not_valid_before_utc:
        return Reason.NOT_YET_VALID, f"not before {certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC"
    if moment > certificate.not_valid_after_utc:
        return Reason.EXPIRED, f"ended on {certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC"
    return None


def _critical(certificate: x509.Certificate) -> _Fault | None:
    for extension in certificate.extensions:
        if extension.critical and not isinstance(extension.value, _KNOWN_CRITICAL):
            return Reason.CRITICAL_EXTENSION, f"{extension.oid.dotted_string} is critical and unknown"
    return None


def _usage(certificate: x509.Certificate, place: int, profile: Profile) -> _Fault | None:
    needed = ("key_cert_sign",) if place else profile.usage
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return Reason.KEY_USAGE, f"none stated, needs {', '.join(needed)}"
    lacking = [name for name in needed if not getattr(usage, name)]
    return (Reason.KEY_USAGE, f"lacks {', '.join(lacking)}") if lacking else None


def _ca(certificate: x509.Certificate, place: int) -> _Fault | None:
    try:
        basic = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound:
        return Reason.NOT_A_CA, "says nothing of being a CA"
    if not basic.ca:
        return Reason.NOT_A_CA, "says that it is none"
    below = place - 1
    if basic.path_length is not None and below > basic.path_length:
        return Reason.PATH_LENGTH, f"{below} CAs below it, at most {basic.path_length}"
    return None


def _leaf(certificate: x509.Certificate, profile: Profile, name: str) -> Iterator[_Fault]:
    domains = _texts(certificate, x509.NameOID.DOMAIN_COMPONENT)
    if profile.domain and profile.domain not in domains:
        yield Reason.WRONG_DOMAIN, f"{', '.join(domains) or 'none'}, needs {profile.domain}"
    names = _texts(certificate, x509.NameOID.COMMON_NAME)
    if name and name not in names:
        yield Reason.WRONG_NAME, f"{', '.join(names) or 'none'}, expected {name}"
    life = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    # A second to spare: the last second belongs to the validity or not, by the issuer's habit.
    if life > timedelta(days=profile.days, seconds=1):
        yield Reason.LIFETIME, f"{life / timedelta(days=1):.0f} days, at most {profile.days}"


def _texts(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> list[str]:
    return [str(a.value) for a in certificate.subject.get_attributes_for_oid(oid)]


def _revoked(
    path: Sequence[x509.Certificate], lists: Sequence[x509.CertificateRevocationList]
) -> list[ChainFinding]:
    found = []
    for place, (certificate, issuer) in enumerate(pairwise(path)):
        for revocations in lists:
            if revocations.issuer != issuer.subject or not _list_signed_by(revocations, issuer):
                continue
            entry = revocations.get_revoked_certificate_by_serial_number(certificate.serial_number)
            if entry is not None:
                detail = f"withdrawn on {entry.revocation_date_utc:%Y-%m-%d %H:%M} UTC"
                found.append(_finding(path, place, Reason.REVOKED, detail))
    return found


def _list_signed_by(revocations: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    try:
        return revocations.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
