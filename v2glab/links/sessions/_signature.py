"""XML Signature over EXI fragments, as Plug and Charge signs (ISO 15118-2, 7.9.2.4; ISO 15118-20, 7.9.2.4).

What is signed is one fragment, SignedInfo; it holds the digest of every signed element's own fragment. ECDSA
values travel as r and s side by side, not as DER.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from v2glab.evidence import InputError
from v2glab.links.exi import ExiError, encode_fragment
from v2glab.links.sessions._signature_rules import SignatureRules, Suite, load_signature_rules

if TYPE_CHECKING:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, ed448

    PrivateKey = ec.EllipticCurvePrivateKey | ed448.Ed448PrivateKey

Body = dict[str, Any]
XML_SIGNATURE = "http://www.w3.org/2000/09/xmldsig#"
_SHAKE_OCTETS = 64


class SignatureFault(StrEnum):
    """What is wrong with a signature."""

    ABSENT = "absent"
    ALGORITHM = "algorithm"
    REFERENCE = "reference"
    DIGEST = "digest"
    KEY = "key"
    VALUE = "value"


class SignatureError(InputError):
    """A signature that does not hold; ``fault`` says why."""

    def __init__(self, fault: SignatureFault, detail: str) -> None:
        required = "a signature over every element that must be signed, by the key of the shown certificate"
        remedy = "compare the signed fragments' octets, the algorithms, and the certificate of the signer"
        super().__init__(f"signature: {detail}", required, remedy)
        self.fault = fault


@dataclass(frozen=True)
class Part:
    """One signed element: of which namespace, its name, and its content with the key ``Id``."""

    namespace: str
    element: str
    content: Body

    @property
    def uri(self) -> str:
        """How a reference names it."""
        return f"#{self.content.get('Id', '')}"

    def digest(self, suite: Suite) -> bytes:
        """Return the digest of its fragment."""
        octets = encode_fragment(self.namespace, {self.element: self.content})
        if suite.hash == "shake256":
            return hashlib.shake_256(octets).digest(_SHAKE_OCTETS)
        return hashlib.new(suite.hash, octets).digest()


def sign(
    parts: Sequence[Part], key: PrivateKey, *, edition: str, rules: SignatureRules | None = None
) -> Body:
    """Return the Signature of a message's header.

    Parameters
    ----------
    parts
        What to sign; each content carries an ``Id`` of its own.
    key
        Of the certificate that the other end will check with.
    edition
        ``iso15118-2`` or ``iso15118-20``.

    Raises
    ------
    SignatureError
        The edition does not sign with such a key, or parts share an Id or have none.
    ExiError
        A part does not fit its message table.
    """
    rules = rules or load_signature_rules()
    suite = _suite_of_key(key, rules.of_edition(edition))
    _distinct(parts)
    algorithm, canonical = {"Algorithm": suite.digest}, {"Algorithm": rules.canonical}
    references = [
        {"URI": part.uri, "Transforms": {"Transform": [canonical]}, "DigestMethod": algorithm,
         "DigestValue": base64.b64encode(part.digest(suite)).decode()}
        for part in parts
    ]  # fmt: skip
    info: Body = {
        "CanonicalizationMethod": canonical,
        "SignatureMethod": {"Algorithm": suite.method},
        "Reference": references,
    }
    value = _sign(key, _octets(info), suite)
    return {"SignedInfo": info, "SignatureValue": {"value": base64.b64encode(value).decode()}}


def verify(
    signature: Body | None,
    parts: Sequence[Part],
    key: object,
    *,
    edition: str,
    rules: SignatureRules | None = None,
) -> None:
    """Check the Signature of a message's header.

    Parameters
    ----------
    signature
        As decoded; None where the message has none.
    parts
        Elements that must be signed, as decoded. More references than these are refused.
    key
        Public key of the signer's certificate, whose chain must have been checked.

    Raises
    ------
    SignatureError
        It does not hold.
    """
    rules = rules or load_signature_rules()
    if not signature:
        raise SignatureError(SignatureFault.ABSENT, "the header has none")
    info = signature["SignedInfo"]
    suite = _suite_of_info(info, rules, edition)
    _check_references(info["Reference"], parts, suite, rules)
    _check_value(key, _value(signature), _octets(info), suite)


def _suite_of_info(info: Body, rules: SignatureRules, edition: str) -> Suite:
    canonical = info["CanonicalizationMethod"]["Algorithm"]
    if canonical != rules.canonical:
        raise SignatureError(SignatureFault.ALGORITHM, f"canonicalised by {canonical:.80}")
    method = info["SignatureMethod"]["Algorithm"]
    for suite in rules.of_edition(edition):
        if suite.method == method:
            return suite
    raise SignatureError(SignatureFault.ALGORITHM, f"method {method:.80} in {edition}")


def _suite_of_key(key: object, suites: Sequence[Suite]) -> Suite:
    from v2glab.links.pki._certificate import curve_name

    for suite in suites:
        if suite.curve == curve_name(key):
            return suite
    allowed = " or ".join(suite.curve for suite in suites)
    raise SignatureError(SignatureFault.KEY, f"a key on {curve_name(key)}, not {allowed}")


def _distinct(parts: Sequence[Part]) -> None:
    names = [part.uri for part in parts]
    if not names or "#" in names or len(set(names)) != len(names):
        raise SignatureError(SignatureFault.REFERENCE, f"parts called {', '.join(names) or 'nothing'}")


def _check_references(
    references: Sequence[Body], parts: Sequence[Part], suite: Suite, rules: SignatureRules
) -> None:
    _distinct(parts)
    wanted = {part.uri: part for part in parts}
    named = [str(reference.get("URI", "")) for reference in references]
    if sorted(named) != sorted(wanted) or len(named) > rules.most_references:
        told = f"references to {', '.join(named):.80}, not {', '.join(wanted)}"
        raise SignatureError(SignatureFault.REFERENCE, told)
    for reference in references:
        uri, method = str(reference["URI"]), reference["DigestMethod"]["Algorithm"]
        transforms = [t["Algorithm"] for t in reference.get("Transforms", {}).get("Transform", ())]
        if method != suite.digest or any(t != rules.canonical for t in transforms):
            raise SignatureError(SignatureFault.ALGORITHM, f"{uri:.80}: digest {method:.80}")
        found = _decoded(reference["DigestValue"])
        try:
            made = wanted[uri].digest(suite)
        except ExiError as error:
            raise SignatureError(SignatureFault.REFERENCE, f"{uri:.80}: {error.found}") from error
        if not hmac.compare_digest(found, made):
            raise SignatureError(SignatureFault.DIGEST, f"{uri:.80}: digest {found.hex()}, not {made.hex()}")


def _octets(info: Body) -> bytes:
    return encode_fragment(XML_SIGNATURE, {"SignedInfo": info})


def _value(signature: Body) -> bytes:
    return _decoded(signature["SignatureValue"]["value"])


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise SignatureError(SignatureFault.VALUE, f"{text:.40} is not base 64") from error


def _sign(key: PrivateKey, octets: bytes, suite: Suite) -> bytes:
    from cryptography.hazmat.primitives.asymmetric import ec, utils

    if not isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(octets)
    r, s = utils.decode_dss_signature(key.sign(octets, ec.ECDSA(_hash(suite))))
    size = (key.curve.key_size + 7) // 8
    return r.to_bytes(size) + s.to_bytes(size)


def _check_value(key: object, value: bytes, octets: bytes, suite: Suite) -> None:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import ec, ed448, utils

    _suite_of_key(key, [suite])
    try:
        if isinstance(key, ed448.Ed448PublicKey):
            key.verify(value, octets)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            size = (key.curve.key_size + 7) // 8
            if len(value) != 2 * size:
                raise SignatureError(SignatureFault.VALUE, f"value of {len(value)} octets, not {2 * size}")
            r, s = int.from_bytes(value[:size]), int.from_bytes(value[size:])
            key.verify(utils.encode_dss_signature(r, s), octets, ec.ECDSA(_hash(suite)))
        else:
            raise SignatureError(SignatureFault.KEY, "a private key, not a public one")
    except InvalidSignature as error:
        raise SignatureError(SignatureFault.VALUE, "the value is not of this key over SignedInfo") from error


def _hash(suite: Suite) -> hashes.HashAlgorithm:
    from cryptography.hazmat.primitives import hashes

    return hashes.SHA256() if suite.hash == "sha256" else hashes.SHA512()
