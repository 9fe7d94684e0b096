"""The envelope in which the private key of a contract travels to the vehicle (ISO 15118-20, 7.9.2.5).

Sender: a fresh key pair; receiver: the key of its provisioning certificate. Diffie-Hellman, a key derived
from the shared secret (NIST SP 800-56C, 4), AES-256-GCM (NIST SP 800-38D). Identifiers of vehicle and
contract are authenticated with it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from v2glab.evidence import InputError
from v2glab.links.sessions.iso20._rules import Installation

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec


@dataclass(frozen=True)
class Envelope:
    """The sender's public key (uncompressed point), and nonce, cipher text and tag side by side."""

    public_key: bytes
    sealed: bytes


def bound_to(vehicle: str, contract: x509.Certificate) -> bytes:
    """Return what is authenticated too: PCID without separators, identifier of the contract's key."""
    from cryptography import x509

    try:
        identifier = contract.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    except x509.ExtensionNotFound:
        identifier = x509.SubjectKeyIdentifier.from_public_key(contract.public_key()).digest
    plain = "".join(c for c in vehicle.upper() if c.isalnum())
    return plain.encode("ascii", "replace") + identifier.hex().upper().encode()


def seal(
    secret: ec.EllipticCurvePrivateKey,
    receiver: ec.EllipticCurvePublicKey,
    bound: bytes,
    rules: Installation,
    random: Callable[[int], bytes] = os.urandom,
) -> Envelope:
    """Encrypt the private key of a contract for a receiver; both on secp521r1."""
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    fresh = ec.generate_private_key(ec.SECP521R1())
    key = _derive(fresh.exchange(ec.ECDH(), receiver), rules)
    nonce = random(rules.nonce_octets)
    value = secret.private_numbers().private_value.to_bytes(rules.secret_octets)
    point = fresh.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return Envelope(point, nonce + AESGCM(key).encrypt(nonce, value, bound))


def unseal(
    envelope: Envelope, own: ec.EllipticCurvePrivateKey, bound: bytes, rules: Installation
) -> ec.EllipticCurvePrivateKey:
    """Decrypt the private key of a contract.

    Raises
    ------
    InputError
        It was not sealed for this key, was changed, or is none of the curve.
    """
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    required, remedy = "a key that was sealed for this vehicle", "ask the issuer again"
    try:
        sender = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP521R1(), envelope.public_key)
        key = _derive(own.exchange(ec.ECDH(), sender), rules)
        nonce, sealed = envelope.sealed[: rules.nonce_octets], envelope.sealed[rules.nonce_octets :]
        value = int.from_bytes(AESGCM(key).decrypt(nonce, sealed, bound))
        return ec.derive_private_key(value, ec.SECP521R1())
    except (InvalidTag, ValueError) as error:
        found = f"an envelope that does not open ({type(error).__name__} {error})"
        raise InputError(found, required, remedy) from error


def _derive(shared: bytes, rules: Installation) -> bytes:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash

    info = bytes.fromhex(rules.other_info)
    return ConcatKDFHash(hashes.SHA512(), rules.key_octets, info).derive(shared)
