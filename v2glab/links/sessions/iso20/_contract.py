"""Plug and Charge: what the vehicle signs, and how the charger judges it (ISO 15118-20, 7.9.2.4)."""

from __future__ import annotations

import base64
import hmac
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from v2glab.evidence import InputError
from v2glab.links.sessions._message import Body, Message
from v2glab.links.sessions._signature import Part, SignatureError, verify

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cryptography import x509

    from v2glab.links.pki import ChainFinding, PkiFiles
    from v2glab.links.sessions.iso20._charger import ChargerSide

EDITION = "iso15118-20"
COMMON = "urn:iso:std:iso:15118:-20:CommonMessages"
AUTHORIZATION_MODE = "PnC_AReqAuthorizationMode"
METERING = "SignedMeteringData"
INSTALLATION = "SignedInstallationData"
PROVISIONING = "OEMProvisioningCertificateChain"


def judge_contract(side: ChargerSide, request: Message) -> str:
    """Judge challenge, chain and signature of an AuthorizationReq; keep contract and key in ``side``.

    Returns
    -------
    str
        The warning with which it is refused; ``OK`` or a remark when it holds.

    Raises
    ------
    Refusal
        The signature does not hold.
    """
    block = request.body[AUTHORIZATION_MODE]
    if not side.challenge or not hmac.compare_digest(_octets(block["GenChallenge"]), side.challenge):
        return "WARNING_ChallengeInvalid"
    shown = chain_of(block["ContractCertificateChain"])
    try:
        findings = charger_check(side, shown, "contract")
        leaf = load_leaf(shown)
    except InputError:
        return "WARNING_CertificateValidationError"
    if findings:
        return side.rules.chain.get(findings[0].reason, "WARNING_CertificateValidationError")
    side.contract_key = leaf.public_key()
    try:
        parts = [Part(COMMON, AUTHORIZATION_MODE, block)]
        verify(request.signature, parts, side.contract_key, edition=EDITION)
    except SignatureError as error:
        raise side.rules.refuse("signature", error.found) from error
    side.contract = common_name(leaf)
    moment = side.offer.moment() if side.offer.moment else datetime.now(UTC)
    ends = leaf.not_valid_after_utc - moment
    return "OK_CertificateExpiresSoon" if ends < timedelta(days=side.rules.figures.expires_days) else "OK"


def charger_check(side: ChargerSide, shown: Sequence[bytes], role: str) -> tuple[ChainFinding, ...]:
    """Return what is wrong with a chain that a vehicle showed; as :func:`check_chain`."""
    offer = side.offer
    moment = offer.moment() if offer.moment else None
    return check_chain(shown, offer.roots, role, moment, _lists(offer.revocations))


def _lists(path: Path | None) -> list[x509.CertificateRevocationList]:
    from cryptography import x509

    if path is None:
        return []
    end = b"-----END X509 CRL-----"
    try:
        parts = path.read_bytes().split(end)[:-1]
        return [x509.load_pem_x509_crl(part + end + b"\n") for part in parts]
    except (OSError, ValueError) as error:
        required = "lists of revoked certificates in PEM"
        raise InputError(f"{path}: {error}", required, "name the right file") from error


def chain_of(body: Body) -> list[bytes]:
    """Return the certificates of a message's chain, DER, leaf first."""
    below = body.get("SubCertificates", {}).get("Certificate", [])
    return [_octets(text) for text in (body["Certificate"], *below)]


def chain_body(shown: Sequence[bytes]) -> Body:
    """Return a chain as a message has it; the reverse of :func:`chain_of`."""
    texts = [base64.b64encode(c).decode() for c in shown]
    return {"Certificate": texts[0]} | ({"SubCertificates": {"Certificate": texts[1:]}} if texts[1:] else {})


def check_chain(
    shown: Sequence[bytes],
    roots: PkiFiles | None,
    role: str,
    moment: datetime | None = None,
    revoked: Sequence[x509.CertificateRevocationList] = (),
) -> tuple[ChainFinding, ...]:
    """Return what is wrong with a chain of a role.

    Raises
    ------
    InputError
        The roots cannot be read, or none were named.
    """
    from cryptography import x509

    from v2glab.links.pki import verify_chain

    if roots is None:
        raise InputError("no roots", f"a folder with {role}.root.pem", "name it in the offer")
    path = roots.roots(role)
    try:
        trusted = x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: {error}", "root certificates in PEM", "name the right folder") from error
    when = moment or datetime.now(UTC)
    return verify_chain(shown, trusted, when, edition=EDITION, role=role, revoked=revoked)


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
    """Return the common name of a certificate's subject, such as the eMAID of a contract."""
    from cryptography.x509 import NameOID

    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else ""


def _octets(text: str) -> bytes:
    return base64.b64decode(text)
