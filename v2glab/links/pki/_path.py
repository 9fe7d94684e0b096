"""From a leaf to a root that is trusted, or the reason why there is no way (RFC 5280, 6.1)."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding

from v2glab.links.pki._rules import Reason


def build_path(
    chain: Sequence[x509.Certificate], roots: Sequence[x509.Certificate], *, signatures: bool = True
) -> tuple[list[x509.Certificate], Reason | None]:
    """Return the path from the leaf upwards, and what ended it before a root, if anything did.

    The order of the sub-CAs does not matter, and what leads nowhere is left aside.

    Parameters
    ----------
    signatures
        Check the signature of every step; not needed where somebody else did.
    """
    path, pool = [chain[0]], list(chain[1:])
    trusted = {root.public_bytes(Encoding.DER) for root in roots}
    while path[-1].public_bytes(Encoding.DER) not in trusted:
        issuer, reason = _issuer(path[-1], [*roots, *pool], signatures=signatures)
        if issuer is None:
            return path, reason
        path.append(issuer)
        if issuer in pool:
            pool.remove(issuer)
    return path, None


def _issuer(
    certificate: x509.Certificate, candidates: Sequence[x509.Certificate], *, signatures: bool
) -> tuple[x509.Certificate | None, Reason]:
    if certificate.subject == certificate.issuer:
        return None, Reason.SELF_SIGNED
    named = [c for c in candidates if c.subject == certificate.issuer]
    claimed = [c for c in named if _claims(certificate, c)]
    for candidate in claimed:
        if not signatures or _signed_by(certificate, candidate):
            return candidate, Reason.UNKNOWN_ISSUER
    # The key that it names is here, but did not make this signature. Otherwise its issuer is not here at all.
    return None, Reason.BAD_SIGNATURE if claimed else Reason.UNKNOWN_ISSUER


def _claims(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether a certificate names this very key as its issuer's (RFC 5280, 4.2.1.1)."""
    try:
        authority = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
        own = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    except x509.ExtensionNotFound:
        return True
    return authority.key_identifier is None or authority.key_identifier == own.digest


def _signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    return True
