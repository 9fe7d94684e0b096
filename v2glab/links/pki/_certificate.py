"""One certificate from a plain description (RFC 5280)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448

from v2glab.links.pki._rules import Curve

SignatureHash = hashes.SHA256 | hashes.SHA384 | hashes.SHA512
PrivateKey = ec.EllipticCurvePrivateKey | ed448.Ed448PrivateKey
#: Signature hash by curve: as strong as the curve (FIPS 186-5, 6.1.1). Ed448 brings its own.
_HASH: dict[str, SignatureHash] = {
    "secp256r1": hashes.SHA256(),
    "secp384r1": hashes.SHA384(),
    "secp521r1": hashes.SHA512(),
}
_CURVE: dict[str, type[ec.EllipticCurve]] = {
    "secp256r1": ec.SECP256R1,
    "secp384r1": ec.SECP384R1,
    "secp521r1": ec.SECP521R1,
}
#: An identifier that no software can know: 2.25 is the arc for anybody (ITU-T X.667).
_UNKNOWN_OID = x509.ObjectIdentifier("2.25.305419896")
_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


@dataclass(frozen=True)
class Description:
    """What a certificate is to say."""

    name: str
    domain: str
    organization: str
    begins: datetime
    ends: datetime
    ca: bool
    path_length: int | None
    usage: tuple[str, ...]
    critical_extension: bool = False

    @property
    def subject(self) -> x509.Name:
        """Distinguished name: CN, O and DC, as the certificates of the field carry them."""
        oid = x509.NameOID
        parts = [(oid.COMMON_NAME, self.name), (oid.ORGANIZATION_NAME, self.organization)]
        parts += [(oid.DOMAIN_COMPONENT, self.domain)] if self.domain else []
        return x509.Name([x509.NameAttribute(kind, text) for kind, text in parts])


def new_key(curve: Curve) -> PrivateKey:
    """Make a private key on a curve."""
    if curve == "ed448":
        return ed448.Ed448PrivateKey.generate()
    return ec.generate_private_key(_CURVE[curve]())


def curve_name(key: object) -> str:
    """Return the curve of a public or private key; another kind of key gives the name of its class."""
    if isinstance(key, ec.EllipticCurvePublicKey | ec.EllipticCurvePrivateKey):
        return key.curve.name
    if isinstance(key, ed448.Ed448PublicKey | ed448.Ed448PrivateKey):
        return "ed448"
    return type(key).__name__.lower()


def signature_hash(key: PrivateKey) -> SignatureHash | None:
    """Return the hash that a key signs with; ``None`` for Ed448."""
    return _HASH.get(curve_name(key))


def build(described: Description, key: PrivateKey, issuer: x509.Name, signer: PrivateKey) -> x509.Certificate:
    """Make and sign one certificate."""
    public = key.public_key()
    builder = (
        x509.CertificateBuilder()
        .subject_name(described.subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(described.begins)
        .not_valid_after(described.ends)
        .add_extension(x509.BasicConstraints(described.ca, described.path_length), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
    )
    if described.usage:
        flags = {usage: usage in described.usage for usage in _USAGES}
        builder = builder.add_extension(x509.KeyUsage(**flags), critical=True)
    if described.critical_extension:
        unknown = x509.UnrecognizedExtension(_UNKNOWN_OID, b"\x05\x00")
        builder = builder.add_extension(unknown, critical=True)
    return builder.sign(signer, signature_hash(signer))


def flip_signature(certificate: x509.Certificate) -> x509.Certificate:
    """Return the certificate with one bit of its signature turned."""
    from cryptography.hazmat.primitives.serialization import Encoding

    # The signature is the last thing in a certificate (RFC 5280, 4.1).
    data = bytearray(certificate.public_bytes(Encoding.DER))
    data[-3] ^= 0x01
    return x509.load_der_x509_certificate(bytes(data))


def revocation_list(
    serials: list[int], issuer: x509.Name, signer: PrivateKey, moment: datetime, until: datetime
) -> x509.CertificateRevocationList:
    """Make a list of revoked certificates (RFC 5280, 5)."""
    builder = x509.CertificateRevocationListBuilder().issuer_name(issuer)
    builder = builder.last_update(moment).next_update(until)
    builder = builder.add_extension(x509.CRLNumber(1), critical=False)
    builder = builder.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
    )
    for serial in serials:
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(moment).build()
        builder = builder.add_revoked_certificate(entry)
    return builder.sign(signer, signature_hash(signer))
