"""XML Signatures over EXI: one that an open Java stack made, and the openssl command, judge ours."""

import base64
import copy
import json
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from v2glab.links.exi import encode_fragment
from v2glab.links.pki._certificate import new_key
from v2glab.links.sessions._signature import (
    XML_SIGNATURE,
    Part,
    SignatureError,
    SignatureFault,
    sign,
    verify,
)
from v2glab.links.sessions._signature_rules import load_signature_rules
from v2glab.resources import find_data

ISO2 = "urn:iso:15118:2:2013:MsgDef"
COMMON = "urn:iso:std:iso:15118:-20:CommonMessages"
VECTORS = Path(__file__).parent.parent / "exi" / "exi_vectors_own.json"
PART = Part(ISO2, "AuthorizationReq", {"Id": "id1", "GenChallenge": base64.b64encode(bytes(16)).decode()})
SECOND = Part(ISO2, "AuthorizationReq", {"Id": "id2"})


@pytest.fixture
def peer_rules(tmp_path):
    """Part 20 as the reference stack signs it: on P-256."""
    path = tmp_path / "signature.toml"
    text = find_data("datasets", "iso15118", "signature.toml").read_text()
    path.write_text(text.replace('suites = ["ecdsa-p521", "eddsa-ed448"]', 'suites = ["ecdsa-p256"]'))
    return load_signature_rules(path)


@pytest.fixture
def signed_elsewhere():
    rows = json.loads(VECTORS.read_text())
    row = next(r for r in rows if r["message"] == "AuthorizationReq" and "DigestValue" in json.dumps(r))
    request = row["decoded"]["AuthorizationReq"]
    mode = request["PnC_AReqAuthorizationMode"]
    contract = base64.b64decode(mode["ContractCertificateChain"]["Certificate"])
    key = x509.load_der_x509_certificate(contract).public_key()
    return request["Header"]["Signature"], Part(COMMON, "PnC_AReqAuthorizationMode", mode), key


def test_a_signature_of_an_open_stack_holds(signed_elsewhere, peer_rules):
    signature, part, key = signed_elsewhere
    verify(signature, [part], key, edition="iso15118-20", rules=peer_rules)


def test_part_20_does_not_take_p256(signed_elsewhere):
    signature, part, key = signed_elsewhere
    with pytest.raises(SignatureError, match="ecdsa-sha256 in iso15118-20") as caught:
        verify(signature, [part], key, edition="iso15118-20")
    assert caught.value.fault is SignatureFault.ALGORITHM


@pytest.mark.parametrize(("edition", "curve"), [
    ("iso15118-2", "secp256r1"), ("iso15118-20", "secp521r1"), ("iso15118-20", "ed448"),
])  # fmt: skip
def test_what_is_signed_holds_and_openssl_agrees(tmp_path, edition, curve):
    key = new_key(curve)
    signature = sign([PART, SECOND], key, edition=edition)
    verify(signature, [SECOND, PART], key.public_key(), edition=edition)
    (tmp_path / "key.pem").write_bytes(
        key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    (tmp_path / "info").write_bytes(encode_fragment(XML_SIGNATURE, {"SignedInfo": signature["SignedInfo"]}))
    value = base64.b64decode(signature["SignatureValue"]["value"])
    if curve != "ed448":
        half = len(value) // 2
        value = utils.encode_dss_signature(int.from_bytes(value[:half]), int.from_bytes(value[half:]))
    (tmp_path / "value").write_bytes(value)
    kind = {"secp256r1": ["-rawin", "-digest", "sha256"], "secp521r1": ["-rawin", "-digest", "sha512"]}
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "key.pem", "-sigfile", "value"]
    command += [*kind.get(curve, ["-rawin"]), "-in", "info"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "Verified Successfully" in done.stdout, done.stderr


def test_the_value_is_r_and_s_side_by_side():
    sizes = {
        ("iso15118-2", "secp256r1"): 64,
        ("iso15118-20", "secp521r1"): 132,
        ("iso15118-20", "ed448"): 114,
    }
    for (edition, curve), size in sizes.items():
        signature = sign([PART], new_key(curve), edition=edition)
        assert len(base64.b64decode(signature["SignatureValue"]["value"])) == size


def spoil(signature, path, value):
    spoilt = copy.deepcopy(signature)
    place = spoilt
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return spoilt


OTHER = base64.b64encode(bytes(64)).decode()
REFERENCE = ("SignedInfo", "Reference", 0)


@pytest.mark.parametrize(("path", "value", "fault"), [
    ((*REFERENCE, "DigestValue"), OTHER, "digest"),
    ((*REFERENCE, "DigestValue"), "?", "value"),
    ((*REFERENCE, "URI"), "#other", "reference"),
    ((*REFERENCE, "DigestMethod"), {"Algorithm": "http://www.w3.org/2000/09/xmldsig#sha1"}, "algorithm"),
    ((*REFERENCE, "Transforms"), {"Transform": [{"Algorithm": "urn:none"}]}, "algorithm"),
    (("SignedInfo", "Reference"), [], "reference"),
    (("SignedInfo", "SignatureMethod"), {"Algorithm": "urn:none"}, "algorithm"),
    (("SignedInfo", "CanonicalizationMethod"), {"Algorithm": "urn:none"}, "algorithm"),
    (("SignatureValue", "value"), OTHER, "value"),
    (("SignatureValue", "value"), "AAAA", "value"),
])  # fmt: skip
def test_a_spoilt_signature_is_refused_for_its_fault(path, value, fault):
    key = new_key("secp256r1")
    signature = sign([PART], key, edition="iso15118-2")
    with pytest.raises(SignatureError) as caught:
        verify(spoil(signature, path, value), [PART], key.public_key(), edition="iso15118-2")
    assert caught.value.fault == fault


def test_another_key_another_content_and_none_are_refused():
    key = new_key("secp256r1")
    signature = sign([PART], key, edition="iso15118-2")
    changed = Part(
        PART.namespace, PART.element, {**PART.content, "GenChallenge": base64.b64encode(b"x" * 16).decode()}
    )
    for given, part, checked, fault in (
        (signature, PART, new_key("secp256r1").public_key(), "value"),
        (signature, PART, ec.generate_private_key(ec.SECP384R1()).public_key(), "key"),
        (signature, changed, key.public_key(), "digest"),
        (None, PART, key.public_key(), "absent"),
    ):
        with pytest.raises(SignatureError) as caught:
            verify(given, [part], checked, edition="iso15118-2")
        assert caught.value.fault == fault


def test_keys_and_parts_that_cannot_be_signed():
    with pytest.raises(SignatureError, match="secp256r1, not secp521r1 or ed448"):
        sign([PART], new_key("secp256r1"), edition="iso15118-20")
    for parts in ([], [PART, PART], [Part(ISO2, "AuthorizationReq", {})]):
        with pytest.raises(SignatureError, match="parts called"):
            sign(parts, new_key("secp256r1"), edition="iso15118-2")
