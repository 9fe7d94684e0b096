"""Contract certificates: the vehicle's own, and what the charger makes of one that it is shown.

ISO 15118-2:2014, 8.4.3.2 and annex E; the chains of ISO 15118-20 look the same.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from v2glab.evidence import InputError

if TYPE_CHECKING:
    from datetime import datetime

    from cryptography import x509

    from v2glab.links.pki import ChainFinding, PkiFiles
    from v2glab.links.pki._certificate import PrivateKey

Body = dict[str, Any]


@dataclass(frozen=True)
class Contract:
    """A vehicle's contract: chain, leaf first, and the key that signs."""

    chain: tuple[bytes, ...]
    key: PrivateKey

    @cached_property
    def leaf(self) -> x509.Certificate:
        """The certificate of the contract."""
        from v2glab.links.pki import load_certificates

        return load_certificates(self.chain[:1])[0]

    @property
    def identifier(self) -> str:
        """Identifier of the contract (eMAID), the common name of its certificate."""
        return common_name(self.leaf)

    def shown(self) -> Body:
        """Return the chain as messages carry it."""
        texts = [base64.b64encode(c).decode() for c in self.chain]
        body: Body = {"Certificate": texts[0]}
        if len(texts) > 1:
            body["SubCertificates"] = {"Certificate": texts[1:]}
        return body


def load_contract(files: PkiFiles, role: str = "contract") -> Contract:
    """Read chain and key of a contract.

    Raises
    ------
    InputError
        A file is missing or holds something else.
    """
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, ed448
    from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

    try:
        chain = x509.load_pem_x509_certificates(files.chain(role).read_bytes())
        key = load_pem_private_key(files.key(role).read_bytes(), None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        found = f"contract in {files.folder}: {error}"
        raise InputError(found, "chain and key in PEM", "name a folder made by write_pki") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey | ed448.Ed448PrivateKey):
        required = "a key on a curve that ISO 15118 allows"
        raise InputError(f"a {type(key).__name__} of the contract", required, "take that contract's key")
    return Contract(tuple(c.public_bytes(Encoding.DER) for c in chain), key)


def shown_chain(body: Body) -> list[bytes]:
    """Return the certificates of a chain in a message, leaf first.

    Raises
    ------
    InputError
        One of them is not base 64.
    """
    texts = [body["Certificate"], *body.get("SubCertificates", {}).get("Certificate", ())]
    try:
        return [base64.b64decode(t, validate=True) for t in texts]
    except (binascii.Error, ValueError) as error:
        raise InputError(f"a certificate: {error}", "base 64", "mend the sender") from error


def check_chain(
    shown: Sequence[bytes], roots: PkiFiles, role: str, moment: datetime, *, edition: str
) -> tuple[ChainFinding, ...]:
    """Return what is wrong with the chain of a role, the gravest first.

    Raises
    ------
    InputError
        The charger's own root cannot be read.
    """
    from cryptography import x509

    from v2glab.links.pki import verify_chain

    path = roots.roots(role)
    try:
        trusted = x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: {error}", "root certificates in PEM", "name the right folder") from error
    return verify_chain(shown, trusted, moment, edition=edition, role=role)


def common_name(certificate: x509.Certificate) -> str:
    """Return the common name of a certificate; empty where it has none."""
    from cryptography.x509.oid import NameOID

    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else ""


def same_contract(one: str, other: str) -> bool:
    """Whether two identifiers name one contract; neither dashes nor case matter (ISO 15118-2, annex H)."""
    return one.replace("-", "").upper() == other.replace("-", "").upper()
