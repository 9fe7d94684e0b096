"""Plug and Charge of ISO 15118-2: over TLS 1.2 with receipts, and every way in which it must be refused."""

import base64
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from edition1_line import Line, names, run

from v2glab.evidence import InputError
from v2glab.links.pki import break_chain, make_pki, write_pki
from v2glab.links.pki._certificate import new_key
from v2glab.links.sessions import (
    Fixed,
    OpenSettings,
    ServeSettings,
    SessionFailure,
    Wishes,
    open_session,
    serve_sessions,
)
from v2glab.links.sessions._offer import Offer
from v2glab.links.sessions._signature import Part, sign
from v2glab.links.sessions.iso2._vehicle import NAMESPACE
from v2glab.links.tls import TlsSettings

OTHER = base64.b64encode(bytes(16)).decode()


@pytest.fixture(scope="module")
def pki():
    return make_pki("iso15118-2")


@pytest.fixture(scope="module")
def files(pki, tmp_path_factory):
    return write_pki(pki, tmp_path_factory.mktemp("pki") / "good")


def wishes(files):
    return Wishes("dc", authorisation="pnc", contract=files)


def offer(files, **more):
    return Offer(authorisation=("pnc",), roots=files, **more)


def test_a_session_by_contract_over_tls_with_a_receipt(files):
    asked = []

    async def authorise(who):
        asked.append(who)
        return "granted"

    line = Line("iso2", offer(files, confirm_metering=True, authorise=authorise))
    tls = {"files": files, "edition": "iso15118-2", "curve": "secp256r1"}
    served = ServeSettings(line.charger, line.offer, ("din", "iso2"), port=0, tls=TlsSettings("secc", **tls))

    async def session():
        async with await serve_sessions(served) as listener:
            settings = OpenSettings(
                line.battery, Fixed("::1", listener.port), TlsSettings("evcc", **tls), wishes(files),
                protocols=("iso2",),
                keep_alive=False, clock=line.clock, sleep=line.clock.sleep, cycle_s=1.0,
            )  # fmt: skip
            async with open_session(settings) as opened:
                state = await opened.charge(power_w=8000, duration_s=3)
                await opened.stop()
                return opened, state, listener.ended[0]

    opened, state, ended = run(session())
    assert ended.failure is None
    assert state.power_w == pytest.approx(-8000, rel=1e-2)
    sent = [r.name for r in opened.trace.records if r.direction == "tx"]
    assert sent.count("MeteringReceiptReq") == 1
    assert sent[3:6] == ["PaymentServiceSelectionReq", "PaymentDetailsReq", "AuthorizationReq"]
    assert (asked[0].way, asked[0].contract) == ("pnc", "DEV2GC00000001X")
    assert line.is_safe


@pytest.mark.parametrize(
    ("protocols", "version", "agreed"),
    [(("iso2",), "TLSv1.2", "iso2"), (("iso20-dc", "iso2"), "TLSv1.2", "iso2"),
     (("iso20-dc", "iso2"), "TLSv1.3", "iso20-dc"), (("iso2",), "TLSv1.3", "iso2")],
)  # fmt: skip
def test_one_port_serves_both_parts_each_by_its_own_roots(files, tmp_path, protocols, version, agreed):
    part_20 = write_pki(make_pki("iso15118-20"), tmp_path / "pki-20")
    mine = {"TLSv1.3": (part_20, "iso15118-20"), "TLSv1.2": (files, "iso15118-2")}[version]
    line = Line("iso2", Offer(authorisation=("pnc", "eim")))
    editions = [TlsSettings.of_edition("secc", part_20, "iso15118-20"),
                TlsSettings.of_edition("secc", files, "iso15118-2")]  # fmt: skip
    served = ServeSettings(line.charger, line.offer, port=0, tls=editions)
    # A contract of part 2 is judged by its own roots, whatever the version of TLS.
    held = part_20 if agreed == "iso20-dc" else files

    async def session():
        async with await serve_sessions(served) as listener:
            settings = OpenSettings(
                line.battery, Fixed("::1", listener.port), TlsSettings.of_edition("evcc", *mine),
                wishes(held), protocols=protocols, keep_alive=False,
                clock=line.clock, sleep=line.clock.sleep,
            )  # fmt: skip
            async with open_session(settings) as opened:
                return opened.protocol, opened.stream.version

    assert run(session()) == (agreed, version)
    assert line.is_safe


class Spoil:
    """Changes one message of a name on its way."""

    def __init__(self, name, change):
        self.name, self.change = name, change

    def message(self, message):
        return self.change(message) if message.name == self.name else message

    def octets(self, message, octets):
        from v2glab.links.sessions import Parcel

        return [Parcel(octets)]


def body(**more):
    return lambda message: replace(message, body={**message.body, **more})


def resigned(element):
    """Sign by a key that is not the contract's."""

    def change(message):
        part = Part(NAMESPACE, element, message.body)
        return replace(message, signature=sign([part], new_key("secp256r1"), edition="iso15118-2"))

    return change


@pytest.mark.parametrize(("name", "change", "code", "cause"), [
    ("AuthorizationReq", body(GenChallenge=OTHER), "FAILED_ChallengeInvalid", "bad-signature"),
    ("AuthorizationReq", body(Id="id2"), "FAILED_SignatureError", "bad-signature"),
    ("AuthorizationReq", lambda m: replace(m, signature=None), "FAILED_SignatureError", "bad-signature"),
    ("AuthorizationReq", lambda m: replace(m, body={}), "FAILED_ChallengeInvalid", "bad-signature"),
    ("AuthorizationReq", resigned("AuthorizationReq"), "FAILED_SignatureError", "bad-signature"),
    ("PaymentDetailsReq", body(eMAID="DEV2GC00000002"), "FAILED_CertChainError", "bad-contract"),
    (
        "PaymentDetailsReq", body(ContractSignatureCertChain={"Certificate": "AAAA"}),
        "FAILED_CertChainError", "bad-contract",
    ),
    ("MeteringReceiptReq", resigned("MeteringReceiptReq"), "FAILED_SignatureError", "bad-signature"),
    (
        "MeteringReceiptReq", body(MeterInfo={"MeterID": "V2GLAB0001", "MeterReading": 1}),
        "FAILED_MeteringSignatureNotValid", "bad-signature",
    ),
    (
        "PaymentServiceSelectionReq", body(SelectedPaymentOption="ExternalPayment"),
        "FAILED_PaymentSelectionInvalid", "not-authorised",
    ),
])  # fmt: skip
def test_what_does_not_prove_the_contract_is_refused(files, name, change, code, cause):
    line = Line("iso2", offer(files, confirm_metering=True), tamper=Spoil(name, change))

    async def session():
        from v2glab.links.sessions import Wanted

        async with line.vehicle(wishes(files)) as driver:
            await driver.set_up()
            await driver.cycle(Wanted(-1000))

    with pytest.raises(SessionFailure) as caught:
        run(session())
    assert caught.value.cause.response_code == code
    assert line.endings[0].cause.name == cause
    assert line.endings[0].cause.message == name
    assert line.is_safe


@pytest.mark.parametrize(("defect", "code"), [
    ("expired", "FAILED_CertificateExpired"),
    ("not-yet-valid", "FAILED_CertificateExpired"),
    ("sub2-expired", "FAILED_CertificateExpired"),
    ("signature-flipped", "FAILED_CertChainError"),
    ("sub2-missing", "FAILED_CertChainError"),
    ("other-root", "FAILED_CertChainError"),
    ("wrong-domain", "FAILED_CertChainError"),
])  # fmt: skip
def test_a_broken_contract_is_refused(pki, tmp_path, defect, code):
    broken = write_pki(pki, tmp_path / defect, broken=[break_chain(pki, "contract", defect)])
    line = Line("iso2", offer(broken))

    async def session():
        async with line.vehicle(wishes(broken)) as driver:
            await driver.set_up()

    with pytest.raises(SessionFailure) as caught:
        run(session())
    cause = caught.value.cause
    assert (cause.name, cause.response_code, cause.message) == ("bad-contract", code, "PaymentDetailsRes")
    assert line.is_safe


def test_a_revoked_contract_is_refused(pki, files, tmp_path):
    broken = break_chain(pki, "contract", "revoked")
    path = tmp_path / "revoked.pem"
    path.write_bytes(b"".join(listed.public_bytes(Encoding.PEM) for listed in broken.revoked))
    line = Line("iso2", offer(files, revocations=path))
    with pytest.raises(SessionFailure, match="FAILED_CertificateRevoked"):
        run(set_up(line, wishes(files)))
    # Lists that cannot be read must not let a contract pass.
    path.write_text("-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----")
    with pytest.raises(SessionFailure, match="FAILED_CertChainError"):
        run(set_up(line, wishes(files)))


async def set_up(line, wanted):
    async with line.vehicle(wanted) as driver:
        await driver.set_up()


def test_one_proof_is_enough_while_the_charger_is_busy(files):
    """Open vehicles repeat AuthorizationReq empty; before the proof that is refused."""
    said = iter(["ongoing", "waiting", "granted"])

    async def authorise(who):
        return next(said)

    def empty(message, seen=[]):  # noqa: B006 -- keeps count
        seen.append(message)
        return message if len(seen) == 1 else replace(message, body={}, signature=None)

    line = Line("iso2", offer(files, authorise=authorise), tamper=Spoil("AuthorizationReq", empty))

    async def session():
        async with line.vehicle(wishes(files)) as driver:
            await driver.set_up()
            await driver.stop()
            return names(driver.asker)

    assert run(session()).count("AuthorizationReq") == 3
    assert line.endings == [None]


def test_a_contract_that_ends_soon_is_taken_with_a_warning(pki, files):
    ends = pki.identity("contract").certificate.not_valid_after_utc
    codes = []
    for days in (22, 20):
        line = Line("iso2", offer(files, moment=lambda days=days: ends - timedelta(days=days)))

        async def session(line=line):
            async with line.vehicle(wishes(files)) as driver:
                await driver.set_up()
                await driver.stop()
                records = driver.asker.link.trace.records
                return next(r.response_code for r in records if r.name == "PaymentDetailsRes")

        codes.append(run(session()))
    assert codes == ["OK", "OK_CertificateExpiresSoon"]


def test_a_vehicle_without_its_contract_does_not_begin(files, tmp_path):
    line = Line("iso2", offer(files))
    for contract in (None, type(files)(tmp_path)):
        with pytest.raises(InputError, match="contract"):
            run(begin(line, Wishes("dc", authorisation="pnc", contract=contract)))


async def begin(line, wanted):
    async with line.vehicle(wanted):
        pass


def test_a_charger_without_roots_takes_no_contract(files):
    line = Line("iso2", Offer(authorisation=("pnc", "eim")))

    async def session():
        async with line.vehicle(wishes(files)) as driver:
            await driver.set_up()

    with pytest.raises(SessionFailure, match="FAILED_CertChainError"):
        run(session())


def test_a_charger_that_offers_no_contract_is_left(files):
    line = Line("iso2")

    async def session():
        async with line.vehicle(wishes(files)) as driver:
            try:
                await driver.set_up()
            finally:
                assert names(driver.asker)[-1] == "ServiceDiscoveryReq"

    with pytest.raises(SessionFailure, match="payment by ExternalPayment only"):
        run(session())
