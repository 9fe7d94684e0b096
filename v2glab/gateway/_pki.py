"""Certificates for gateway and charging station, and what is wrong with a given one (RFC 5280)."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from v2glab.evidence import InputError, storing, write_atomic

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

_CA_DAYS, _LEAF_DAYS = 3650, 365
_BACKDATE = timedelta(minutes=5)
ROLES = ("ca", "gateway", "station")


@dataclass(frozen=True)
class PkiPaths:
    """Files of one small PKI: PEM, keys readable by the owner only."""

    folder: Path

    @property
    def ca(self) -> Path:
        """Certificate of the root."""
        return self.folder / "ca.pem"

    def certificate(self, role: str) -> Path:
        """Certificate of ``"gateway"`` or ``"station"``."""
        return self.folder / f"{role}.pem"

    def key(self, role: str) -> Path:
        """Private key of ``"gateway"`` or ``"station"``."""
        return self.folder / f"{role}.key"


@dataclass(frozen=True)
class CertificateFacts:
    """What a certificate says, in plain values; times are UTC."""

    path: str
    subject: str
    issuer: str
    serial: str
    not_before: datetime
    not_after: datetime
    names: tuple[str, ...]
    self_signed: bool

    def problems(self, now: datetime, expected_issuer: str = "") -> tuple[str, ...]:
        """Return why the certificate is not valid now; empty when nothing is wrong."""
        found = []
        if now < self.not_before:
            found.append(f"not valid before {self.not_before:%Y-%m-%d %H:%M} UTC")
        if now > self.not_after:
            found.append(f"expired on {self.not_after:%Y-%m-%d %H:%M} UTC")
        if expected_issuer and self.issuer != expected_issuer:
            found.append(f"issued by {self.issuer!r}, not by {expected_issuer!r}")
        return tuple(found)


def create_pki(
    folder: Path,
    station_id: str,
    host_names: Sequence[str] = ("localhost", "127.0.0.1"),
    expired: Sequence[str] = (),
    now: datetime | None = None,
) -> PkiPaths:
    """Make a root, a server certificate for the gateway and a client certificate for the station (P-256).

    Parameters
    ----------
    expired
        Roles whose certificate ended yesterday, to try what then happens.

    Raises
    ------
    InputError
        A role in ``expired`` is unknown.
    StorageError
        The files could not be written.
    """
    if unknown := set(expired) - set(ROLES[1:]):
        raise InputError(f"roles {sorted(unknown)}", f"among {ROLES[1:]}", "name one of those")
    from cryptography.hazmat.primitives.asymmetric import ec

    moment, paths = now or datetime.now(UTC), PkiPaths(folder)
    with storing(f"certificates in {folder}"):
        folder.mkdir(parents=True, exist_ok=True)
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca = _certificate("v2glab root", ca_key, None, None, moment, names=(), server=False, ended=False)
    write_atomic(paths.ca, _pem(ca))
    for role, subject, names in (("gateway", "v2glab gateway", host_names), ("station", station_id, ())):
        key = ec.generate_private_key(ec.SECP256R1())
        leaf = _certificate(
            subject, key, ca, ca_key, moment, names=names, server=role == "gateway", ended=role in expired
        )
        write_atomic(paths.certificate(role), _pem(leaf))
        _write_key(paths.key(role), key)
    return paths


def inspect_certificate(path: Path) -> CertificateFacts:
    """Read one PEM certificate.

    Raises
    ------
    InputError
        The file cannot be read or holds no certificate.
    """
    from cryptography import x509

    try:
        return _facts(x509.load_pem_x509_certificate(path.read_bytes()), str(path))
    except (OSError, ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
        raise InputError(f"{path}: {error}", "a PEM certificate", "name the right file") from error


def inspect_der(data: bytes, origin: str) -> CertificateFacts:
    """Read one certificate as it went over the wire.

    Parameters
    ----------
    origin
        Stands where a file's path would.

    Raises
    ------
    InputError
        The bytes are no certificate.
    """
    from cryptography import x509

    try:
        return _facts(x509.load_der_x509_certificate(data), origin)
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
        raise InputError(f"{origin}: {error}", "a DER certificate", "look at the other end's file") from error


def _facts(certificate: x509.Certificate, origin: str) -> CertificateFacts:
    from cryptography import x509

    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        texts = tuple(str(name.value) for name in names)
    except x509.ExtensionNotFound:
        texts = ()
    subject, issuer = certificate.subject.rfc4514_string(), certificate.issuer.rfc4514_string()
    return CertificateFacts(
        path=origin,
        subject=subject,
        issuer=issuer,
        serial=f"{certificate.serial_number:x}",
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        names=texts,
        self_signed=subject == issuer,
    )


def _certificate(
    subject: str,
    key: EllipticCurvePrivateKey,
    issuer: x509.Certificate | None,
    issuer_key: EllipticCurvePrivateKey | None,
    moment: datetime,
    *,
    names: Sequence[str],
    server: bool,
    ended: bool,
) -> x509.Certificate:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    is_ca = issuer is None
    begin = moment - (timedelta(days=_LEAF_DAYS) if ended else _BACKDATE)
    end = moment - timedelta(days=1) if ended else moment + timedelta(days=_CA_DAYS if is_ca else _LEAF_DAYS)
    own_name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, subject)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(own_name)
        .issuer_name(issuer.subject if issuer is not None else own_name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=0 if is_ca else None), critical=True)
        .add_extension(_usage(is_ca=is_ca), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    signer = issuer_key or key
    builder = builder.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
    )
    if not is_ca:
        oid = x509.oid.ExtendedKeyUsageOID
        purpose = oid.SERVER_AUTH if server else oid.CLIENT_AUTH
        builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
    if names:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([_general_name(n) for n in names]), critical=False
        )
    return builder.sign(signer, hashes.SHA256())


def _usage(*, is_ca: bool) -> x509.KeyUsage:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=not is_ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_ca,
        crl_sign=is_ca,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(text: str) -> x509.GeneralName:
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _pem(certificate: x509.Certificate) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.PEM)


def _write_key(path: Path, key: EllipticCurvePrivateKey) -> None:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    write_atomic(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), mode=0o600)
