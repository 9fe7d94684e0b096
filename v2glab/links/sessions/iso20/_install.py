"""Installation of a contract certificate, both ends (ISO 15118-20, 7.9.2.5 and 8.3.4.3.2)."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from v2glab.evidence import InputError, storing
from v2glab.links.exi import blank
from v2glab.links.sessions._contract import (
    chain_body,
    chain_of,
    check_chain,
    common_name,
    load_identity,
    load_leaf,
)
from v2glab.links.sessions._signature import Part, SignatureError, sign, verify
from v2glab.links.sessions.iso20._contract import (
    COMMON,
    EDITION,
    INSTALLATION,
    PROVISIONING,
    charger_check,
)
from v2glab.links.sessions.iso20._envelope import Envelope, bound_to, unseal

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

    from v2glab.links.pki import PkiFiles
    from v2glab.links.pki._certificate import PrivateKey
    from v2glab.links.sessions._message import Body, Message
    from v2glab.links.sessions._serve import Answer
    from v2glab.links.sessions.iso20._charger import ChargerSide
    from v2glab.links.sessions.iso20._vehicle_side import VehicleSide

_NAME = "CertificateInstallation"


@dataclass(frozen=True)
class Contract:
    """A contract: certificates (DER, leaf first) and private key."""

    chain: tuple[bytes, ...]
    key: PrivateKey

    def write(self, files: PkiFiles) -> None:
        """Put it beside a vehicle's other files, where none lies yet.

        Raises
        ------
        InputError
            There is a contract already: keys are never written over.
        StorageError
            It could not be written.
        """
        from cryptography import x509

        from v2glab.links.pki._store import key_pem, pem

        for path in (files.chain("contract"), files.key("contract")):
            if path.exists():
                raise InputError(f"{path} exists", "no contract yet", "move the old one away")
        certificates = [x509.load_der_x509_certificate(c) for c in self.chain]
        with storing(f"a contract in {files.folder}"):
            _write(files.key("contract"), key_pem(self.key), 0o600)
            _write(files.chain("contract"), pem(certificates), 0o644)


def _write(path: Path, content: bytes, mode: int) -> None:
    path.touch(mode, exist_ok=False)
    path.write_bytes(content)


async def certificate_installation(side: ChargerSide, request: Message) -> Answer:
    """Check who asks; pass the request to the issuer, and its answer back."""
    if side.offer.issuer is None:
        raise side.rules.refuse("no-issuer", "this charger has no way to an issuer")
    block = request.body[PROVISIONING]
    shown = chain_of(block)
    try:
        findings = charger_check(side, shown, "oem-provisioning")
        leaf = load_leaf(shown)
        if findings:
            return _none(side, side.rules.chain.get(findings[0].reason, "WARNING_CertificateValidationError"))
        verify(request.signature, [Part(COMMON, PROVISIONING, block)], leaf.public_key(), edition=EDITION)
        issued = await side.offer.issuer.issue(leaf)
    except SignatureError as error:
        raise side.rules.refuse("signature", error.found) from error
    except InputError:
        return _none(side, "WARNING_CertificateValidationError")
    if issued is None:
        return _none(side, "WARNING_NoContractMatchingPCIDFound")
    body = {
        "ResponseCode": "OK",
        "EVSEProcessing": "Finished",
        "CPSCertificateChain": issued.cps_chain,
        INSTALLATION: issued.data,
        "RemainingContractCertificateChains": 0,
    }
    return _answer(side, body, issued.signature)


def _none(side: ChargerSide, code: str) -> Answer:
    body = blank(COMMON, f"{_NAME}Res", ("SECP521_EncryptedPrivateKey",))
    del body["Header"]
    return _answer(side, body | {"ResponseCode": code, "EVSEProcessing": "Finished"}, None)


def _answer(side: ChargerSide, body: Body, signature: Body | None) -> Answer:
    from v2glab.links.sessions._serve import Answer

    return Answer(body, side.rules.after(_NAME, "finished"), signature)


async def install_contract(side: VehicleSide, files: PkiFiles) -> Contract:
    """Ask for a contract with the provisioning certificate, and open what comes.

    Raises
    ------
    SessionFailure
        It was refused, or what came does not hold.
    InputError
        The vehicle's own files cannot be used.
    """
    own = load_identity(files, "oem-provisioning")
    receiver = _receiver(own.key)
    block: Body = {"Id": "provisioning", **chain_body(own.chain)}
    body: Body = {
        PROVISIONING: block,
        "ListOfRootCertificateIDs": {"RootCertificateID": [_root_id(files)]},
        "MaximumContractCertificateChains": 1,
    }
    signature = sign([Part(COMMON, PROVISIONING, block)], own.key, edition=EDITION)
    limit_s = side.asker.link.rules.limits["iso20"].ongoing_s
    answer = await side.ask_until(_NAME, body, limit_s, "ongoing-too-long", signature)
    return _opened(side, answer, files, load_leaf(own.chain), receiver)


def _receiver(key: PrivateKey) -> ec.EllipticCurvePrivateKey:
    """Return the vehicle's key as one that an envelope can be opened with."""
    from cryptography.hazmat.primitives.asymmetric import ec

    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp521r1":
        required = "one on secp521r1: no envelope for another curve is known here"
        raise InputError("a provisioning key of another curve", required, "show another certificate")
    return key


def _opened(
    side: VehicleSide,
    answer: Message,
    files: PkiFiles,
    own: x509.Certificate,
    receiver: ec.EllipticCurvePrivateKey,
) -> Contract:
    data, rules = answer.body[INSTALLATION], side.rules.installation
    service = chain_of(answer.body["CPSCertificateChain"])
    try:
        if findings := check_chain(service, files, "cps", edition=EDITION):
            raise side.asker.fail("bad-contract", answer, f"provisioning service: {findings[0]}")
        key = load_leaf(service).public_key()
        verify(answer.signature, [Part(COMMON, INSTALLATION, data)], key, edition=EDITION)
        chain = chain_of(data["ContractCertificateChain"])
        leaf = load_leaf(chain)
        sealed = data.get("SECP521_EncryptedPrivateKey")
        if data["ECDHCurve"] != rules.curve or sealed is None:
            raise side.asker.fail("bad-contract", answer, f"an envelope for {data['ECDHCurve']}")
        envelope = Envelope(base64.b64decode(data["DHPublicKey"]), base64.b64decode(sealed))
        secret = unseal(envelope, receiver, bound_to(common_name(own), leaf), rules)
    except SignatureError as error:
        raise side.asker.fail("bad-signature", answer, error.found) from error
    except InputError as error:
        raise side.asker.fail("bad-contract", answer, error.found) from error
    if secret.public_key() != leaf.public_key():
        raise side.asker.fail("bad-contract", answer, "a key that is not the certificate's")
    return Contract(tuple(chain), secret)


def _root_id(files: PkiFiles) -> Body:
    root = files.load_roots("cps")[0]
    return {"X509IssuerName": root.issuer.rfc4514_string(), "X509SerialNumber": root.serial_number}
