"""Chains of certificates in messages: a vehicle's own, and what a charger makes of those that it is shown.

ISO 15118-2:2014, 8.4.3.2 and annex E; ISO 15118-20:2022, 7.9.2.4.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from v2glab.evidence import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography import x509

    from v2glab.links.pki import ChainFinding, PkiFiles
    from v2glab.links.pki._certificate import PrivateKey

Body = dict[str, Any]


@dataclass(frozen=True)
class Identity:
    """Chain of a role, DER, leaf first, and the key that signs."""

    chain: tuple[bytes, ...]
    key: PrivateKey

    @property
    def name(self) -> str:
        """Common name of the leaf: of a contract its identifier (eMAID)."""
        return common_name(load_leaf(self.chain))


def load_identity(files: PkiFiles | None, role: str) -> Identity:
    """Read chain and key of a role.

    Raises
    ------
    InputError
        No folder was named, or its files cannot be used.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, ed448
    from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

    if files is None:
        raise InputError(f"no {role}", "a folder with chain and key", "name it in the wishes")
    chain = files.load_chain(role)
    try:
        key = load_pem_private_key(files.key(role).read_bytes(), None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        required = f"a key without a password that belongs to {role}.pem"
        raise InputError(f"{files.key(role)}: {error}", required, "make both anew") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey | ed448.Ed448PrivateKey):
        raise InputError(f"{files.key(role)}: another kind of key", "an EC or Ed448 key", "make it anew")
    return Identity(tuple(c.public_bytes(Encoding.DER) for c in chain), key)


def chain_body(chain: Sequence[bytes]) -> Body:
    """Return a chain as messages carry it."""
    texts = [base64.b64encode(c).decode() for c in chain]
    return {"Certificate": texts[0]} | ({"SubCertificates": {"Certificate": texts[1:]}} if texts[1:] else {})


def chain_of(body: Body) -> list[bytes]:
    """Return the certificates of a chain in a message, DER, leaf first; the reverse of :func:`chain_body`.

    Raises
    ------
    InputError
        One of them is not base 64.
    """
    below = body.get("SubCertificates", {}).get("Certificate", [])
    try:
        return [base64.b64decode(text, validate=True) for text in (body["Certificate"], *below)]
    except (binascii.Error, ValueError) as error:
        raise InputError(f"a certificate: {error}", "base 64", "mend the sender") from error


def check_chain(
    shown: Sequence[bytes],
    roots: PkiFiles | None,
    role: str,
    *,
    edition: str,
    moment: datetime | None = None,
    revocations: Path | None = None,
) -> tuple[ChainFinding, ...]:
    """Return what is wrong with the chain of a role, the gravest first.

    Parameters
    ----------
    roots
        Where the root of that role lies.
    moment
        When it must hold; now by default.
    revocations
        File with lists of revoked certificates (PEM).

    Raises
    ------
    InputError
        Roots or lists cannot be read, or no roots were named.
    """
    from v2glab.links.pki import load_revocations, verify_chain

    if roots is None:
        raise InputError("no roots", f"a folder with {role}.root.pem", "name it in the offer")
    trusted, revoked = roots.load_roots(role), load_revocations(revocations)
    when = moment or datetime.now(UTC)
    return verify_chain(shown, trusted, when, edition=edition, role=role, revoked=revoked)


def load_leaf(shown: Sequence[bytes]) -> x509.Certificate:
    """Return the first certificate of a chain.

    Raises
    ------
    InputError
        It is none.
    """
    from v2glab.links.pki import load_certificates

    return load_certificates(shown[:1])[0]


def common_name(certificate: x509.Certificate) -> str:
    """Return the common name of a certificate's subject; empty where it has none."""
    from cryptography.x509.oid import NameOID

    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else ""


def same_contract(one: str, other: str) -> bool:
    """Whether two identifiers name one contract; neither dashes nor case matter (ISO 15118-2, annex H)."""
    return one.replace("-", "").upper() == other.replace("-", "").upper()
