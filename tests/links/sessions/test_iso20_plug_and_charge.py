"""Plug and Charge of ISO 15118-20: contracts, installation, metering; against hashlib and AES-GCM by hand."""

import base64
import hashlib
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from iso20_line import Line, Spoiler, run
from v2g_links import files_of, pki_of

from v2glab.evidence import InputError
from v2glab.links.pki import write_pki
from v2glab.links.sessions import Offer, SessionFailure, Wishes
from v2glab.links.sessions.iso20 import ContractIssuer, load_iso20_rules
from v2glab.links.sessions.iso20._envelope import Envelope, bound_to, seal, unseal

_POINT = (Encoding.X962, PublicFormat.UncompressedPoint)
RULES = load_iso20_rules().installation


@pytest.fixture(scope="module", params=["secp521r1", "ed448"])
def any_files(request, tmp_path_factory):
    return write_pki(pki_of("iso15118-20", request.param), tmp_path_factory.mktemp("pnc") / "pki")


@pytest.fixture(scope="module")
def pki():
    return pki_of()


@pytest.fixture(scope="module")
def files(pki, tmp_path_factory):
    return write_pki(pki, tmp_path_factory.mktemp("pnc") / "pki")


def line_of(files, *, roots=None, install=False, spoiler=None, charger_spoiler=None, **offer):
    wishes = Wishes(authorisation="pnc", contract=files, install_contract=install)
    offered = Offer(authorisation=("pnc", "eim"), roots=roots or files, **offer)
    return Line(offer=offered, wishes=wishes, spoiler=spoiler, charger_spoiler=charger_spoiler)


async def use(line):
    async with line.session() as session:
        await session.export(power_w=2_000, duration_s=60)
        return session


def cause_of(line):
    with pytest.raises(SessionFailure) as caught:
        run(use(line))
    line.assert_safe()
    return caught.value.cause


def test_a_good_contract_is_authorised_and_named_to_the_charger(any_files):
    asked = []

    async def authorise(who):
        asked.append(who)
        return "granted"

    line = line_of(any_files, authorise=authorise, confirm_metering=True)
    session = run(use(line))
    assert [(w.way, w.contract) for w in asked] == [("pnc", "DEV2GC00000001X")]
    names = [r.name for r in session.trace.records]
    assert names.count("MeteringConfirmationRes") == 1
    assert line.ended[0].server.service.side.metering == "confirmed" and line.failure is None


@pytest.mark.parametrize(
    ("defect", "code"),
    [
        ("expired", "WARNING_CertificateExpired"),
        ("not-yet-valid", "WARNING_CertificateNotYetValid"),
        ("signature-flipped", "WARNING_CertificateValidationError"),
        ("sub2-missing", "WARNING_CertificateValidationError"),
        ("wrong-domain", "WARNING_CertificateValidationError"),
    ],
)
def test_a_bad_contract_is_refused_by_name(pki, files, defect, code, tmp_path):
    broken, _ = files_of(pki, tmp_path / "pki", "contract", defect)
    cause = cause_of(line_of(broken, roots=files))
    assert (cause.name, cause.response_code) == ("bad-contract", code)


def test_a_revoked_contract_is_refused(pki, files, tmp_path):
    broken, chain = files_of(pki, tmp_path / "pki", "contract", "revoked")
    lists = tmp_path / "revoked.pem"
    lists.write_bytes(b"".join(r.public_bytes(Encoding.PEM) for r in chain.revoked))
    cause = cause_of(line_of(broken, roots=files, revocations=lists))
    assert (cause.name, cause.response_code) == ("bad-contract", "WARNING_CertificateRevoked")
    # A list of another issuer says nothing.
    others = write_pki(pki_of(), tmp_path / "others")
    run(use(line_of(others, revocations=lists)))


def test_a_contract_that_the_operator_does_not_know_is_refused(files):
    async def authorise(who):
        return "refused"

    cause = cause_of(line_of(files, authorise=authorise))
    assert (cause.name, cause.response_code) == ("bad-contract", "WARNING_eMSPUnknown")


def changed(name, change):
    """A spoiler that changes a deep copy of one message's body, or its signature."""

    def spoil(message):
        if message.name != name:
            return message
        body = {k: dict(v) if isinstance(v, dict) else v for k, v in message.body.items()}
        signature = change(body, message.signature)
        return replace(message, body=body, signature=signature)

    return Spoiler(spoil)


def flipped(text, at=-1):
    data = bytearray(base64.b64decode(text))
    data[at] ^= 1
    return base64.b64encode(bytes(data)).decode()


def other_challenge(body, signature):
    block = body["PnC_AReqAuthorizationMode"]
    block["GenChallenge"] = flipped(block["GenChallenge"])
    return signature


def other_value(body, signature):
    value = signature["SignatureValue"]["value"]
    return signature | {"SignatureValue": {"value": flipped(value)}}


def no_signature(body, signature):
    return None


def other_reading(body, signature):
    body["SignedMeteringData"]["MeterInfo"] = body["SignedMeteringData"]["MeterInfo"] | {
        "ChargedEnergyReadingWh": 123_456
    }
    return signature


@pytest.mark.parametrize(
    ("name", "change", "cause", "code"),
    [
        ("AuthorizationReq", other_challenge, "bad-signature", "WARNING_ChallengeInvalid"),
        ("AuthorizationReq", other_value, "bad-signature", "FAILED_SignatureError"),
        ("AuthorizationReq", no_signature, "bad-signature", "FAILED_SignatureError"),
        ("MeteringConfirmationReq", other_reading, "bad-signature", "FAILED_MeteringSignatureNotValid"),
        ("MeteringConfirmationReq", no_signature, "bad-signature", "FAILED_MeteringSignatureNotValid"),
    ],
)
def test_what_was_changed_after_signing_is_refused(files, name, change, cause, code):
    found = cause_of(line_of(files, spoiler=changed(name, change), confirm_metering=True))
    assert (found.name, found.response_code) == (cause, code)


def test_a_contract_is_installed_used_and_kept(pki, files, tmp_path):
    line = line_of(files, install=True, issuer=ContractIssuer(pki, {"WV2GLAB0000000001": "DEV2GC12345678X"}))
    session = run(use(line))
    contract = session.driver.installed
    assert line.ended[0].server.service.side.contract == "DEV2GC12345678X"
    kept = files.__class__(tmp_path)
    contract.write(kept)
    assert kept.key("contract").stat().st_mode & 0o077 == 0
    with pytest.raises(InputError, match="exists"):
        contract.write(kept)
    # The kept contract authorises by itself.
    again = line_of(files)
    again.wishes = replace(again.wishes, contract=kept)
    run(use(again))
    assert again.ended[0].server.service.side.contract == "DEV2GC12345678X"


def test_a_vehicle_without_a_contract_gets_none(pki, files):
    cause = cause_of(line_of(files, install=True, issuer=ContractIssuer(pki, {"ANOTHER": "DEV2GC1"})))
    assert (cause.name, cause.response_code) == ("bad-contract", "WARNING_NoContractMatchingPCIDFound")
    cause = cause_of(line_of(files, install=True))
    assert cause.name == "bad-contract" and "installs no certificates" in cause.evidence[0]


def test_a_provisioning_certificate_that_does_not_hold_gets_no_contract(pki, files, tmp_path):
    broken, _ = files_of(pki, tmp_path / "pki", "oem-provisioning", "expired")
    cause = cause_of(line_of(broken, roots=files, install=True, issuer=ContractIssuer(pki)))
    assert (cause.name, cause.response_code) == ("bad-contract", "WARNING_CertificateExpired")
    unsigned = changed("CertificateInstallationReq", no_signature)
    cause = cause_of(line_of(files, install=True, spoiler=unsigned, issuer=ContractIssuer(pki)))
    assert (cause.name, cause.response_code) == ("bad-signature", "FAILED_SignatureError")


def other_envelope(body, signature):
    data = body["SignedInstallationData"]
    data["SECP521_EncryptedPrivateKey"] = flipped(data["SECP521_EncryptedPrivateKey"])
    return signature


def test_an_installation_that_was_changed_on_the_way_is_refused_by_the_vehicle(pki, files):
    spoiler = changed("CertificateInstallationRes", other_envelope)
    cause = cause_of(line_of(files, install=True, charger_spoiler=spoiler, issuer=ContractIssuer(pki)))
    assert cause.name == "bad-signature" and "digest" in cause.evidence[0]


def test_a_provisioning_key_on_another_curve_is_named_before_anything_is_asked(pki, tmp_path):
    other = write_pki(pki_of("iso15118-20", "ed448"), tmp_path / "pki")
    line = line_of(other, install=True, issuer=ContractIssuer(pki))
    with pytest.raises(InputError, match="provisioning key of another curve"):
        run(use(line))
    line.assert_safe()


def test_an_issuer_needs_a_pki_on_its_curve():
    with pytest.raises(InputError, match="secp521r1"):
        ContractIssuer(pki_of("iso15118-20", "ed448"))


@pytest.fixture(scope="module")
def sealed(pki):
    contract = pki.identity("contract")
    vehicle = ec.generate_private_key(ec.SECP521R1())
    bound = bound_to("wv2-glab 0000000001", contract.certificate)
    return contract, vehicle, bound, seal(contract.key, vehicle.public_key(), bound, RULES)


def test_the_envelope_is_what_the_recipe_gives_by_hand(sealed):
    contract, vehicle, bound, envelope = sealed
    assert (len(envelope.public_key), len(envelope.sealed)) == (133, 94)
    identifier = hashlib.sha1(
        contract.certificate.public_key().public_bytes(*_POINT), usedforsecurity=False
    ).hexdigest()
    assert bound == b"WV2GLAB0000000001" + identifier.upper().encode()
    # NIST SP 800-56C, 4.1 with one block: H(counter, secret, info), by hand.
    sender = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP521R1(), envelope.public_key)
    shared = vehicle.exchange(ec.ECDH(), sender)
    key = hashlib.sha512(b"\0\0\0\1" + shared + b"\x01UV").digest()[:32]
    value = AESGCM(key).decrypt(envelope.sealed[:12], envelope.sealed[12:], bound)
    assert int.from_bytes(value) == contract.key.private_numbers().private_value
    assert unseal(envelope, vehicle, bound, RULES).public_key() == contract.certificate.public_key()


def test_an_envelope_opens_for_nobody_else(sealed):
    _, vehicle, bound, envelope = sealed
    stranger = ec.generate_private_key(ec.SECP521R1())
    shortened = Envelope(envelope.public_key, envelope.sealed[:-1])
    no_point = Envelope(b"\4" + bytes(132), envelope.sealed)
    for tried, key, named in [
        (envelope, stranger, bound),
        (envelope, vehicle, bound + b"X"),
        (shortened, vehicle, bound),
        (no_point, vehicle, bound),
        (Envelope(b"", b""), vehicle, bound),
    ]:
        with pytest.raises(InputError, match="envelope"):
            unseal(tried, key, named, RULES)
